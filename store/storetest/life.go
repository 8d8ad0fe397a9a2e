package storetest

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// living examines how conversations rest, end and go on.
func living() []examination {
	return []examination{
		{name: "Turns", run: turns},
		{name: "Transfer", run: transferring},
		{name: "PassingOn", run: passingOn},
		{name: "Snooze", run: snoozing},
		{name: "Silence", run: silence},
		{name: "Lines", run: lines},
		{name: "Reopen", run: reopening},
		{name: "ComingBack", run: comingBack},
		{name: "Undo", run: undoing},
		{name: "History", run: histories},
	}
}

// desk is a site with a clock that the test moves, an agent and a queue.
type deskSite struct {
	*site
	ahead *atomic.Int64
}

func newDesk(t *testing.T, db Database, settings string) *deskSite {
	t.Helper()
	d := &deskSite{ahead: &atomic.Int64{}}
	d.site = newSite(t, db, func(o *store.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }
	})
	d.do(&store.PutQueue{Workspace: d.ws, Queue: store.Queue{Name: "support", Rule: "everyone", Settings: json.RawMessage(settings), Members: []string{"ann"}}})
	for _, id := range []string{"ann", "bob"} {
		d.do(&store.PutAgent{Workspace: d.ws, Agent: store.Agent{ID: id, Capacity: 1}})
		d.do(&store.SetAgentState{Workspace: d.ws, Agent: id, State: store.AgentActive})
	}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		if flaws, err := d.Check(context.WithoutCancel(t.Context()), d.ws); err != nil || len(flaws) > 0 {
			t.Errorf("flaws: %+v, %v", flaws, err)
		}
	})
	return d
}

func (d *deskSite) wait(x time.Duration) { d.ahead.Add(int64(x)) }

// held is a conversation that an agent has, in the queue.
func (d *deskSite) held(address, agent string) chat.ConversationID {
	d.t.Helper()
	conv := d.talk(address)
	d.do(d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: agent, Queue: "support"}))
	return conv
}

func (d *deskSite) answer(conv chat.ConversationID, by chat.PartyType) {
	d.t.Helper()
	p := d.post(conv, "answer")
	p.Sender = chat.Party{Type: by, ID: "x"}
	d.do(p)
}

func turns(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	conv := d.talk("a")
	equal(t, "in the queue", d.look(conv).Turn, chat.TurnFirstReply)
	d.do(d.place(conv, chat.PlaceData{State: chat.StateBot, Flow: "f", Version: 1}))
	equal(t, "with the bot", d.look(conv).Turn, chat.TurnNone)
	d.answer(conv, chat.PartyBot)
	if c := d.look(conv); !c.Waiting.IsZero() || !c.FirstReply.IsZero() || c.LastOut.IsZero() {
		t.Errorf("answered by the bot: %+v", c)
	}
	d.do(d.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "support"}))
	since := d.look(conv).Waiting
	if since.IsZero() {
		t.Error("who is handed over waits for nobody")
	}
	for _, by := range []chat.PartyType{chat.PartyBot, chat.PartySystem} {
		d.answer(conv, by)
		equal(t, "what is said by itself is no answer: waits since", d.look(conv).Waiting, since)
	}
	d.do(d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}))
	d.answer(conv, chat.PartyAgent)
	first := d.look(conv)
	equal(t, "answered", first.Turn, chat.TurnContact)
	d.wait(time.Minute)
	d.receive(d.in("a", "more"))
	d.wait(time.Minute)
	d.receive(d.in("a", "and more"))
	c := d.look(conv)
	equal(t, "asked again", c.Turn, chat.TurnNextReply)
	if c.FirstReply != first.FirstReply || c.Waiting.After(c.LastIn.Add(-time.Minute)) {
		t.Errorf("first reply %v, was %v; waits since %v, last message %v", c.FirstReply, first.FirstReply, c.Waiting, c.LastIn)
	}
	d.shut(conv)
	equal(t, "closed", d.look(conv).Turn, chat.TurnNone)
}

func transferring(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	conv, other := d.held("a", "ann"), d.held("b", "bob")
	give := func(to string) *store.Place {
		p := d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: to, Note: "speaks French"})
		p.Room = true
		return p
	}
	d.refuses(chat.CodeConflict, give("ann"))
	d.refuses(chat.CodeConflict, give("bob"))
	d.refuses(chat.CodeNotFound, give("nobody"))
	d.do(&store.Snooze{Workspace: d.ws, Conversation: other})
	var to chat.PlaceData
	must(t, json.Unmarshal(d.do(give("bob")).Events[0].Data, &to))
	if to.Note != "speaks French" || to.From == nil || to.From.Assignee != "ann" || to.From.State != chat.StateAssigned || to.From.Queue != "support" {
		t.Errorf("told %+v", to)
	}
	d.do(&store.SetAgentState{Workspace: d.ws, Agent: "ann", State: store.AgentInactive})
	d.refuses(chat.CodeConflict, give("ann"))
	forced := give("ann")
	forced.Room = false
	d.do(forced)
	equal(t, "assignee", d.look(conv).Assignee, "ann")
}

