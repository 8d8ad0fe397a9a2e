package store

import (
	"strings"
	"testing"
)

// What is kept between transactions is bounded, whatever kind of rows there are most of.
func TestWarmRowsAreBounded(t *testing.T) {
	w := &warmth{}
	put := func(ws, contacts int64) {
		rows := newWarmRows()
		for no := range contacts {
			rows.contacts[convKey{ws, no}] = &contactRow{}
		}
		w.put(&workspaceRow{id: ws}, rows)
	}
	put(1, warmLimit+1)
	if len(w.rows) != 0 {
		t.Error("too many contacts of one workspace are kept")
	}
	for range 3 {
		put(1, warmLimit/2)
	}
	put(2, warmLimit/2)
	if len(w.rows) != 2 || w.size != warmLimit {
		t.Errorf("%d workspaces with %d rows; to put one again must not count twice", len(w.rows), w.size)
	}
	put(3, 1)
	if len(w.rows) != 1 || w.size != 1 {
		t.Errorf("%d workspaces with %d rows, want the newest alone", len(w.rows), w.size)
	}
	if w.take(&workspaceRow{id: 3}) == nil || w.size != 0 || w.take(&workspaceRow{id: 3}) != nil {
		t.Error("rows are taken once")
	}
}

// A large state is read again, and never an older one instead of it.
func TestLargeStatesAreNotKept(t *testing.T) {
	k := stateKey{1, "bot", 1}
	rows := newWarmRows()
	u := &unit{states: map[stateKey]*stateRow{k: {body: "small", dirty: true}}}
	u.hand(1, rows)
	if rows.states[k] == nil || rows.states[k].dirty {
		t.Error("a small one is kept")
	}
	u.states[k] = &stateRow{body: strings.Repeat("x", warmState+1), dirty: true}
	u.hand(1, rows)
	if rows.states[k] != nil {
		t.Error("an older state is kept in place of a large one")
	}
}
