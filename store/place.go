package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// Place moves a conversation: to the bot, a queue, an agent, or closed. Among callers that expect the same state
// exactly one wins.
type Place struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Expect       []chat.State // empty: any open state
	To           chat.PlaceData
	Of           string // only while this agent has it; empty: whoever
	Room         bool   // only to an agent who is available and below the limit, and does not have it already
	Known        bool   // only into a queue that is stored
	By           chat.Party
	Action       chat.ActionID

	deed
}

// Bounds of what is said with a move, in bytes.
const (
	maxReason = 4 << 10
	maxNote   = 16 << 10
)

func (c *Place) resolve(ctx context.Context, s *Store) error {
	switch {
	case placeKinds[c.To.State] == "":
		return chat.Faultf(chat.CodeInvalid, "no such state: "+string(c.To.State))
	case c.To.State == chat.StateAssigned && c.To.Assignee == "":
		return chat.Faultf(chat.CodeInvalid, "an assigned conversation needs an assignee")
	case len(c.To.Reason) > maxReason || len(c.To.Note) > maxNote:
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("a reason has at most %d bytes, a note %d", maxReason, maxNote))
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

// placeKinds are the events that tell of a move.
var placeKinds = map[chat.State]chat.Kind{
	chat.StateBot: chat.KindBot, chat.StateQueued: chat.KindQueued, chat.StateAssigned: chat.KindAssigned, chat.StateClosed: chat.KindClosed,
}

func (c *Place) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	if conv.state == chat.StateClosed {
		return Result{}, chat.Faultf(chat.CodeClosed, "the conversation is closed")
	}
	if len(c.Expect) > 0 && !slices.Contains(c.Expect, conv.state) {
		return Result{}, chat.Faultf(chat.CodeConflict, "the conversation is "+string(conv.state)+" now")
	}
	if c.Of != "" && (conv.state != chat.StateAssigned || conv.assignee != c.Of) {
		return Result{}, chat.Faultf(chat.CodeForbidden, "only who has the conversation can do that")
	}
	if c.Room && c.To.State == chat.StateAssigned {
		if conv.state == chat.StateAssigned && conv.assignee == c.To.Assignee {
			return Result{}, chat.Faultf(chat.CodeConflict, "the agent has it already")
		}
		if err := u.hasRoom(ctx, agentKey{c.ws, c.To.Assignee}, convKey{conv.ws, conv.no}); err != nil {
			return Result{}, err
		}
	}
	if c.Known {
		if err := u.hasQueue(ctx, c.ws, c.To.Queue); err != nil {
			return Result{}, err
		}
	}
	e, err := u.move(ctx, conv, ch, c.To, c.By, c.Action)
	return Result{Events: []chat.Event{e}}, err
}

// hasQueue refuses a queue that is not stored, or was deleted a moment ago.
func (u *unit) hasQueue(ctx context.Context, ws int64, name string) error {
	if name == "" {
		return nil
	}
	there, err := u.storedQueue(ctx, ws, name)
	if err == nil && there == "" {
		err = chat.Faultf(chat.CodeConflict, "there is no queue "+name+" any more")
	}
	return err
}

// storedQueue is the name of a queue as long as it is stored, and then "".
func (u *unit) storedQueue(ctx context.Context, ws int64, name string) (string, error) {
	return u.text(ctx, "SELECT name FROM queues WHERE workspace = $1 AND name = $2", ws, name)
}

// move puts a conversation somewhere else and tells of it. It is the only way from one place to another.
func (u *unit) move(ctx context.Context, conv *conversationRow, ch *channelRow, to chat.PlaceData, by chat.Party, action chat.ActionID) (chat.Event, error) {
	if conv.state == chat.StateQueued {
		if err := u.dropOffer(ctx, convKey{conv.ws, conv.no}); err != nil {
			return chat.Event{}, err
		}
	}
	if to.From == nil {
		to.From = conv.stand()
	}
	conv.settle(micros(u.now), to)
	e := chat.Event{Kind: placeKinds[to.State], Sender: &by, Data: data(to), Action: action}
	return u.append(conv, ch, e, ""), nil
}

// stand is where a conversation is now.
func (c *conversationRow) stand() *chat.Stand {
	s := &chat.Stand{
		State: c.state, Queue: c.queue, Assignee: c.assignee, Unread: c.unread, Waiting: moment(c.waiting), Snoozed: c.snoozed != 0,
	}
	if c.state == chat.StateBot {
		s.Flow, s.Version = c.flow, c.flowVersion
	}
	if c.snoozed != untilWritten {
		s.SnoozedTill = moment(c.snoozed)
	}
	return s
}

// settle makes the row that of a conversation in its new place. A closed one keeps who had it last.
func (c *conversationRow) settle(now int64, to chat.PlaceData) {
	before := c.state
	c.state, c.placed, c.snoozed, c.closed, c.closeReason, c.dirty, c.moved = to.State, now, 0, 0, "", true, true
	switch to.State {
	case chat.StateClosed:
		c.closed, c.unread, c.waiting, c.closeReason = now, 0, 0, to.Reason
		return
	case chat.StateBot:
		c.flow, c.flowVersion, c.queue = to.Flow, to.Version, ""
	case chat.StateQueued, chat.StateAssigned:
		if to.Queue != "" {
			c.queue = to.Queue
		}
		if c.waiting == 0 && (to.State == chat.StateQueued || before == chat.StateBot) {
			c.waiting = now // who asks for a person waits for one, whatever the flow said last
		}
	}
	c.assignee = to.Assignee
}
