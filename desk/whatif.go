package desk

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Would is how a time would have gone under another rule, beside how it went.
type Would struct {
	Rule        Rule         `json:"rule"`
	Queue       string       `json:"queue,omitempty"`
	From        time.Time    `json:"from"`
	To          time.Time    `json:"to"`
	Arrived     int          `json:"arrived" doc:"Conversations that came into the queues in question, or waited there when the time began."`
	Was         Outcome      `json:"was"`
	Would       Outcome      `json:"would"`
	SameAgent   int          `json:"same_agent" doc:"Accepted by the same agent as it was."`
	Differences []Difference `json:"differences" nullable:"false" doc:"Those that somebody else would have had, or nobody; at most 100, in the order in which they came."`
	Different   int          `json:"different" doc:"How many there are."`
}

// Outcome sums up a time.
type Outcome struct {
	Accepted int          `json:"accepted"`
	Unserved int          `json:"unserved" doc:"Left, or still waiting at the end, without an agent."`
	WaitP50  float64      `json:"wait_p50_seconds"`
	WaitP90  float64      `json:"wait_p90_seconds"`
	Agents   []AgentShare `json:"agents" nullable:"false"`
}

// AgentShare is how many conversations an agent had.
type AgentShare struct {
	Agent    AgentID `json:"agent"`
	Accepted int     `json:"accepted"`
}

// Difference is a conversation that would have gone elsewhere.
type Difference struct {
	Conversation chat.ConversationID `json:"conversation"`
	Queue        string              `json:"queue"`
	At           time.Time           `json:"at" doc:"When it came into the queue."`
	Was          AgentID             `json:"was,omitempty"`
	WasWait      float64             `json:"was_wait_seconds,omitempty"`
	Would        AgentID             `json:"would,omitempty"`
	WouldWait    float64             `json:"would_wait_seconds,omitempty"`
}

const maxDifferences = 100

// Ask plays a time of a workspace again under another rule.
func (w WhatIf) Ask(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (Would, error) {
	if err := w.check(ctx, s, ws); err != nil {
		return Would{}, err
	}
	p, err := readPast(ctx, s, ws, w.From, w.To)
	if err != nil {
		return Would{}, err
	}
	g := newGame(w, p)
	g.facts = func(id chat.ConversationID) (*Facts, error) { return readFacts(ctx, s, ws, id) }
	if err := g.play(ctx); err != nil {
		return Would{}, err
	}
	return g.sum(), nil
}

// check finds what is wrong with the question.
func (w WhatIf) check(ctx context.Context, s *store.Store, ws chat.WorkspaceID) error {
	switch {
	case !slices.Contains(Rules(), w.Rule):
		return bad("rule", "no such rule")
	case w.Rule == Outside:
		return bad("rule", "a service outside cannot be asked about the past")
	case !w.From.Before(w.To) || w.To.Sub(w.From) > maxPastDays*24*time.Hour:
		return bad("from", "before to, by at most 92 days")
	}
	if w.Settings != nil && w.Settings.Expression != "" {
		if _, err := CompileScore(w.Settings.Expression); err != nil {
			return bad("settings.expression", err.Error())
		}
	}
	if w.Queue == "" {
		return nil
	}
	_, err := queueNamed(ctx, s, ws, w.Queue)
	return err
}

// game plays the past again. It is deterministic: the same past gives the same result.
type game struct {
	WhatIf
	p     *picture
	now   time.Time
	stays []*stay
	of    map[chat.ConversationID]*stay // by the id of the stay
	would map[*stay]played
	next  agenda
	n     int
	slow  time.Duration // to accept, where nobody knows better
	work  time.Duration // of an agent with a conversation, where nobody knows better
	facts func(chat.ConversationID) (*Facts, error)
}

// played is how a stay goes in the game.
type played struct {
	agent    AgentID
	accepted time.Time
}

// entry is something that happens in the game.
type entry struct {
	at   time.Time
	n    int // of those at the same time the one that was written down first comes first
	what func() error
}

type agenda []entry

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return cmp.Or(a[i].at.Compare(a[j].at), a[i].n-a[j].n) < 0 }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(entry)) } //nolint:errcheck // only entries are pushed
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (g *game) at(t time.Time, what func() error) {
	g.n++
	heap.Push(&g.next, entry{t, g.n, what})
}

