package hub

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Accept stores what came in over a connection of another kind than a webhook call, in its order. It answers when all is durable. An
// error is a *chat.Fault; what was stored before it is known when the events come again, by their keys.
func (h *Hub) Accept(ctx context.Context, id chat.ChannelID, events []chat.Incoming) error {
	l, err := h.line(ctx, id)
	if err != nil {
		return err
	}
	if l.channel.Status == store.ChannelOff {
		return chat.Faultf(chat.CodeForbidden, "the channel is switched off")
	}
	return h.take(ctx, l, events)
}
