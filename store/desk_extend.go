package store

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// ExtendOffer gives an agent more time to accept: By more, and never more than Longest since it was offered.
type ExtendOffer struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Agent        string
	By, Longest  time.Duration
	Sender       chat.Party
	Action       chat.ActionID

	deed
}

func (c *ExtendOffer) resolve(ctx context.Context, s *Store) error {
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *ExtendOffer) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, row, err := u.waiting(ctx, &c.deed)
	if err != nil {
		return Result{}, err
	}
	now := micros(u.now)
	until := min(row.until+c.By.Microseconds(), row.offered+c.Longest.Microseconds())
	switch {
	case !slices.Contains(row.agents, c.Agent):
		return Result{}, chat.Faultf(chat.CodeForbidden, "the conversation is not offered to this agent")
	case row.until == 0:
		return Result{}, chat.Faultf(chat.CodeConflict, "there is as much time as it waits")
	case row.until <= now:
		return Result{}, chat.Faultf(chat.CodeConflict, "the time to accept is over")
	case until <= row.until:
		return Result{}, chat.Faultf(chat.CodeConflict, "the queue allows no more time")
	}
	row.until, row.dirty = until, true
	by := c.Sender
	e := chat.Event{Kind: chat.KindOfferExtended, Sender: &by, Action: c.Action}
	e.Data = data(chat.OfferData{Agents: row.agents, Queue: conv.queue, Until: moment(until), Longest: moment(row.offered).Add(c.Longest)})
	return Result{Events: []chat.Event{u.append(conv, ch, e, "")}}, nil
}
