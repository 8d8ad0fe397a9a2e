package desk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestRandomDays: customers come and go, agents come and go, accept, decline and pass on, the program dies. After each step nobody has
// more than the limit, nobody who could answer is idle while somebody waits, and what the router knows is what the store has.
func TestRandomDays(t *testing.T) {
	t.Parallel()
	for i, rule := range Rules()[:5] { // a service outside has tests of its own
		t.Run(string(rule), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(w *world) {
				d := &day{world: w, rule: rule, rnd: rand.New(rand.NewPCG(uint64(i), 7))} //nolint:gosec // a test that can be repeated
				d.run(50)
			})
		})
	}
}

type day struct {
	*world
	rnd    *rand.Rand
	rule   Rule
	agents []string
	convs  []chat.ConversationID
	log    []string
}

func (d *day) run(steps int) {
	d.Helper()
	d.agents = []string{"ann", "bob", "cid", "dan"}
	for i, a := range d.agents {
		d.do(&store.PutAgent{Workspace: d.ws, Agent: store.Agent{ID: a, Capacity: 1 + i%3}})
	}
	d.queue(d.rule, Settings{Expression: "10 - agent.load"}, d.agents[:3]...)
	for range steps {
		d.log = append(d.log, d.step())
		d.settled()
		d.check()
		if d.Failed() {
			d.Fatal(strings.Join(d.log, ", "))
		}
	}
}

// step does one thing; what is refused changes nothing.
func (d *day) step() string {
	agent := d.agents[d.rnd.IntN(len(d.agents))]
	var conv chat.ConversationID
	if len(d.convs) > 0 {
		conv = d.convs[d.rnd.IntN(len(d.convs))]
	}
	try := func(cmd store.Command) { _, _ = d.Append(context.Background(), cmd) }
	n := d.rnd.IntN(13)
	switch n {
	case 0, 1, 2:
		d.convs = append(d.convs, d.customer(fmt.Sprint("c", d.rnd.IntN(8))))
	case 3, 4:
		try(&store.SetAgentState{Workspace: d.ws, Agent: agent, State: store.AgentActive})
	case 5:
		try(&store.SetAgentState{Workspace: d.ws, Agent: agent, State: store.AgentInactive})
	case 6, 7, 8:
		for _, a := range d.offered(conv) {
			_ = d.accept(conv, a)
		}
	case 9:
		for _, a := range d.offered(conv) {
			try(&store.EndOffer{Workspace: d.ws, Conversation: conv, Agent: a})
			break
		}
	case 10:
		try(&store.Place{Workspace: d.ws, Conversation: conv, To: chat.PlaceData{State: chat.StateClosed}})
	case 11:
		try(&store.Place{Workspace: d.ws, Conversation: conv, To: chat.PlaceData{State: chat.StateQueued, Queue: "support"}})
	default:
		if d.rnd.IntN(4) == 0 {
			d.crash()
		}
	}
	return fmt.Sprint(n, " ", agent)
}

func (d *day) check() {
	d.Helper()
	now, err := load(context.Background(), d.Store, d.ws)
	d.must(err)
	for id, a := range now.agents {
		if d.rule != Everyone && a.Load > a.Capacity {
			d.Errorf("%s has %d of %d", id, a.Load, a.Capacity)
		}
	}
	for _, w := range now.waiting {
		d.mayWait(now, w)
	}
	d.r.mu.Lock()
	known := d.r.pictures[d.ws]
	d.r.mu.Unlock()
	if known == nil {
		return // it has read nothing since the start
	}
	if got, want := known.String(), now.String(); got != want {
		d.Errorf("the router knows\n%s\nthe store has\n%s", got, want)
	}
}

// mayWait fails when somebody is free for a conversation that is offered to nobody.
func (d *day) mayWait(p *picture, w *waiter) {
	d.Helper()
	if len(w.offer) > 0 || d.rule == Everyone {
		return
	}
	for _, a := range p.queues["support"].all {
		known := d.r.pictures[d.ws]
		if free, _ := a.free(); free && known != nil && !slices.Contains(known.waiting[w.Conversation].Declined, a.ID) {
			d.Errorf("%s is free and %s waits", a.ID, w.Conversation)
		}
	}
}

// String shows what both pictures must agree on. (How long somebody was idle is known to the router alone, until it reads anew.) The
// free are shown by their ids: they must be the same, and in order.
func (p *picture) String() string {
	var lines []string
	for id, a := range p.agents {
		var queues []string
		for _, q := range a.queues {
			queues = append(queues, q.name)
		}
		slices.Sort(queues)
		lines = append(lines, fmt.Sprint("agent ", id, a.Available, a.Load, a.Capacity, queues))
	}
	for id, w := range p.waiting {
		lines = append(lines, fmt.Sprint("waits ", id, w.queue, w.offer, w.Declined, w.priority, w.first, w.since, w.passed, w.due, w.asked))
	}
	for id, a := range p.holders {
		lines = append(lines, fmt.Sprint("held ", id, a))
	}
	for name, q := range p.queues {
		var all, free, turns []string
		for _, a := range q.all {
			all = append(all, string(a.ID))
		}
		for _, a := range q.free {
			free = append(free, string(a.ID))
		}
		for _, w := range q.line {
			turns = append(turns, string(w.Conversation))
		}
		slices.Sort(free)
		if !slices.IsSortedFunc(q.free, q.order) || !slices.IsSortedFunc(q.open, byTurn) {
			free = append(free, "out of order")
		}
		lines = append(lines, fmt.Sprint("queue ", name, q.rule, all, free, turns, len(q.open), q.asked))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
