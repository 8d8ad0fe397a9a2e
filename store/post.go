package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// Post appends a message of ours, or a note, to an open conversation.
type Post struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Kind         chat.Kind // message or note
	Sender       chat.Party
	Message      chat.Message
	Mentions     []string // of a note: ids of those whom it is for
	Once         string   // stored once under this name; "" is always new
	Action       chat.ActionID

	deed
}

func (c *Post) resolve(ctx context.Context, s *Store) error {
	if c.Kind != chat.KindMessage && c.Kind != chat.KindNote {
		return chat.Faultf(chat.CodeInvalid, "what is posted is a message or a note, not "+string(c.Kind))
	}
	if len(c.Message.Stack) == 0 {
		return chat.Faultf(chat.CodeInvalid, "a message needs at least one element")
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "p:", c.Once)
}

func (c *Post) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, before, err := c.look(ctx, u)
	if err != nil || before != nil {
		return repeated(before), err
	}
	if conv.state == chat.StateClosed {
		return Result{}, chat.Faultf(chat.CodeClosed, "the conversation is closed")
	}
	msg := c.Message
	if err := u.linkOwnReply(ctx, conv, &msg); err != nil {
		return Result{}, err
	}
	sender := c.Sender
	e := chat.Event{Kind: c.Kind, Sender: &sender, Message: &msg, Mentions: c.Mentions, Action: c.Action}
	if c.Kind == chat.KindMessage {
		e.Direction, e.Status = chat.Out, chat.Queued
		conv.preview = preview(&msg)
		conv.answered(u.now, c.Sender.Type)
	}
	return Result{Events: []chat.Event{u.append(conv, ch, e, c.once.key)}}, nil
}

// linkOwnReply finds the external id of the message that we answer.
func (u *unit) linkOwnReply(ctx context.Context, conv *conversationRow, m *chat.Message) error {
	if m.ReplyTo == nil || m.ReplyTo.Seq == 0 {
		return nil
	}
	row, err := u.event(ctx, eventKey{conv.ws, conv.no, m.ReplyTo.Seq})
	if chat.CodeOf(err) == chat.CodeNotFound {
		return chat.Faultf(chat.CodeInvalid, "reply_to names no message of this conversation")
	}
	if err != nil {
		return err
	}
	r := *m.ReplyTo
	r.ExternalID = row.externalID
	m.ReplyTo = &r
	return nil
}

// Change appends an act of ours about a message that was sent before: edited (with the new Message), deleted, reaction, or
// read (the contact's messages up to Seq).
type Change struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Kind         chat.Kind // edited, deleted, reaction, read
	Seq          int64     // of the message
	Sender       chat.Party
	Message      *chat.Message
	Reaction     *chat.ReactionData
	Once         string
	Action       chat.ActionID

	deed
}

func (c *Change) resolve(ctx context.Context, s *Store) error {
	if !slices.Contains([]chat.Kind{chat.KindEdited, chat.KindDeleted, chat.KindReaction, chat.KindRead}, c.Kind) {
		return chat.Faultf(chat.CodeInvalid, "no such change: "+string(c.Kind))
	}
	if c.Kind == chat.KindEdited && (c.Message == nil || len(c.Message.Stack) == 0) {
		return chat.Faultf(chat.CodeInvalid, "an edit needs a message")
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "p:", c.Once)
}

func (c *Change) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, before, err := c.look(ctx, u)
	if err != nil || before != nil {
		return repeated(before), err
	}
	if c.Seq < 1 || c.Seq > conv.lastSeq {
		return Result{}, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("no message %d in this conversation", c.Seq))
	}
	row, err := u.event(ctx, eventKey{conv.ws, conv.no, c.Seq})
	if err != nil {
		return Result{}, err
	}
	if c.Kind != chat.KindRead && row.externalID == "" {
		return Result{}, chat.Faultf(chat.CodeConflict, "that message has not reached its platform")
	}
	sender := c.Sender
	e := chat.Event{Kind: c.Kind, Direction: chat.Out, Sender: &sender, Message: c.Message, Action: c.Action}
	target := chat.TargetData{Seq: c.Seq, ExternalID: row.externalID}
	e.Data = data(target)
	if c.Kind == chat.KindReaction && c.Reaction != nil {
		r := *c.Reaction
		r.TargetData = target
		e.Data = data(r)
	}
	if c.Kind == chat.KindRead {
		conv.unread = 0
	}
	return Result{Events: []chat.Event{u.append(conv, ch, e, c.once.key)}}, nil
}
