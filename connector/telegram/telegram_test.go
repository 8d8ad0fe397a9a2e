package telegram_test

import (
	"testing"

	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/connectortest"
	"github.com/dragoman-hub/dragoman/connector/telegram"
)

func TestConnector(t *testing.T) {
	connectortest.Run(t, telegram.Platform(), "testdata", connectortest.WithProof("X-Telegram-Bot-Api-Secret-Token"))
}

// TestWebhookNeedsSecret: without one, anybody could write in Telegram's name.
func TestWebhookNeedsSecret(t *testing.T) {
	for _, settings := range []string{`{"token":"1:a"}`, `{"token":"1:a","secret_token":""}`, `{"token":"1:a","secret_token":"=="}`} {
		_, err := telegram.Platform().Open(t.Context(), connector.Env{Settings: []byte(settings)})
		if err == nil || connector.AsError(err).Policy != connector.Malformed {
			t.Errorf("%s: got %v", settings, err)
		}
	}
}
