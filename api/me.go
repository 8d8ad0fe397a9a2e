package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Me is who the token stands for.
type Me struct {
	Token     store.Token  `json:"token"`
	Workspace WorkspaceRef `json:"workspace"`
}

// WorkspaceRef names a workspace.
type WorkspaceRef struct {
	ID   chat.WorkspaceID `json:"id"`
	Name string           `json:"name"`
}

func (a *API) registerMe() {
	add(a, act{method: http.MethodGet, path: "/v1/me", id: "me", tag: "tokens", summary: "Who am I?"}, a.me)
}

func (a *API) me(ctx context.Context, _ *none) (*reply[Me], error) {
	ws, err := a.Store.Workspace(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	return &reply[Me]{Body: Me{Token: callerOf(ctx), Workspace: WorkspaceRef{ws.ID, ws.Name}}}, nil
}