func snoozing(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	conv := d.held("a", "ann")
	snooze := func(x time.Duration) *store.Snooze {
		return &store.Snooze{Workspace: d.ws, Conversation: conv, Until: time.Now().Add(time.Duration(d.ahead.Load()) + x)}
	}
	wake := &store.Awaken{Workspace: d.ws, Conversation: conv, Due: true}
	load := func(want int) {
		t.Helper()
		n, err := d.Load(t.Context(), d.ws, "ann")
		must(t, err)
		equal(t, "load", n, want)
	}
	d.refuses(chat.CodeInvalid, snooze(-time.Hour))
	d.refuses(chat.CodeInvalid, snooze(1000*24*time.Hour))
	d.refuses(chat.CodeConflict, wake)
	d.do(snooze(time.Hour))
	load(0)
	d.refuses(chat.CodeConflict, wake)
	rested(d, 0)
	d.wait(2 * time.Hour)
	rested(d, 1)
	equal(t, "kind", d.do(wake).Events[0].Kind, chat.KindAwoken)
	load(1)
	rested(d, 0)
	d.do(&store.Snooze{Workspace: d.ws, Conversation: conv})
	d.wait(100 * 24 * time.Hour)
	rested(d, 0)
	res := d.receive(d.in("a", "here I am"))
	equal(t, "events", len(res.Events), 2)
	equal(t, "woken by", string(res.Events[1].Data), `{"reason":"contact"}`)
	load(1)
	d.do(snooze(time.Hour))
	d.do(d.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "support"}))
	equal(t, "rests in the queue", d.look(conv).Snoozed, false)
	d.refuses(chat.CodeConflict, snooze(time.Hour))
	d.shut(conv)
	d.refuses(chat.CodeClosed, snooze(time.Hour))
}

func rested(d *deskSite, want int) {
	d.t.Helper()
	due, err := d.Rested(d.t.Context(), 10)
	must(d.t, err)
	equal(d.t, "rested", len(due), want)
}

func silence(t *testing.T, db Database) {
	d := newDesk(t, db, `{"close_after_minutes":10,"close_text":"Until next time."}`)
	d.do(&store.PutQueue{Workspace: d.ws, Queue: store.Queue{Name: "sales", Rule: "everyone", Settings: json.RawMessage(`{"close_after_minutes":10,"close_counts":"any"}`)}})
	silent := func(conv chat.ConversationID, want bool) {
		t.Helper()
		due, err := d.Silent(t.Context(), time.Hour, 10)
		must(t, err)
		listed := false
		for _, o := range due {
			listed = listed || o.Conversation == conv
		}
		equal(t, "listed as silent", listed, want)
		if !want {
			d.refuses(chat.CodeConflict, &store.CloseSilent{Workspace: d.ws, Conversation: conv, Bot: time.Hour})
		}
	}
	queued, conv, sold, bot := d.talk("q"), d.held("a", "ann"), d.talk("s"), d.talk("b")
	d.do(d.place(sold, chat.PlaceData{State: chat.StateAssigned, Assignee: "bob", Queue: "sales"}))
	d.do(d.place(bot, chat.PlaceData{State: chat.StateBot, Flow: "f"}))
	d.wait(20 * time.Minute)
	silent(conv, false) // the contact waits
	silent(sold, true)  // also who waits, where any message counts
	silent(bot, false)
	d.answer(conv, chat.PartyAgent)
	silent(conv, false)
	d.wait(9 * time.Minute)
	silent(conv, false)
	d.do(&store.Snooze{Workspace: d.ws, Conversation: conv})
	d.wait(time.Hour)
	silent(conv, false)
	d.do(&store.Awaken{Workspace: d.ws, Conversation: conv})
	silent(conv, false)
	d.wait(11 * time.Minute)
	silent(conv, true)
	silent(bot, true)
	silent(queued, false)
	for _, x := range []chat.ConversationID{conv, sold, bot} {
		events := d.do(&store.CloseSilent{Workspace: d.ws, Conversation: x, Bot: time.Hour}).Events
		if x == conv {
			equal(t, "last words", events[0].Message.Text(), "Until next time.")
			events = events[1:]
		}
		equal(t, "closed by", events[0].Sender.Type, chat.PartySystem)
		equal(t, "reason", d.look(x).CloseReason, chat.ReasonSilence)
	}
	silent(conv, false)
}

// passingOn: who passes on only what she has is refused when it has gone to another one, whatever she knew a moment before.
func passingOn(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	conv := d.held("a", "ann")
	pass := func(of string) *store.Place {
		p := d.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "sales"})
		p.Of = of
		return p
	}
	d.refuses(chat.CodeForbidden, pass("bob"))
	equal(t, "who has it", d.look(conv).Assignee, "ann")
	d.do(pass("ann"))
	d.refuses(chat.CodeForbidden, pass("ann"))
}

