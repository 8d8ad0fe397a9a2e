package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
)

// TeamPath names a team.
type TeamPath struct {
	Name string `path:"name" minLength:"1" maxLength:"100" example:"night"`
}

type teamPut struct {
	Keyed
	TeamPath
	Body struct {
		Title   string   `json:"title,omitempty" maxLength:"200"`
		Members []string `json:"members" maxItems:"10000" nullable:"false" doc:"Ids of agents."`
	}
}

type teamDelete struct {
	Keyed
	TeamPath
}

// Team is agents who are named together.
type Team struct {
	Name    string   `json:"name"`
	Title   string   `json:"title,omitempty"`
	Members []string `json:"members" nullable:"false"`
}

// HoursPath names business hours.
type HoursPath struct {
	Name string `path:"name" minLength:"1" maxLength:"100" example:"office"`
}

type hoursPut struct {
	Keyed
	HoursPath
	Body desk.Hours
}

type hoursDelete struct {
	Keyed
	HoursPath
}

// HoursNow are business hours, and whether they are now.
type HoursNow struct {
	Name string `json:"name"`
	desk.Hours
	Open bool `json:"open" doc:"Now."`
}

func (a *API) registerTeams() {
	const tag = "queues"
	add(a, act{
		method: http.MethodPut, path: "/v1/teams/{name}", id: "putTeam", tag: tag, scope: ScopeAdmin, summary: "Store a team",
		more: "Queues name it among their members as team:NAME; who joins or leaves it does so in all of them at once.",
	}, a.putTeam)
	add(a, act{method: http.MethodGet, path: "/v1/teams", id: "listTeams", tag: tag, scope: ScopeRead, summary: "List teams with their members"}, a.teams)
	add(a, act{method: http.MethodGet, path: "/v1/teams/{name}", id: "getTeam", tag: tag, scope: ScopeRead, summary: "Read a team"}, a.team)
	add(a, act{
		method: http.MethodDelete, path: "/v1/teams/{name}", id: "deleteTeam", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete a team", more: "Not while a queue names it.",
	}, a.deleteTeam)
	add(a, act{
		method: http.MethodPut, path: "/v1/hours/{name}", id: "putHours", tag: tag, scope: ScopeAdmin, summary: "Store business hours",
		more: "Queues name them in their settings.",
	}, a.putHours)
	add(a, act{method: http.MethodGet, path: "/v1/hours", id: "listHours", tag: tag, scope: ScopeRead, summary: "List business hours"}, a.listHours)
	add(a, act{method: http.MethodGet, path: "/v1/hours/{name}", id: "getHours", tag: tag, scope: ScopeRead, summary: "Read business hours"}, a.hours)
	add(a, act{
		method: http.MethodDelete, path: "/v1/hours/{name}", id: "deleteHours", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete business hours", more: "Not while a queue names them.",
	}, a.deleteHours)
}

func (a *API) putTeam(ctx context.Context, in *teamPut) (*reply[Team], error) {
	_, err := a.Store.Append(ctx, &store.PutTeam{
		Workspace: here(ctx), By: party(ctx), Action: actionOf(ctx), Team: store.Team{Name: in.Name, Title: in.Body.Title, Members: in.Body.Members},
	})
	if err != nil {
		return nil, err
	}
	return a.team(ctx, &in.TeamPath)
}

func (a *API) teams(ctx context.Context, _ *none) (*reply[list[Team]], error) {
	found, err := a.Store.Teams(ctx, here(ctx))
	out := make([]Team, len(found))
	for i, t := range found {
		out[i] = Team(t)
	}
	return listOf(out, ""), err
}

func (a *API) team(ctx context.Context, in *TeamPath) (*reply[Team], error) {
	found, err := a.Store.Teams(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(t store.Team) bool { return t.Name == in.Name })
	if i < 0 {
		return nil, chat.Faultf(chat.CodeNotFound, "no such team")
	}
	return &reply[Team]{Team(found[i])}, nil
}

func (a *API) deleteTeam(ctx context.Context, in *teamDelete) (*empty, error) {
	_, err := a.Store.Append(ctx, &store.DropTeam{Workspace: here(ctx), Name: in.Name, By: party(ctx), Action: actionOf(ctx)})
	return nil, err
}

func (a *API) putHours(ctx context.Context, in *hoursPut) (*reply[HoursNow], error) {
	if err := desk.PutHours(ctx, a.Store, here(ctx), in.Name, in.Body, party(ctx), actionOf(ctx)); err != nil {
		return nil, err
	}
	return a.hours(ctx, &in.HoursPath)
}

func (a *API) listHours(ctx context.Context, _ *none) (*reply[list[HoursNow]], error) {
	found, err := desk.ReadHours(ctx, a.Store, here(ctx))
	out := make([]HoursNow, len(found))
	for i, h := range found {
		out[i] = HoursNow{h.Name, h.Hours, h.Open(a.Now())}
	}
	return listOf(out, ""), err
}

func (a *API) hours(ctx context.Context, in *HoursPath) (*reply[HoursNow], error) {
	found, err := desk.ReadHours(ctx, a.Store, here(ctx))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(h desk.NamedHours) bool { return h.Name == in.Name })
	if i < 0 {
		return nil, chat.Faultf(chat.CodeNotFound, "no such business hours")
	}
	h := found[i]
	return &reply[HoursNow]{HoursNow{h.Name, h.Hours, h.Open(a.Now())}}, nil
}

func (a *API) deleteHours(ctx context.Context, in *hoursDelete) (*empty, error) {
	_, err := a.Store.Append(ctx, &store.PutHours{Workspace: here(ctx), Hours: store.Hours{Name: in.Name}, By: party(ctx), Action: actionOf(ctx)})
	return nil, err
}
