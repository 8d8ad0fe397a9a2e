package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// WaitingConversation is a conversation in a queue, as routing sees it.
type WaitingConversation struct {
	Conversation chat.ConversationID
	Queue        string
	Priority     int       // the higher, the sooner
	First        time.Time // since when it waits, in whichever queue
	Since        time.Time // since when in this one
	Passed       []string  // the queues that passed it on
	Asked        int64     // position of the event that asks an outside rule; 0: none is asked
	Assignee     string    // who should have it, if there is room
	Agents       []string  // whom it is offered to
	Declined     []string
	Due          time.Time // the longest wait is over then; zero: never
	Until        time.Time
	Told         string // what the contact was told last of the wait
	ToldAt       time.Time
}

const waitColumns = `c.uid, c.queue, c.priority, c.assignee, COALESCE(x.first_at, c.opened_at), COALESCE(x.since_at, c.opened_at),
 COALESCE(x.passed, '[]'), COALESCE(x.due_at, 0), COALESCE(x.asked, 0), COALESCE(x.told, ''), COALESCE(x.told_at, 0)`

func (w *WaitingConversation) scan(r scanner) error {
	var first, since, due, told int64
	var passed string
	if err := r.Scan(&w.Conversation, &w.Queue, &w.Priority, &w.Assignee, &first, &since, &passed, &due, &w.Asked, &w.Told, &told); err != nil {
		return err
	}
	w.First, w.Since, w.Due, w.ToldAt = moment(first), moment(since), moment(due), moment(told)
	return json.Unmarshal([]byte(passed), &w.Passed)
}

// scanWaiting reads waitColumns and the offer.
func scanWaiting(r scanner) (w WaitingConversation, err error) {
	var agents, declined string
	var until int64
	if err := w.scan(withMore(r, []any{&agents, &declined, &until})); err != nil {
		return w, err
	}
	w.Until = moment(until)
	if err := json.Unmarshal([]byte(agents), &w.Agents); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(declined), &w.Declined)
}

const waitingRead = "SELECT " + waitColumns + `, COALESCE(o.agents, '[]'), COALESCE(o.declined, '[]'), COALESCE(o.until_at, 0)
 FROM conversations c JOIN workspaces w ON w.id = c.workspace
 LEFT JOIN waits x ON x.workspace = c.workspace AND x.conversation = c.no
 LEFT JOIN offers o ON o.workspace = c.workspace AND o.conversation = c.no
 WHERE w.uid = $1 AND c.state = 'queued'`

// lineOrder is the order in which those who wait come.
const lineOrder = " ORDER BY c.priority DESC, COALESCE(x.first_at, c.opened_at), c.uid"

// Waiting lists the conversations in queues in the order in which they come.
func (s *Store) Waiting(ctx context.Context, ws chat.WorkspaceID) ([]WaitingConversation, error) {
	return list(ctx, s, scanWaiting, waitingRead+lineOrder, string(ws))
}

// WaitingIn lists the first conversations of a queue's line.
func (s *Store) WaitingIn(ctx context.Context, ws chat.WorkspaceID, queue string, limit int) ([]WaitingConversation, error) {
	return list(ctx, s, scanWaiting, waitingRead+" AND c.queue = $2"+lineOrder+" LIMIT $3", string(ws), queue, limit)
}

// Now is the time by the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// LineLength counts a queue's line; oldest is since when somebody has waited the longest, zero if nobody waits.
func (s *Store) LineLength(ctx context.Context, ws chat.WorkspaceID, queue string) (n int, oldest time.Time, err error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return 0, oldest, err
	}
	at, err := one(ctx, s, "queue", func(r scanner) (at [2]int64, err error) {
		err = r.Scan(&at[0], &at[1])
		return at, err
	}, "SELECT COUNT(*), COALESCE(MIN(first_at), 0) FROM waits WHERE workspace = $1 AND queue = $2", no, queue)
	return int(at[0]), moment(at[1]), err
}

