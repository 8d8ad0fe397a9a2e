package report

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestLive looks at a desk in which somebody waits, is late, is offered, is talked with, and rests.
func TestLive(t *testing.T) {
	onBoth(t, func(w *world) {
		settings := json.RawMessage(`{"first_reply_seconds":60,"next_reply_seconds":30,"target_seconds":20}`)
		w.do(&store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: "support", Title: "Support", Rule: "least_busy", Settings: settings, Members: []string{"ann", "bob", "cid", "zed"}}})
		for id, capacity := range map[string]int{"ann": 1, "bob": 2, "cid": 1, "dan": 0} {
			w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: id, Name: id + "!", Capacity: capacity}})
			if id != "cid" {
				w.do(&store.SetAgentState{Workspace: w.ws, Agent: id, State: store.AgentActive})
			}
		}
		convs := make([]chat.ConversationID, 6)
		for i := range convs {
			convs[i] = w.customer(0, fmt.Sprint("c", i))
		}
		w.pass(10 * time.Second)
		w.do(w.place(convs[0], chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}))
		w.do(w.say(convs[0], chat.PartyAgent, "ann")) // within the target
		w.pass(80 * time.Second)
		w.do(w.place(convs[1], chat.PlaceData{State: chat.StateAssigned, Assignee: "bob"}))
		w.do(w.say(convs[1], chat.PartyAgent, "bob")) // too late
		w.do(&store.Snooze{Workspace: w.ws, Conversation: convs[1]})
		w.do(&store.Offer{Workspace: w.ws, Conversation: convs[2], Agents: []string{"bob"}, Until: w.clock().Add(time.Hour)})
		w.do(w.place(convs[3], chat.PlaceData{State: chat.StateQueued, Queue: "unknown"}))
		w.do(w.place(convs[4], chat.PlaceData{State: chat.StateBot, Flow: "f", Version: 1}))
		w.do(w.place(convs[5], chat.PlaceData{State: chat.StateClosed}))
		w.customer(0, "c0") // waits for ann's next word
		w.pass(31 * time.Second)
		w.customer(0, "c6")
		w.pass(9 * time.Second)
		w.settled()

		b := &Board{Store: w.Store, Now: w.clock}
		got, err := b.Live(context.Background(), w.ws, Scope{All: true})
		w.must(err)
		reached := 33.3 // one in time, one late, one waits beyond the target
		want := `{"at":"2026-03-28T21:09:10Z","queues":[` +
			`{"name":"support","title":"Support","waiting":2,"offered":1,"active":1,"snoozed":1,"oldest_wait_seconds":130,"agents":{"free":1,"busy":1,"away":1},"late":2,"threshold":{"seconds":20,"percent":80,"reached":` + fmt.Sprint(reached) + `}},` +
			`{"name":"unknown","waiting":1,"offered":0,"active":0,"snoozed":0,"oldest_wait_seconds":130,"agents":{"free":0,"busy":0,"away":0},"late":0}],"agents":[` +
			`{"id":"ann","name":"ann!","state":"active","available":true,"since":"2026-03-28T21:07:00.000001Z","load":1,"capacity":1,"offered":0,"snoozed":0},` +
			`{"id":"bob","name":"bob!","state":"active","available":true,"since":"2026-03-28T21:07:00.000001Z","load":1,"capacity":2,"offered":1,"snoozed":1},` +
			`{"id":"cid","name":"cid!","state":"inactive","available":false,"since":"2026-03-28T21:07:00Z","load":0,"capacity":1,"offered":0,"snoozed":0},` +
			`{"id":"dan","name":"dan!","state":"active","available":true,"since":"2026-03-28T21:07:00.000001Z","load":0,"capacity":0,"offered":0,"snoozed":0}],"bot":1}`
		if text := w.plain(got); text != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}

		mine, err := b.Live(context.Background(), w.ws, Scope{Queues: []string{"support"}, Agent: "dan"})
		w.must(err)
		if len(mine.Queues) != 1 || len(mine.Agents) != 4 || mine.Bot != 0 {
			t.Errorf("within reach: %s", w.plain(mine))
		}
		none, err := b.Live(context.Background(), w.ws, Scope{Agent: "ann"})
		w.must(err)
		if len(none.Queues) != 0 || len(none.Agents) != 1 {
			t.Errorf("of oneself: %s", w.plain(none))
		}
		if _, err := b.Live(context.Background(), "none", Scope{All: true}); chat.CodeOf(err) != chat.CodeNotFound {
			t.Errorf("of no workspace: %v", err)
		}
	})
}

// plain is a look as the API shows it.
func (w *world) plain(l *Live) string {
	w.Helper()
	raw, err := json.Marshal(l)
	w.must(err)
	return string(raw)
}

// A conversation is due by what its queue promises, as long as it is our turn.
func TestDue(t *testing.T) {
	onBoth(t, func(w *world) {
		due := func(conv chat.ConversationID) time.Duration {
			t.Helper()
			c, err := w.Conversation(context.Background(), w.ws, conv)
			w.must(err)
			if c.Due.IsZero() {
				return 0
			}
			return c.Due.Sub(w.begun)
		}
		start := w.clock().Sub(w.begun)
		conv := w.customer(0, "c")
		if got := due(conv); got != 0 {
			t.Errorf("in a queue that promises nothing: %v", got)
		}
		settings := json.RawMessage(`{"first_reply_seconds":60,"next_reply_seconds":30}`)
		w.do(&store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: "support", Rule: "everyone", Settings: settings}})
		if got := due(conv); got != start+time.Minute {
			t.Errorf("the first reply: %v", got)
		}
		w.do(w.say(conv, chat.PartyAgent, "ann"))
		if got := due(conv); got != 0 {
			t.Errorf("the contact's turn: %v", got)
		}
		w.pass(10 * time.Minute)
		w.customer(0, "c")
		if got := due(conv); got != start+10*time.Minute+30*time.Second {
			t.Errorf("the next reply: %v", got)
		}
		w.do(w.place(conv, chat.PlaceData{State: chat.StateClosed}))
		if got := due(conv); got != 0 {
			t.Errorf("closed: %v", got)
		}
	})
}
