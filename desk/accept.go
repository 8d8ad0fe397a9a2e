package desk

import (
	"context"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Claim is who wants to accept which conversation.
type Claim struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Agent        string
	By           chat.Party
	Action       chat.ActionID
}

// Accept gives a waiting conversation to an agent. Where it is offered to one, only that one may accept; where the queue's rule is
// everyone, each available member below the limit may. Of many who try exactly one wins; the others get a conflict.
func Accept(ctx context.Context, s *store.Store, c Claim) (store.Result, error) {
	from, err := mayTake(ctx, s, c)
	if err != nil {
		return store.Result{}, err
	}
	return s.Append(ctx, &store.Accept{
		Workspace: c.Workspace, Conversation: c.Conversation, Agent: c.Agent, From: from, By: c.By, Action: c.Action,
	})
}

// mayTake names the queue in which an agent may accept without having been asked, as far as there is room; "" if there is none.
func mayTake(ctx context.Context, s *store.Store, c Claim) (string, error) {
	conv, err := s.Conversation(ctx, c.Workspace, c.Conversation)
	if err != nil {
		return "", err
	}
	if _, err := s.Agent(ctx, c.Workspace, c.Agent); err != nil {
		return "", err
	}
	queues, err := s.Queues(ctx, c.Workspace)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(queues, func(q store.Queue) bool { return q.Name == conv.Queue })
	if i < 0 || Rule(queues[i].Rule) != Everyone {
		return "", nil
	}
	if !slices.Contains(queues[i].Agents, c.Agent) {
		return "", chat.Faultf(chat.CodeForbidden, "the agent is not a member of the queue")
	}
	return conv.Queue, nil
}
