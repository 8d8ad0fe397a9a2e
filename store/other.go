package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// other stores everything that is neither a message nor a receipt: in the conversation of the message that it is
// about, else in the newest one of its thread, else in the channel's own stream.
func (c *Receive) other(ctx context.Context, u *unit, ch *channelRow) (Result, error) {
	conv, seq, err := c.about(ctx, u)
	if err != nil {
		return Result{}, err
	}
	e := c.event(c.In.Kind)
	switch c.In.Kind {
	case chat.KindEdited:
		if c.In.Message != nil {
			msg := *c.In.Message
			c.keepSources(u, uidOf(conv), &msg)
			e.Message = &msg
		}
		e.Data = data(chat.TargetData{Seq: seq, ExternalID: c.In.Target})
	case chat.KindDeleted:
		e.Data = data(chat.TargetData{Seq: seq, ExternalID: c.In.Target})
	case chat.KindReaction:
		r := chat.ReactionData{}
		if c.In.Reaction != nil {
			r = *c.In.Reaction
		}
		r.TargetData = chat.TargetData{Seq: seq, ExternalID: c.In.Target}
		e.Data = data(r)
	case chat.KindJoined, chat.KindLeft:
		e.Data = data(chat.PersonData{People: c.In.People})
	case chat.KindReceipt:
		e.Data = data(chat.ReceiptData{Status: c.In.Status, Error: c.In.Failure})
	case chat.KindBlocked, chat.KindUnblocked:
		if err := c.setBlocked(ctx, u); err != nil {
			return Result{}, err
		}
	case chat.KindMoved:
		e.Data = data(chat.MovedData{From: c.In.Thread.Address, To: c.In.MovedTo})
		if err := u.moveAddress(ctx, addressKey{c.at.ws, c.at.no, c.In.Thread.Address}, c.In.MovedTo); err != nil {
			return Result{}, err
		}
	default:
		e.Kind = chat.KindUnsupported
		e.Data = data(chat.UnsupportedPayload{What: string(c.In.Kind), Raw: c.In.Raw})
	}
	return Result{Events: []chat.Event{u.append(conv, ch, e, c.onceKey().key)}}, nil
}

func uidOf(conv *conversationRow) chat.ConversationID {
	if conv == nil {
		return ""
	}
	return conv.uid
}

// about finds the conversation, and the message's sequence number if there is a known target.
func (c *Receive) about(ctx context.Context, u *unit) (*conversationRow, int64, error) {
	if c.In.Target != "" {
		t, err := u.target(ctx, c.targetKey())
		if err != nil {
			return nil, 0, err
		}
		if t != nil && t.seq != 0 {
			conv, err := u.conversationNo(ctx, t.conv)
			return conv, t.seq, err
		}
	}
	if c.In.Thread.Address == "" {
		return nil, 0, nil
	}
	tk := threadKey{c.at.ws, c.at.no, c.In.Thread.Key()}
	u.wantLatest(tk)
	err := u.fetch(ctx)
	return u.latest[tk], 0, err
}

func (c *Receive) setBlocked(ctx context.Context, u *unit) error {
	who, err := c.identity(ctx, u)
	if err != nil {
		return err
	}
	blocked := c.In.Kind == chat.KindBlocked
	if who.blocked != blocked {
		who.blocked, who.dirty = blocked, true
	}
	return nil
}

// moveAddress lets a contact's conversations go on under a new address.
func (u *unit) moveAddress(ctx context.Context, from addressKey, to string) error {
	if to == "" || to == from.address {
		return nil
	}
	k := addressKey{from.ws, from.channel, to}
	u.wantIdentity(from)
	u.wantIdentity(k)
	tk := threadKey{from.ws, from.channel, from.address}
	u.wantLatest(tk)
	u.wantLatest(threadKey{from.ws, from.channel, to})
	if err := u.fetch(ctx); err != nil {
		return err
	}
	old := u.identities[from]
	if old == nil {
		return nil
	}
	if u.identities[k] == nil {
		moved := *old
		moved.address, moved.person.Address, moved.fresh = to, to, true
		u.identities[k] = &moved
	}
	conv := u.latest[tk]
	there := u.latest[threadKey{from.ws, from.channel, to}]
	if conv == nil || conv.state == chat.StateClosed || there != nil && there.state != chat.StateClosed {
		return nil
	}
	conv.thread, conv.threadBody.Address, conv.dirty, conv.moved = to, to, true, true
	u.cold = true // the old address still stands for it among the warm rows
	u.latest[threadKey{from.ws, from.channel, to}] = conv
	delete(u.latest, tk)
	return nil
}
