package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// Adopt lets what was said under one address of a channel go on under another one, that of somebody who is known by now. Where the
// known address has a contact already, the conversations become that contact's. The former address stands for nobody afterwards.
type Adopt struct {
	Channel chat.ChannelID
	From    string      // the former address
	To      chat.Person // with the address that goes on
	Action  chat.ActionID

	at channelName
}

func (c *Adopt) resolve(ctx context.Context, s *Store) (err error) {
	c.From, c.To.Address = cleanText(c.From), cleanText(c.To.Address)
	if c.From == "" || c.To.Address == "" || c.From == c.To.Address || len(c.From) > maxName || len(c.To.Address) > maxName {
		return chat.Faultf(chat.CodeInvalid, "two addresses of at most 500 bytes are needed")
	}
	c.at, err = s.channelNo(ctx, c.Channel)
	return err
}

func (c *Adopt) workspace() int64 { return c.at.ws }
func (c *Adopt) want(*unit)       {}

func (c *Adopt) apply(ctx context.Context, u *unit) (Result, error) {
	ch, err := u.channel(ctx, c.at.ws, c.at.no)
	if err != nil {
		return Result{}, err
	}
	from, to := addressKey{c.at.ws, c.at.no, c.From}, addressKey{c.at.ws, c.at.no, c.To.Address}
	u.wantIdentity(from)
	u.wantIdentity(to)
	u.wantLatest(threadKey{c.at.ws, c.at.no, c.From})
	u.wantLatest(threadKey{c.at.ws, c.at.no, c.To.Address})
	if err := u.fetch(ctx); err != nil {
		return Result{}, err
	}
	old := u.identities[from]
	if old == nil {
		return Result{Duplicate: true}, nil // nothing was said, or it was adopted before
	}
	u.cold = true // rows change behind the back of what is warm
	w := u.workspaces[c.at.ws]
	w.epoch, w.dirty = w.epoch+1, true
	known := u.identities[to]
	if known == nil {
		known = &identityRow{ws: to.ws, channel: to.channel, address: to.address, contact: old.contact, person: old.person, blocked: old.blocked, fresh: true}
		u.identities[to] = known
	}
	(&Receive{}).refresh(u, known, c.To)
	delete(u.identities, from)
	if err := u.run(ctx, c.hand(old.contact, known.contact)); err != nil {
		return Result{}, err
	}
	events, err := c.goOn(ctx, u, ch, known.contact)
	return Result{Events: events}, err
}

// hand gives the conversations of one contact to another; a contact of whom nothing is left goes.
func (c *Adopt) hand(from, to int64) []stmt {
	list := []stmt{{
		sql: "DELETE FROM identities WHERE workspace = $1 AND channel = $2 AND address = $3", args: []any{c.at.ws, c.at.no, c.From},
	}}
	if from == to {
		return list
	}
	return append(list, stmt{
		sql: "UPDATE conversations SET contact = $1 WHERE workspace = $2 AND channel = $3 AND contact = $4", args: []any{to, c.at.ws, c.at.no, from},
	}, stmt{
		sql: `DELETE FROM contacts WHERE workspace = $1 AND no = $2 AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.workspace = $1 AND i.contact = $2)
 AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.workspace = $1 AND c.contact = $2)`,
		args: []any{c.at.ws, from},
	})
}

// goOn moves the open conversation. Where the known address has one open, that one goes on and the other is closed.
func (c *Adopt) goOn(ctx context.Context, u *unit, ch *channelRow, contact int64) ([]chat.Event, error) {
	was, is := threadKey{c.at.ws, c.at.no, c.From}, threadKey{c.at.ws, c.at.no, c.To.Address}
	conv, there := u.latest[was], u.latest[is]
	if conv == nil {
		return nil, nil
	}
	conv.contact = contact
	if conv.state == chat.StateClosed {
		return nil, nil
	}
	by := chat.Party{Type: chat.PartyContact, ID: c.To.Address, Name: c.To.Name}
	conv.dirty, conv.moved = true, true
	if there != nil && there.state != chat.StateClosed {
		e, err := u.move(ctx, conv, ch, chat.PlaceData{State: chat.StateClosed, Reason: "goes on in " + string(there.uid)}, by, c.Action)
		return []chat.Event{e}, err
	}
	conv.thread, conv.threadBody = c.To.Address, chat.Thread{Address: c.To.Address}
	u.latest[is] = conv
	delete(u.latest, was)
	return []chat.Event{u.append(conv, ch, chat.Event{
		Kind: chat.KindMoved, Direction: chat.In, Sender: &by, Action: c.Action, Data: data(chat.MovedData{From: c.From, To: c.To.Address}),
	}, "")}, nil
}
