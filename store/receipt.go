package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// receipt moves the status of a message that we sent. One that comes before its message is known here is kept and
// counts as soon as it is.
func (c *Receive) receipt(ctx context.Context, u *unit, ch *channelRow) (Result, error) {
	if c.In.Target == "" && !c.In.UpTo.IsZero() {
		return c.receiptUpTo(ctx, u, ch)
	}
	if c.In.Target == "" {
		return c.other(ctx, u, ch)
	}
	k := c.targetKey()
	t, err := u.target(ctx, k)
	if err != nil {
		return Result{}, err
	}
	if t == nil || t.seq == 0 {
		if t == nil {
			t = &targetRow{conv: convKey{c.at.ws, 0}, fresh: true}
			u.targets[k] = t
		}
		if t.early == "" || t.early.Advances(c.In.Status) {
			t.early, t.failure, t.dirty = c.In.Status, failureText(c.In.Failure), true
		}
		e := c.event(chat.KindReceipt)
		e.Data = data(chat.ReceiptData{Status: c.In.Status, ExternalIDs: []string{c.In.Target}, Error: c.In.Failure})
		return Result{Events: []chat.Event{u.append(nil, ch, e, c.onceKey().key)}}, nil
	}
	conv, err := u.conversationNo(ctx, t.conv)
	if err != nil {
		return Result{}, err
	}
	return c.settle(ctx, u, ch, conv, t.seq)
}

// settle appends the receipt to the message's conversation and moves the status if it goes forward.
func (c *Receive) settle(ctx context.Context, u *unit, ch *channelRow, conv *conversationRow, seq int64) (Result, error) {
	row, err := u.event(ctx, eventKey{conv.ws, conv.no, seq})
	if err != nil {
		return Result{}, err
	}
	u.prove(row, c.In.Status, c.In.Failure)
	e := c.event(chat.KindReceipt)
	e.Data = data(chat.ReceiptData{Seq: seq, Status: c.In.Status, ExternalIDs: notEmpty(c.In.Target), Error: c.In.Failure})
	return Result{Events: []chat.Event{u.append(conv, ch, e, c.onceKey().key)}}, nil
}

// prove moves a status by what the platform says of a message that an id stands for. A message that has an id and is not out as a whole
// has several parts: the id proves its part only, and what became of the others stays unsure.
func (u *unit) prove(row *eventRow, to chat.Status, f *chat.Failure) {
	if to == chat.Failed || !row.partly() {
		u.moveStatus(row, to, f)
	}
}

// partly tells that some parts are out, and no more is known.
func (row *eventRow) partly() bool {
	switch row.status {
	case chat.Queued, chat.Sending, chat.Unsure:
		return row.externalID != ""
	default:
		return false
	}
}

// moveStatus never goes backwards.
func (u *unit) moveStatus(row *eventRow, to chat.Status, f *chat.Failure) {
	if !row.status.Advances(to) {
		return
	}
	row.status, row.dirty = to, true
	row.failure = failureText(f)
}

func notEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// watermarkReach is how many events back a watermark counts: it bounds what one receipt can cost.
const watermarkReach = 2000

// receiptUpTo is a watermark: every message that we sent until then was delivered or read.
func (c *Receive) receiptUpTo(ctx context.Context, u *unit, ch *channelRow) (Result, error) {
	tk := threadKey{c.at.ws, c.at.no, c.In.Thread.Key()}
	u.wantLatest(tk)
	if err := u.fetch(ctx); err != nil {
		return Result{}, err
	}
	conv := u.latest[tk]
	if conv == nil {
		return c.other(ctx, u, ch)
	}
	var seqs []int64
	err := u.run(ctx, []stmt{{
		sql: `SELECT seq, status, external_id, failure FROM events WHERE workspace = $1 AND conversation = $2 AND seq > $3 AND at <= $4
 AND kind = 'message' AND status IN ('queued', 'sending', 'sent', 'delivered', 'unsure') ORDER BY seq DESC LIMIT 200`,
		args: []any{conv.ws, conv.no, conv.lastSeq - watermarkReach, micros(c.In.UpTo)},
		scan: func(r scanner) error {
			row, k := &eventRow{}, eventKey{conv.ws, conv.no, 0}
			if err := r.Scan(&k.seq, &row.status, &row.externalID, &row.failure); err != nil {
				return err
			}
			if u.events[k] == nil {
				u.asked[k] = true
				u.events[k] = row
			}
			// what this unit knows may be newer than what is stored
			row = u.events[k]
			if s := row.status; s == chat.Sent || s == chat.Delivered || s == chat.Unsure && !row.partly() {
				seqs = append(seqs, k.seq)
			}
			return nil
		},
	}})
	if err != nil || len(seqs) == 0 {
		return Result{}, err
	}
	for _, seq := range seqs {
		u.moveStatus(u.events[eventKey{conv.ws, conv.no, seq}], c.In.Status, nil)
	}
	e := c.event(chat.KindReceipt)
	e.Data = data(chat.ReceiptData{Seq: seqs[0], Status: c.In.Status})
	return Result{Events: []chat.Event{u.append(conv, ch, e, c.onceKey().key)}}, nil
}
