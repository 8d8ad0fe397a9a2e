package whatsapp

import (
	"context"
	"net/url"

	"github.com/dragoman-hub/dragoman/connector"
)

// Check asks who the number is.
func (n *number) Check(ctx context.Context) (string, error) {
	at := n.endpoint(n.set.PhoneNumberID)
	at.RawQuery = url.Values{"fields": {"display_phone_number,verified_name"}}.Encode()
	var who struct {
		Number string `json:"display_phone_number"`
		Name   string `json:"verified_name"`
	}
	if err := n.get(ctx, at, &who); err != nil {
		return "", err
	}
	return join(", ", who.Name, who.Number), nil
}

// Register asks Meta to send the events of this number to this channel: the app is subscribed to the business account
// (if waba_id is set), then the number gets our address as its own. Meta calls that address at once for the handshake.
func (n *number) Register(ctx context.Context) error {
	if n.webhook == "" {
		return connector.Malformedf("the hub has no public address for the webhook")
	}
	if n.set.VerifyToken == "" {
		return connector.Malformedf("settings: verify_token is missing")
	}
	if n.set.WABAID != "" {
		if err := n.post(ctx, n.endpoint(n.set.WABAID, "subscribed_apps"), struct{}{}, &struct{}{}); err != nil {
			return harmless(err)
		}
	}
	return n.callback(ctx, n.webhook)
}

// Unregister takes the number's own address back. The subscription of the account stays: other numbers may need it.
func (n *number) Unregister(ctx context.Context) error { return n.callback(ctx, "") }

// callback sets the address for the events of this number; an empty one leaves them to the app's.
func (n *number) callback(ctx context.Context, address string) error {
	config := map[string]string{"override_callback_uri": address}
	if address != "" {
		config["verify_token"] = n.set.VerifyToken
	}
	body := map[string]any{"webhook_configuration": config}
	if err := n.post(ctx, n.endpoint(n.set.PhoneNumberID), body, &struct{}{}); err != nil {
		return harmless(err)
	}
	return nil
}
