package telegram

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"

	"github.com/dragoman-hub/dragoman/connector"
)

// secretHeader is where Telegram repeats the secret_token of setWebhook. There is no signature over the body.
const secretHeader = "X-Telegram-Bot-Api-Secret-Token"

// Receive implements connector.Receiver: one call brings one update.
func (w *webhook) Receive(_ context.Context, req connector.Request) (connector.Delivery, error) {
	if !equal(req.Header.Get(secretHeader), w.secret) {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	events, _, err := w.translate(req.Body)
	if err != nil {
		return connector.Delivery{}, err
	}
	return connector.Delivery{Events: events}, nil
}

// equal compares in a time that tells neither content nor length.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
