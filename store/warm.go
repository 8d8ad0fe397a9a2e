package store

import (
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
)

// warmLimit bounds the rows of one kind that are kept between transactions, over all workspaces; warmState, in bytes, what a follower
// remembers of one conversation.
const (
	warmLimit = 20000
	warmState = 16 << 10
)

// warmth keeps rows from one transaction to the next, so that a busy conversation is not read again for every message. What it
// keeps of a workspace is right as long as nobody else has written there: the head of the log, and the epoch for changes
// without an event, tell. A unit takes the rows out while it holds the workspace's lock and puts them back when it has committed.
type warmth struct {
	mu   sync.Mutex
	rows map[int64]*warmRows
	size int
}

// warmRows are the rows of one workspace as they were at head and epoch.
type warmRows struct {
	head, epoch int64
	size        int // when they were put
	contacts    map[convKey]*contactRow
	identities  map[addressKey]*identityRow
	convs       map[convKey]*conversationRow
	byUID       map[uidKey]*conversationRow
	latest      map[threadKey]*conversationRow
	states      map[stateKey]*stateRow
}

func newWarmRows() *warmRows {
	return &warmRows{
		contacts: map[convKey]*contactRow{}, identities: map[addressKey]*identityRow{}, convs: map[convKey]*conversationRow{},
		byUID: map[uidKey]*conversationRow{}, latest: map[threadKey]*conversationRow{}, states: map[stateKey]*stateRow{},
	}
}

// count is how many rows there are of the kind that has most: contacts that somebody patches one after the other have no
// conversations among these.
func (r *warmRows) count() int {
	return max(len(r.contacts), len(r.identities), len(r.convs), len(r.latest), len(r.states))
}

// take gives the rows to whoever holds the workspace's lock; nil if there are none that are still right.
func (w *warmth) take(ws *workspaceRow) *warmRows {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := w.rows[ws.id]
	if rows == nil {
		return nil
	}
	delete(w.rows, ws.id)
	w.size -= rows.size
	if rows.head != ws.head || rows.epoch != ws.epoch {
		return nil
	}
	return rows
}

// put keeps rows; when there are too many, those of other workspaces go first.
func (w *warmth) put(ws *workspaceRow, rows *warmRows) {
	rows.head, rows.epoch, rows.size = ws.head, ws.epoch, rows.count()
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.rows[ws.id]; old != nil {
		w.size -= old.size // somebody else was between our commit and this
	}
	if w.rows == nil || w.size+rows.size > warmLimit {
		w.rows, w.size = map[int64]*warmRows{}, 0
	}
	if rows.size > warmLimit {
		return
	}
	w.rows[ws.id] = rows
	w.size += rows.size
}

// warmUp takes what is known of the locked workspaces.
func (u *unit) warmUp() {
	for id, ws := range u.workspaces {
		if rows := u.s.warm.take(ws); rows != nil {
			u.warm[id] = rows
		}
	}
}

// cool gives the rows that this transaction has written, or only read, back for the next one.
func (u *unit) cool() {
	if u.cold {
		return
	}
	for id, ws := range u.workspaces {
		rows := u.warm[id]
		if rows == nil || rows.count() > warmLimit/2 {
			rows = newWarmRows()
		}
		u.hand(id, rows)
		u.s.warm.put(ws, rows)
	}
}

// hand copies the unit's rows of one workspace.
func (u *unit) hand(ws int64, rows *warmRows) {
	for k, c := range u.contacts {
		if c != nil && k.ws == ws {
			c.fresh, c.dirty = false, false
			rows.contacts[k] = c
		}
	}
	for k, i := range u.identities {
		if i != nil && k.ws == ws {
			i.fresh, i.dirty = false, false
			rows.identities[k] = i
		}
	}
	for k, c := range u.convs {
		if c != nil && k.ws == ws {
			if c.moved && c.state == chat.StateClosed { // a newer one of the thread may have been closed before
				tk := threadKey{ws, c.channel, c.thread}
				delete(u.latest, tk)
				delete(rows.latest, tk)
			}
			c.fresh, c.dirty, c.moved = false, false, false
			rows.convs[k] = c
			rows.byUID[uidKey{string(c.uid)}] = c
		}
	}
	for k, st := range u.states {
		switch {
		case st == nil || k.ws != ws:
		case len(st.body) > warmState:
			delete(rows.states, k)
		default:
			st.dirty = false
			rows.states[k] = st
		}
	}
	for k, c := range u.latest {
		if c != nil && k.ws == ws {
			rows.latest[k] = c
		}
	}
}

// known takes a warm conversation, and its contact, into this unit.
func (u *unit) known(ws int64, row *conversationRow) *conversationRow {
	contact := u.warm[ws].contacts[convKey{ws, row.contact}]
	if contact == nil {
		return nil
	}
	u.keepContact(contact)
	return u.keep(row)
}
