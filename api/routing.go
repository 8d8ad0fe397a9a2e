package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
)

// QueueNow is how a queue stands.
type QueueNow struct {
	Open     bool     `json:"open" doc:"By its business hours."`
	Waiting  int      `json:"waiting"`
	Oldest   float64  `json:"oldest_seconds" doc:"How long somebody has waited the longest."`
	Estimate *float64 `json:"estimate_seconds,omitempty" doc:"How long who comes now will wait for an agent; absent while nobody knows."`
	Agents   struct {
		Free int `json:"free" doc:"Can take one more."`
		Busy int `json:"busy" doc:"Are there and have as many as their limit allows."`
		Away int `json:"away"`
	} `json:"agents"`
}

// ConversationWait is how a conversation waits.
type ConversationWait struct {
	Queue    string   `json:"queue,omitempty"`
	Position int      `json:"position" doc:"In the line of its queue, from 1; 0: it does not wait."`
	Estimate *float64 `json:"estimate_seconds,omitempty" doc:"How long it will still wait for an agent; absent while nobody knows."`
}

type whatIfPost struct {
	Body struct {
		Rule     string    `json:"rule" enum:"everyone,least_busy,round_robin,skills,expression"`
		Queue    string    `json:"queue,omitempty" maxLength:"100" doc:"All queues by default; the others keep their rules."`
		From     time.Time `json:"from"`
		To       time.Time `json:"to,omitzero" doc:"Now by default; at most 92 days after from."`
		Settings *struct {
			Skills     map[string]int `json:"skills,omitempty"`
			Expression string         `json:"expression,omitempty" maxLength:"4096"`
		} `json:"settings,omitempty" doc:"Of the rule; those of the queue by default."`
	}
}

func (a *API) registerRouting() {
	const tag = "queues"
	add(a, act{
		method: http.MethodGet, path: "/v1/queues/{name}/waiting", id: "getQueueWaiting", tag: tag, scope: ScopeRead,
		summary: "How many wait in a queue, how long, and who could come",
	}, a.queueWaiting)
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations/{id}/waiting", id: "getConversationWaiting", tag: "conversations", scope: ScopeRead,
		summary: "Where a conversation stands in line, and for how long",
	}, a.conversationWaiting)
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations/{id}/routing", id: "getRouting", tag: "conversations", scope: ScopeRead,
		summary: "Why a conversation is where it is", more: "Every decision with its candidates and the reasons in words; while nobody is asked, why nobody.",
	}, a.routing)
	add(a, act{
		method: http.MethodPost, path: "/v1/routing/what-if", id: "askWhatIf", tag: tag, scope: ScopeRead,
		summary: "Play a time again under another rule",
		more: "One at a time. The arrivals, the agents' states, how fast they accept and how long they take are those of the log; who gets what is decided anew. " +
			"Contacts, skills and limits are as they are now, and nobody has anything at the beginning.",
	}, a.whatIf)
}

func (a *API) queueWaiting(ctx context.Context, in *QueuePath) (*reply[QueueNow], error) {
	o, err := desk.ReadOutlook(ctx, a.Store, here(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	out := QueueNow{Open: o.Open, Waiting: o.Waiting, Estimate: secondsOf(o.Estimate(o.Waiting + 1))}
	if !o.Oldest.IsZero() {
		out.Oldest = max(a.Now().Sub(o.Oldest).Seconds(), 0)
	}
	out.Agents.Free, out.Agents.Busy, out.Agents.Away = o.Free, o.Busy, o.Away
	return &reply[QueueNow]{out}, nil
}

func secondsOf(d time.Duration, known bool) *float64 {
	if !known {
		return nil
	}
	s := d.Round(time.Second).Seconds()
	return &s
}

func (a *API) conversationWaiting(ctx context.Context, in *ConversationPath) (*reply[ConversationWait], error) {
	if _, err := a.Store.Conversation(ctx, here(ctx), in.ID); err != nil {
		return nil, err
	}
	queue, position, err := a.Store.Position(ctx, here(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := ConversationWait{Queue: queue, Position: position}
	if position > 0 {
		if out.Estimate, err = a.estimate(ctx, queue, position); err != nil {
			return nil, err
		}
	}
	return &reply[ConversationWait]{out}, nil
}

// estimate is unknown for a queue that is not stored.
func (a *API) estimate(ctx context.Context, queue string, position int) (*float64, error) {
	o, err := desk.ReadOutlook(ctx, a.Store, here(ctx), queue)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return secondsOf(o.Estimate(position)), nil
}

func (a *API) routing(ctx context.Context, in *ConversationPath) (*reply[desk.Account], error) {
	account, err := desk.Why(ctx, a.Store, here(ctx), in.ID)
	return &reply[desk.Account]{account}, err
}

// whatIf tells of one of the own queues only who does not reach all.
func (a *API) whatIf(ctx context.Context, in *whatIfPost) (*reply[desk.Would], error) {
	switch queues, err := reachedQueues(who(ctx)); {
	case err != nil:
		return nil, err
	case queues != nil && !slices.Contains(queues, in.Body.Queue):
		return nil, chat.Faultf(chat.CodeForbidden, "name one of your own queues")
	}
	select {
	case a.again <- struct{}{}:
		defer func() { <-a.again }()
	default: // it takes much memory and time
		return nil, problem(codeThrottled, "somebody else plays a time again: one at a time").retryAfter(5 * time.Second)
	}
	q := desk.WhatIf{Rule: desk.Rule(in.Body.Rule), Queue: in.Body.Queue, From: in.Body.From, To: in.Body.To}
	if q.To.IsZero() {
		q.To = a.Now()
	}
	if s := in.Body.Settings; s != nil {
		q.Settings = &desk.Settings{Skills: s.Skills, Expression: s.Expression}
	}
	would, err := q.Ask(ctx, a.Store, here(ctx))
	return &reply[desk.Would]{would}, err
}
