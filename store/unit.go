package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// unit is one transaction's picture of the database: rows that were read under the workspace's lock, changed in
// memory by commands, and written back once. It is used by one goroutine.
//
// Commands name the rows that they will need (want...), all of them are fetched in one round trip, then the rules
// run in memory, then flush writes. A rule that needs a row that nobody named just fetches it then.
type unit struct {
	s    *Store
	tx   writeTx
	now  time.Time
	asks []stmt

	workspaces map[int64]*workspaceRow
	channels   map[convKey]*channelRow
	contacts   map[convKey]*contactRow
	identities map[addressKey]*identityRow
	convs      map[convKey]*conversationRow
	byUID      map[uidKey]*conversationRow
	latest     map[threadKey]*conversationRow
	targets    map[targetKey]*targetRow
	once       map[onceKey]*chat.Event // that this unit has appended or read
	onceAt     map[onceKey]eventKey    // where one stands that was there before
	events     map[eventKey]*eventRow
	states     map[stateKey]*stateRow
	jobs       map[jobKey]*jobRow
	fences     map[leaseKey]int64
	asked      map[any]bool
	warm       map[int64]*warmRows // rows of the transactions before
	desk       deskRows
	counts     map[countKey]int64 // for reports
	cold       bool               // this one changes rows behind its back: nothing of it may be kept

	broken error        // what the database answered to a read: this unit cannot be committed any more
	fresh  []freshEvent // appended in this unit, in order
	extra  []stmt       // writes that are no projections
	news   []news       // for when it is on disk
}

// freshEvent is an event on its way into the log.
type freshEvent struct {
	ws, conv int64
	once     string
	event    *chat.Event
	body     string // its body column, if that is known already
}

// eventRow is the part of a stored message that changes.
type eventRow struct {
	status     chat.Status
	externalID string
	failure    string
	dirty      bool
}

type stateRow struct {
	body  string
	known bool
	dirty bool
}

func (s *Store) newUnit(tx writeTx) *unit {
	return &unit{
		s: s, tx: tx, now: s.now(),
		workspaces: map[int64]*workspaceRow{}, channels: map[convKey]*channelRow{}, contacts: map[convKey]*contactRow{},
		identities: map[addressKey]*identityRow{}, convs: map[convKey]*conversationRow{}, byUID: map[uidKey]*conversationRow{},
		latest: map[threadKey]*conversationRow{}, targets: map[targetKey]*targetRow{}, once: map[onceKey]*chat.Event{},
		onceAt: map[onceKey]eventKey{}, events: map[eventKey]*eventRow{}, states: map[stateKey]*stateRow{}, jobs: map[jobKey]*jobRow{}, fences: map[leaseKey]int64{},
		asked: map[any]bool{}, warm: map[int64]*warmRows{},
	}
}

// ask queues a read unless the same was asked before.
func (u *unit) ask(key any, q stmt) {
	if !u.asked[key] {
		u.asked[key] = true
		u.asks = append(u.asks, q)
	}
}

// fetch runs what was asked since the last time.
func (u *unit) fetch(ctx context.Context) error {
	if len(u.asks) == 0 {
		return nil
	}
	list := u.asks
	u.asks = nil
	return u.run(ctx, list)
}

// gather fetches what want asks for, and then what it asks for now that conversations are known.
func (u *unit) gather(ctx context.Context, want func()) error {
	for {
		want()
		known := len(u.convs)
		if err := u.fetch(ctx); err != nil || len(u.convs) == known {
			return err
		}
	}
}

// run executes at once.
func (u *unit) run(ctx context.Context, list []stmt) error {
	if u.broken == nil {
		u.broken = u.tx.run(ctx, list)
	}
	return u.broken
}

// open locks workspaces, in the order given, and takes what is known of them from before.
func (u *unit) open(ctx context.Context, list []int64) error {
	for _, ws := range list {
		u.lock(ws)
	}
	if err := u.fetch(ctx); err != nil {
		return err
	}
	u.warmUp()
	return nil
}

// lock takes the workspace's row: from here on nobody else appends to its log. Units that lock several do so in
// the order of their numbers, so that two never wait for one another.
func (u *unit) lock(ws int64) {
	u.ask([2]any{"workspace", ws}, stmt{
		sql:  "SELECT id, uid, head, last_conversation, last_contact, epoch FROM workspaces WHERE id = $1" + u.s.engine.lock(),
		args: []any{ws},
		scan: func(r scanner) error {
			w := &workspaceRow{}
			u.workspaces[ws] = w
			err := r.Scan(&w.id, &w.uid, &w.head, &w.lastConversation, &w.lastContact, &w.epoch)
			w.found = w.head
			return err
		},
	})
}

// channelKey is a channel among the keys of what was asked.
type channelKey convKey

func (u *unit) wantChannel(ws, no int64) {
	if u.channels[convKey{ws, no}] != nil {
		return
	}
	u.ask(channelKey{ws, no}, stmt{
		sql:  "SELECT " + channelColumns + " FROM channels ch WHERE ch.workspace = $1 AND ch.no = $2",
		args: []any{ws, no},
		scan: func(r scanner) error {
			row := &channelRow{}
			if err := row.scan(r); err != nil {
				return err
			}
			u.channels[convKey{ws, no}] = row
			return nil
		},
	})
}

func (u *unit) channel(ctx context.Context, ws, no int64) (*channelRow, error) {
	u.wantChannel(ws, no)
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	if row := u.channels[convKey{ws, no}]; row != nil {
		return row, nil
	}
	return nil, chat.Faultf(chat.CodeNotFound, "no such channel")
}

