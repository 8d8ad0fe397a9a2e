package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// picture is one workspace as routing sees it. It is a cache: all of it can be read from the store again at any time. It belongs to the
// goroutine that reads the workspace's log.
type picture struct {
	last    int64 // position of the last event that it has taken in
	agents  map[AgentID]*member
	loads   map[AgentID]int // also of those who are no agents (yet)
	queues  map[string]*queue
	waiting map[chat.ConversationID]*waiter
	holders map[chat.ConversationID]AgentID // who works on which conversation
	touched map[*queue]bool                 // in which something may have become possible
	reads   bool                            // a queue's rule wants to know more of conversations than is here
}

// member is an agent and the queues that the agent answers.
type member struct {
	Agent
	queues []*queue
}

// queue keeps two lines: of all who wait, and of those for whom somebody is still to be found. Who is open and was looked at before is
// stuck: nobody who was free then fits, so that only who has changed since has to be looked at.
type queue struct {
	roster
	name     string
	settings Settings
	hours    *Calendar
	last     AgentID // who was offered the last conversation
	line     line
	open     line
	changed  map[*member]bool // members who are free and were not, or were others, when the line was last looked at
	asked    int              // how many a service outside is asked about
	missing  []AgentID        // members who are no agents (yet)
}

// waiter is a conversation in a queue.
type waiter struct {
	Waiting
	queue    string
	priority int
	first    time.Time // since when it waits
	since    time.Time // since when in this queue
	passed   []string
	due      time.Time // its longest wait is over then
	asked    int64     // position of the event that asks a service outside
	offer    []AgentID // who have to answer in time
	told     bool      // it is offered, also to all who like
	stuck    bool
}

// busy tells that there is nothing to find for a waiter now.
func (w *waiter) busy(rule Rule) bool {
	return len(w.offer) > 0 || rule == Everyone && w.told || rule == Outside && w.asked != 0
}

// line is waiters in the order in which they come.
type line []*waiter

func byTurn(a, b *waiter) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), a.first.Compare(b.first), cmp.Compare(a.Conversation, b.Conversation))
}

func (l *line) add(w *waiter) {
	if at, there := slices.BinarySearchFunc(*l, w, byTurn); !there {
		*l = slices.Insert(*l, at, w)
	}
}

func (l *line) drop(w *waiter) {
	if at, there := slices.BinarySearchFunc(*l, w, byTurn); there {
		*l = slices.Delete(*l, at, at+1)
	}
}

// Settings are what a queue may set beside its rule.
type Settings struct {
	AcceptSeconds int            `json:"accept_seconds,omitempty"` // how long an agent may take to accept; 300 by default
	ExtendTimes   *int           `json:"extend_times,omitempty"`   // how often an agent may take that time anew; 1 by default
	Skills        map[string]int `json:"skills,omitempty"`         // what the rule "skills" wants, by name

	Hours          string       `json:"hours,omitempty"` // the name of business hours
	WhenClosed     *Consequence `json:"when_closed,omitempty"`
	Limit          int          `json:"limit,omitempty"` // how many may wait at once; 0: no limit
	WhenFull       *Consequence `json:"when_full,omitempty"`
	MaxWaitSeconds int          `json:"max_wait_seconds,omitempty"` // of open time; 0: no limit
	AfterMaxWait   *Consequence `json:"after_max_wait,omitempty"`
	TellWait       string       `json:"tell_wait,omitempty"`  // a text with {{position}} and {{minutes}}
	Expression     string       `json:"expression,omitempty"` // of the rule "expression"
	URL            string       `json:"url,omitempty"`        // of the rule "http"
	TimeoutMS      int          `json:"timeout_ms,omitempty"` // how long that service may take; 2000 by default

	// what store.QueueLife reads
	CloseAfterMinutes int    `json:"close_after_minutes,omitempty"`
	CloseCounts       string `json:"close_counts,omitempty"`
	CloseText         string `json:"close_text,omitempty"`
	ReopenMinutes     int    `json:"reopen_minutes,omitempty"`

	// what reports and due times read
	TargetSeconds     int `json:"target_seconds,omitempty"`
	TargetPercent     int `json:"target_percent,omitempty"`
	FirstReplySeconds int `json:"first_reply_seconds,omitempty"`
	NextReplySeconds  int `json:"next_reply_seconds,omitempty"`
}

