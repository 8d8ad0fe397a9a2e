package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// Resend sends a dead letter with other words, or to another address, as a new message: what was said before stays in the log as it is.
// The letter is gone in the same transaction, so that of several who try one sends.
type Resend struct {
	Workspace chat.WorkspaceID
	ID        string
	Message   *chat.Message // nil: as it was
	Address   string        // empty: the conversation's; else a conversation begins there, and the one with the wrong address is closed
	By        chat.Party
	Action    chat.ActionID

	key jobKey
}

// ReasonReaddressed closes a conversation whose address was wrong.
const ReasonReaddressed = "readdressed"

func (c *Resend) resolve(ctx context.Context, s *Store) (err error) {
	if c.Message != nil && len(c.Message.Stack) == 0 {
		return chat.Faultf(chat.CodeInvalid, "a message needs at least one element")
	}
	c.Address = cleanText(c.Address)
	if len(c.Address) > maxName {
		return chat.Faultf(chat.CodeInvalid, "an address has at most 500 bytes")
	}
	c.key, err = s.letterKey(ctx, c.Workspace, c.ID)
	return err
}

func (c *Resend) workspace() int64 { return c.key.ws }
func (c *Resend) want(u *unit)     { u.wantJob(c.key) }

func (c *Resend) apply(ctx context.Context, u *unit) (Result, error) {
	job, err := u.letter(c.key)
	if err != nil {
		return Result{}, err
	}
	msg, err := u.unsent(ctx, job)
	if err != nil {
		return Result{}, err
	}
	conv, ch, err := u.place(ctx, convKey{job.ws, job.conv})
	if err != nil {
		return Result{}, err
	}
	if c.Message != nil {
		was := msg.ReplyTo
		if *msg = *c.Message; msg.ReplyTo == nil {
			msg.ReplyTo = was
		}
	}
	send := c.here
	if c.Address != "" {
		send = c.elsewhere
	}
	res, err := send(ctx, u, conv, ch, *msg)
	if err == nil {
		job.gone = true
	}
	return res, err
}

// unsent is the message of a job of which surely nothing has left us.
func (u *unit) unsent(ctx context.Context, job *jobRow) (*chat.Message, error) {
	row, err := u.event(ctx, eventKey{job.ws, job.conv, job.seq})
	if err != nil {
		return nil, err
	}
	var e chat.Event
	err = u.run(ctx, []stmt{{
		sql:  "SELECT " + eventColumns + " FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.seq = $3",
		args: []any{job.ws, job.conv, job.seq},
		scan: func(r scanner) (err error) { e, err = scanEvent(r); return err },
	}})
	switch {
	case err != nil:
		return nil, err
	case e.Kind != chat.KindMessage || e.Direction != chat.Out || e.Message == nil:
		return nil, chat.Faultf(chat.CodeConflict, "only a message of ours can be changed: try this one again as it is")
	case row.status == chat.Unsure:
		return nil, chat.Faultf(chat.CodeConflict, "nobody knows whether this message went out: try it again as it is, or write another one")
	case row.status != chat.Failed || row.externalID != "" || job.progress != "":
		return nil, chat.Faultf(chat.CodeConflict, "a part of this message is out already: it can be tried again only as it is")
	}
	return e.Message, nil
}

// here says it in the same conversation.
func (c *Resend) here(ctx context.Context, u *unit, conv *conversationRow, ch *channelRow, msg chat.Message) (Result, error) {
	if conv.state == chat.StateClosed {
		return Result{}, chat.Faultf(chat.CodeClosed, "the conversation is closed: open it again first, or try the message again as it is")
	}
	if err := u.linkOwnReply(ctx, conv, &msg); err != nil {
		return Result{}, err
	}
	by := c.By
	conv.preview = preview(&msg)
	conv.answered(u.now, by.Type)
	e := chat.Event{Kind: chat.KindMessage, Direction: chat.Out, Status: chat.Queued, Sender: &by, Message: &msg, Action: c.Action}
	return Result{Events: []chat.Event{u.append(conv, ch, e, "")}}, nil
}

// elsewhere says it to the right address, in a conversation of its own that belongs to whom the first one does.
func (c *Resend) elsewhere(ctx context.Context, u *unit, conv *conversationRow, ch *channelRow, msg chat.Message) (res Result, err error) {
	switch {
	case conv.lastIn != 0:
		return Result{}, chat.Faultf(chat.CodeConflict, "the contact has written from this address: it is not ours to change")
	case conv.threadBody.Address == c.Address:
		return Result{}, chat.Faultf(chat.CodeInvalid, "address: it is the one that the message was for")
	case conv.assignee == "" && conv.queue == "":
		return Result{}, chat.Faultf(chat.CodeConflict, "the conversation has neither an agent nor a queue: begin one with the right address")
	}
	to := chat.PlaceData{State: chat.StateQueued, Queue: conv.queue, Reason: chat.ReasonNew}
	if conv.assignee != "" {
		to.State, to.Assignee = chat.StateAssigned, conv.assignee
		if to.Queue, err = u.storedQueue(ctx, conv.ws, conv.queue); err != nil {
			return Result{}, err
		}
	}
	msg.ReplyTo = nil // it is in the other conversation
	name, err := u.text(ctx, "SELECT name FROM contacts WHERE workspace = $1 AND no = $2", conv.ws, conv.contact)
	if err != nil {
		return Result{}, err
	}
	start := &Start{
		Channel: ch.uid, Person: chat.Person{Address: c.Address, Name: name}, To: to, Message: msg, By: c.By, Action: c.Action, at: channelName{ws: conv.ws, no: conv.channel},
		Known: to.State == chat.StateQueued,
	}
	start.want(u)
	if err := u.fetch(ctx); err != nil {
		return Result{}, err
	}
	res, err = start.apply(ctx, u)
	if err != nil || conv.state == chat.StateClosed {
		return res, err
	}
	closed, err := u.move(ctx, conv, ch, chat.PlaceData{State: chat.StateClosed, Reason: ReasonReaddressed}, c.By, c.Action)
	res.Events = append(res.Events, closed)
	return res, err
}
