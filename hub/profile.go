package hub

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

const (
	// profileAge is how long a profile counts as known.
	profileAge = 7 * 24 * time.Hour
	// profileWait is how long a look-up waits for room beside the messages; the contact's next conversation is another occasion.
	profileWait = 10 * time.Minute
	// profileShare is which part of the channel's rate look-ups may have at most.
	profileShare = 10
)

// profileLane: a new conversation is the occasion to look its contact up. The event does not tell whether the platform gives profiles;
// where it does not, the job costs a row in the transaction that opens the conversation and its share of a later one, but no read.
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
	if d := l.spare(h.Now()); d > 0 {
		if h.Now().Sub(j.Created) > profileWait {
			return store.Done()
		}
		return store.LaterAll(d)
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

// spare takes a place in the channel's queue for what messages go before, or answers when to try again: it is only taken while half of the
// burst is free, and never more than a share of the rate, for the messages may be sent by another node.
func (l *line) spare(now time.Time) time.Duration {
	if l.rate == nil || l.rate.TokensAt(now) >= float64(l.rate.Burst()+1)/2 && l.courtesy.AllowN(now, 1) && l.rate.AllowN(now, 1) {
		return 0
	}
	return time.Duration(float64(time.Second) / float64(l.courtesy.Limit()))
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
