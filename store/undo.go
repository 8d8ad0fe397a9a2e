package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// UndoTime is how long an act can be taken back.
const UndoTime = time.Minute

// Undo takes back a close, a move to a queue or an agent, or a snooze: by who did it, soon, and if nothing has happened since.
type Undo struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Seq          int64 // of the event that told of it
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *Undo) resolve(ctx context.Context, s *Store) error {
	if c.Seq < 1 {
		return chat.Faultf(chat.CodeInvalid, "seq: of the event to take back")
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

// passive are the kinds that come by themselves, or only tell: an act can be taken back over them.
var passive = []chat.Kind{
	chat.KindOffered, chat.KindOfferEnded, chat.KindOfferExtended, chat.KindReceipt, chat.KindRead, chat.KindFile, chat.KindProfile, chat.KindFlowStep, chat.KindNote,
}

func (c *Undo) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	e, err := u.actAt(ctx, conv, c.Seq)
	if err != nil {
		return Result{}, err
	}
	if err := c.judge(e, u.now); err != nil {
		return Result{}, err
	}
	var d struct { // what both PlaceData and SnoozeData have
		From   *chat.Stand `json:"from"`
		Undoes int64       `json:"undoes"`
	}
	if json.Unmarshal(e.Data, &d) != nil || d.From == nil || d.Undoes != 0 {
		return Result{}, chat.Faultf(chat.CodeConflict, "that cannot be taken back")
	}
	if e.Kind == chat.KindSnoozed {
		back := chat.SnoozeData{Reason: chat.ReasonUndone, Undoes: c.Seq, Until: d.From.SnoozedTill}
		if rests(d.From, u.now) {
			return Result{Events: []chat.Event{u.rest(conv, ch, c.By, back, c.Action)}}, nil
		}
		return Result{Events: []chat.Event{u.wake(conv, ch, c.By, back, c.Action)}}, nil
	}
	if conv.state == chat.StateClosed {
		if last, err := u.lastOf(ctx, conv); err != nil || last != conv {
			return Result{}, faultOr(err, chat.CodeConflict, "the contact has a newer conversation")
		}
		if err := u.isThere(ctx, conv); err != nil {
			return Result{}, err
		}
	}
	if err := u.takesBack(ctx, conv.ws, e.Pos, d.From); err != nil {
		return Result{}, err
	}
	back, err := u.putBack(ctx, conv, ch, *d.From, c)
	return Result{Events: []chat.Event{back}}, err
}

// judge tells why an act is not this caller's to take back, or not any more.
func (c *Undo) judge(e chat.Event, now time.Time) error {
	undoable := []chat.Kind{chat.KindClosed, chat.KindQueued, chat.KindAssigned, chat.KindSnoozed}
	switch {
	case !slices.Contains(undoable, e.Kind):
		return chat.Faultf(chat.CodeConflict, "an event of kind "+string(e.Kind)+" cannot be taken back")
	case e.Sender == nil || e.Sender.Type != c.By.Type || e.Sender.ID != c.By.ID:
		return chat.Faultf(chat.CodeForbidden, "only who did it can take it back")
	case now.Sub(e.At) > UndoTime:
		return chat.Faultf(chat.CodeConflict, "it is too late to take it back")
	default:
		return nil
	}
}

// actAt reads the event of an act, if nothing but passive events has come since.
func (u *unit) actAt(ctx context.Context, conv *conversationRow, seq int64) (act chat.Event, err error) {
	since := slices.Clone(u.freshOf(conv))
	err = u.run(ctx, []stmt{{
		sql:  "SELECT " + eventColumns + " FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.seq >= $3 ORDER BY e.seq LIMIT 100",
		args: []any{conv.ws, conv.no, seq},
		scan: func(r scanner) error {
			e, err := scanEvent(r)
			since = append(since, e)
			return err
		},
	}})
	if err != nil {
		return act, err
	}
	if len(since) >= 100 {
		return act, chat.Faultf(chat.CodeConflict, "too much has happened since")
	}
	for _, e := range since {
		switch {
		case e.Seq == seq:
			act = e
		case e.Seq > seq && !slices.Contains(passive, e.Kind):
			return act, chat.Faultf(chat.CodeConflict, "since then: "+string(e.Kind))
		}
	}
	if act.Seq == 0 {
		return act, chat.Faultf(chat.CodeNotFound, "no such event")
	}
	return act, nil
}

// freshOf are the events of a conversation that this unit has appended and nobody can read yet.
func (u *unit) freshOf(conv *conversationRow) (list []chat.Event) {
	for _, f := range u.fresh {
		if f.ws == conv.ws && f.conv == conv.no {
			list = append(list, *f.event)
		}
	}
	return list
}

// takesBack refuses a line, or a flow, that was deleted since.
func (u *unit) takesBack(ctx context.Context, ws, since int64, was *chat.Stand) error {
	switch was.State {
	case chat.StateQueued:
		return u.keptQueue(ctx, ws, since, was.Queue)
	case chat.StateBot:
		gone, err := u.text(ctx, "SELECT name FROM flows WHERE workspace = $1 AND name = $2 AND version = $3 AND deleted_at <> 0", ws, was.Flow, was.Version)
		if err == nil && gone != "" {
			err = chat.Faultf(chat.CodeConflict, "there is no flow "+gone+" any more")
		}
		return err
	default:
		return nil
	}
}

// keptQueue is hasQueue that lets a queue pass which was never stored: conversations wait there all the same.
func (u *unit) keptQueue(ctx context.Context, ws, since int64, name string) error {
	gone := u.hasQueue(ctx, ws, name)
	if chat.CodeOf(gone) != chat.CodeConflict {
		return gone
	}
	told, err := u.text(ctx, `SELECT kind FROM events WHERE workspace = $1 AND pos > $2 AND kind = $3 AND body LIKE $4 ESCAPE '\' LIMIT 1`,
		ws, since, string(chat.KindQueueChanged), likePart(member("name", name)+`,"deleted":true`))
	if err == nil && told != "" {
		err = gone
	}
	return err
}

// putBack brings a conversation to where it was, as it stood there.
func (u *unit) putBack(ctx context.Context, conv *conversationRow, ch *channelRow, was chat.Stand, c *Undo) (chat.Event, error) {
	to := chat.PlaceData{
		State: was.State, Queue: was.Queue, Assignee: was.Assignee, Flow: was.Flow, Version: was.Version, Reason: chat.ReasonUndone, Undoes: c.Seq,
	}
	e, err := u.move(ctx, conv, ch, to, c.By, c.Action)
	if err != nil {
		return e, err
	}
	conv.unread, conv.waiting, conv.queue = was.Unread, micros(was.Waiting), was.Queue
	if row := u.desk.waits[convKey{conv.ws, conv.no}]; was.State == chat.StateQueued && !was.Waiting.IsZero() {
		row.first, row.older = micros(was.Waiting), false // its place in the line
	}
	if rests(&was, u.now) {
		conv.snoozed = untilOf(was.SnoozedTill)
	}
	return e, nil
}

// rests tells whether what rested would still rest now.
func rests(was *chat.Stand, now time.Time) bool {
	return was.Snoozed && (was.SnoozedTill.IsZero() || was.SnoozedTill.After(now))
}

func faultOr(err error, code chat.Code, why string) error {
	if err != nil {
		return err
	}
	return chat.Faultf(code, why)
}
