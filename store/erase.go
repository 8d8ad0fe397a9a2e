package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// Erase takes a contact's personal data out of the log and the tables: what they and we said to one another, names, addresses,
// attachments. Positions, sequence numbers, kinds and times stay, so that the log is as gapless as before. The answer's
// Events are those that tell of it. Files lists what the blob store has to forget.
type Erase struct {
	Workspace chat.WorkspaceID
	Contact   chat.ContactID
	By        chat.Party
	Action    chat.ActionID
	Files     []chat.FileID // set by Append

	ws int64
}

func (c *Erase) resolve(ctx context.Context, s *Store) (err error) {
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *Erase) workspace() int64 { return c.ws }
func (c *Erase) want(*unit)       {}

func (c *Erase) apply(ctx context.Context, u *unit) (Result, error) {
	c.Files = nil // this may be the second try
	u.cold = true
	var contact int64
	var convs []*conversationRow
	err := u.run(ctx, []stmt{{
		sql:  "SELECT no FROM contacts WHERE workspace = $1 AND uid = $2",
		args: []any{c.ws, string(c.Contact)},
		scan: func(r scanner) error { return r.Scan(&contact) },
	}})
	if err != nil {
		return Result{}, err
	}
	if contact == 0 {
		return Result{}, chat.Faultf(chat.CodeNotFound, "no such contact")
	}
	reads := []stmt{u.askConversation("c.workspace = $1 AND c.contact = $2", []any{c.ws, contact}, func(row *conversationRow) {
		convs = append(convs, row)
	}), {
		sql: `SELECT f.uid FROM files f WHERE f.workspace = $1 AND (f.contact = $2 OR f.conversation IN
 (SELECT x.uid FROM conversations x WHERE x.workspace = $1 AND x.contact = $2))`,
		args: []any{c.ws, contact},
		scan: func(r scanner) error {
			var id chat.FileID
			err := r.Scan(&id)
			c.Files = append(c.Files, id)
			return err
		},
	}}
	if err := u.run(ctx, reads); err != nil {
		return Result{}, err
	}
	if err := c.blankElsewhere(ctx, contact, convs, u); err != nil {
		return Result{}, err
	}
	if err := u.run(ctx, c.blank(contact, u)); err != nil {
		return Result{}, err
	}
	// also where no event tells of it (a contact without conversations), there is something to commit, and other nodes must not go
	// on with the rows that they know
	w := u.workspaces[c.ws]
	w.epoch, w.dirty = w.epoch+1, true
	return c.tell(ctx, u, contact, convs)
}

// erasedThread begins the key of a thread that is gone: the conversation's own id follows.
const erasedThread = "erased/"

// erasedBody is what stays of an event.
const erasedBody = `{"data":{"erased":true}}`

// blank rewrites what is stored. It runs at once, and not with flush, so that the event that tells of it stays as it is.
func (c *Erase) blank(contact int64, u *unit) []stmt {
	const of = "(SELECT x.no FROM conversations x WHERE x.workspace = $1 AND x.contact = $2)"
	const uids = "(SELECT x.uid FROM conversations x WHERE x.workspace = $1 AND x.contact = $2)"
	args := []any{c.ws, contact}
	// the index of words hears of it too, for it may be behind; what it has is gone at once
	words := u.s.engine.(searchIndex).dropEntries("workspace = $1 AND conversation IN "+of, args)
	return append(words, []stmt{
		{sql: "UPDATE events SET body = '" + erasedBody + "', external_id = '', failure = '' WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM message_ids WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM follower_state WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM jobs WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM offers WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM conversation_tags WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM waits WHERE workspace = $1 AND conversation IN " + of, args: args},
		{sql: "DELETE FROM files WHERE workspace = $1 AND (contact = $2 OR conversation IN " + uids + ")", args: args},
		{sql: "DELETE FROM identities WHERE workspace = $1 AND contact = $2", args: args},
		{
			sql:  "UPDATE contacts SET name = '', language = '', properties = '{}', erased_at = $3, updated_at = $3 WHERE workspace = $1 AND no = $2",
			args: []any{c.ws, contact, micros(u.now)},
		},
	}...)
}

// blankElsewhere rewrites what names the contact outside its conversations: events of the channels themselves (somebody unknown who
// blocked us, receipts for messages that we do not know) and kept answers to requests.
func (c *Erase) blankElsewhere(ctx context.Context, contact int64, convs []*conversationRow, u *unit) error {
	var list []stmt
	err := u.run(ctx, []stmt{{
		sql:  "SELECT channel, address FROM identities WHERE workspace = $1 AND contact = $2",
		args: []any{c.ws, contact},
		scan: func(r scanner) error {
			var channel int64
			var address string
			if err := r.Scan(&channel, &address); err != nil {
				return err
			}
			// the address as JSON shows it, quotes included: no other text is taken for it
			list = append(list, stmt{
				sql: "UPDATE events SET body = '" + erasedBody + `', external_id = '', failure = '' WHERE workspace = $1 AND conversation = $2
 AND body LIKE $3 ESCAPE '\'`,
				args: []any{c.ws, -channel, likePart(string(data(address)))},
			})
			return nil
		},
	}})
	if err != nil {
		return err
	}
	for _, name := range append(conversationNames(convs), string(c.Contact)) {
		list = append(list, stmt{
			sql:  `DELETE FROM answers WHERE workspace = $1 AND body LIKE $2 ESCAPE '\'`,
			args: []any{c.ws, likePart(name)},
		})
	}
	return u.run(ctx, list)
}

func conversationNames(convs []*conversationRow) []string {
	names := make([]string, len(convs))
	for i, conv := range convs {
		names[i] = string(conv.uid)
	}
	return names
}

// tell closes the conversations and appends an erased event to each.
func (c *Erase) tell(ctx context.Context, u *unit, contact int64, convs []*conversationRow) (Result, error) {
	var res Result
	if row := u.contacts[convKey{c.ws, contact}]; row != nil {
		row.name, row.language, row.properties = "", "", "{}"
	}
	for _, conv := range convs {
		ch, err := u.channel(ctx, c.ws, conv.channel)
		if err != nil {
			return Result{}, err
		}
		// the thread's address is personal too; the number keeps the row apart from others
		conv.threadBody = chat.Thread{Address: "erased"}
		conv.thread, conv.preview, conv.closeReason, conv.unread = erasedThread+string(conv.uid), "", "", 0
		conv.tags, conv.fields = "[]", "{}"
		conv.dirty, conv.moved = true, true
		by := c.By
		if conv.state != chat.StateClosed {
			to := chat.PlaceData{State: chat.StateClosed, Reason: "erased"}
			conv.settle(micros(u.now), to)
			closed := chat.Event{Kind: chat.KindClosed, Sender: &by, Action: c.Action, Data: data(to)}
			res.Events = append(res.Events, u.append(conv, ch, closed, ""))
		}
		e := chat.Event{Kind: chat.KindErased, Sender: &by, Action: c.Action}
		res.Events = append(res.Events, u.append(conv, ch, e, ""))
	}
	return res, nil
}
