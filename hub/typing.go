package hub

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// showOurTyping tells those who look on at once and the platform a little later, off the caller's way.
func (h *Hub) showOurTyping(ctx context.Context, ws chat.WorkspaceID, conv chat.Conversation, by chat.Party) {
	h.Wake.Typing(wake.Typing{Workspace: ws, Conversation: conv.ID, Sender: by, On: true})
	l, err := h.line(ctx, conv.Channel)
	if err != nil || l.abilities.Typing == nil {
		return
	}
	action := telemetry.Action(ctx)
	show := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(telemetry.WithAction(ctx, action), 10*time.Second)
		defer cancel()
		newest, err := h.Store.NewestIncoming(ctx, ws, conv.ID)
		if err == nil {
			err = l.abilities.Typing.Typing(ctx, conv.Thread, newest)
		}
		if err != nil {
			h.Log.InfoContext(ctx, "hub: typing not shown", "channel", l.channel.ID, "err", err)
		}
	}
	select {
	case h.acks <- show:
	default:
	}
}
