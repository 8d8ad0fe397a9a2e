package api

import (
	"context"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

type batchPost struct {
	Keyed
	Body struct {
		IDs      []chat.ConversationID `json:"ids" minItems:"1" maxItems:"200" nullable:"false"`
		Act      string                `json:"act" enum:"close,assign,queue,snooze,tag"`
		Reason   string                `json:"reason,omitempty" maxLength:"1000" doc:"Of close, assign and queue."`
		Assignee string                `json:"assignee,omitempty" maxLength:"200" doc:"Of assign."`
		Queue    string                `json:"queue,omitempty" maxLength:"100" doc:"Of queue and assign."`
		Until    time.Time             `json:"until,omitzero" doc:"Of snooze; by default until the contact writes."`
		Tags     BatchTags             `json:"tags,omitzero" doc:"Of tag."`
	}
}

// BatchTags are tags to add and to remove.
type BatchTags struct {
	Add    []string `json:"add,omitempty" maxItems:"50" nullable:"false"`
	Remove []string `json:"remove,omitempty" maxItems:"50" nullable:"false"`
}

// Done is what became of one conversation of a batch.
type Done struct {
	ID    chat.ConversationID `json:"id"`
	Event *chat.Event         `json:"event,omitempty" doc:"What tells of it; absent where nothing had to change."`
	Error *Problem            `json:"error,omitempty" doc:"Why nothing was changed."`
}

// batchRights are what a user needs for an act on many conversations, as for one.
var batchRights = map[string]access.Right{
	"close": access.ConversationsWrite, "snooze": access.ConversationsWrite, "tag": access.ConversationsWrite,
	"assign": access.ConversationsAssign, "queue": access.ConversationsAssign,
}

func (a *API) registerBatch() {
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/batch", id: "changeConversations", tag: "conversations", scope: ScopeWrite,
		summary: "Do the same to many conversations", more: "Each for itself: the answer tells for each what was done, or why not.",
	}, a.batch)
}

func (a *API) batch(ctx context.Context, in *batchPost) (*reply[list[Done]], error) {
	right := batchRights[in.Body.Act]
	if !access.Allowed(who(ctx), right, access.On{Workspace: here(ctx)}) {
		return nil, chat.Faultf(chat.CodeForbidden, "you have not got the right "+string(right))
	}
	if err := a.checkBatch(ctx, in); err != nil {
		return nil, err
	}
	done := make([]Done, len(in.Body.IDs))
	cmds, at := make([]store.Command, 0, len(done)), make([]int, 0, len(done))
	for i, id := range in.Body.IDs {
		done[i].ID = id
		if err := a.seesConversation(ctx, right, id); err != nil {
			done[i].Error = problemOf(err)
			continue
		}
		cmds, at = append(cmds, batchCommand(ctx, in, id)), append(at, i)
	}
	results, errs := a.Store.AppendAll(ctx, cmds)
	for n, i := range at {
		switch {
		case errs[n] != nil:
			done[i].Error = problemOf(errs[n])
		case len(results[n].Events) > 0:
			done[i].Event = &results[n].Events[0]
		}
	}
	return listOf(done, ""), nil
}

// checkBatch refuses what would fail for each.
func (a *API) checkBatch(ctx context.Context, in *batchPost) error {
	b := in.Body
	switch {
	case b.Act == "assign" && b.Assignee == "":
		return invalid(ProblemDetail{"body.assignee", "is wanted"})
	case b.Act == "queue" && b.Queue == "":
		return invalid(ProblemDetail{"body.queue", "is wanted"})
	case b.Act == "tag" && len(b.Tags.Add)+len(b.Tags.Remove) == 0:
		return invalid(ProblemDetail{"body.tags", "name some to add or to remove"})
	case b.Act == "assign" || b.Act == "queue":
		return a.placeExists(ctx, placeOf(b.Act, b.Assignee, b.Queue), "body.assignee")
	default:
		return nil
	}
}

// placeOf is where the acts queue and assign lead.
func placeOf(act, assignee, queue string) chat.PlaceData {
	if act == "queue" {
		return chat.PlaceData{State: chat.StateQueued, Queue: queue}
	}
	return chat.PlaceData{State: chat.StateAssigned, Assignee: assignee, Queue: queue}
}

func batchCommand(ctx context.Context, in *batchPost, id chat.ConversationID) store.Command {
	b, ws, by, action := in.Body, here(ctx), party(ctx), actionOf(ctx)
	switch b.Act {
	case "snooze":
		return &store.Snooze{Workspace: ws, Conversation: id, Until: b.Until, By: by, Action: action}
	case "tag":
		return &store.ChangeConversation{Workspace: ws, Conversation: id, AddTags: b.Tags.Add, RemoveTags: b.Tags.Remove, By: by, Action: action}
	case "close":
		return &store.Place{Workspace: ws, Conversation: id, To: chat.PlaceData{State: chat.StateClosed, Reason: b.Reason}, By: by, Action: action}
	}
	to := placeOf(b.Act, b.Assignee, b.Queue)
	to.Reason = b.Reason
	return &store.Place{Workspace: ws, Conversation: id, To: to, Known: true, By: by, Action: action}
}
