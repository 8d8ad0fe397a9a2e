package desk

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// defaultExtendTimes is how often an agent may take the time to accept anew where the queue does not say.
const defaultExtendTimes = 1

// longest is how long an offer may stand with all the time that may be added.
func (s Settings) longest() time.Duration {
	times := defaultExtendTimes
	if s.ExtendTimes != nil {
		times = *s.ExtendTimes
	}
	return time.Duration(1+times) * s.acceptTime()
}

// Extend gives an agent who is offered a conversation the time to accept it once more, as often as the queue allows.
func Extend(ctx context.Context, s *store.Store, c Claim) (store.Result, error) {
	conv, err := s.Conversation(ctx, c.Workspace, c.Conversation)
	if err != nil {
		return store.Result{}, err
	}
	all, err := settingsOfAll(ctx, s, c.Workspace)
	if err != nil {
		return store.Result{}, err
	}
	q := all[conv.Queue]
	return s.Append(ctx, &store.ExtendOffer{
		Workspace: c.Workspace, Conversation: c.Conversation, Agent: c.Agent, By: q.acceptTime(), Longest: q.longest(), Sender: c.By, Action: c.Action,
	})
}

// Offers lists what is offered to an agent, the oldest first, and until when the time of each can be extended.
func Offers(ctx context.Context, s *store.Store, ws chat.WorkspaceID, agent string) ([]store.Offered, error) {
	found, err := s.Offers(ctx, ws, agent)
	if err != nil || len(found) == 0 {
		return found, err
	}
	all, err := settingsOfAll(ctx, s, ws)
	for i, o := range found {
		if !o.Until.IsZero() {
			found[i].Longest = o.At.Add(all[o.Queue].longest())
		}
	}
	return found, err
}

func settingsOfAll(ctx context.Context, s *store.Store, ws chat.WorkspaceID) (map[string]Settings, error) {
	rows, err := s.Queues(ctx, ws)
	out := make(map[string]Settings, len(rows))
	for _, row := range rows {
		out[row.Name] = settingsOf(row)
	}
	return out, err
}
