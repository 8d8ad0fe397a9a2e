package store

import (
	"context"
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
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *Place) resolve(ctx context.Context, s *Store) error {
	if placeKinds[c.To.State] == "" {
		return chat.Faultf(chat.CodeInvalid, "no such state: "+string(c.To.State))
	}
	if c.To.State == chat.StateAssigned && c.To.Assignee == "" {
		return chat.Faultf(chat.CodeInvalid, "an assigned conversation needs an assignee")
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
	if conv.state == chat.StateQueued {
		if err := u.dropOffer(ctx, convKey{conv.ws, conv.no}); err != nil {
			return Result{}, err
		}
	}
	conv.state, conv.assignee, conv.dirty, conv.moved = c.To.State, c.To.Assignee, true, true
	switch c.To.State {
	case chat.StateClosed:
		conv.closed, conv.unread, conv.closeReason = micros(u.now), 0, c.To.Reason
	case chat.StateBot:
		conv.flow, conv.flowVersion = c.To.Flow, c.To.Version
	case chat.StateQueued, chat.StateAssigned:
		if c.To.Queue != "" {
			conv.queue = c.To.Queue
		}
	}
	by := c.By
	e := chat.Event{Kind: placeKinds[c.To.State], Sender: &by, Data: data(c.To), Action: c.Action}
	return Result{Events: []chat.Event{u.append(conv, ch, e, "")}}, nil
}
