package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Bounds of what is played again.
const (
	maxPastDays   = 92
	maxPastEvents = 200_000
	maxPastScan   = 5_000_000 // positions of the log
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
}

// replayed are the kinds that matter.
var replayed = []chat.Kind{chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed, chat.KindOffered, chat.KindAgentChanged}

// readPast reads it from the log.
func readPast(ctx context.Context, s *store.Store, ws chat.WorkspaceID, from, to time.Time) (p past, err error) {
	if p.queues, err = s.Queues(ctx, ws); err != nil {
		return p, err
	}
	if err := p.readAgents(ctx, s, ws, from); err != nil {
		return p, err
	}
	at, err := s.PositionAt(ctx, ws, from)
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
			p.moments = append(p.moments, momentOf(e))
		}
		if next == at {
			return p, nil
		}
		if at = next; len(p.moments) > maxPastEvents || at-first > maxPastScan {
			return p, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("too much has happened in that time (more than %d events of routing, or %d of all kinds): ask about less", maxPastEvents, maxPastScan))
		}
	}
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

func momentOf(e chat.Event) moment {
	m := moment{at: e.At, kind: e.Kind, conv: e.Conversation}
	switch e.Kind { // what is erased is empty
	case chat.KindAgentChanged:
		_ = json.Unmarshal(e.Data, &m.agent)
	case chat.KindOffered:
		var o chat.OfferData
		_ = json.Unmarshal(e.Data, &o)
		m.offer = o.Agents
	default:
		_ = json.Unmarshal(e.Data, &m.to)
	}
	return m
}

// stay is one wait in a queue, as it went.
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

	offered map[AgentID]time.Time
}

// stays finds the waits among the moments, in the order in which they began.
func (p *past) stays() []*stay {
	var all []*stay
	open := map[chat.ConversationID]*stay{}
	for _, m := range p.moments {
		s := open[m.conv]
		switch m.kind {
		case chat.KindOffered:
			if s != nil && s.agent == "" {
				for _, id := range m.offer {
					if s.offered[AgentID(id)].IsZero() {
						s.offered[AgentID(id)] = m.at
					}
				}
			}
		case chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed:
			if s != nil && s.end(m) {
				delete(open, m.conv)
			}
			if m.kind == chat.KindQueued {
				s = &stay{
					id: m.conv + chat.ConversationID(fmt.Sprintf("/%09d", len(all))), conv: m.conv, queue: m.to.Queue, arrived: m.at,
					offered: map[AgentID]time.Time{},
				}
				all = append(all, s)
				open[m.conv] = s
			}
		default:
		}
	}
	return all
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