func newGame(w WhatIf, p past) *game {
	g := &game{WhatIf: w, p: newPicture(), stays: p.stays(w.From), of: map[chat.ConversationID]*stay{}, would: map[*stay]played{}}
	for _, a := range p.agents {
		g.p.agent(a)
	}
	for _, row := range p.queues {
		g.queue(row)
	}
	g.learnTimes()
	for _, s := range g.stays {
		g.of[s.id] = s
		g.begin(s)
	}
	for _, m := range p.moments {
		if m.kind == chat.KindAgentChanged {
			g.at(m.at, func() error { g.p.agent(m.agent); return g.p.fillAll(g) })
		}
	}
	g.at(g.From, func() error { return g.p.fillAll(g) })
	return g
}

// begin writes down how a stay goes, as far as no rule decides that. What was so when the time began is so at once.
func (g *game) begin(s *stay) {
	switch {
	case !s.given && s.arrived.Before(g.From):
		g.wait(s)
	case !s.given:
		g.at(s.arrived, func() error { g.wait(s); return g.p.fillAll(g) })
	case s.accepted.Before(g.From):
		g.p.hold(s.id, s.agent, g.From)
	default:
		g.at(s.accepted, func() error { g.p.hold(s.id, s.agent, g.now); return nil })
	}
	for _, t := range s.turns {
		if !t.at.Before(g.From) {
			g.at(t.at, func() error { return g.turn(s, t.priority) })
		}
	}
	end := s.left
	if s.given {
		end = s.ended
	}
	if !end.IsZero() {
		g.at(end, func() error { return g.goAway(s) })
	}
}

// queue adds a queue, with the rule in question if it is meant.
func (g *game) queue(row store.Queue) {
	if g.Queue == "" || g.Queue == row.Name {
		row.Rule = string(g.Rule)
		if g.Settings != nil {
			s := settingsOf(row)
			if g.Settings.Skills != nil {
				s.Skills = g.Settings.Skills
			}
			if g.Settings.Expression != "" {
				s.Expression = g.Settings.Expression
			}
			row.Settings, _ = json.Marshal(s) // plain data: cannot fail
		}
	} else if Rule(row.Rule) == Outside {
		row.Rule = string(LeastBusy)
	}
	g.p.queue(row, nil)
}

// learnTimes finds how long it takes to accept and to answer, for conversations that tell nothing of it.
func (g *game) learnTimes() {
	var slow, work []time.Duration
	for _, s := range g.stays {
		if s.agent != "" && !s.given {
			slow = append(slow, s.delay(0))
			if !s.ended.IsZero() {
				work = append(work, s.ended.Sub(s.accepted))
			}
		}
	}
	g.slow, g.work = quantile(slow, 0.5), quantile(work, 0.5)
	if len(work) == 0 {
		g.work = 5 * time.Minute
	}
}

// delay is how long the agent took to accept.
func (s *stay) delay(otherwise time.Duration) time.Duration {
	if at := s.offered[s.agent]; s.agent != "" && !at.IsZero() {
		return s.accepted.Sub(at)
	}
	return otherwise
}

// play lets everything happen until the end of the time.
func (g *game) play(ctx context.Context) error {
	for n := 0; g.next.Len() > 0; n++ {
		e := heap.Pop(&g.next).(entry) //nolint:errcheck,forcetypeassert // only entries are pushed
		if !e.at.Before(g.To) {
			return nil
		}
		if n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		g.now = e.at
		if err := e.what(); err != nil {
			return err
		}
	}
	return nil
}

// wait puts a stay in line.
func (g *game) wait(s *stay) {
	priority := s.priority
	for _, t := range s.turns {
		if t.at.Before(g.From) {
			priority = t.priority
		}
	}
	g.stand(s, priority)
}

func (g *game) stand(s *stay, priority int) {
	g.p.wait(store.WaitingConversation{Conversation: s.id, Queue: s.queue, Priority: priority, First: s.arrived, Since: s.arrived})
}

// turn gives one that still waits another place in line. Who was offered it keeps it.
func (g *game) turn(s *stay, priority int) error {
	if w := g.p.waiting[s.id]; w == nil || len(w.offer) > 0 {
		return nil
	}
	g.p.leave(s.id, g.now)
	g.stand(s, priority)
	return g.p.fillAll(g)
}