func reopening(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	conv := d.held("a", "ann")
	reopen := &store.Reopen{Workspace: d.ws, Conversation: conv, Agent: "bob", By: chat.Party{Type: chat.PartyAgent, ID: "bob"}}
	d.refuses(chat.CodeConflict, reopen)
	d.shut(conv)
	equal(t, "who had it last", d.look(conv).Assignee, "ann")
	d.refuses(chat.CodeNotFound, &store.Reopen{Workspace: d.ws, Conversation: conv, Agent: "nobody"})
	wrote := d.look(conv).LastIn
	second := d.do(reopen).Events[0].Conversation
	c := d.look(second)
	equal(t, "when the contact wrote last, for reply windows", c.LastIn, wrote)
	if c.Previous != conv || c.Assignee != "bob" || c.State != chat.StateAssigned || c.Queue != "support" || c.Turn != chat.TurnContact {
		t.Errorf("reopened: %+v", c)
	}
	d.refuses(chat.CodeConflict, reopen)
	d.shut(second)
	third := d.do(reopen).Events[0].Conversation
	equal(t, "linked to the newest", d.look(third).Previous, second)
	equal(t, "the contact goes on in it", d.receive(d.in("a", "again")).Events[0].Conversation, third)
	d.shut(third)
	d.do(&store.DropQueue{Workspace: d.ws, Name: "support"})
	fourth := d.do(reopen).Events[0].Conversation
	equal(t, "the queue, which is gone", d.look(fourth).Queue, "")
	d.shut(fourth)
	adopted(t, d)
	d.do(&store.Erase{Workspace: d.ws, Contact: d.look(conv).Contact.ID})
	d.refuses(chat.CodeClosed, reopen)
}

// adopted: what was closed under an address that stands for nobody now does not go on there.
func adopted(t *testing.T, d *deskSite) {
	t.Helper()
	bob := chat.Party{Type: chat.PartyAgent, ID: "bob"}
	conv := d.held("anonymous", "bob")
	p := d.place(conv, chat.PlaceData{State: chat.StateClosed})
	p.By = bob
	closed := d.do(p).Events[0]
	d.do(&store.Adopt{Channel: d.ch, From: "anonymous", To: chat.Person{Address: "known"}})
	d.refuses(chat.CodeConflict, &store.Reopen{Workspace: d.ws, Conversation: conv, Agent: "bob", By: bob})
	d.refuses(chat.CodeConflict, &store.Undo{Workspace: d.ws, Conversation: conv, Seq: closed.Seq, By: bob})
}

// comingBack: who writes soon after a close comes back to the same agent, if there is room, else to the queue.
func comingBack(t *testing.T, db Database) {
	d := newDesk(t, db, `{"reopen_minutes":30}`)
	back := func(want chat.State, who string) chat.ConversationID {
		t.Helper()
		e := d.receive(d.in("a", "one more thing")).Events
		c := d.look(e[0].Conversation)
		equal(t, "state", c.State, want)
		equal(t, "assignee", c.Assignee, who)
		return c.ID
	}
	conv := d.held("a", "ann")
	d.shut(conv)
	conv = back(chat.StateAssigned, "ann")
	d.shut(conv)
	d.wait(time.Hour)
	conv = back(chat.StateQueued, "")
	equal(t, "queue", d.look(conv).Queue, "")
	d.do(d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann", Queue: "support"}))
	d.shut(conv)
	other := d.held("b", "ann")
	conv = back(chat.StateQueued, "") // no room
	equal(t, "queue", d.look(conv).Queue, "support")
	d.shut(conv)
	d.shut(other)
	conv = back(chat.StateQueued, "") // nobody had it
	d.do(d.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}))
	d.shut(conv)
	d.do(&store.SetAgentState{Workspace: d.ws, Agent: "ann", State: store.AgentInactive})
	back(chat.StateQueued, "")
}

func histories(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	var all []string
	var last chat.ConversationID
	for range 3 {
		last = d.talk("a")
		d.answer(last, chat.PartyAgent)
		d.shut(last)
		events, err := d.Events(t.Context(), d.ws, last, 0, 100)
		must(t, err)
		for _, e := range events {
			all = append([]string{string(e.Conversation) + string(e.Kind)}, all...)
		}
	}
	for _, limit := range []int{1, 2, 5, len(all), 100} {
		var got []string
		for at := (store.HistoryMark{Conversation: last}); at.Conversation != ""; {
			events, end, err := d.History(t.Context(), d.ws, at, limit)
			must(t, err)
			if len(events) > limit || len(events) == 0 && end.Conversation != "" {
				t.Fatalf("a page of %d has %d", limit, len(events))
			}
			for _, e := range events {
				got = append(got, string(e.Conversation)+string(e.Kind))
			}
			at = end
		}
		equal(t, "events", len(got), len(all))
		for i := range got {
			equal(t, "event", got[i], all[i])
		}
	}
}
