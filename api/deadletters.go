package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

type deadLetterReplay struct {
	Keyed
	ID string `path:"id" maxLength:"200"`
}

func (a *API) registerDeadLetters() {
	const tag = "dead letters"
	add(a, act{
		method: http.MethodGet, path: "/v1/dead-letters", id: "listDeadLetters", tag: tag, scope: ScopeRead,
		summary: "List what could not be done, newest first", more: "With what the platform answered.",
	}, a.deadLetters)
	add(a, act{
		method: http.MethodPost, path: "/v1/dead-letters/{id}/replay", id: "replayDeadLetter", tag: tag, scope: ScopeWrite,
		summary: "Try it again", more: "It goes behind what its conversation sends now. The answer is the event that tells of it.",
	}, a.replayDeadLetter)
}

func (a *API) deadLetters(ctx context.Context, in *Paging) (*reply[list[store.DeadLetter]], error) {
	all, next, err := a.Store.DeadLetters(ctx, here(ctx), in.Cursor, in.Limit)
	for i := range all {
		all[i].Event = a.render(here(ctx), all[i].Event)
	}
	return listOf(all, next), err
}

func (a *API) replayDeadLetter(ctx context.Context, in *deadLetterReplay) (*reply[chat.Event], error) {
	res, err := a.Store.Append(ctx, &store.Requeue{Workspace: here(ctx), ID: in.ID, By: party(ctx), Action: actionOf(ctx)})
	if err != nil {
		return nil, err
	}
	return &reply[chat.Event]{res.Events[0]}, nil
}