// goAway is the end of a contact's patience, or of what an agent was given, as it was.
func (g *game) goAway(s *stay) error {
	if g.would[s].agent != "" {
		return nil
	}
	g.p.leave(s.id, g.now)
	return g.p.fillAll(g)
}

// learn reads what an expression may know: as it is now, for the log does not tell how it was.
func (g *game) learn(w *waiter) (bool, error) {
	f, err := g.facts(g.of[w.Conversation].conv)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return false, nil
	}
	w.Facts = f
	return err == nil, err
}

func (g *game) ask(*queue, *waiter, []Candidate) (bool, error) { return false, nil }

// offer lets an agent accept as soon as the one who did. Where all are asked, the least busy is the first.
func (g *game) offer(q *queue, w *waiter, d Decision) (bool, error) {
	s := g.of[w.Conversation]
	agent := &g.p.agents[d.Offer[0]].Agent
	for _, id := range d.Offer[1:] {
		if a := &g.p.agents[id].Agent; lessBusy(a, agent) < 0 {
			agent = a
		}
	}
	q.last = agent.ID
	g.p.offer(w, []AgentID{agent.ID}, g.To)
	accepted := g.now.Add(s.delay(g.slow))
	if !accepted.Before(g.To) || !s.left.IsZero() && !accepted.Before(s.left) {
		return true, nil // too late
	}
	g.would[s] = played{agent.ID, accepted}
	g.at(accepted, func() error {
		g.p.hold(s.id, agent.ID, g.now)
		return g.p.fillAll(g)
	})
	if s.agent != "" && s.ended.IsZero() {
		return true, nil // it goes on beyond the end
	}
	work := g.work
	if s.agent != "" {
		work = s.ended.Sub(s.accepted)
	}
	g.at(accepted.Add(work), func() error {
		g.p.leave(s.id, g.now)
		return g.p.fillAll(g)
	})
	return true, nil
}

// sum compares.
func (g *game) sum() Would {
	out := Would{Rule: g.Rule, Queue: g.Queue, From: g.From, To: g.To, Differences: []Difference{}}
	was, would := map[AgentID]int{}, map[AgentID]int{}
	var wasWaits, wouldWaits []time.Duration
	for _, s := range g.stays {
		if s.given || g.Queue != "" && s.queue != g.Queue {
			continue
		}
		out.Arrived++
		now := g.would[s]
		d := Difference{Conversation: s.conv, Queue: s.queue, At: s.arrived, Was: s.agent, Would: now.agent}
		if s.agent != "" {
			wait := s.accepted.Sub(s.arrived)
			was[s.agent]++
			wasWaits, d.WasWait = append(wasWaits, wait), wait.Seconds()
		}
		if now.agent != "" {
			wait := now.accepted.Sub(s.arrived)
			would[now.agent]++
			wouldWaits, d.WouldWait = append(wouldWaits, wait), wait.Seconds()
		}
		switch {
		case s.agent != now.agent:
			if out.Different++; len(out.Differences) < maxDifferences {
				out.Differences = append(out.Differences, d)
			}
		case s.agent != "":
			out.SameAgent++
		}
	}
	out.Was, out.Would = outcome(out.Arrived, was, wasWaits), outcome(out.Arrived, would, wouldWaits)
	return out
}

func outcome(arrived int, by map[AgentID]int, waits []time.Duration) Outcome {
	o := Outcome{Accepted: len(waits), Unserved: arrived - len(waits), Agents: []AgentShare{}}
	o.WaitP50, o.WaitP90 = quantile(waits, 0.5).Seconds(), quantile(waits, 0.9).Seconds()
	for id, n := range by {
		o.Agents = append(o.Agents, AgentShare{id, n})
	}
	slices.SortFunc(o.Agents, func(a, b AgentShare) int { return cmp.Or(b.Accepted-a.Accepted, cmp.Compare(a.Agent, b.Agent)) })
	return o
}

// quantile is the value below which a part of all lies; 0 of none.
func quantile(all []time.Duration, part float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[min(int(part*float64(len(all))), len(all)-1)]
}
