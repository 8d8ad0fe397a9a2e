package desk

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestLastOfManyOffers: of several offers in one transaction the queue remembers the last.
func TestLastOfManyOffers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		for _, a := range []string{"ann", "bob", "cid", "dan"} {
			w.agent(a, 10)
		}
		for i := range 7 {
			w.customer(fmt.Sprint("c", i))
		}
		w.settled()
		w.queue(RoundRobin, Settings{}, "ann", "bob", "cid", "dan")
		w.settled()
		queues, err := w.Queues(context.Background(), w.ws)
		w.must(err)
		if queues[0].LastAgent != "cid" {
			w.Errorf("after ann, bob, cid, dan, ann, bob and cid the last is %s", queues[0].LastAgent)
		}
	})
}

// TestLimitOfWhoTakesManyAtOnce: an agent who accepts everything that all may take gets no more than the limit.
func TestLimitOfWhoTakesManyAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 2)
		w.queue(Everyone, Settings{}, "ann")
		convs := make([]chat.ConversationID, 20)
		for i := range convs {
			convs[i] = w.customer(fmt.Sprint("c", i))
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for _, c := range convs {
			wg.Go(func() {
				switch err := w.accept(c, "ann"); {
				case err == nil:
					won.Add(1)
				case chat.CodeOf(err) != chat.CodeConflict:
					w.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 2 {
			w.Errorf("ann, who takes 2, has %d", won.Load())
		}
	})
}

// TestOffersCountForWhoTakes: who has to answer an offer has no room for what all may take, above the limit; but the same one may be taken.
func TestOffersCountForWhoTakes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 1)
		w.queue(LeastBusy, Settings{}, "ann")
		w.do(&store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: "all", Rule: string(Everyone), Members: []string{"ann"}}})
		asked, free := w.customer("one"), w.customer("two")
		w.place(free, chat.PlaceData{State: chat.StateQueued, Queue: "all"})
		w.isOffered(asked, "ann")
		if err := w.accept(free, "ann"); chat.CodeOf(err) != chat.CodeConflict {
			w.Errorf("above the limit: %v", err)
		}
		w.queue(Everyone, Settings{}, "ann")
		w.must(w.accept(asked, "ann"))
		w.place(asked, chat.PlaceData{State: chat.StateClosed})
		w.must(w.accept(free, "ann"))
	})
}

// TestPassedOnMeanwhile: leave to take from one queue does not hold in another, into which the conversation was passed on.
func TestPassedOnMeanwhile(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 1)
		conv := w.customer("one")
		w.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "sales"})
		_, err := w.Append(context.Background(), &store.Accept{Workspace: w.ws, Conversation: conv, Agent: "ann", From: "support"})
		if chat.CodeOf(err) != chat.CodeForbidden {
			w.Errorf("accepted from another queue: %v", err)
		}
	})
}

// TestErasedIsNotOverdue: an offer goes with the conversation that was erased.
func TestErasedIsNotOverdue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 2)
		w.queue(LeastBusy, Settings{AcceptSeconds: 100}, "ann")
		conv := w.customer("one")
		w.isOffered(conv, "ann")
		c, err := w.Conversation(context.Background(), w.ws, conv)
		w.must(err)
		w.stop()
		w.do(&store.Erase{Workspace: w.ws, Contact: c.Contact.ID})
		w.later(101 * time.Second)
		if overdue, err := w.OverdueOffers(context.Background(), 10); err != nil || len(overdue) > 0 {
			w.Fatal("overdue: ", overdue, err)
		}
	})
}

// TestQueueChangedByMany: of many who store a queue at once all succeed, and the members are those of the last.
func TestQueueChangedByMany(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { w.queue(RoundRobin, Settings{}, fmt.Sprint("a", i), fmt.Sprint("b", i)) })
		}
		wg.Wait()
		queues, err := w.Queues(context.Background(), w.ws)
		w.must(err)
		if len(queues) != 1 || len(queues[0].Members) != 2 || queues[0].Members[0][1:] != queues[0].Members[1][1:] {
			w.Errorf("%+v", queues)
		}
	})
}

// TestNodesRouteByTurns: two nodes that take the log from one another after every pause offer each conversation once, and nobody more
// than the limit.
func TestNodesRouteByTurns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		if !strings.HasPrefix(w.opts.DSN, "postgres") {
			return // one process has the file
		}
		w.close()
		w.opts.Lease = 20 * time.Millisecond
		w.open()
		w.start()
		s, err := store.Open(context.Background(), w.opts)
		w.must(err)
		defer s.Close()
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		other := &Router{Store: s, Tick: 20 * time.Millisecond}
		wg.Go(func() { _ = other.Run(ctx) })
		w.agent("ann", 3)
		w.agent("bob", 2)
		w.queue(LeastBusy, Settings{}, "ann", "bob")
		rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that can be repeated
		for i := range 60 {
			w.randomTurn(rnd, i)
			now, err := load(ctx, w.Store, w.ws)
			w.must(err)
			for id, a := range now.agents {
				if a.Load > a.Capacity {
					w.Fatalf("step %d: %s has %d of %d", i, id, a.Load, a.Capacity)
				}
			}
		}
		w.settled()
		now, err := load(ctx, w.Store, w.ws)
		w.must(err)
		for _, x := range now.queues["support"].line {
			for _, a := range now.agents {
				if free, _ := a.free(); free && len(x.offer) == 0 {
					w.Errorf("%s is free, %s waits", a.ID, x.Conversation)
				}
			}
		}
	})
}

// randomTurn lets a customer come, an agent accept, or a conversation end.
func (w *world) randomTurn(rnd *rand.Rand, i int) {
	w.Helper()
	switch rnd.IntN(3) {
	case 0:
		w.customer(fmt.Sprint("c", i))
	case 1:
		waiting, err := w.Waiting(context.Background(), w.ws)
		w.must(err)
		for _, x := range waiting {
			for _, a := range x.Agents {
				if err := w.accept(x.Conversation, a); err != nil {
					w.Error(err)
				}
			}
		}
	default:
		held, err := w.Assigned(context.Background(), w.ws)
		w.must(err)
		for c := range held {
			w.place(c, chat.PlaceData{State: chat.StateClosed})
			break
		}
	}
	w.settled()
}
