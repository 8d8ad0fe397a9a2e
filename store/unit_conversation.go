package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// wantConversation asks for a conversation by its outer name, contact included.
func (u *unit) wantConversation(ws int64, uid chat.ConversationID) {
	if w := u.warm[ws]; w != nil {
		if row := w.byUID[uidKey{string(uid)}]; row != nil && u.known(ws, row) != nil {
			return
		}
	}
	u.ask(uidKey{string(uid)}, u.askConversation("c.workspace = $1 AND c.uid = $2", []any{ws, string(uid)}, func(c *conversationRow) {
		u.byUID[uidKey{string(uid)}] = c
	}))
}

func (u *unit) wantConversationNo(k convKey) {
	if w := u.warm[k.ws]; w != nil {
		if row := w.convs[k]; row != nil && u.known(k.ws, row) != nil {
			return
		}
	}
	u.ask(k, u.askConversation("c.workspace = $1 AND c.no = $2", []any{k.ws, k.no}, func(*conversationRow) {}))
}

// wantLatest asks for the open conversation of a thread, or else for the newest. (An open one need not be the newest: it may have come
// from another address.)
func (u *unit) wantLatest(k threadKey) {
	if u.latest[k] != nil {
		return
	}
	if w := u.warm[k.ws]; w != nil && !u.asked[k] {
		if row := w.latest[k]; row != nil && u.known(k.ws, row) != nil {
			u.latest[k] = row
			u.asked[k] = true
			return
		}
	}
	const of = " FROM conversations x WHERE x.workspace = $1 AND x.channel = $2 AND x.thread = $3"
	u.ask(k, u.askConversation("c.workspace = $1 AND c.no = COALESCE((SELECT x.no"+of+" AND x.state <> 'closed'), (SELECT MAX(x.no)"+of+"))",
		[]any{k.ws, k.channel, k.thread}, func(c *conversationRow) { u.latest[k] = c }))
}

func (u *unit) askConversation(where string, args []any, found func(*conversationRow)) stmt {
	return stmt{
		sql: "SELECT " + conversationColumns + ", " + contactColumns +
			" FROM conversations c JOIN contacts ct ON ct.workspace = c.workspace AND ct.no = c.contact WHERE " + where,
		args: args,
		scan: func(r scanner) error {
			row, contact := &conversationRow{}, &contactRow{}
			if err := row.scan(r, contact.dest()...); err != nil {
				return err
			}
			u.keepContact(contact)
			found(u.keep(row))
			return nil
		},
	}
}

// keep makes sure that there is one picture of a conversation, by whatever name it was read.
func (u *unit) keep(row *conversationRow) *conversationRow {
	k := convKey{row.ws, row.no}
	if known := u.convs[k]; known != nil {
		return known
	}
	u.convs[k] = row
	u.byUID[uidKey{string(row.uid)}] = row
	u.asked[k], u.asked[uidKey{string(row.uid)}] = true, true
	return row
}

func (u *unit) keepContact(row *contactRow) *contactRow {
	k := convKey{row.ws, row.no}
	if known := u.contacts[k]; known != nil {
		return known
	}
	u.contacts[k] = row
	return row
}

func (u *unit) conversation(ctx context.Context, ws int64, uid chat.ConversationID) (*conversationRow, error) {
	k := uidKey{string(uid)}
	if u.byUID[k] == nil {
		u.wantConversation(ws, uid)
		if err := u.fetch(ctx); err != nil {
			return nil, err
		}
	}
	if c := u.byUID[k]; c != nil && c.ws == ws {
		return c, nil
	}
	return nil, chat.Faultf(chat.CodeNotFound, "no such conversation")
}

func (u *unit) conversationNo(ctx context.Context, k convKey) (*conversationRow, error) {
	if u.convs[k] == nil {
		u.wantConversationNo(k)
		if err := u.fetch(ctx); err != nil {
			return nil, err
		}
	}
	if c := u.convs[k]; c != nil {
		return c, nil
	}
	return nil, chat.Faultf(chat.CodeNotFound, "no such conversation")
}
