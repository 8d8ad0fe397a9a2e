package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// flush turns what has changed in the unit into statements, in an order that keeps all constraints at every step
// and that is the same on every node.
func (u *unit) flush() ([]stmt, error) {
	u.countEpochs()
	var out []stmt
	events, err := u.flushEvents()
	if err != nil {
		return nil, err
	}
	for _, w := range sorted(u.workspaces, func(a, b *workspaceRow) int { return cmp.Compare(a.id, b.id) }) {
		if w.dirty {
			out = append(out, stmt{
				sql:  "UPDATE workspaces SET head = $1, last_conversation = $2, last_contact = $3, epoch = $4 WHERE id = $5",
				args: []any{w.head, w.lastConversation, w.lastContact, w.epoch, w.id},
			})
		}
	}
	out = append(out, u.flushPeople()...)
	conversations, err := u.flushConversations()
	if err != nil {
		return nil, err
	}
	out = append(append(out, conversations...), events...)
	out = append(out, u.flushTargets()...)
	out = append(out, u.flushJobs()...)
	out = append(out, u.flushDesk()...)
	out = append(out, u.flushCounts()...)
	return append(out, u.extra...), nil
}

// countEpochs moves the epoch of a workspace whose rows change without an event, so that no other node goes on with old ones.
func (u *unit) countEpochs() {
	changed := func(ws int64, dirty bool) {
		if w := u.workspaces[ws]; dirty && w != nil && !w.dirty {
			w.epoch++
			w.dirty = true
		}
	}
	for k, c := range u.contacts {
		changed(k.ws, c != nil && (c.dirty || c.fresh))
	}
	for k, i := range u.identities {
		changed(k.ws, i != nil && (i.dirty || i.fresh))
	}
	for k, st := range u.states {
		changed(k.ws, st != nil && st.dirty)
	}
	for k, c := range u.convs {
		changed(k.ws, c != nil && (c.dirty || c.fresh))
	}
}

// sorted gives the rows of a map in a fixed order; nil rows (known not to exist) are left out.
func sorted[K comparable, V any](m map[K]*V, order func(a, b *V) int) []*V {
	rows := make([]*V, 0, len(m))
	for _, row := range m {
		if row != nil {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, order)
	return rows
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

func (u *unit) flushEvents() (_ []stmt, err error) {
	out := make([]stmt, 0, len(u.fresh))
	for i := range u.fresh {
		f := &u.fresh[i]
		e := *f.event
		failure := failureText(e.Error)
		if row := u.events[eventKey{f.ws, f.conv, e.Seq}]; row != nil {
			e.Status, e.ExternalID, failure = row.status, row.externalID, row.failure
			row.dirty = false
		}
		if f.body == "" {
			if f.body, err = bodyOf(&e); err != nil {
				return nil, unfitPayload(err)
			}
		}
		var once any
		if f.once != "" {
			once = f.once
		}
		out = append(out, stmt{
			sql: `INSERT INTO events (workspace, conversation, seq, pos, kind, at, status, external_id, failure, once_key, body)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			args: []any{f.ws, f.conv, e.Seq, e.Pos, string(e.Kind), micros(e.At), string(e.Status), e.ExternalID, failure, once, f.body},
		})
	}
	for k, row := range u.events {
		if row.dirty {
			out = append(out, stmt{
				sql:  "UPDATE events SET status = $1, external_id = $2, failure = $3 WHERE workspace = $4 AND conversation = $5 AND seq = $6",
				args: []any{string(row.status), row.externalID, row.failure, k.ws, k.conv, k.seq},
			})
		}
	}
	return out, nil
}

// unfitPayload is the caller's fault: what it gave as JSON is none.
func unfitPayload(err error) error {
	return fmt.Errorf("%w: %w", &chat.Fault{Code: chat.CodeInvalid, Detail: "a payload is not JSON"}, err)
}

func (u *unit) flushPeople() []stmt {
	var out []stmt
	for _, c := range sorted(u.channels, func(a, b *channelRow) int { return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.no, b.no)) }) {
		if c.dirty {
			out = append(out, stmt{sql: "UPDATE channels SET last_seq = $1 WHERE workspace = $2 AND no = $3", args: []any{c.lastSeq, c.ws, c.no}})
		}
	}
	for _, c := range sorted(u.contacts, func(a, b *contactRow) int { return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.no, b.no)) }) {
		switch {
		case c.fresh:
			out = append(out, stmt{
				sql: `INSERT INTO contacts (workspace, no, uid, name, language, properties, created_at, updated_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				args: []any{c.ws, c.no, string(c.uid), c.name, c.language, c.properties, c.created, micros(u.now)},
			})
		case c.dirty:
			out = append(out, stmt{
				sql:  "UPDATE contacts SET name = $1, language = $2, properties = $3, updated_at = $4 WHERE workspace = $5 AND no = $6",
				args: []any{c.name, c.language, c.properties, micros(u.now), c.ws, c.no},
			})
		}
	}
	return append(out, u.flushIdentities()...)
}

func (u *unit) flushIdentities() []stmt {
	var out []stmt
	for _, i := range sorted(u.identities, func(a, b *identityRow) int {
		return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.channel, b.channel), cmp.Compare(a.address, b.address))
	}) {
		if !i.fresh && !i.dirty {
			continue
		}
		person, _ := json.Marshal(i.person) // strings only: cannot fail
		blocked := 0
		if i.blocked {
			blocked = 1
		}
		q := stmt{sql: `INSERT INTO identities (contact, person, blocked, profile_at, workspace, channel, address) VALUES ($1, $2, $3, $4, $5, $6, $7)`}
		if !i.fresh {
			q.sql = `UPDATE identities SET contact = $1, person = $2, blocked = $3, profile_at = $4 WHERE workspace = $5 AND channel = $6 AND address = $7`
		}
		q.args = []any{i.contact, string(person), blocked, i.profileAt, i.ws, i.channel, i.address}
		out = append(out, q)
	}
	return out
}

