package visitor

import (
	"context"
	"math"

	"github.com/dragoman-hub/dragoman/chat"
)

// state is where a visitor's conversation is.
type state struct {
	Place    string `json:"place"` // none, bot, queued, assigned, closed
	Agent    string `json:"agent,omitempty"`
	Position int    `json:"position,omitempty"` // 1: next
	Minutes  int    `json:"minutes,omitempty"`  // about, until somebody answers
	Rated    bool   `json:"rated,omitempty"`
	Rates    bool   `json:"rates,omitempty"` // it can be rated
}

// stateNow reads it.
func (s *Server) stateNow(ctx context.Context, c *call) (state, error) {
	conv, err := s.Store.ThreadConversation(ctx, c.site.channel, c.who.thread())
	if chat.CodeOf(err) == chat.CodeNotFound {
		return state{Place: "none"}, nil
	}
	if err != nil {
		return state{}, err
	}
	return s.stateOf(ctx, c.site, conv)
}

func (s *Server) stateOf(ctx context.Context, x *site, conv chat.Conversation) (st state, err error) {
	st.Place = string(conv.State)
	switch conv.State {
	case chat.StateAssigned:
		st.Agent, err = s.nameOf(ctx, x, conv.Assignee)
	case chat.StateQueued:
		err = s.waiting(ctx, x, conv, &st)
	case chat.StateBot, chat.StateClosed:
	}
	if err != nil || !on(x.Rating) {
		return st, err
	}
	ratings, err := s.Store.EventsOfKinds(ctx, x.workspace, conv.ID, KindRated)
	st.Rated = len(ratings) > 0
	st.Rates = !st.Rated && (conv.State == chat.StateClosed || conv.State == chat.StateAssigned)
	return st, err
}

// nameOf is what an agent is called; nobody's id is shown.
func (s *Server) nameOf(ctx context.Context, x *site, agent string) (string, error) {
	a, err := s.Store.Agent(ctx, x.workspace, agent)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return "", nil
	}
	return a.Name, err
}

func (s *Server) waiting(ctx context.Context, x *site, conv chat.Conversation, st *state) error {
	if s.Waiting == nil {
		return nil
	}
	p, err := s.Waiting(ctx, x.workspace, conv)
	if chat.CodeOf(err) == chat.CodeNotFound || chat.CodeOf(err) == chat.CodeConflict { // it has just left the queue
		return nil
	}
	st.Position, st.Minutes = p.Position, int(math.Ceil(p.Estimate.Minutes()))
	return err
}