// Position is the place of a waiting conversation in its queue's line, from 1.
func (s *Store) Position(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID) (queue string, position int, err error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return "", 0, err
	}
	type place struct {
		queue string
		n     int
	}
	found, err := list(ctx, s, func(r scanner) (p place, err error) {
		err = r.Scan(&p.queue, &p.n)
		return p, err
	}, `SELECT c.queue, (SELECT COUNT(*) FROM waits y JOIN conversations d ON d.workspace = y.workspace AND d.no = y.conversation
 WHERE y.workspace = x.workspace AND y.queue = x.queue AND (d.priority > c.priority OR d.priority = c.priority
 AND (y.first_at < x.first_at OR y.first_at = x.first_at AND d.uid <= c.uid)))
 FROM waits x JOIN conversations c ON c.workspace = x.workspace AND c.no = x.conversation WHERE c.workspace = $1 AND c.uid = $2`, no, string(id))
	if err != nil || len(found) == 0 {
		return "", 0, err
	}
	return found[0].queue, found[0].n, nil
}

// Waiting is the event's conversation, which is in a queue, with its offer as it is now.
func (t *Tx) Waiting() (w WaitingConversation, err error) {
	k := convKey{t.ws, t.conv}
	c, err := t.u.conversationNo(t.ctx, k)
	if err != nil {
		return w, err
	}
	offer, err := t.u.offer(t.ctx, k)
	if err != nil {
		return w, err
	}
	row, err := t.u.wait(t.ctx, k)
	if err != nil {
		return w, err
	}
	w = WaitingConversation{
		Conversation: c.uid, Queue: c.queue, Priority: c.priority, Assignee: c.assignee, First: moment(row.first), Since: moment(row.since),
		Passed: row.passed, Asked: row.asked, Due: moment(row.due), Told: row.told, ToldAt: moment(row.toldAt),
	}
	if row.since == 0 { // it has waited since before waits were kept
		w.First, w.Since = moment(c.opened), moment(c.opened)
	}
	if !offer.gone {
		w.Agents, w.Declined, w.Until = slices.Clone(offer.agents), slices.Clone(offer.declined), moment(offer.until)
	}
	return w, nil
}

// KeepWait notes of a waiting conversation when its longest wait is over (zero: never), and the position of the event that asks an
// outside rule (0: none is asked).
func (t *Tx) KeepWait(id chat.ConversationID, due time.Time, asked int64) error {
	c, err := t.u.conversation(t.ctx, t.ws, id)
	if err != nil {
		return err
	}
	row, err := t.u.wait(t.ctx, convKey{c.ws, c.no})
	if err == nil {
		row.due, row.asked, row.dirty = micros(due), asked, true
	}
	return err
}

// waitRow is a conversation's stay in a queue.
type waitRow struct {
	queue        string
	first, since int64
	passed       []string
	due, asked   int64
	told         string
	toldAt       int64
	dirty, gone  bool
	older        bool // the database may know of a stay that this one goes on with
}

// stand keeps who waits where: every event that moves a conversation into a queue, or out of one, passes here.
func (u *unit) stand(c *conversationRow, e *chat.Event) {
	if c == nil {
		return
	}
	k := convKey{c.ws, c.no}
	switch e.Kind {
	case chat.KindQueued:
		var to chat.PlaceData
		_ = json.Unmarshal(e.Data, &to) // ours
		row := &waitRow{queue: c.queue, first: micros(u.now), since: micros(u.now), passed: to.Passed, dirty: true, older: !c.fresh}
		if was := u.desk.waits[k]; was != nil {
			if row.older = was.older; !was.gone {
				row.first, row.told, row.toldAt = was.first, was.told, was.toldAt
			}
		}
		u.keepStay(k, row)
	case chat.KindAssigned, chat.KindBot, chat.KindClosed:
		u.keepStay(k, &waitRow{gone: true, dirty: true})
	default:
	}
}

func (u *unit) keepStay(k convKey, row *waitRow) {
	if u.desk.waits == nil {
		u.desk.waits = map[convKey]*waitRow{}
	}
	u.desk.waits[k] = row
}

