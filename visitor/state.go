package visitor

import (
	"cmp"
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// state is where a visitor's conversation is.
type state struct {
	Place    string `json:"place"`           // none, bot, queued, assigned, closed
	Open     bool   `json:"open,omitempty"`  // the conversation goes on
	Taken    bool   `json:"taken,omitempty"` // a bot or a person has it: what is said is seen
	Line     string `json:"line,omitempty"`  // the same for people, in the visitor's language
	Agent    string `json:"agent,omitempty"`
	Position int    `json:"position,omitempty"` // 1: next
	Minutes  int    `json:"minutes,omitempty"`  // about, until somebody answers
	Rated    bool   `json:"rated,omitempty"`
	Rates    bool   `json:"rates,omitempty"` // it can be rated
}

// stateNow reads it.
func (s *Server) stateNow(ctx context.Context, c *call) (state, error) {
	conv, err := s.conversation(ctx, c)
	if chat.CodeOf(err) == chat.CodeNotFound {
		conv = chat.Conversation{State: "none"}
	} else if err != nil {
		return state{}, err
	}
	st, err := s.stateOf(ctx, c.site, conv)
	if err != nil {
		return st, err
	}
	answered, err := s.answered(ctx, c.site)
	st.Line = st.words(textsOf(c.site, c.language()), answered)
	return st, err
}

// conversation is the visitor's: the open one, else the newest. What was said before a user got known belongs to that user: the address of
// before has nothing any more.
func (s *Server) conversation(ctx context.Context, c *call) (chat.Conversation, error) {
	conv, err := s.Store.ThreadConversation(ctx, c.site.channel, c.who.thread())
	if err != nil {
		return conv, err
	}
	mine, err := s.Store.AddressConversations(ctx, c.site.channel, c.who.address(), 1)
	if err == nil && (len(mine) == 0 || mine[0].Contact.ID != conv.Contact.ID) {
		err = chat.Faultf(chat.CodeNotFound, "no conversation")
	}
	return conv, err
}

// answered tells whether people answer now.
func (s *Server) answered(ctx context.Context, x *site) (bool, error) {
	if x.Hours == "" || s.Open == nil {
		return true, nil
	}
	return s.Open(ctx, x.workspace, x.Hours)
}

// words tell a visitor where the conversation is.
func (st state) words(texts map[string]string, answered bool) string {
	fill := strings.NewReplacer("{name}", cmp.Or(st.Agent, texts["agent"]), "{n}", strconv.Itoa(st.Position), "{m}", strconv.Itoa(st.Minutes))
	name := map[string]string{"assigned": "joined", "queued": "waiting", "closed": "ended"}[st.Place]
	switch {
	case !answered && (st.Place == "none" || st.Place == string(chat.StateQueued)):
		name = "closed"
	case st.Position > 0 && st.Minutes > 0:
		name = "wait"
	case st.Position > 0:
		name = "number"
	}
	return fill.Replace(texts[name])
}

func (s *Server) stateOf(ctx context.Context, x *site, conv chat.Conversation) (st state, err error) {
	st.Place = string(conv.State)
	st.Taken = conv.State == chat.StateBot || conv.State == chat.StateAssigned
	st.Open = st.Taken || conv.State == chat.StateQueued
	switch conv.State {
	case chat.StateAssigned:
		st.Agent, err = s.nameOf(ctx, x, conv.Assignee)
	case chat.StateQueued:
		err = s.waiting(ctx, x, conv, &st)
	case chat.StateBot, chat.StateClosed:
	default: // there is none
		return st, nil
	}
	if err != nil || !on(x.Rating) {
		return st, err
	}
	ratings, err := s.Store.EventsOfKinds(ctx, x.workspace, conv.ID, KindRated)
	st.Rated = len(ratings) > 0
	st.Rates = !st.Rated && conv.State == chat.StateClosed
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
