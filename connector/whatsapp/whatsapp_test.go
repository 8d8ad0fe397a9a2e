package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/connectortest"
)

func TestConnector(t *testing.T) {
	connectortest.Run(t, Platform(), "testdata",
		connectortest.WithProof(signatureHeader, "?hub.verify_token"),
		connectortest.WithSigner(sign),
		connectortest.WithBodySigned(),
		connectortest.WithHosts("graph.facebook.com", "lookaside.fbsbx.com"),
	)
}

// sign signs a call as Meta does.
func sign(settings json.RawMessage, req *connector.Request) {
	var s struct {
		Secret string `json:"app_secret"`
	}
	if json.Unmarshal(settings, &s) != nil {
		return
	}
	req.Header.Set(signatureHeader, signature(s.Secret, req.Body))
}

func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