// wait reads the stay of a conversation.
func (u *unit) wait(ctx context.Context, k convKey) (*waitRow, error) {
	row := u.desk.waits[k]
	if row != nil && !row.older {
		return row, nil
	}
	stored := &waitRow{}
	err := u.run(ctx, []stmt{{
		sql:  "SELECT queue, first_at, since_at, passed, due_at, asked, told, told_at FROM waits WHERE workspace = $1 AND conversation = $2",
		args: []any{k.ws, k.no},
		scan: func(r scanner) error {
			var passed string
			if err := r.Scan(&stored.queue, &stored.first, &stored.since, &passed, &stored.due, &stored.asked, &stored.told, &stored.toldAt); err != nil {
				return err
			}
			return json.Unmarshal([]byte(passed), &stored.passed)
		},
	}})
	switch {
	case err != nil:
		return nil, err
	case row == nil:
		row = stored
	case stored.since != 0:
		row.first, row.told, row.toldAt = stored.first, stored.told, stored.toldAt
	}
	row.older = false
	u.keepStay(k, row)
	return row, nil
}

// flushWaits writes what has changed. What this unit did not look up keeps what the database knows of the stay before.
func (u *unit) flushWaits() (out []stmt) {
	for _, k := range keys(u.desk.waits, func(a, b convKey) int { return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.no, b.no)) }) {
		row := u.desk.waits[k]
		switch {
		case !row.dirty || !row.gone && row.since == 0:
		case row.gone:
			out = append(out, stmt{sql: "DELETE FROM waits WHERE workspace = $1 AND conversation = $2", args: []any{k.ws, k.no}})
		default:
			set := "first_at = excluded.first_at, told = excluded.told, told_at = excluded.told_at, "
			if row.older {
				set = ""
			}
			out = append(out, stmt{
				sql: `INSERT INTO waits (workspace, conversation, queue, first_at, since_at, passed, due_at, asked, told, told_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (workspace, conversation) DO UPDATE SET ` + set + `queue = excluded.queue,
 since_at = excluded.since_at, passed = excluded.passed, due_at = excluded.due_at, asked = excluded.asked`,
				args: []any{k.ws, k.no, row.queue, row.first, row.since, listText(row.passed), row.due, row.asked, row.told, row.toldAt},
			})
		}
	}
	return out
}

// acceptsKept is for how many minutes accepts are counted.
const acceptsKept = 24 * 60

// countAccept counts a conversation that an agent took out of a queue.
func (u *unit) countAccept(k queueKey) {
	minute := u.now.Unix() / 60
	u.extra = append(u.extra, stmt{
		sql: `INSERT INTO accepts (workspace, queue, minute, n) VALUES ($1, $2, $3, 1)
 ON CONFLICT (workspace, queue, minute) DO UPDATE SET n = accepts.n + 1`,
		args: []any{k.ws, k.name, minute},
	}, stmt{sql: "DELETE FROM accepts WHERE workspace = $1 AND queue = $2 AND minute < $3", args: []any{k.ws, k.name, minute - acceptsKept}})
}

// Accepts counts what agents took out of a queue in each of the last minutes, the newest first; the minute that is not over is not
// among them.
func (s *Store) Accepts(ctx context.Context, ws chat.WorkspaceID, queue string, minutes int) ([]int, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	now := s.now().Unix() / 60
	found, err := list(ctx, s, func(r scanner) (at [2]int64, err error) {
		err = r.Scan(&at[0], &at[1])
		return at, err
	}, "SELECT minute, n FROM accepts WHERE workspace = $1 AND queue = $2 AND minute >= $3 AND minute < $4", no, queue, now-int64(minutes), now)
	out := make([]int, minutes)
	for _, at := range found {
		out[now-1-at[0]] = int(at[1])
	}
	return out, err
}

// OutstandingOffers counts what each agent has to answer in time.
func (s *Store) OutstandingOffers(ctx context.Context, ws chat.WorkspaceID) (map[string]int, error) {
	found, err := list(ctx, s, scanText, `SELECT o.agents FROM offers o JOIN workspaces w ON w.id = o.workspace WHERE w.uid = $1 AND o.until_at > 0`, string(ws))
	out := map[string]int{}
	for _, text := range found {
		var agents []string
		if err := json.Unmarshal([]byte(text), &agents); err != nil {
			return nil, err
		}
		for _, a := range agents {
			out[a]++
		}
	}
	return out, err
}
