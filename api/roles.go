package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/access"
)

// RolePath names a role.
type RolePath struct {
	Name string `path:"name" maxLength:"50" example:"night-shift"`
}

type rolePut struct {
	Keyed
	RolePath
	Body struct {
		Rights []access.Right `json:"rights" maxItems:"100" nullable:"false" doc:"See GET /v1/rights."`
		Reach  access.Reach   `json:"reach" enum:"own,queues,all" doc:"Which conversations it reaches: those assigned to oneself, also those of one's queues, or all."`
	}
}

type roleAct struct {
	Keyed
	RolePath
}

func (a *API) registerRoles() {
	const tag = "users"
	role := func(method, path, id, summary, more string, status int) act {
		return act{method: method, path: path, id: id, tag: tag, scope: ScopeAdmin, summary: summary, more: more, status: status}
	}
	add(a, role(http.MethodGet, "/v1/rights", "listRights", "List the rights that there are", "", 0), a.rights)
	add(a, role(http.MethodGet, "/v1/roles", "listRoles", "List roles, the built-in ones first", "", 0), a.roles)
	add(a, role(http.MethodGet, "/v1/roles/{name}", "getRole", "Read a role", "", 0), a.role)
	add(a, role(http.MethodPut, "/v1/roles/{name}", "putRole", "Make or replace a role",
		"It can have no more rights than one's own. Users who have it follow at once.", 0), a.putRole)
	add(a, role(http.MethodDelete, "/v1/roles/{name}", "deleteRole", "Delete a role that nobody has", "", http.StatusNoContent), a.dropRole)
}

func (a *API) rights(context.Context, *none) (*reply[list[access.Meaning]], error) {
	return listOf(access.Meanings(), ""), nil
}

func (a *API) roles(ctx context.Context, _ *none) (*reply[list[access.Role]], error) {
	all, err := a.gate.Roles(ctx, here(ctx))
	return listOf(all, ""), err
}

func (a *API) role(ctx context.Context, in *RolePath) (*reply[access.Role], error) {
	r, err := a.gate.Role(ctx, here(ctx), in.Name)
	return &reply[access.Role]{r}, err
}

func (a *API) putRole(ctx context.Context, in *rolePut) (*reply[access.Role], error) {
	r, err := a.gate.PutRole(ctx, who(ctx), in.Name, in.Body.Rights, in.Body.Reach)
	return &reply[access.Role]{r}, err
}

func (a *API) dropRole(ctx context.Context, in *roleAct) (*empty, error) {
	return nil, a.gate.DropRole(ctx, who(ctx), in.Name)
}