// acceptTime is how long an offer stands.
func (s Settings) acceptTime() time.Duration {
	return time.Duration(cmp.Or(s.AcceptSeconds, 300)) * time.Second
}

func newPicture() *picture {
	return &picture{
		agents: map[AgentID]*member{}, loads: map[AgentID]int{}, queues: map[string]*queue{}, waiting: map[chat.ConversationID]*waiter{},
		holders: map[chat.ConversationID]AgentID{}, touched: map[*queue]bool{},
	}
}

// load reads a workspace as it is now. Nobody else may write to it meanwhile.
func load(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (*picture, error) {
	p := newPicture()
	agents, err := s.Agents(ctx, ws)
	if err != nil {
		return nil, err
	}
	for _, a := range agents {
		p.agent(a)
	}
	if err := p.loadQueues(ctx, s, ws); err != nil {
		return nil, err
	}
	held, err := s.Assigned(ctx, ws)
	if err != nil {
		return nil, err
	}
	for conv, agent := range held {
		p.hold(conv, AgentID(agent), time.Time{})
	}
	waiting, err := s.Waiting(ctx, ws)
	for _, row := range waiting {
		p.wait(row)
	}
	return p, err
}

// loadQueues reads all queues anew; what waits stays in line.
func (p *picture) loadQueues(ctx context.Context, s *store.Store, ws chat.WorkspaceID) error {
	rows, err := s.Queues(ctx, ws)
	if err != nil {
		return err
	}
	calendars, err := calendarsOf(ctx, s, ws)
	if err != nil {
		return err
	}
	clear(p.queues)
	clear(p.touched)
	p.reads = false
	for _, a := range p.agents {
		a.queues = nil
	}
	for _, row := range rows {
		p.queue(row, calendars)
	}
	for _, w := range p.waiting {
		p.stand(w)
	}
	return nil
}

// queue adds a queue as it is now, and its members.
func (p *picture) queue(row store.Queue, calendars map[string]*Calendar) {
	q := &queue{name: row.Name, last: AgentID(row.LastAgent), changed: map[*member]bool{}}
	q.rule, q.settings = Rule(row.Rule), settingsOf(row)
	q.hours = calendars[q.settings.Hours]
	if q.rule == Expression {
		p.reads = true
		q.score, _ = CompileScore(q.settings.Expression) // checked when it was stored; without one nobody is asked
	}
	p.queues[q.name] = q
	for _, id := range row.Agents {
		if a := p.agents[AgentID(id)]; a != nil {
			p.join(a, q)
		} else {
			q.missing = append(q.missing, AgentID(id))
		}
	}
	p.touched[q] = true
}

// settingsOf reads what a queue has set. It was checked when it was stored; what does not fit has its default.
func settingsOf(row store.Queue) (s Settings) {
	_ = json.Unmarshal(row.Settings, &s)
	return s
}

// calendarsOf reads the business hours of a workspace.
func calendarsOf(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (map[string]*Calendar, error) {
	rows, err := s.Hours(ctx, ws)
	out := make(map[string]*Calendar, len(rows))
	for _, row := range rows {
		var h Hours
		if json.Unmarshal(row.Body, &h) == nil {
			out[row.Name], _ = h.Calendar() // checked when it was stored; what does not fit is always open
		}
	}
	return out, err
}

// join makes an agent a member of a queue.
func (p *picture) join(a *member, q *queue) {
	a.queues = append(a.queues, q)
	q.add(&a.Agent)
	p.note(a, q)
}

// note remembers that a member may be somebody's now.
func (p *picture) note(a *member, q *queue) {
	if free, _ := a.free(); free {
		q.changed[a] = true
		p.touched[q] = true
	}
}

// change lets an agent change and keeps the order of the queues. Who only has more to do than before is nobody's news, but for an
// expression that looks at that.
func (p *picture) change(a *member, busier bool, do func()) {
	for _, q := range a.queues {
		q.leave(&a.Agent)
	}
	do()
	for _, q := range a.queues {
		q.enter(&a.Agent)
		if !busier || q.rule == Expression {
			p.note(a, q)
		}
	}
}

// agent brings an agent up to date.
func (p *picture) agent(row store.Agent) {
	a := p.agents[AgentID(row.ID)]
	if a == nil {
		a = &member{Agent: Agent{ID: AgentID(row.ID), IdleSince: row.StateAt, Load: p.loads[AgentID(row.ID)]}}
		p.agents[a.ID] = a
		for _, name := range slices.Sorted(maps.Keys(p.queues)) {
			if q := p.queues[name]; slices.Contains(q.missing, a.ID) {
				p.join(a, q)
			}
		}
	}
	p.change(a, false, func() {
		if row.Available && !a.Available {
			a.IdleSince = row.StateAt
		}
		a.Available, a.Capacity, a.Skills = row.Available, row.Capacity, row.Skills
	})
}

// waiterOf is a conversation that waits, without its offer.
func waiterOf(row store.WaitingConversation) *waiter {
	w := &waiter{
		Waiting: Waiting{Conversation: row.Conversation, Assignee: AgentID(row.Assignee)}, queue: row.Queue, priority: row.Priority,
		first: row.First, since: row.Since, passed: row.Passed, due: row.Due, asked: row.Asked,
	}
	for _, a := range row.Declined {
		w.Declined = append(w.Declined, AgentID(a))
	}
	return w
}

// wait puts a conversation in line, with its offer.
func (p *picture) wait(row store.WaitingConversation) *waiter {
	w := waiterOf(row)
	p.waiting[w.Conversation] = w
	offer := make([]AgentID, len(row.Agents))
	for i, a := range row.Agents {
		offer[i] = AgentID(a)
	}
	p.offer(w, offer, row.Until)
	p.stand(w)
	return w
}

// stand puts a conversation at its place in the line of its queue.
func (p *picture) stand(w *waiter) {
	q := p.queues[w.queue]
	if q == nil {
		return // it waits until there is such a queue
	}
	w.Skills, w.stuck = q.settings.Skills, false
	if w.asked != 0 {
		q.asked++
	}
	q.line.add(w)
	p.look(w, q)
}

// look puts a conversation into the open line or takes it out.
func (p *picture) look(w *waiter, q *queue) {
	if w.busy(q.rule) {
		q.open.drop(w)
		return
	}
	w.stuck = false
	q.open.add(w)
	p.touched[q] = true
}

// offer changes whom a conversation is offered to. What one has to answer until some time counts as that agent's load, also when the queue
// has another rule by then; what all may take does not.
func (p *picture) offer(w *waiter, to []AgentID, until time.Time) {
	for _, id := range w.offer {
		p.burden(id, -1, time.Time{})
	}
	w.offer, w.told = nil, len(to) > 0
	if !until.IsZero() {
		for _, id := range to {
			p.burden(id, 1, time.Time{})
		}
		w.offer = to
	}
}

// hold gives a conversation to an agent.
func (p *picture) hold(conv chat.ConversationID, agent AgentID, now time.Time) {
	p.leave(conv, now)
	p.holders[conv] = agent
	p.burden(agent, 1, now)
}

// leave takes a conversation out of the picture.
func (p *picture) leave(conv chat.ConversationID, now time.Time) {
	if w := p.waiting[conv]; w != nil {
		p.offer(w, nil, time.Time{})
		if q := p.queues[w.queue]; q != nil {
			q.line.drop(w)
			q.open.drop(w)
			if w.asked != 0 {
				q.asked--
			}
		}
		delete(p.waiting, conv)
	}
	if agent, ok := p.holders[conv]; ok {
		delete(p.holders, conv)
		p.burden(agent, -1, now)
	}
}

// burden changes an agent's load; who has just ended something is idle since now.
func (p *picture) burden(id AgentID, by int, now time.Time) {
	p.loads[id] += by
	if p.loads[id] == 0 {
		delete(p.loads, id)
	}
	a := p.agents[id]
	if a == nil {
		return
	}
	p.change(a, by > 0, func() {
		a.Load += by
		if by < 0 && !now.IsZero() {
			a.IdleSince = now
		}
	})
}
