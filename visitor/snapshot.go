package visitor

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// snapshot is all that a widget shows when it opens. The stream goes on from Pos.
type snapshot struct {
	Pos      int64     `json:"pos"`
	Messages []message `json:"messages"` // in order, the newest page
	Older    string    `json:"older,omitempty"`
	Read     int64     `json:"read,omitempty"` // the visitor's messages before this position were read
	State    state     `json:"state"`
	Session  *issued   `json:"session,omitempty"` // a newer token
}

// maxConversations is how many conversations of a visitor are looked through.
const maxConversations = 100

// snapshot reads the position first: what is committed meanwhile comes twice rather than never.
func (s *Server) snapshot(c *call) error {
	ctx := c.r.Context()
	w, err := s.Store.Workspace(ctx, c.site.workspace)
	if err != nil {
		return err
	}
	out := snapshot{Pos: w.Head, Messages: []message{}, State: state{Place: "none"}, Session: s.renewed(c)}
	convs, err := s.Store.AddressConversations(ctx, c.site.channel, c.who.address(), maxConversations)
	if err != nil {
		return err
	}
	p := s.past(c.site, convs, s.Limits.Page)
	if err := p.begin(c.r.URL.Query().Get("before")); err != nil {
		return err
	}
	if err := p.read(ctx); err != nil {
		return err
	}
	out.Messages, out.Older, out.Read = append(out.Messages, p.messages...), p.older, p.readPos
	if out.State, err = s.stateNow(ctx, c); err != nil {
		return err
	}
	return c.answer(http.StatusOK, out)
}

// past reads the messages of a visitor backward.
type past struct {
	s        *Server
	x        *site
	convs    []chat.Conversation // the one that was used last first
	want     int                 // messages; 0: all
	at       int                 // index of the conversation
	before   int64               // sequence number there; 0: its end
	messages []message
	changes  map[string]message // what became of messages that were edited or taken back
	learnt   chat.ConversationID
	older    string
	readPos  int64
}

// past begins at the end. Conversations follow one another, but for those that two browsers of one user had before they were known.
func (s *Server) past(x *site, convs []chat.Conversation, want int) *past {
	slices.SortStableFunc(convs, func(a, b chat.Conversation) int { return b.Updated.Compare(a.Updated) })
	return &past{s: s, x: x, convs: convs, want: want, changes: map[string]message{}}
}

// begin reads the cursor of the page before.
func (p *past) begin(cursor string) error {
	if cursor == "" {
		return nil
	}
	id, seq, _ := strings.Cut(cursor, ".")
	n, err := strconv.ParseInt(seq, 10, 64)
	p.at = slices.IndexFunc(p.convs, func(c chat.Conversation) bool { return string(c.ID) == id })
	if err != nil || n < 0 || p.at < 0 {
		return chat.Faultf(chat.CodeInvalid, "before: no cursor of this visitor's")
	}
	p.before = n
	return nil
}

// window is how many events are read at once, and maxWindows how often for one page.
const (
	window     = 100
	maxWindows = 30
)

// read goes back until there is a page.
func (p *past) read(ctx context.Context) error {
	defer func() { slices.SortFunc(p.messages, func(a, b message) int { return cmp.Compare(a.Pos, b.Pos) }) }()
	for range maxWindows {
		if p.at >= len(p.convs) {
			return nil
		}
		conv := p.convs[p.at]
		if err := p.learn(ctx, conv); err != nil {
			return err
		}
		events, err := p.s.Store.LastEvents(ctx, p.x.workspace, conv.ID, p.before, window)
		if err != nil {
			return err
		}
		for _, e := range slices.Backward(events) {
			if p.want > 0 && len(p.messages) >= p.want {
				p.older = fmt.Sprintf("%s.%d", conv.ID, e.Seq+1)
				return nil
			}
			p.take(e)
		}
		if len(events) < window || events[0].Seq == 1 {
			p.at, p.before = p.at+1, 0
			continue
		}
		p.before = events[0].Seq
	}
	if p.at < len(p.convs) {
		p.older = fmt.Sprintf("%s.%d", p.convs[p.at].ID, p.before)
	}
	return nil
}

// learn reads what became of a conversation's messages.
func (p *past) learn(ctx context.Context, conv chat.Conversation) error {
	if p.learnt == conv.ID {
		return nil
	}
	p.learnt = conv.ID
	events, err := p.s.Store.EventsOfKinds(ctx, p.x.workspace, conv.ID, chat.KindEdited, chat.KindDeleted)
	for _, e := range events {
		if m, ok := p.s.changed(p.x, e); ok {
			p.changes[m.Key] = m
		}
	}
	return err
}

// take looks at one event on the way back.
func (p *past) take(e chat.Event) {
	switch e.Kind {
	case chat.KindMessage:
		m, ok := p.s.message(p.x, e)
		if change, changed := p.changes[m.Key]; changed {
			m.Parts, m.Gone = change.Parts, change.Gone
		}
		if ok && m.From != "me" { // an answer shows that what came before was read
			p.readPos = max(p.readPos, e.Pos)
		}
		if ok && !m.Gone {
			p.messages = append(p.messages, m)
		}
	case chat.KindRead:
		p.readPos = max(p.readPos, e.Pos)
	default:
	}
}
