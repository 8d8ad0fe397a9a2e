package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/store"
)

// FlowPath names a flow.
type FlowPath struct {
	Name string `path:"name" maxLength:"100" pattern:"^[A-Za-z0-9_.-]+$" example:"welcome"`
}

type flowPut struct {
	Keyed
	FlowPath
	Body json.RawMessage `doc:"The definition; docs/flows.md describes it."`
}

type flowDelete struct {
	Keyed
	FlowPath
}

type flowGet struct {
	FlowPath
	Version int `query:"version" minimum:"1" maximum:"2147483647" doc:"The newest by default."`
}

// FlowVersion names one version of a flow.
type FlowVersion struct {
	Name      string    `json:"name"`
	Version   int       `json:"version"`
	CreatedAt time.Time `json:"created_at"`
}

// StoredFlow is a stored version with what the parser found out.
type StoredFlow struct {
	FlowVersion
	Workers []string `json:"workers" nullable:"false" doc:"The functions that workers have to offer."`
}

func (a *API) registerFlows() {
	const tag = "flows"
	add(a, act{
		method: http.MethodPut, path: "/v1/flows/{name}", id: "putFlow", tag: tag, scope: ScopeFlows, summary: "Store a flow",
		more: "The definition is checked; everything that is wrong comes back at once (422). The same definition again makes no new version. Conversations stay at the version that they began with.",
	}, a.putFlow)
	add(a, act{
		method: http.MethodDelete, path: "/v1/flows/{name}", id: "deleteFlow", tag: tag, scope: ScopeFlows, status: http.StatusNoContent,
		summary: "Delete a flow", more: "Refused (409) while open conversations are pinned to it, or a channel or a queue names it. Stored again later, its versions go on counting.",
	}, a.deleteFlow)
	add(a, act{method: http.MethodGet, path: "/v1/flows", id: "listFlows", tag: tag, scope: ScopeRead, summary: "List flows, the newest version of each"}, a.listFlows)
	add(a, act{method: http.MethodGet, path: "/v1/flows/{name}", id: "getFlow", tag: tag, scope: ScopeRead, summary: "Read a flow"}, a.flow)
	add(a, act{
		method: http.MethodGet, path: "/v1/flows/{name}/versions", id: "listFlowVersions", tag: tag, scope: ScopeRead, summary: "List a flow's versions, newest first",
	}, a.flowVersions)
	a.registerFlowGraph()
}

func (a *API) putFlow(ctx context.Context, in *flowPut) (*reply[StoredFlow], error) {
	flow, err := bot.Parse(in.Body)
	if err != nil {
		return nil, err
	}
	f, err := a.Store.PutFlow(ctx, here(ctx), in.Name, flow.Definition())
	if err != nil {
		return nil, err
	}
	workers := flow.Workers()
	if workers == nil {
		workers = []string{}
	}
	return &reply[StoredFlow]{StoredFlow{versionOf(f), workers}}, nil
}

func (a *API) deleteFlow(ctx context.Context, in *flowDelete) (*empty, error) {
	return nil, a.Store.DropFlow(ctx, here(ctx), in.Name)
}

func versionOf(f store.Flow) FlowVersion { return FlowVersion{f.Name, f.Version, f.CreatedAt} }

func versionsOf(flows []store.Flow, err error) (*reply[list[FlowVersion]], error) {
	out := make([]FlowVersion, len(flows))
	for i, f := range flows {
		out[i] = versionOf(f)
	}
	return listOf(out, ""), err
}

func (a *API) listFlows(ctx context.Context, _ *none) (*reply[list[FlowVersion]], error) {
	return versionsOf(a.Store.Flows(ctx, here(ctx)))
}

func (a *API) flow(ctx context.Context, in *flowGet) (*reply[store.Flow], error) {
	f, err := a.Store.Flow(ctx, here(ctx), in.Name, in.Version)
	return &reply[store.Flow]{f}, err
}

func (a *API) flowVersions(ctx context.Context, in *FlowPath) (*reply[list[FlowVersion]], error) {
	flows, err := a.Store.FlowVersions(ctx, here(ctx), in.Name)
	if err == nil && len(flows) == 0 {
		_, err = a.Store.Flow(ctx, here(ctx), in.Name, 0) // says that there is none
	}
	return versionsOf(flows, err)
}
