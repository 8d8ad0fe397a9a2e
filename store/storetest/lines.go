package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// lines examines who becomes inactive for being away: agents who were there, are available, and have not been noted for long enough.
func lines(t *testing.T, db Database) {
	d := newDesk(t, db, "{}")
	const away = time.Minute
	lost := func(want ...string) {
		t.Helper()
		found, err := d.LostLines(t.Context(), away, 10)
		must(t, err)
		var got []string
		for _, l := range found {
			equal(t, "workspace", l.Workspace, d.ws)
			got = append(got, l.Agent)
		}
		equal(t, "lost", fmt.Sprint(got), fmt.Sprint(want))
	}
	note := func(agents ...string) {
		t.Helper()
		var there []store.AgentLine
		for _, a := range agents {
			there = append(there, store.AgentLine{Workspace: d.ws, Agent: a})
		}
		must(t, d.NoteLines(t.Context(), there))
	}
	lose := func(agent string) *store.LoseLine {
		return &store.LoseLine{AgentLine: store.AgentLine{Workspace: d.ws, Agent: agent}, Away: away}
	}
	conv := d.held("a", "ann")
	d.wait(2 * away)
	lost() // nobody was ever there: their states are somebody else's business
	note("ann", "bob", "nobody")
	note()
	lost()
	d.refuses(chat.CodeConflict, lose("ann"))
	d.wait(away / 2)
	note("bob")
	d.wait(away / 2)
	lost("ann")
	d.refuses(chat.CodeConflict, lose("bob"))
	d.refuses(chat.CodeNotFound, lose("nobody"))
	e := d.do(lose("ann")).Events[0]
	if e.Kind != chat.KindAgentChanged || e.Sender.Type != chat.PartySystem {
		t.Errorf("told %+v", e)
	}
	ann, err := d.Agent(t.Context(), d.ws, "ann")
	must(t, err)
	equal(t, "state", ann.State, store.AgentInactive)
	equal(t, "available", ann.Available, false)
	equal(t, "assignee", d.look(conv).Assignee, "ann")
	lost()
	d.refuses(chat.CodeConflict, lose("ann"))

	// who is inactive is not noted; who was made active from elsewhere has not been there since
	note("ann")
	d.wait(2 * away)
	d.do(&store.SetAgentState{Workspace: d.ws, Agent: "ann", State: store.AgentActive})
	d.wait(2 * away)
	lost("bob")
	d.do(&store.SetAgentState{Workspace: d.ws, Agent: "bob", State: store.AgentInactive})
	d.do(&store.SetAgentState{Workspace: d.ws, Agent: "bob", State: store.AgentActive})
	d.refuses(chat.CodeConflict, lose("bob"))
	lost()
}
