package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Beginning is a conversation that we want to begin.
type Beginning struct {
	Known   bool      // the contact's address is one that wrote to us before
	LastIn  time.Time // when the contact wrote last on this channel; zero: never
	Message chat.Message
}

// MayBegin tells whether a platform lets us write first, in words for people.
func (h *Hub) MayBegin(ctx context.Context, ws chat.WorkspaceID, id chat.ChannelID, b Beginning) error {
	l, err := h.line(ctx, id)
	if err != nil {
		return err
	}
	if l.channel.Workspace != ws {
		return chat.Faultf(chat.CodeNotFound, "no such channel")
	}
	if l.channel.Status == store.ChannelOff {
		return chat.Faultf(chat.CodeForbidden, "the channel is switched off")
	}
	if !b.Known && !l.traits.Initiate {
		return chat.Faultf(chat.CodeWindow, "on this platform people have to write first")
	}
	window := l.traits.ReplyWindow
	if window == 0 || !b.LastIn.IsZero() && h.Now().Sub(b.LastIn) < window {
		return nil
	}
	for _, e := range b.Message.Stack {
		if e.Type == chat.Template && l.traits.Carries(chat.Template) {
			continue
		}
		how := "wait until the contact writes"
		if l.traits.Carries(chat.Template) {
			how = "send a template"
		}
		return chat.Faultf(chat.CodeWindow, fmt.Sprintf("free messages end %s after the contact's last one: %s", window, how))
	}
	return nil
}
