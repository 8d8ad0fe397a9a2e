package desk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestChangingQueues: rules, members and limits change while customers wait in two queues. What the router knows is always what the
// store has, and nobody waits for whom somebody is free.
func TestChangingQueues(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		rnd := rand.New(rand.NewPCG(3, 5)) //nolint:gosec // a test that can be repeated
		for _, a := range []string{"ann", "bob", "cid"} {
			w.agent(a, 2)
		}
		var did []string
		for range 100 {
			did = append(did, w.change(rnd))
			w.settled()
			w.knows(did)
		}
	})
}

// change does one thing to the desk; what is refused changes nothing.
func (w *world) change(rnd *rand.Rand) string {
	w.Helper()
	agents, queues := []string{"ann", "bob", "cid"}, []string{"support", "sales"}
	agent, queue := agents[rnd.IntN(3)], queues[rnd.IntN(2)]
	waiting, err := w.Waiting(context.Background(), w.ws)
	w.must(err)
	try := func(cmd store.Command) { _, _ = w.Append(context.Background(), cmd) }
	n := rnd.IntN(9)
	switch n {
	case 0, 1:
		w.customer(fmt.Sprint("c", rnd.IntN(9)))
	case 2:
		rule := Rules()[rnd.IntN(4)]
		rnd.Shuffle(3, func(i, j int) { agents[i], agents[j] = agents[j], agents[i] })
		members := agents[:rnd.IntN(4)]
		w.do(&store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: queue, Rule: string(rule), Members: members}})
		return fmt.Sprint(queue, " is ", rule, members)
	case 3:
		try(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: agent, Capacity: rnd.IntN(4)}})
	case 4:
		try(&store.SetAgentState{Workspace: w.ws, Agent: agent, State: []string{store.AgentActive, store.AgentInactive}[rnd.IntN(2)]})
	case 8:
		if rnd.IntN(4) == 0 {
			w.crash()
			return "crash"
		}
	default:
		if len(waiting) == 0 {
			return "nothing"
		}
		x := waiting[rnd.IntN(len(waiting))]
		switch n {
		case 5:
			w.place(x.Conversation, chat.PlaceData{State: chat.StateQueued, Queue: queue})
		case 6:
			w.place(x.Conversation, chat.PlaceData{State: chat.StateClosed})
		default:
			for _, a := range x.Agents {
				_ = w.accept(x.Conversation, a)
			}
		}
	}
	return fmt.Sprint(n, " ", agent, " ", queue)
}

// knows compares the router's picture with one that is read anew.
func (w *world) knows(did []string) {
	w.Helper()
	now, err := load(context.Background(), w.Store, w.ws)
	w.must(err)
	w.r.mu.Lock()
	known := w.r.pictures[w.ws]
	w.r.mu.Unlock()
	if known == nil {
		return // it has read nothing since the start
	}
	if got, want := known.String(), now.String(); got != want {
		w.Fatalf("after %s\nthe router knows\n%s\nthe store has\n%s", strings.Join(did, ", "), got, want)
	}
	for _, x := range known.waiting {
		q := known.queues[x.queue]
		if q == nil || len(x.offer) > 0 || q.rule == Everyone && x.told {
			continue
		}
		for _, a := range q.all {
			if free, _ := a.free(); free {
				w.Fatalf("after %s\n%s is free and %s waits", strings.Join(did, ", "), a.ID, x.Conversation)
			}
		}
	}
}
