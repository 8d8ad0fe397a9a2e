package whatsapp

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// MarkRead shows the contact that the message with this id, and those before it, were read.
func (n *number) MarkRead(ctx context.Context, _ chat.Thread, id string) error {
	return n.seen(ctx, id, false)
}

// Typing shows the contact that somebody writes. The platform shows it for a message: newest, which it marks as read too.
func (n *number) Typing(ctx context.Context, _ chat.Thread, newest string) error {
	return n.seen(ctx, newest, true)
}

func (n *number) seen(ctx context.Context, id string, typing bool) error {
	if id == "" {
		return rejected("the id of the contact's newest message is needed")
	}
	body := map[string]any{"messaging_product": "whatsapp", "status": "read", "message_id": id}
	if typing {
		body["typing_indicator"] = map[string]string{"type": "text"}
	}
	return n.post(ctx, n.endpoint(n.set.PhoneNumberID, "messages"), body, &struct{}{})
}

// React sets our reaction to a message; an empty emoji takes it back.
func (n *number) React(ctx context.Context, thread chat.Thread, id, emoji string) error {
	if id == "" {
		return rejected("a reaction needs the id of a message")
	}
	said := statement{kind: "reaction", body: map[string]string{"message_id": id, "emoji": emoji}}
	_, err := n.deliver(ctx, n.outgoing(thread, said), "")
	return err
}
