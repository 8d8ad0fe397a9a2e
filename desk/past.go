package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Bounds of what is played again.
const (
	maxPastDays   = 92
	maxPastEvents = 200_000
	maxPastScan   = 5_000_000 // positions of the log
	maxLead       = 7 * 24 * time.Hour
	maxLeadScan   = 200_000
	pastPage      = 1000
)

// WhatIf is what is asked of the past.
type WhatIf struct {
	Rule     Rule
	Queue    string // "": every queue
	From, To time.Time
	Settings *Settings // of the rule: skills and expression; nil: those of the queue
}

// past is what happened, as far as it matters for routing.
type past struct {
	queues  []store.Queue
	agents  []store.Agent // as they are now, but for their states
	moments []moment
}

// moment is an event of the log that matters.
type moment struct {
	at    time.Time
	kind  chat.Kind
	conv  chat.ConversationID
	to    chat.PlaceData
	agent store.Agent
	offer []string
	turn  *int // the priority that it has now
}

// replayed are the kinds that matter.
var replayed = []chat.Kind{
	chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed, chat.KindOffered, chat.KindAgentChanged, chat.KindChanged,
}

// readPast reads it from the log, with the days before: who had what when the time began, and who waited.
func readPast(ctx context.Context, s *store.Store, ws chat.WorkspaceID, from, to time.Time) (p past, err error) {
	if p.queues, err = s.Queues(ctx, ws); err != nil {
		return p, err
	}
	if err := p.readAgents(ctx, s, ws, from); err != nil {
		return p, err
	}
	at, err := leadIn(ctx, s, ws, from)
	if err != nil {
		return p, err
	}
	for first := at; ; {
		events, next, err := s.Log(ctx, ws, at, pastPage, store.LogFilter{Kinds: replayed})
		if err != nil {
			return p, err
		}
		for _, e := range events {
			if !e.At.Before(to) {
				return p, nil
			}
			if m := momentOf(e); m.matters(from) {
				p.moments = append(p.moments, m)
			}
		}
		if next == at {
			return p, nil
		}
		if at = next; len(p.moments) > maxPastEvents || at-first > maxPastScan {
			return p, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("too much has happened in that time (more than %d events of routing, or %d of all kinds): ask about less", maxPastEvents, maxPastScan))
		}
	}
}

// leadIn is where to begin to read, so that little of what was going on at a time is missed.
func leadIn(ctx context.Context, s *store.Store, ws chat.WorkspaceID, at time.Time) (int64, error) {
	then, err := s.PositionAt(ctx, ws, at)
	if err != nil {
		return 0, err
	}
	before, err := s.PositionAt(ctx, ws, at.Add(-maxLead))
	return max(before, then-maxLeadScan), err
}

// readAgents takes the agents as they are now, in the states that they were in.
func (p *past) readAgents(ctx context.Context, s *store.Store, ws chat.WorkspaceID, at time.Time) error {
	agents, err := s.Agents(ctx, ws)
	if err != nil {
		return err
	}
	states, err := s.AgentStates(ctx, ws)
	if err != nil {
		return err
	}
	available := map[string]bool{}
	for _, st := range states {
		available[st.Name] = st.Available
	}
	were, err := s.AgentsAt(ctx, ws, at)
	for _, a := range agents {
		a.State, a.StateAt = were[a.ID], at
		a.Available = available[a.State]
		p.agents = append(p.agents, a)
	}
	return err
}

// matters leaves out how agents were before, which the store tells, and changes of anything but the priority.
func (m moment) matters(from time.Time) bool {
	switch m.kind {
	case chat.KindAgentChanged:
		return !m.at.Before(from)
	case chat.KindChanged:
		return m.turn != nil
	default:
		return true
	}
}

func momentOf(e chat.Event) moment {
	m := moment{at: e.At, kind: e.Kind, conv: e.Conversation}
	switch e.Kind { // what is erased is empty
	case chat.KindAgentChanged:
		_ = json.Unmarshal(e.Data, &m.agent)
	case chat.KindOffered:
		var o chat.OfferData
		_ = json.Unmarshal(e.Data, &o)
		m.offer = o.Agents
	case chat.KindChanged:
		var c chat.ChangedData
		_ = json.Unmarshal(e.Data, &c)
		m.turn = c.Priority
	default:
		_ = json.Unmarshal(e.Data, &m.to)
	}
	return m
}

// stay is one wait in a queue, as it went, or what an agent had without one.
type stay struct {
	id       chat.ConversationID // of the stay: a conversation can wait more than once
	conv     chat.ConversationID
	queue    string
	priority int
	arrived  time.Time
	left     time.Time // without an agent; zero: it was accepted, or waits on
	agent    AgentID   // who accepted
	accepted time.Time
	ended    time.Time // the agent's work; zero: it goes on
	given    bool      // to the agent, by no rule or before the time began: it is only a part of the agent's load

	offered map[AgentID]time.Time
	turns   []turned
}

// turned is a change of the priority of one that waits.
type turned struct {
	at       time.Time
	priority int
}

// stays finds what went on from a time on, in the order in which it began.
func (p *past) stays(from time.Time) []*stay {
	r := reader{open: map[chat.ConversationID]*stay{}, priorities: map[chat.ConversationID]int{}}
	for _, m := range p.moments {
		r.take(m)
	}
	return slices.DeleteFunc(r.all, func(s *stay) bool {
		s.given = s.given || s.agent != "" && s.accepted.Before(from)
		return over(s.left, from) || over(s.ended, from)
	})
}

func over(t, from time.Time) bool { return !t.IsZero() && t.Before(from) }

// reader finds the stays among the moments.
type reader struct {
	all        []*stay
	open       map[chat.ConversationID]*stay
	priorities map[chat.ConversationID]int
}

func (r *reader) take(m moment) {
	s := r.open[m.conv]
	switch m.kind {
	case chat.KindOffered:
		if s != nil && s.agent == "" {
			for _, id := range m.offer {
				if s.offered[AgentID(id)].IsZero() {
					s.offered[AgentID(id)] = m.at
				}
			}
		}
	case chat.KindChanged:
		r.priorities[m.conv] = *m.turn
		if s != nil && s.agent == "" {
			s.turns = append(s.turns, turned{m.at, *m.turn})
		}
	case chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed:
		r.move(s, m)
	default:
	}
}

// move takes what brought a conversation to another place.
func (r *reader) move(s *stay, m moment) {
	if s != nil && !s.end(m) {
		return
	}
	delete(r.open, m.conv)
	if m.kind != chat.KindQueued && m.kind != chat.KindAssigned {
		return
	}
	next := &stay{
		id: m.conv + chat.ConversationID(fmt.Sprintf("/%09d", len(r.all))), conv: m.conv, queue: m.to.Queue, arrived: m.at,
		priority: r.priorities[m.conv], offered: map[AgentID]time.Time{},
	}
	if m.kind == chat.KindAssigned {
		next.agent, next.accepted, next.given = AgentID(m.to.Assignee), m.at, true
	}
	r.all = append(r.all, next)
	r.open[m.conv] = next
}

// end takes a move into a stay; true if that is over.
func (s *stay) end(m moment) bool {
	switch {
	case s.agent != "":
		s.ended = m.at
		return true
	case m.kind == chat.KindAssigned:
		s.agent, s.accepted = AgentID(m.to.Assignee), m.at
		return false
	default:
		s.left = m.at
		return true
	}
}
