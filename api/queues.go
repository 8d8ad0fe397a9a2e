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
	ExtendTimes   *int           `json:"extend_times,omitempty" minimum:"0" maximum:"20" doc:"How often an agent may take that time anew while it runs; 1 by default."`
	Skills        map[string]int `json:"skills,omitempty" doc:"The level of each skill that the rule skills wants."`

	Hours          string            `json:"hours,omitempty" maxLength:"200" doc:"The name of business hours; open all the time by default."`
	WhenClosed     *desk.Consequence `json:"when_closed,omitempty" doc:"What becomes of a conversation that comes outside of the hours; by default it waits."`
	Limit          int               `json:"limit,omitempty" minimum:"0" maximum:"1000000" doc:"How many may wait at once; no limit by default."`
	WhenFull       *desk.Consequence `json:"when_full,omitempty" doc:"What becomes of a conversation that comes when as many wait."`
	MaxWaitSeconds int               `json:"max_wait_seconds,omitempty" minimum:"0" maximum:"2678400" doc:"How long a conversation waits here at the most, while the queue is open; at least 10, no limit by default."`
	AfterMaxWait   *desk.Consequence `json:"after_max_wait,omitempty" doc:"What becomes of it then."`
	TellWait       string            `json:"tell_wait,omitempty" maxLength:"2000" example:"You are number {{position}}; it will take about {{minutes}} minutes." doc:"What those who wait are told, when it has changed and at most once a minute. With {{minutes}} in it nothing is told while nobody knows."`
	Expression     string            `json:"expression,omitempty" maxLength:"4096" example:"agent.skills.fr > 0 ? agent.skills.fr : false" doc:"Of the rule expression: rates an agent; the highest wins; false or nil is not to be asked. It sees agent, conversation, contact and fields."`
	URL            string            `json:"url,omitempty" maxLength:"2000" doc:"Of the rule http: the service that is asked."`
	TimeoutMS      int               `json:"timeout_ms,omitempty" minimum:"0" maximum:"30000" doc:"How long it may take; 2000 by default. After that the least busy is asked."`

	CloseAfterMinutes int    `json:"close_after_minutes,omitempty" minimum:"0" maximum:"527040" doc:"Close what an agent has after so many minutes of silence; never by default. Whoever waits for us, or in a queue, is not cut off."`
	CloseCounts       string `json:"close_counts,omitempty" enum:"ours,any" doc:"What silence is: ours (the default), nothing since our last message, while it is the contact's turn; any, nothing of anybody, even where the contact wrote last."`
	CloseText         string `json:"close_text,omitempty" maxLength:"2000" example:"We have not heard from you for a while and close this. Just write when you need us." doc:"What the contact is told when silence closes; nothing by default. Where the platform allows no free answers any more, it becomes a dead letter."`
	ReopenMinutes     int    `json:"reopen_minutes,omitempty" minimum:"0" maximum:"527040" doc:"Who writes within so many minutes of a close comes back to the same agent, if there is room, else to this queue; never by default."`

	TargetSeconds     int `json:"target_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"The service that is aimed at: so many percent of first replies within so many seconds. Live reports tell what is reached."`
	TargetPercent     int `json:"target_percent,omitempty" minimum:"0" maximum:"100"`
	FirstReplySeconds int `json:"first_reply_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"A conversation is due so long after the contact began to wait for a person's first word; never by default."`
	NextReplySeconds  int `json:"next_reply_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"And so long after the contact wrote again."`
}

type queueSettingsPut struct {
	QueueSettings
	Secret *string `json:"secret,omitempty" maxLength:"500" doc:"Of the rule http: signs the questions, as Standard Webhooks say. It is kept sealed and not shown; left out, it stays as it is."`
}

type queuePut struct {
	Keyed
	QueuePath
	Body struct {
		Title    string           `json:"title,omitempty" maxLength:"200"`
		Rule     string           `json:"rule" enum:"everyone,least_busy,round_robin,skills,expression,http" doc:"Who is offered a waiting conversation."`
		Settings queueSettingsPut `json:"settings,omitzero"`
		Members  []string         `json:"members" maxItems:"10000" nullable:"false" example:"team:support" doc:"Ids of agents, and names of teams with team: before them."`
	}
}

type queueDelete struct {
	Keyed
	QueuePath
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
	add(a, act{
		method: http.MethodDelete, path: "/v1/queues/{name}", id: "deleteQueue", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete a queue", more: "Refused (409) while something leads there: open conversations, channels, other queues, flows, canned replies, actions. The detail names them.",
	}, a.deleteQueue)
	add(a, act{method: http.MethodGet, path: "/v1/queues/{name}", id: "getQueue", tag: tag, scope: ScopeRead, summary: "Read a queue"}, a.queue)
}

func (a *API) putQueue(ctx context.Context, in *queuePut) (*reply[Queue], error) {
	err := desk.PutQueue(ctx, a.Store, a.Secrets, desk.QueueChange{
		Workspace: here(ctx), Queue: store.Queue{Name: in.Name, Title: in.Body.Title, Rule: in.Body.Rule, Members: in.Body.Members},
		Settings: desk.Settings(in.Body.Settings.QueueSettings), Secret: in.Body.Settings.Secret, By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return a.queue(ctx, &in.QueuePath)
}

func (a *API) deleteQueue(ctx context.Context, in *queueDelete) (*empty, error) {
	_, err := a.Store.Append(ctx, &store.DropQueue{Workspace: here(ctx), Name: in.Name, By: party(ctx), Action: actionOf(ctx)})
	return nil, err
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
