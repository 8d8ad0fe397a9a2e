package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

type workspaceCreate struct {
	Keyed
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"200"`
	}
}

// NewWorkspace is a workspace that was made just now, with the only token that opens it.
type NewWorkspace struct {
	store.Workspace
	Token NewToken `json:"token"`
}

func (a *API) registerWorkspaces() {
	const tag = "workspaces"
	add(a, act{
		method: http.MethodPost, path: "/v1/workspaces", id: "createWorkspace", tag: tag, scope: ScopeAdmin, status: http.StatusCreated,
		summary: "Make a workspace", more: "For admin tokens of the first workspace, whose people run this installation. The answer has an admin token for the new one.",
	}, a.createWorkspace)
	add(a, act{
		method: http.MethodGet, path: "/v1/workspaces", id: "listWorkspaces", tag: tag, scope: ScopeAdmin,
		summary: "List workspaces", more: "All of them for admin tokens of the first workspace, one's own for others.",
	}, a.listWorkspaces)
}

// reachable lists the workspaces that the caller may know of, and whether the caller runs this installation.
func (a *API) reachable(ctx context.Context) ([]store.Workspace, bool, error) {
	all, err := a.Store.Workspaces(ctx)
	if err != nil {
		return nil, false, err
	}
	if len(all) > 0 && all[0].ID == here(ctx) {
		return all, true, nil
	}
	own, err := a.Store.Workspace(ctx, here(ctx))
	return []store.Workspace{own}, false, err
}

func (a *API) createWorkspace(ctx context.Context, in *workspaceCreate) (*reply[NewWorkspace], error) {
	_, first, err := a.reachable(ctx)
	if err == nil && !first {
		err = chat.Faultf(chat.CodeForbidden, "workspaces are made with an admin token of the first one")
	}
	if err != nil {
		return nil, err
	}
	ws, err := a.Store.AddWorkspace(ctx, "", in.Body.Name)
	if err != nil {
		return nil, err
	}
	token, err := a.makeToken(ctx, store.Token{Workspace: ws.ID, Name: "admin", Scopes: []string{ScopeAdmin}})
	return &reply[NewWorkspace]{NewWorkspace{ws, token}}, err
}

func (a *API) listWorkspaces(ctx context.Context, _ *none) (*reply[list[store.Workspace]], error) {
	all, _, err := a.reachable(ctx)
	return listOf(all, ""), err
}
