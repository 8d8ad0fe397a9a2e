package desk

import (
	"cmp"
	"context"
	"encoding/json"
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
	queues  map[string]*queue
	waiting map[chat.ConversationID]*waiter
	holders map[chat.ConversationID]AgentID // who has which conversation
}

// member is an agent and the queues that the agent answers.
type member struct {
	Agent
	queues []string
}

type queue struct {
	rule     Rule
	settings Settings
	members  []AgentID
	last     AgentID   // who was offered the last conversation
	line     []*waiter // those who wait longest first
}

// waiter is a conversation in a queue.
type waiter struct {
	Waiting
	queue string
	since time.Time
	offer []AgentID // who have to answer in time
	told  bool      // it is offered, also to all who like
}

// Settings are what a queue may set beside its rule.
type Settings struct {
	AcceptSeconds int            `json:"accept_seconds,omitempty"` // how long an agent may take to accept; 300 by default
	Skills        map[string]int `json:"skills,omitempty"`         // what the rule "skills" wants, by name
}

// acceptTime is how long an offer stands.
func (s Settings) acceptTime() time.Duration {
	return time.Duration(cmp.Or(s.AcceptSeconds, 300)) * time.Second
}

// load reads a workspace as it is now. Nobody else may write to it meanwhile.
func load(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (*picture, error) {
	p := &picture{agents: map[AgentID]*member{}, waiting: map[chat.ConversationID]*waiter{}, holders: map[chat.ConversationID]AgentID{}}
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
	for _, w := range waiting {
		p.wait(w)
	}
	return p, err
}

// loadQueues reads all queues anew; what waits stays in line.
func (p *picture) loadQueues(ctx context.Context, s *store.Store, ws chat.WorkspaceID) error {
	list, err := s.Queues(ctx, ws)
	if err != nil {
		return err
	}
	p.queues = make(map[string]*queue, len(list))
	for _, a := range p.agents {
		a.queues = nil
	}
	for _, row := range list {
		q := &queue{rule: Rule(row.Rule), last: AgentID(row.LastAgent)}
		_ = json.Unmarshal(row.Settings, &q.settings) // checked when they were stored; what does not fit has its default
		p.queues[row.Name] = q
		for _, id := range row.Members {
			q.members = append(q.members, AgentID(id))
			if a := p.agents[AgentID(id)]; a != nil {
				a.queues = append(a.queues, row.Name)
			}
		}
	}
	for _, w := range p.waiting {
		p.stand(w)
	}
	return nil
}

// agent brings an agent up to date.
func (p *picture) agent(row store.Agent) *member {
	a := p.agents[AgentID(row.ID)]
	if a == nil {
		a = &member{Agent: Agent{ID: AgentID(row.ID), IdleSince: row.StateAt}}
		p.agents[a.ID] = a
		for name, q := range p.queues {
			if slices.Contains(q.members, a.ID) {
				a.queues = append(a.queues, name)
			}
		}
		a.Load = p.loadOf(a.ID)
	}
	if row.Available && !a.Available {
		a.IdleSince = row.StateAt
		p.forgive(a.ID)
	}
	a.Available, a.Capacity, a.Skills = row.Available, row.Capacity, row.Skills
	return a
}

// loadOf counts what an agent has and is offered.
func (p *picture) loadOf(id AgentID) (n int) {
	for _, agent := range p.holders {
		if agent == id {
			n++
		}
	}
	for _, w := range p.waiting {
		if slices.Contains(w.offer, id) {
			n++
		}
	}
	return n
}

// forgive forgets what an agent declined before the last break.
func (p *picture) forgive(id AgentID) {
	for _, w := range p.waiting {
		w.Declined = slices.DeleteFunc(w.Declined, func(a AgentID) bool { return a == id })
	}
}

// wait puts a conversation in line, with its offer.
func (p *picture) wait(row store.WaitingConversation) *waiter {
	w := &waiter{Waiting: Waiting{Conversation: row.Conversation}, queue: row.Queue, since: row.Since}
	for _, a := range row.Declined {
		w.Declined = append(w.Declined, AgentID(a))
	}
	p.waiting[w.Conversation] = w
	p.stand(w)
	offer := make([]AgentID, len(row.Agents))
	for i, a := range row.Agents {
		offer[i] = AgentID(a)
	}
	p.offer(w, offer, row.Until)
	return w
}

// stand puts a conversation at its place in the line of its queue.
func (p *picture) stand(w *waiter) {
	q := p.queues[w.queue]
	if q == nil {
		return // it waits until there is such a queue
	}
	w.Skills = q.settings.Skills
	at, _ := slices.BinarySearchFunc(q.line, w, func(a, b *waiter) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.Conversation, b.Conversation))
	})
	q.line = slices.Insert(q.line, at, w)
}

// offer changes whom a conversation is offered to. What one has to answer until some time counts as that agent's load, also when the queue
// has another rule by then; what all may take does not.
func (p *picture) offer(w *waiter, to []AgentID, until time.Time) {
	for _, id := range w.offer {
		p.burden(id, -1, time.Time{})
	}
	w.offer, w.told = nil, len(to) > 0
	if until.IsZero() {
		return
	}
	for _, id := range to {
		p.burden(id, 1, time.Time{})
	}
	w.offer = to
}

// hold gives a conversation to an agent.
func (p *picture) hold(conv chat.ConversationID, agent AgentID, now time.Time) {
	p.leave(conv, now)
	p.holders[conv] = agent
	p.burden(agent, 1, now)
}

// leave takes a conversation out of the picture; it answers whose load has become less.
func (p *picture) leave(conv chat.ConversationID, now time.Time) (freed []AgentID) {
	if w := p.waiting[conv]; w != nil {
		freed = w.offer
		p.offer(w, nil, time.Time{})
		if q := p.queues[w.queue]; q != nil {
			q.line = slices.DeleteFunc(q.line, func(x *waiter) bool { return x == w })
		}
		delete(p.waiting, conv)
	}
	if agent, ok := p.holders[conv]; ok {
		delete(p.holders, conv)
		p.burden(agent, -1, now)
		freed = append(slices.Clone(freed), agent)
	}
	return freed
}

// burden changes an agent's load; who has just ended something is idle since now.
func (p *picture) burden(id AgentID, by int, now time.Time) {
	if a := p.agents[id]; a != nil {
		a.Load += by
		if by < 0 && !now.IsZero() {
			a.IdleSince = now
		}
	}
}
