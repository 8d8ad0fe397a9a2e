package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Snooze lets an agent's conversation rest: it does not count in the agent's load until its time is over or the contact writes.
type Snooze struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Until        time.Time // zero: until the contact writes
	By           chat.Party
	Action       chat.ActionID

	deed
}

// maxSnooze bounds how long a conversation may rest for a time.
const maxSnooze = 366 * 24 * time.Hour

// Why a rest ends.
const (
	wokenByTime    = "time"
	wokenByContact = "contact"
	wokenByAgent   = "agent"
)

func (c *Snooze) resolve(ctx context.Context, s *Store) error {
	if now := s.now(); !c.Until.IsZero() && (!c.Until.After(now) || c.Until.After(now.Add(maxSnooze))) {
		return chat.Faultf(chat.CodeInvalid, "until: a time in the next 366 days")
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Snooze) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	if err := conv.isHeld(); err != nil {
		return Result{}, err
	}
	d := chat.SnoozeData{Until: moment(micros(c.Until)), From: conv.stand()}
	return Result{Events: []chat.Event{u.rest(conv, ch, c.By, d, c.Action)}}, nil
}

// rest lets a conversation rest and tells of it.
func (u *unit) rest(conv *conversationRow, ch *channelRow, by chat.Party, d chat.SnoozeData, action chat.ActionID) chat.Event {
	conv.snoozed, conv.dirty, conv.moved = untilOf(d.Until), true, true
	return u.append(conv, ch, chat.Event{Kind: chat.KindSnoozed, Sender: &by, Action: action, Data: data(d)}, "")
}

// untilOf is the column of an end of a rest; the zero time is until the contact writes.
func untilOf(end time.Time) int64 {
	if end.IsZero() {
		return untilWritten
	}
	return micros(end)
}

// isHeld refuses what no agent has.
func (c *conversationRow) isHeld() error {
	switch c.state {
	case chat.StateAssigned:
		return nil
	case chat.StateClosed:
		return chat.Faultf(chat.CodeClosed, "the conversation is closed")
	default:
		return chat.Faultf(chat.CodeConflict, "no agent has the conversation: it is "+string(c.state))
	}
}

// Awaken ends the rest of a conversation.
type Awaken struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Due          bool // only if its time is over
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *Awaken) resolve(ctx context.Context, s *Store) error {
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Awaken) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	if conv.snoozed == 0 || c.Due && conv.snoozed > micros(u.now) {
		return Result{}, chat.Faultf(chat.CodeConflict, "the conversation does not rest, or not long enough")
	}
	why := wokenByAgent
	if c.Due {
		why = wokenByTime
	}
	return Result{Events: []chat.Event{u.wake(conv, ch, c.By, chat.SnoozeData{Reason: why}, c.Action)}}, nil
}

// wake ends a rest and tells of it.
func (u *unit) wake(conv *conversationRow, ch *channelRow, by chat.Party, d chat.SnoozeData, action chat.ActionID) chat.Event {
	conv.snoozed, conv.placed, conv.dirty, conv.moved = 0, micros(u.now), true, true
	return u.append(conv, ch, chat.Event{Kind: chat.KindAwoken, Sender: &by, Action: action, Data: data(d)}, "")
}

// Overdue is a conversation that the clock has something to do with.
type Overdue struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
}

func scanOverdue(r scanner) (o Overdue, err error) {
	err = r.Scan(&o.Workspace, &o.Conversation)
	return o, err
}

// Rested lists conversations, of all workspaces, that have rested for their time; at most limit.
func (s *Store) Rested(ctx context.Context, limit int) ([]Overdue, error) {
	return list(ctx, s, scanOverdue, `SELECT w.uid, c.uid FROM conversations c JOIN workspaces w ON w.id = c.workspace
 WHERE c.snoozed_until > 0 AND c.snoozed_until <= $1 ORDER BY c.snoozed_until LIMIT $2`, micros(s.now()), limit)
}
