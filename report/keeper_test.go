package report

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestRandomDays: customers, agents and bots do what they like while the keeper counts, stops and starts again. What it has kept is what
// a plain recount of the log gives, and what it gives when it counts everything once more.
func TestRandomDays(t *testing.T) {
	onBoth(t, func(w *world) {
		d := &day{world: w, rnd: rand.New(rand.NewPCG(5, 7))} //nolint:gosec // a test that can be repeated
		for range 4 {
			for range 60 {
				d.step()
			}
			d.same()
			if d.Failed() {
				d.Fatal(strings.Join(d.log, ", "))
			}
		}
		w.stop()
		w.must(w.KeepReports(context.Background(), prefix, -1, prefix+"none"))
		if left := w.kept(w.channels[0]); len(left) > 0 {
			t.Fatal("kept of a version that is not wanted: ", left)
		}
		w.start()
		d.same()
	})
}

type day struct {
	*world
	rnd   *rand.Rand
	convs []chat.ConversationID
	log   []string
}

// step does one thing; what is refused changes nothing.
func (d *day) step() {
	d.Helper()
	d.pass(time.Duration(d.rnd.Int64N(int64(7 * time.Minute))))
	n := d.rnd.IntN(16)
	if len(d.convs) == 0 || n < 3 {
		channel := d.rnd.IntN(2)
		d.convs = append(d.convs, d.customer(channel, fmt.Sprint("c", d.rnd.IntN(6))))
		d.log = append(d.log, "writes")
		return
	}
	conv, agent := d.convs[d.rnd.IntN(len(d.convs))], []string{"ann", "bob"}[d.rnd.IntN(2)]
	queue := []string{"support", "sales"}[d.rnd.IntN(2)]
	cmds := map[int]store.Command{
		3: d.say(conv, chat.PartyAgent, agent), 4: d.say(conv, chat.PartyAgent, agent), 5: d.say(conv, chat.PartyBot, "f"),
		6: d.say(conv, chat.PartySystem, ""), 7: d.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: queue}),
		8:  d.place(conv, chat.PlaceData{State: chat.StateQueued}),
		9:  d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: agent, Queue: queue}),
		10: d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: agent}),
		11: d.place(conv, chat.PlaceData{State: chat.StateBot, Flow: "f", Version: 1}),
		12: d.place(conv, chat.PlaceData{State: chat.StateClosed}),
		13: &store.Offer{Workspace: d.ws, Conversation: conv, Agents: []string{agent}, Until: d.clock().Add(time.Minute)},
		14: &store.EndOffer{Workspace: d.ws, Conversation: conv, Agent: agent},
		15: &store.EndOffer{Workspace: d.ws, Conversation: conv},
	}
	_, err := d.Append(context.Background(), cmds[n])
	d.log = append(d.log, fmt.Sprint(n, " ", chat.CodeOf(err)))
	if d.rnd.IntN(25) == 0 {
		d.stop()
		d.start()
	}
}

// What is counted again after personal data was erased has lost queues and agents, and no conversation or message.
func TestErasedDataIsCounted(t *testing.T) {
	onBoth(t, func(w *world) {
		conv := w.customer(0, "eve")
		w.do(w.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}))
		w.do(w.say(conv, chat.PartyAgent, "ann"))
		c, err := w.Conversation(context.Background(), w.ws, conv)
		w.must(err)
		w.settled()
		w.do(&store.Erase{Workspace: w.ws, Contact: c.Contact.ID})
		w.stop()
		w.must(w.KeepReports(context.Background(), prefix, -1, prefix+"none"))
		w.start()
		w.settled()
		got, err := History(context.Background(), w.Store, w.ws, Query{From: w.begun, To: w.clock().Add(time.Hour), Step: Day})
		w.must(err)
		p := got.Points[0]
		if p.Opened != 1 || p.Closed != 1 || p.MessagesIn != 1 || p.MessagesOut != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// TestHistory reads what was counted as people do: points, percentiles, one queue, agents.
func TestHistory(t *testing.T) {
	onBoth(t, func(w *world) {
		ctx := context.Background()
		for i, wait := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
			conv := w.customer(0, fmt.Sprint("c", i))
			w.pass(wait)
			w.do(w.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}))
			w.do(w.say(conv, chat.PartyAgent, "ann"))
			w.do(w.place(conv, chat.PlaceData{State: chat.StateClosed}))
		}
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "ann", Name: "Ann"}})
		w.settled()
		q := Query{From: w.begun, To: w.clock(), Step: Hour, Queue: "support"}
		got, err := History(ctx, w.Store, w.ws, q)
		w.must(err)
		if len(got.Points) != 1 || got.Behind != 0 {
			t.Fatalf("%+v", got)
		}
		p := got.Points[0]
		if p.Opened != 3 || p.Queued != 3 || p.Closed != 3 || p.Abandoned != 0 || p.FirstReplies != 3 || *p.FirstP50 < 15 || *p.FirstP50 > 25 || *p.FirstP90 < 35 || *p.WaitP90 > 45 {
			t.Errorf("%+v %v %v", p, *p.FirstP50, *p.FirstP90)
		}
		q.Queues = []string{}
		if got, err = History(ctx, w.Store, w.ws, q); err != nil || got.Points[0].Opened != 0 {
			t.Errorf("of no queue: %+v %v", got, err)
		}
		agents, err := Agents(ctx, w.Store, w.ws, Query{From: w.begun, To: w.clock(), Queues: []string{"support"}})
		if err != nil || len(agents) != 1 || agents[0].Name != "Ann" || agents[0].Taken != 3 || agents[0].Closed != 3 || agents[0].FirstReplies != 3 {
			t.Errorf("%+v %v", agents, err)
		}
	})
}
