package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/dragoman-hub/dragoman/connector"
)

const signatureHeader = "X-Hub-Signature-256"

// signed tells whether header is "sha256=" and the hex HMAC-SHA256 of the raw body under the app secret.
// The older X-Hub-Signature (SHA-1) is not accepted.
func signed(secret string, body []byte, header string) bool {
	digest, found := strings.CutPrefix(header, "sha256=")
	if !found {
		return false
	}
	got, err := hex.DecodeString(digest)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(got, mac.Sum(nil))
}

// challenge answers Meta's handshake: the number that it sent, if it knows our verify token.
func (n *number) challenge(u *url.URL) (connector.Delivery, error) {
	if u == nil {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	q := u.Query()
	same := subtle.ConstantTimeCompare([]byte(q.Get("hub.verify_token")), []byte(n.set.VerifyToken)) == 1
	if n.set.VerifyToken == "" || !same {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	if mode := q.Get("hub.mode"); mode != "subscribe" {
		return connector.Delivery{}, connector.Malformedf("hub.mode is not subscribe")
	}
	return connector.Delivery{Reply: connector.Reply{
		Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: []byte(q.Get("hub.challenge")),
	}}, nil
}
