package telegram

import (
	"context"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Typing implements connector.Typer. It shows for five seconds.
func (b *bot) Typing(ctx context.Context, thread chat.Thread, _ string) error {
	p := params{"action": "typing"}
	if err := destination(thread, p); err != nil {
		return err
	}
	delete(p, "direct_messages_topic_id") // sendChatAction has no such parameter
	return inThread(b.call(ctx, "sendChatAction", p, nil))
}

// Delete implements connector.Deleter: our own messages, for 48 hours. What is gone already counts as deleted.
func (b *bot) Delete(ctx context.Context, _ chat.Thread, id string) error {
	ref, err := parseRef(id)
	if err != nil {
		return err
	}
	if ref.inline != "" {
		return rejected("bad_id", "a message of the inline mode cannot be deleted")
	}
	method, p := "deleteMessage", params{}
	ref.target(p)
	if ref.business != "" {
		method = "deleteBusinessMessages"
		p = params{"business_connection_id": ref.business, "message_ids": []int64{ref.message}}
	}
	err = b.call(ctx, method, p, nil)
	if says(err, "message to delete not found") {
		return nil
	}
	return inThread(err)
}

// React implements connector.Reactor. A bot has one reaction to a message; a new one replaces it.
func (b *bot) React(ctx context.Context, _ chat.Thread, id, emoji string) error {
	ref, err := parseRef(id)
	if err != nil {
		return err
	}
	if ref.inline != "" || ref.business != "" {
		return rejected("bad_id", "Telegram takes reactions to messages of the bot's own chats only")
	}
	set := []reaction{}
	if emoji = strings.TrimSpace(emoji); emoji != "" {
		set = append(set, newReaction(emoji))
	}
	p := params{"reaction": set}
	ref.target(p)
	return inThread(b.call(ctx, "setMessageReaction", p, nil))
}

// Acknowledge implements connector.Acknowledger: it ends the waiting sign on a pressed button. Telegram takes it for some
// minutes only.
func (b *bot) Acknowledge(ctx context.Context, ack string) error {
	return b.call(ctx, "answerCallbackQuery", params{"callback_query_id": ack}, nil)
}
