package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/connectortest"
	"github.com/dragoman-hub/dragoman/connector/webhook"
)

// clock is the time of transcripts that name none, in seconds.
const clock = "1767323045"

func TestStandard(t *testing.T) {
	connectortest.Run(t, webhook.Platform(), "testdata/standard",
		connectortest.WithProof("Webhook-Signature"), connectortest.WithSigner(signStandard), connectortest.WithBodySigned(),
		connectortest.WithHosts("cdn.example"))
}

// signStandard signs as Standard Webhooks says, without the code under test.
func signStandard(settings json.RawMessage, req *connector.Request) {
	var s struct {
		Secret  string
		Receive struct {
			Verify struct{ Secrets []string }
		}
	}
	if err := json.Unmarshal(settings, &s); err != nil {
		panic(err)
	}
	if n := len(s.Receive.Verify.Secrets); n > 0 {
		s.Secret = s.Receive.Verify.Secrets[n-1]
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Secret, "whsec_"))
	if err != nil {
		panic(err)
	}
	stamp := req.Header.Get("Webhook-Timestamp")
	if stamp == "" {
		stamp = clock
		req.Header.Set("Webhook-Timestamp", stamp)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(req.Header.Get("Webhook-Id") + "." + stamp + "." + string(req.Body)))
	other := "v1,bm90IHRoaXMgb25l"
	req.Header.Set("Webhook-Signature", other+" v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// narrow is the platform with only the elements that its settings in an example make use of.
func narrow(elements ...chat.ElementType) connector.Platform {
	p := webhook.Platform()
	all := p.Traits.Media
	p.Traits.Elements, p.Traits.Media = elements, map[chat.ElementType]connector.MediaTrait{}
	p.Traits.TypingFor, p.Traits.Album = 0, 0
	for _, e := range elements {
		if e.IsMedia() {
			p.Traits.Media[e] = all[e]
		}
	}
	return p
}

func TestHelpdesk(t *testing.T) {
	p := narrow(chat.Text, chat.Buttons, chat.File)
	p.Traits.TypingFor = webhook.Platform().Traits.TypingFor
	connectortest.Run(t, p, "testdata/helpdesk",
		connectortest.WithProof("X-Helpdesk-Signature", "X-Helpdesk-Time", "?token"), connectortest.WithSigner(signHelpdesk), connectortest.WithBodySigned())
}

func signHelpdesk(_ json.RawMessage, req *connector.Request) {
	req.Header.Set("X-Helpdesk-Time", clock)
	mac := hmac.New(sha256.New, []byte("helpdesk-secret-1"))
	mac.Write([]byte(clock + "." + string(req.Body)))
	req.Header.Set("X-Helpdesk-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

func TestSMSGateway(t *testing.T) {
	connectortest.Run(t, narrow(chat.Text, chat.Image), "testdata/sms", connectortest.WithProof("Authorization"))
}
