package api

import (
	"context"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
)

// sight keeps from a stream what its reader does not see: conversations beyond the reach of the role. The events that take a
// conversation away from somebody are still shown, or the desk would not know.
type sight struct {
	a    *API
	who  access.Who
	seen map[chat.ConversationID]bool
}

// sightLimit bounds how many conversations are remembered.
const sightLimit = 10_000

// newSight is nil for who sees everything.
func newSight(a *API, by access.Who) *sight {
	if sightOf(by) == nil {
		return nil
	}
	return &sight{a: a, who: by, seen: map[chat.ConversationID]bool{}}
}

// moves are the events after which a conversation is somewhere else.
func moves(k chat.Kind) bool {
	switch k {
	case chat.KindOpened, chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed:
		return true
	default:
		return false
	}
}

// shows tells whether a frame is for this reader. What cannot be looked up is not shown; the stream ends and comes back.
func (s *sight) shows(ctx context.Context, fr frame) (bool, error) {
	if s == nil {
		return true, nil
	}
	if fr.conversation == "" {
		return false, nil
	}
	was, known := s.seen[fr.conversation]
	if known && !moves(fr.kind) {
		return was, nil
	}
	c, err := s.a.Store.Conversation(ctx, s.who.Workspace, fr.conversation)
	if err != nil {
		return false, err
	}
	if len(s.seen) >= sightLimit {
		clear(s.seen)
	}
	is := access.Visible(s.who, access.Place{Assignee: c.Assignee, Queue: c.Queue})
	s.seen[fr.conversation] = is
	return was || is, nil
}
