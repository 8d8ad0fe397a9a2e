package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
)

// QueuePath names a queue.
type QueuePath struct {
	Name string `path:"name" minLength:"1" maxLength:"100" example:"support"`
}

// QueueSettings are what a queue may set beside its rule.
type QueueSettings struct {
	AcceptSeconds int            `json:"accept_seconds,omitempty" minimum:"0" maximum:"86400" doc:"How long an agent may take to accept what is offered to one; 300 by default. Who does not becomes inactive, and the next one is asked."`
	Skills        map[string]int `json:"skills,omitempty" doc:"The level of each skill that the rule skills wants."`
}

type queuePut struct {
	Keyed
	QueuePath
	Body struct {
		Title    string        `json:"title,omitempty" maxLength:"200"`
		Rule     string        `json:"rule" enum:"everyone,least_busy,round_robin,skills" doc:"Who is offered a waiting conversation."`
		Settings QueueSettings `json:"settings,omitzero"`
		Members  []string      `json:"members" maxItems:"10000" nullable:"false" doc:"Ids of agents."`
	}
}

// Queue is where conversations wait.
type Queue struct {
	Name     string          `json:"name"`
	Title    string          `json:"title,omitempty"`
	Rule     string          `json:"rule"`
	Settings json.RawMessage `json:"settings"`
	Members  []string        `json:"members" nullable:"false"`
}

func queueOf(q store.Queue) Queue { return Queue{q.Name, q.Title, q.Rule, q.Settings, q.Members} }

func (a *API) registerQueues() {
	const tag = "queues"
	add(a, act{
		method: http.MethodPut, path: "/v1/queues/{name}", id: "putQueue", tag: tag, scope: ScopeAdmin, summary: "Store a queue",
		more: "Conversations may wait in a queue that is not stored; nobody is asked then.",
	}, a.putQueue)
	add(a, act{method: http.MethodGet, path: "/v1/queues", id: "listQueues", tag: tag, scope: ScopeRead, summary: "List queues with their members"}, a.listQueues)
	add(a, act{method: http.MethodGet, path: "/v1/queues/{name}", id: "getQueue", tag: tag, scope: ScopeRead, summary: "Read a queue"}, a.queue)
}

func (a *API) putQueue(ctx context.Context, in *queuePut) (*reply[Queue], error) {
	settings, err := json.Marshal(desk.Settings(in.Body.Settings))
	if err != nil {
		return nil, err
	}
	q := store.Queue{Name: in.Name, Title: in.Body.Title, Rule: in.Body.Rule, Settings: settings, Members: slices.Clone(in.Body.Members)}
	if _, err := a.Store.Append(ctx, &store.PutQueue{Workspace: here(ctx), Queue: q, By: party(ctx), Action: actionOf(ctx)}); err != nil {
		return nil, err
	}
	return a.queue(ctx, &in.QueuePath)
}

func (a *API) listQueues(ctx context.Context, _ *none) (*reply[list[Queue]], error) {
	found, err := a.Store.Queues(ctx, here(ctx))
	out := make([]Queue, len(found))
	for i, q := range found {
		out[i] = queueOf(q)
	}
	return listOf(out, ""), err
}

func (a *API) queue(ctx context.Context, in *QueuePath) (*reply[Queue], error) {
	found, err := a.Store.Queues(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(q store.Queue) bool { return q.Name == in.Name })
	if i < 0 {
		return nil, chat.Faultf(chat.CodeNotFound, "no such queue")
	}
	return &reply[Queue]{queueOf(found[i])}, nil
}