func (u *unit) wantIdentity(k addressKey) {
	if w := u.warm[k.ws]; w != nil && u.identities[k] == nil {
		if row := w.identities[k]; row != nil && w.contacts[convKey{k.ws, row.contact}] != nil {
			u.keepContact(w.contacts[convKey{k.ws, row.contact}])
			u.identities[k] = row
			return
		}
	}
	if u.identities[k] != nil {
		return
	}
	u.ask(k, stmt{
		sql: "SELECT " + identityColumns + ", " + contactColumns + ` FROM identities i
 JOIN contacts ct ON ct.workspace = i.workspace AND ct.no = i.contact WHERE i.workspace = $1 AND i.channel = $2 AND i.address = $3`,
		args: []any{k.ws, k.channel, k.address},
		scan: func(r scanner) error {
			row, contact := &identityRow{}, &contactRow{}
			if err := row.scan(withMore(r, contact.dest())); err != nil {
				return err
			}
			u.keepContact(contact)
			u.identities[k] = row
			return nil
		},
	})
}

// withMore lets a row's scan be followed by further columns.
func withMore(r scanner, more []any) scanner { return moreScanner{r, more} }

type moreScanner struct {
	scanner
	more []any
}

func (m moreScanner) Scan(dest ...any) error { return m.scanner.Scan(append(dest, m.more...)...) }

// wantTarget asks which message an external id stands for, with its conversation.
func (u *unit) wantTarget(k targetKey) {
	u.ask(k, stmt{
		sql: `SELECT m.conversation, m.seq, m.status, m.failure, COALESCE(e.status, '') FROM message_ids m
 LEFT JOIN events e ON e.workspace = m.workspace AND e.conversation = m.conversation AND e.seq = m.seq
 WHERE m.workspace = $1 AND m.channel = $2 AND m.external_id = $3`,
		args: []any{k.ws, k.channel, k.external},
		scan: func(r scanner) error {
			row := &targetRow{conv: convKey{ws: k.ws}}
			if err := r.Scan(&row.conv.no, &row.seq, &row.early, &row.failure, &row.status); err != nil {
				return err
			}
			u.targets[k] = row
			return nil
		},
	})
}

func (u *unit) target(ctx context.Context, k targetKey) (*targetRow, error) {
	u.wantTarget(k)
	err := u.fetch(ctx)
	return u.targets[k], err
}

// onceKey names an occurrence inside its workspace.
type onceKey struct {
	ws  int64
	key string
}

func (u *unit) wantOnce(k onceKey) {
	u.ask(k, stmt{
		// IS NOT NULL stands first: SQLite then knows that its partial index serves whatever is bound, and does not prepare anew. The
		// index has all that is read here.
		sql:  "SELECT e.conversation, e.seq FROM events e WHERE e.once_key IS NOT NULL AND e.workspace = $1 AND e.once_key = $2",
		args: []any{k.ws, k.key},
		scan: func(r scanner) error {
			at := eventKey{ws: k.ws}
			err := r.Scan(&at.conv, &at.seq)
			u.onceAt[k] = at
			return err
		},
	})
}

// seen answers the event that already stands for an occurrence, if any. The unique index on events is what guarantees
// it; this look spares the failed insert.
func (u *unit) seen(ctx context.Context, k onceKey) (*chat.Event, error) {
	if k.key == "" {
		return nil, nil
	}
	u.wantOnce(k)
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	at, before := u.onceAt[k]
	if e := u.once[k]; e != nil || !before {
		return e, nil
	}
	e := &chat.Event{}
	if err := u.run(ctx, []stmt{{
		sql:  "SELECT " + eventColumns + " FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.seq = $3",
		args: []any{at.ws, at.conv, at.seq},
		scan: func(r scanner) (err error) { *e, err = scanEvent(r); return err },
	}}); err != nil {
		return nil, err
	}
	if at.conv > 0 {
		conv, err := u.conversationNo(ctx, convKey{at.ws, at.conv})
		if err != nil {
			return nil, err
		}
		e.Conversation = conv.uid
	}
	u.once[k] = e
	return e, nil
}

func (u *unit) wantEvent(k eventKey) {
	u.ask(k, stmt{
		sql:  "SELECT status, external_id, failure FROM events WHERE workspace = $1 AND conversation = $2 AND seq = $3",
		args: []any{k.ws, k.conv, k.seq},
		scan: func(r scanner) error {
			row := &eventRow{}
			u.events[k] = row
			return r.Scan(&row.status, &row.externalID, &row.failure)
		},
	})
}

func (u *unit) event(ctx context.Context, k eventKey) (*eventRow, error) {
	u.wantEvent(k)
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	if row := u.events[k]; row != nil {
		return row, nil
	}
	return nil, chat.Faultf(chat.CodeNotFound, "no such event")
}

func (u *unit) wantState(k stateKey) {
	if w := u.warm[k.ws]; w != nil && u.states[k] == nil && w.states[k] != nil {
		u.states[k] = w.states[k]
		u.asked[k] = true
	}
	u.ask(k, stmt{
		sql:  "SELECT body FROM follower_state WHERE workspace = $1 AND follower = $2 AND conversation = $3",
		args: []any{k.ws, k.follower, k.conv},
		scan: func(r scanner) error {
			row := &stateRow{known: true}
			u.states[k] = row
			return r.Scan(&row.body)
		},
	})
}
