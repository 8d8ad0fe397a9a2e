package hub

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// profileAge is how long a profile counts as known.
const profileAge = 7 * 24 * time.Hour

// profileLane: a new conversation is the occasion to look its contact up.
func profileLane(e *chat.Event) string {
	if e.Kind != chat.KindOpened {
		return ""
	}
	return string(e.Conversation)
}

// lookUp asks the platform who the contact of a new conversation is. It is a courtesy: what fails for good is left out.
func (h *Hub) lookUp(ctx context.Context, j *store.Job) store.Verdict {
	ctx = telemetry.WithAction(ctx, j.Event.Action)
	l, err := h.line(ctx, chat.ChannelID(j.Group))
	if err != nil || l.abilities.Profile == nil || l.channel.Status == store.ChannelOff {
		return store.Done()
	}
	conv, err := h.Store.Conversation(ctx, j.Workspace, j.Event.Conversation)
	if err != nil || conv.Thread.Group {
		return store.Done()
	}
	contact, err := h.Store.Contact(ctx, j.Workspace, conv.Contact.ID)
	if err != nil {
		return store.Done()
	}
	for _, i := range contact.Identities {
		if i.Channel == conv.Channel && i.Address == conv.Thread.Address && h.Now().Sub(i.ProfileAt) < profileAge {
			return store.Done()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	p, err := l.abilities.Profile.Profile(ctx, conv.Thread.Address)
	if err != nil {
		return h.noProfile(ctx, l, j, err)
	}
	p.Address = conv.Thread.Address
	return store.Done(&store.Record{
		Workspace: j.Workspace, Conversation: conv.ID, Kind: chat.KindProfile, Sender: chat.Party{Type: chat.PartySystem}, Profile: &p,
		Action: j.Event.Action,
	})
}

func (h *Hub) noProfile(ctx context.Context, l *line, j *store.Job, err error) store.Verdict {
	e := connector.AsError(err)
	h.Log.InfoContext(ctx, "hub: no profile", "channel", l.channel.ID, "err", err)
	if j.Attempts >= 3 {
		return store.Done()
	}
	switch e.Policy {
	case connector.Retry, connector.IsUnsure:
		return store.Again(-1, e.Failure())
	case connector.Throttled:
		return store.Again(orDefault(e.After, time.Second), e.Failure())
	default:
		return store.Done()
	}
}

// Typing shows the contact, and everybody who looks at the conversation, that somebody of us writes. It is never stored.
func (h *Hub) Typing(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID, by chat.Party) error {
	conv, err := h.Store.Conversation(ctx, ws, id)
	if err != nil {
		return err
	}
	if conv.State == chat.StateClosed {
		return chat.Faultf(chat.CodeClosed, "the conversation is closed")
	}
	h.showOurTyping(ctx, ws, conv, by)
	return nil
}
