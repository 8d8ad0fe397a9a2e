package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// seen is how far a follower on this node has come in a workspace.
type seen struct {
	cursor int64 // as it stands in the database, by this node's hand; -1: unknown
	last   int64 // the last event of interest, committed by this node; 0: unknown
	until  int64 // until here there is nothing more of interest
}

// since is the event of interest before the next one, if nobody else has moved the cursor.
func (n seen) since(cursor int64) int64 {
	if n.cursor != cursor {
		return 0
	}
	return n.last
}

// read is what is known after a look that found nothing between a cursor and a head.
func (n seen) read(cursor, head int64) seen {
	return seen{cursor: cursor, last: n.since(cursor), until: max(cursor, head)}
}

func (f *follower) at(ws int64) seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[ws]
}

func (f *follower) note(ws int64, n seen) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[ws] = n
}

// swap is note, unless somebody has noted something else since.
func (f *follower) swap(ws int64, known, n seen) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen[ws] == known {
		f.seen[ws] = n
	}
}

// logEvent is an event with the inner number of its conversation.
type logEvent struct {
	chat.Event
	conv int64
}

// peek reads the next events of interest, without any lock, and until where the log goes at least.
func (f *follower) peek(ctx context.Context, ws int64, limit int) (events []logEvent, cursor, head int64, err error) {
	at, err := list(ctx, f.s, func(r scanner) (at [2]int64, err error) {
		err = r.Scan(&at[0], &at[1])
		return at, err
	}, "SELECT COALESCE(f.pos, 0), w.head FROM workspaces w LEFT JOIN followers f ON f.workspace = w.id AND f.name = $2 WHERE w.id = $1", ws, f.name)
	if err != nil || len(at) == 0 {
		return nil, 0, 0, err
	}
	cursor, head = at[0][0], at[0][1]
	from := cursor
	if n := f.at(ws); n.cursor == cursor {
		from = max(from, n.until)
	}
	if from >= head {
		return nil, cursor, head, nil
	}
	events, err = f.s.readLog(ctx, ws, from, limit, f.kinds...)
	return events, cursor, head, err
}

// readLog reads the log after a position; with kinds, only events of these.
func (s *Store) readLog(ctx context.Context, ws, after int64, limit int, kinds ...chat.Kind) ([]logEvent, error) {
	return list(ctx, s, func(r scanner) (e logEvent, err error) {
		var uid chat.ConversationID
		e.Event, err = scanEvent(r, &e.conv, &uid)
		e.Conversation = uid
		return e, err
	}, "SELECT "+eventColumns+`, e.conversation, COALESCE(c.uid, '') FROM events e
 LEFT JOIN conversations c ON c.workspace = e.workspace AND c.no = e.conversation
 WHERE e.workspace = $1 AND e.pos > $2`+kindsIn(kinds)+" ORDER BY e.pos LIMIT $3", ws, after, limit)
}

// settleAll settles workspaces aside: one that is busy must not keep the follower from the others.
func (f *follower) settleAll(ctx context.Context, list []int64) {
	if len(list) == 0 || f.settling.Swap(true) {
		return
	}
	f.wg.Go(func() {
		defer f.settling.Store(false)
		for _, ws := range list {
			if ctx.Err() == nil {
				f.settle(ctx, ws)
			}
		}
	})
}

// settle moves the cursor over what was of no interest, so that it is not looked at again after a restart. It is done in the quiet
// moments between sweeps.
func (f *follower) settle(ctx context.Context, ws int64) {
	f.mu.Lock()
	n, busy := f.seen[ws], f.busy[ws] != nil
	f.mu.Unlock()
	if busy || n.cursor < 0 || n.until <= n.cursor {
		return
	}
	moved, wrong := false, false
	err := f.s.transact(context.WithoutCancel(ctx), []int64{ws}, func(u *unit) error {
		at, held := u.cursor(ws, f.name)
		if err := u.fetch(ctx); err != nil {
			return err
		}
		if wrong = !*held && *at != n.cursor; wrong || *held {
			return nil
		}
		u.moveCursor(ws, f.name, n.until)
		moved = true
		return nil
	})
	if err != nil {
		f.s.log.WarnContext(ctx, "follow: settle", "follower", f.name, "err", err)
		return
	}
	switch {
	case moved:
		f.swap(ws, n, seen{cursor: n.until, last: n.last, until: n.until})
	case wrong: // a ride left between the commit before and its swap: the log is looked at anew
		f.swap(ws, n, seen{cursor: -1})
	}
}

// kindsIn is a condition on the kinds of events; "" without any. The kinds are words of this program.
func kindsIn(kinds []chat.Kind) string {
	if len(kinds) == 0 {
		return ""
	}
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = "'" + string(k) + "'"
	}
	return fmt.Sprintf(" AND e.kind IN (%s)", strings.Join(words, ", "))
}
