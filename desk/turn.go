package desk

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// turn is the router at one event.
type turn struct {
	*Router
	tx     *store.Tx
	p      *picture
	action chat.ActionID
}

// take brings the picture up to date.
func (t *turn) take(e chat.Event) error {
	switch e.Kind {
	case chat.KindAgentChanged:
		var row store.Agent
		if err := json.Unmarshal(e.Data, &row); err != nil {
			return err
		}
		row, err := t.tx.Agent(row.ID) // as it is now
		if err == nil {
			t.p.agent(row)
		}
		return err
	case chat.KindQueueChanged, chat.KindTeamChanged, chat.KindHoursChanged:
		if err := t.p.loadQueues(t.tx.Context(), t.Store, t.tx.Workspace()); err != nil {
			return err
		}
		return t.setDues()
	case chat.KindRouteAnswer:
		return t.answered(e)
	default:
		return t.takeConversation(e)
	}
}

// takeConversation looks where a conversation is now, which may be further than the event tells.
func (t *turn) takeConversation(e chat.Event) error {
	conv, err := t.tx.Conversation()
	if err != nil {
		return err
	}
	works := conv.State == chat.StateAssigned && !conv.Snoozed // what rests does not count until it wakes
	if works && t.p.holders[conv.ID] == AgentID(conv.Assignee) {
		return nil
	}
	t.p.leave(conv.ID, e.At)
	switch {
	case conv.State == chat.StateQueued:
		return t.stay(e)
	case works:
		t.p.hold(conv.ID, AgentID(conv.Assignee), e.At)
	}
	return nil
}

// stay puts a conversation into line, or passes it on where the queue does not take it.
func (t *turn) stay(e chat.Event) error {
	row, err := t.tx.Waiting()
	if err != nil {
		return err
	}
	if e.Kind == chat.KindQueued && e.At.Equal(row.Since) {
		if gone, err := t.receive(&row, e); gone || err != nil {
			return err
		}
	}
	t.p.wait(row)
	return nil
}

// learn reads what an expression may know.
func (t *turn) learn(w *waiter) (bool, error) {
	ctx, ws := t.tx.Context(), t.tx.Workspace()
	f, err := readFacts(ctx, t.Store, ws, w.Conversation)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return false, nil
	}
	w.Facts = f
	return err == nil, err
}

// offer writes an offer.
func (t *turn) offer(q *queue, w *waiter, d Decision) (bool, error) {
	var until, longest time.Time
	if q.rule != Everyone || d.Reason == Stays {
		until, longest = t.tx.Now().Add(q.settings.acceptTime()), t.tx.Now().Add(q.settings.longest())
	}
	agents := make([]string, len(d.Offer))
	for i, id := range d.Offer {
		agents[i] = string(id)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	_, err = t.tx.Append(&store.Offer{
		Workspace: t.tx.Workspace(), Conversation: w.Conversation, Agents: agents, Until: until, Longest: longest, Decision: raw, Action: t.action,
	})
	if movedOn(err) {
		return false, nil // it does not wait any more; the event that says so comes
	}
	if err != nil {
		return false, err
	}
	if !until.IsZero() {
		q.last = d.Offer[0]
	}
	t.p.offer(w, d.Offer, until)
	return true, nil
}

// movedOn tells that a conversation is not where routing took it to be.
func movedOn(err error) bool {
	return slices.Contains([]chat.Code{chat.CodeConflict, chat.CodeNotFound, chat.CodeClosed}, chat.CodeOf(err))
}
