package telegram

import (
	"context"

	"github.com/dragoman-hub/dragoman/connector"
)

// Register implements connector.Registrar: Telegram shall call our address, with our secret, for the kinds that we read.
func (w *webhook) Register(ctx context.Context) error {
	if w.env.WebhookURL == "" {
		return connector.Malformedf("the hub has no public address: set one, or use mode %s", modePolling)
	}
	return w.call(ctx, "setWebhook", params{
		"url":             w.env.WebhookURL,
		"secret_token":    w.secret,
		"allowed_updates": allowedUpdates(),
	}, nil)
}

// Unregister implements connector.Registrar.
func (w *webhook) Unregister(ctx context.Context) error { return w.deleteWebhook(ctx) }

// Register takes away a webhook that is still set, for Telegram refuses getUpdates (409) beside one. Updates that wait are
// kept.
func (p *poller) Register(ctx context.Context) error { return p.deleteWebhook(ctx) }

// Unregister has nothing to take back.
func (p *poller) Unregister(context.Context) error { return nil }

func (b *bot) deleteWebhook(ctx context.Context) error {
	return b.call(ctx, "deleteWebhook", params{}, nil)
}
