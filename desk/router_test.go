package desk

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

func TestOfferedToTheLeastBusy(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.queue(LeastBusy, Settings{}, "ann", "bob")
		first := w.customer("one")
		w.settled()
		w.isOffered(first)
		w.agent("ann", 2)
		w.isOffered(first, "ann")
		w.agent("bob", 2)
		second := w.customer("two")
		w.isOffered(second, "bob")
		if err := w.accept(second, "ann"); chat.CodeOf(err) != chat.CodeForbidden {
			w.Errorf("accepted by who was not asked: %v", err)
		}
		w.must(w.accept(second, "bob"))
		w.must(w.accept(first, "ann"))
		if err := w.accept(first, "ann"); chat.CodeOf(err) != chat.CodeConflict {
			w.Errorf("accepted twice: %v", err)
		}
		third, fourth, fifth := w.customer("three"), w.customer("four"), w.customer("five")
		w.until(func() (bool, string) {
			return len(w.offered(third)) == 1 && len(w.offered(fourth)) == 1, "the next two are not offered"
		})
		w.settled()
		w.isOffered(fifth) // both have two: offers count
		w.place(first, chat.PlaceData{State: chat.StateClosed})
		w.isOffered(fifth, "ann")
	})
}

// TestWhy: the decision stands in the conversation.
func TestWhy(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.queue(RoundRobin, Settings{}, "ann", "bob", "cid")
		w.agent("ann", 1)
		w.agent("cid", 1)
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "bob"}})
		conv := w.customer("one")
		w.isOffered(conv, "ann")
		events, err := w.Events(context.Background(), w.ws, conv, 0, 100)
		w.must(err)
		var offer chat.OfferData
		var d Decision
		w.must(json.Unmarshal(events[len(events)-1].Data, &offer))
		w.must(json.Unmarshal(offer.Decision, &d))
		out := map[AgentID]Reason{}
		for _, c := range d.Candidates {
			out[c.Agent] = c.Out
		}
		if d.Rule != RoundRobin || d.Considered != 3 || out["ann"] != "" || out["bob"] != Unavailable || out["cid"] != NotBest {
			w.Errorf("decided %+v", d)
		}
	})
}

// TestAcceptTimeout: who does not accept in time becomes inactive, and the next is asked; with nobody else it waits.
func TestAcceptTimeout(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.queue(LeastBusy, Settings{AcceptSeconds: 100}, "ann", "bob")
		w.agent("ann", 5)
		conv := w.customer("one")
		w.isOffered(conv, "ann")
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "bob", Capacity: 5}})
		w.later(101 * time.Second)
		w.until(func() (bool, string) {
			a, err := w.Agent(context.Background(), w.ws, "ann")
			return err == nil && a.State == store.AgentInactive, "ann is still " + a.State
		})
		w.settled()
		w.isOffered(conv)
		if err := w.accept(conv, "ann"); chat.CodeOf(err) != chat.CodeForbidden {
			w.Errorf("accepted too late: %v", err)
		}
		w.state("bob", store.AgentActive)
		w.isOffered(conv, "bob")
		w.state("ann", store.AgentActive)
		w.later(101 * time.Second)
		w.isOffered(conv, "ann") // bob did not accept either
		w.must(w.accept(conv, "ann"))
		sessions, err := w.AgentSessions(context.Background(), w.ws, "ann", 10)
		w.must(err)
		if len(sessions) != 4 || !sessions[0].EndedAt.IsZero() || sessions[1].EndedAt != sessions[0].BegunAt {
			w.Errorf("sessions %+v", sessions)
		}
	})
}

func TestDecline(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.queue(LeastBusy, Settings{}, "ann", "bob")
		w.agent("ann", 5)
		conv := w.customer("one")
		w.isOffered(conv, "ann")
		w.do(&store.EndOffer{Workspace: w.ws, Conversation: conv, Agent: "ann"})
		w.settled()
		w.isOffered(conv)
		w.agent("bob", 5)
		w.isOffered(conv, "bob")
		w.crash()
		w.do(&store.EndOffer{Workspace: w.ws, Conversation: conv, Agent: "bob"})
		w.settled()
		w.isOffered(conv) // both have declined
		w.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "support"})
		w.until(func() (bool, string) { return len(w.offered(conv)) == 1, "put into the queue anew it is not offered" })
	})
}

// TestManyWantOne: of a hundred agents who accept at once exactly one has the conversation.
func TestManyWantOne(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		const many = 100
		members := make([]string, many)
		for i := range members {
			members[i] = "agent " + string(rune('a'+i/26)) + string(rune('a'+i%26))
			w.agent(members[i], 3)
		}
		w.queue(Everyone, Settings{}, members...)
		for round := range 3 {
			conv := w.customer("one")
			var won atomic.Int32
			var wg sync.WaitGroup
			for _, m := range members {
				wg.Go(func() {
					switch err := w.accept(conv, m); chat.CodeOf(err) {
					case "":
						if err != nil {
							w.Error(err)
						}
						won.Add(1)
					case chat.CodeConflict:
					default:
						w.Error(err)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				w.Errorf("round %d: %d winners", round, won.Load())
			}
			w.place(conv, chat.PlaceData{State: chat.StateClosed})
		}
	})
}

func TestEveryone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.queue(Everyone, Settings{}, "ann", "bob", "cid")
		w.agent("ann", 1)
		w.agent("bob", 1)
		w.agent("dan", 1)
		conv := w.customer("one")
		w.isOffered(conv, "ann", "bob")
		if err := w.accept(conv, "dan"); chat.CodeOf(err) != chat.CodeForbidden {
			w.Errorf("a stranger: %v", err)
		}
		w.agent("cid", 1)
		w.must(w.accept(conv, "cid")) // came later
		other := w.customer("two")
		if err := w.accept(other, "cid"); chat.CodeOf(err) != chat.CodeConflict {
			w.Errorf("above the limit: %v", err)
		}
		if err := w.accept(other, "nobody"); chat.CodeOf(err) != chat.CodeNotFound {
			w.Errorf("nobody: %v", err)
		}
	})
}

func TestBadDesk(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		for name, cmd := range map[string]store.Command{
			"agent without id":     &store.PutAgent{Workspace: w.ws},
			"negative capacity":    &store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "a", Capacity: -1}},
			"state of nobody":      &store.SetAgentState{Workspace: w.ws, Agent: "nobody", State: store.AgentActive},
			"no such state":        &store.SetAgentState{Workspace: w.ws, Agent: "a", State: "asleep"},
			"settings are no JSON": &store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: "q", Settings: json.RawMessage("{")}},
			"another workspace":    &store.PutQueue{Workspace: "w2", Queue: store.Queue{Name: "q"}},
		} {
			if _, err := w.Append(context.Background(), cmd); err == nil || chat.CodeOf(err) == chat.CodeUnavailable {
				w.Errorf("%s: %v", name, err)
			}
		}
		w.must(w.PutAgentState(context.Background(), w.ws, store.AgentState{Name: "lunch"}))
		w.agent("ann", 1)
		w.state("ann", "lunch")
		if a, err := w.Agent(context.Background(), w.ws, "ann"); err != nil || a.Available || a.State != "lunch" {
			w.Errorf("%+v, %v", a, err)
		}
	})
}
