package storetest

import (
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// inLine: who was taken out of a line by mistake has the same place in it again.
func inLine(t *testing.T, d *deskSite, undo func(chat.Event) store.Command) {
	t.Helper()
	first := d.talk("first")
	d.do(&store.PutQueue{Workspace: d.ws, Queue: store.Queue{Name: "line", Rule: "everyone"}})
	d.do(d.place(first, chat.PlaceData{State: chat.StateQueued, Queue: "line"}))
	d.do(d.place(d.talk("second"), chat.PlaceData{State: chat.StateQueued, Queue: "line"}))
	p := d.place(first, chat.PlaceData{State: chat.StateClosed})
	p.By = chat.Party{Type: chat.PartyAgent, ID: "ann"}
	d.do(undo(d.do(p).Events[0]))
	_, position, err := d.Position(t.Context(), d.ws, first)
	must(t, err)
	equal(t, "place in the line", position, 1)
}

func undoing(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	conv := d.held("a", "ann")
	ann, bob := chat.Party{Type: chat.PartyAgent, ID: "ann"}, chat.Party{Type: chat.PartyAgent, ID: "bob"}
	undo := func(e chat.Event, by chat.Party) *store.Undo {
		return &store.Undo{Workspace: d.ws, Conversation: e.Conversation, Seq: e.Seq, By: by}
	}
	move := func(to chat.PlaceData) chat.Event {
		t.Helper()
		p := d.place(conv, to)
		p.By = ann
		return d.do(p).Events[0]
	}
	before := d.look(conv)
	for _, to := range []chat.PlaceData{
		{State: chat.StateClosed, Reason: "solved"},
		{State: chat.StateQueued, Queue: "sales"},
		{State: chat.StateAssigned, Assignee: "bob"},
	} {
		e := move(to)
		d.refuses(chat.CodeForbidden, undo(e, bob))
		back := d.do(undo(e, ann)).Events[0]
		equal(t, "kind", back.Kind, chat.KindAssigned)
		c := d.look(conv)
		if c.State != before.State || c.Assignee != "ann" || c.Queue != "support" || c.Unread != before.Unread || c.Waiting != before.Waiting || c.CloseReason != "" || !c.ClosedAt.IsZero() {
			t.Errorf("after %v was taken back: %+v", to, c)
		}
		d.refuses(chat.CodeConflict, undo(e, ann))
		d.refuses(chat.CodeConflict, undo(back, ann))
	}
	inLine(t, d, func(e chat.Event) store.Command { return undo(e, ann) })
	e := d.do(&store.Snooze{Workspace: d.ws, Conversation: conv, By: ann}).Events[0]
	d.do(undo(e, ann))
	equal(t, "rests", d.look(conv).Snoozed, false)
	move(chat.PlaceData{State: chat.StateQueued, Queue: "never stored"})
	e = move(chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"})
	d.do(undo(e, ann))
	equal(t, "never stored", d.look(conv).Queue, "never stored")
	d.do(&store.PutQueue{Workspace: d.ws, Queue: store.Queue{Name: "brief", Rule: "everyone"}})
	move(chat.PlaceData{State: chat.StateQueued, Queue: "brief"})
	d.refuses(chat.CodeConflict, &store.DropQueue{Workspace: d.ws, Name: "brief"})
	e = move(chat.PlaceData{State: chat.StateQueued, Queue: "support"})
	d.do(&store.DropQueue{Workspace: d.ws, Name: "brief"})
	d.refuses(chat.CodeConflict, undo(e, ann)) // nobody would be asked there
	move(chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"})
	e = move(chat.PlaceData{State: chat.StateQueued, Queue: "sales"})
	d.wait(2 * time.Minute)
	d.refuses(chat.CodeConflict, undo(e, ann)) // too late
	e = move(chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"})
	d.receive(d.in("a", "hello?"))
	d.refuses(chat.CodeConflict, undo(e, ann))
	e = move(chat.PlaceData{State: chat.StateClosed})
	d.receive(d.in("a", "hello?"))
	d.refuses(chat.CodeConflict, undo(e, ann))
	d.refuses(chat.CodeNotFound, &store.Undo{Workspace: d.ws, Conversation: conv, Seq: 1000, By: ann})
	d.refuses(chat.CodeConflict, &store.Undo{Workspace: d.ws, Conversation: conv, Seq: e.Seq - 1, By: ann})
}
