package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/store"
)

// Overseer is a user who sees every conversation.
type Overseer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// maxOverseers bounds how many are told.
const maxOverseers = 200

func (a *API) registerDeskPeople() {
	add(a, act{
		method: http.MethodGet, path: "/v1/desk/overseers", id: "listOverseers", tag: "agents", scope: ScopeRead,
		summary: "List the users who see every conversation", more: "Supervisors and their like, by name, at most 200: whom a note may mention beside those who answer.",
	}, a.overseers)
}

func (a *API) overseers(ctx context.Context, _ *none) (*reply[list[Overseer]], error) {
	roles, err := a.gate.Roles(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	out := []Overseer{}
	for _, r := range roles {
		if g := r.Grant(); !g.Has(access.ConversationsRead) || !g.All && g.Reach != access.ReachAll {
			continue
		}
		users, _, err := a.Store.Users(ctx, here(ctx), store.UserFilter{Status: store.UserActive, Role: r.Name, Limit: maxOverseers})
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			out = append(out, Overseer{u.ID, u.Name})
		}
	}
	slices.SortFunc(out, func(x, y Overseer) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	return listOf(out[:min(len(out), maxOverseers)], ""), nil
}
