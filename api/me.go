package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Me is who calls, and what that one may do.
type Me struct {
	Token     *store.Token `json:"token,omitempty" doc:"Absent for users who have signed in."`
	User      *store.User  `json:"user,omitempty"`
	Workspace WorkspaceRef `json:"workspace"`
	Can
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
	c := whole(ctx)
	me := Me{Workspace: WorkspaceRef{ws.ID, ws.Name}, Can: canOf(c.who)}
	if c.person != nil {
		me.User = &c.person.User
	} else {
		me.Token = &c.Token
	}
	return &reply[Me]{me}, nil
}
