package telemetry

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// actionKey is where a context keeps its action id.
type actionKey struct{}

// WithAction gives a context in which log lines carry the action id.
func WithAction(ctx context.Context, id chat.ActionID) context.Context {
	return context.WithValue(ctx, actionKey{}, id)
}

// Action is the context's action id; empty if it has none.
func Action(ctx context.Context) chat.ActionID {
	id, _ := ctx.Value(actionKey{}).(chat.ActionID)
	return id
}