// flushConversations puts the known ones first: one that is closed makes room for the new one of its thread.
func (u *unit) flushConversations() ([]stmt, error) {
	var out []stmt
	for _, c := range sorted(u.convs, func(a, b *conversationRow) int {
		return cmp.Or(order(a.fresh, b.fresh), cmp.Compare(a.ws, b.ws), cmp.Compare(a.no, b.no))
	}) {
		if !c.fresh && !c.dirty {
			continue
		}
		if !c.fresh && !c.moved {
			out = append(out, stmt{ // SQLite writes every index anew of which a column is named
				sql: `UPDATE conversations SET last_seq = $1, unread = $2, preview = $3, updated_at = $4, last_in_at = $5,
 last_out_at = $6, first_reply_at = $7, waiting_since = $8 WHERE workspace = $9 AND no = $10`,
				args: []any{c.lastSeq, c.unread, c.preview, c.updated, c.lastIn, c.lastOut, c.firstReply, c.waiting, c.ws, c.no},
			})
			continue
		}
		body, err := json.Marshal(c.threadBody)
		if err != nil {
			return nil, err
		}
		q := stmt{sql: `INSERT INTO conversations (thread, thread_body, state, flow, flow_version, assignee, queue, last_seq, unread, preview,
 updated_at, closed_at, last_in_at, last_out_at, first_reply_at, waiting_since, snoozed_until, close_reason, priority, tags, fields,
 placed_at, workspace, no, uid, channel, contact, previous, opened_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)`}
		q.args = []any{
			c.thread, string(body), string(c.state), c.flow, c.flowVersion, c.assignee, c.queue, c.lastSeq, c.unread, c.preview,
			c.updated, c.closed, c.lastIn, c.lastOut, c.firstReply, c.waiting, c.snoozed, c.closeReason, c.priority, c.tags, c.fields, c.placed, c.ws, c.no,
		}
		if c.fresh {
			q.args = append(q.args, string(c.uid), c.channel, c.contact, string(c.previous), c.opened)
		} else {
			q.sql = `UPDATE conversations SET thread = $1, thread_body = $2, state = $3, flow = $4, flow_version = $5, assignee = $6, queue = $7,
 last_seq = $8, unread = $9, preview = $10, updated_at = $11, closed_at = $12, last_in_at = $13, last_out_at = $14, first_reply_at = $15,
 waiting_since = $16, snoozed_until = $17, close_reason = $18, priority = $19, tags = $20, fields = $21, placed_at = $22
 WHERE workspace = $23 AND no = $24`
		}
		out = append(out, q)
	}
	return out, nil
}

func (u *unit) flushTargets() []stmt {
	var out []stmt
	for k, t := range u.targets {
		if t == nil || !t.fresh && !t.dirty {
			continue
		}
		q := stmt{sql: `INSERT INTO message_ids (conversation, seq, status, failure, workspace, channel, external_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`}
		if !t.fresh {
			q.sql = `UPDATE message_ids SET conversation = $1, seq = $2, status = $3, failure = $4 WHERE workspace = $5 AND channel = $6 AND external_id = $7`
		}
		q.args = []any{t.conv.no, t.seq, string(t.early), t.failure, k.ws, k.channel, k.external}
		out = append(out, q)
	}
	for k, st := range u.states {
		if st == nil || !st.dirty {
			continue
		}
		out = append(out, stmt{
			sql: `INSERT INTO follower_state (workspace, follower, conversation, body) VALUES ($1, $2, $3, $4)
 ON CONFLICT (workspace, follower, conversation) DO UPDATE SET body = excluded.body`,
			args: []any{k.ws, k.follower, k.conv, st.body},
		})
	}
	return out
}
