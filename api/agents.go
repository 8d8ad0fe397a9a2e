package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
)

// AgentPath names an agent.
type AgentPath struct {
	ID string `path:"id" minLength:"1" maxLength:"200" example:"ann"`
}

type agentPut struct {
	Keyed
	AgentPath
	Body struct {
		Name     string         `json:"name" maxLength:"200"`
		Capacity *int           `json:"capacity,omitempty" minimum:"0" maximum:"1000" doc:"Conversations at once, over all channels; 5 by default, 0 is no limit. Offered ones count."`
		Skills   map[string]int `json:"skills,omitempty" doc:"Levels by name, from 1."`
	}
}

type agentStatePost struct {
	Keyed
	AgentPath
	Body struct {
		State string `json:"state" minLength:"1" maxLength:"200" example:"active"`
	}
}

type agentStatePut struct {
	Keyed
	Name string `path:"name" minLength:"1" maxLength:"200" example:"lunch"`
	Body struct {
		Title     string `json:"title,omitempty" maxLength:"200"`
		Available bool   `json:"available" doc:"Agents in this state are offered conversations."`
	}
}

type agentStateDelete struct {
	Keyed
	Name string `path:"name" minLength:"1" maxLength:"200" example:"lunch"`
}

type agentSessions struct {
	AgentPath
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// AgentNow is an agent with what the agent has to do.
type AgentNow struct {
	store.Agent
	Load int `json:"load" doc:"Conversations that the agent has."`
}

// defaultCapacity is how many conversations an agent has at once when nobody says otherwise.
const defaultCapacity = 5

func (a *API) registerAgents() {
	const tag = "agents"
	add(a, act{
		method: http.MethodPut, path: "/v1/agents/{id}", id: "putAgent", tag: tag, scope: ScopeAdmin, summary: "Store an agent",
		more: "A new one is inactive.",
	}, a.putAgent)
	add(a, act{method: http.MethodGet, path: "/v1/agents", id: "listAgents", tag: tag, scope: ScopeRead, summary: "List agents with their states and loads"}, a.listAgents)
	add(a, act{method: http.MethodGet, path: "/v1/agents/{id}", id: "getAgent", tag: tag, scope: ScopeRead, summary: "Read an agent"}, a.agent)
	add(a, act{
		method: http.MethodPost, path: "/v1/agents/{id}/state", id: "setAgentState", tag: tag, scope: ScopeWrite, summary: "Change an agent's state",
		more: "An agent whose state is not available keeps running conversations and is offered no others.",
	}, a.setAgentState)
	add(a, act{
		method: http.MethodGet, path: "/v1/agents/{id}/sessions", id: "listAgentSessions", tag: tag, scope: ScopeRead,
		summary: "List an agent's stays in states, the newest first",
	}, a.agentSessions)
	add(a, act{
		method: http.MethodGet, path: "/v1/agents/{id}/unread", id: "countUnread", tag: tag, scope: ScopeRead,
		summary: "Count what an agent has not read", more: "Conversations with unread messages, and messages by conversation.",
	}, a.unread)
	add(a, act{method: http.MethodGet, path: "/v1/agent-states", id: "listAgentStates", tag: tag, scope: ScopeRead, summary: "List the states of agents"}, a.agentStates)
	add(a, act{
		method: http.MethodPut, path: "/v1/agent-states/{name}", id: "putAgentState", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Store a state of agents", more: "Every workspace has active and inactive.",
	}, a.putAgentState)
	add(a, act{
		method: http.MethodDelete, path: "/v1/agent-states/{name}", id: "deleteAgentState", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete a state of agents", more: "Not active and inactive, and not while an agent is in it (409).",
	}, a.deleteAgentState)
}

func (a *API) putAgent(ctx context.Context, in *agentPut) (*reply[AgentNow], error) {
	capacity := defaultCapacity
	if in.Body.Capacity != nil {
		capacity = *in.Body.Capacity
	}
	_, err := a.Store.Append(ctx, &store.PutAgent{
		Workspace: here(ctx), By: party(ctx), Action: actionOf(ctx),
		Agent: store.Agent{ID: in.ID, Name: in.Body.Name, Capacity: capacity, Skills: in.Body.Skills},
	})
	if err != nil {
		return nil, err
	}
	return a.agent(ctx, &in.AgentPath)
}

func (a *API) listAgents(ctx context.Context, _ *none) (*reply[list[AgentNow]], error) {
	agents, err := a.Store.Agents(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	held, err := a.Store.Assigned(ctx, here(ctx))
	loads := map[string]int{}
	for _, id := range held {
		loads[id]++
	}
	out := make([]AgentNow, len(agents))
	for i, x := range agents {
		out[i] = AgentNow{x, loads[x.ID]}
	}
	return listOf(out, ""), err
}

func (a *API) agent(ctx context.Context, in *AgentPath) (*reply[AgentNow], error) {
	x, err := a.Store.Agent(ctx, here(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	load, err := a.Store.Load(ctx, here(ctx), in.ID)
	return &reply[AgentNow]{AgentNow{x, load}}, err
}

func (a *API) setAgentState(ctx context.Context, in *agentStatePost) (*reply[AgentNow], error) {
	if err := onlyOwn(ctx, in.ID, access.QueuesWrite); err != nil {
		return nil, err
	}
	_, err := a.Store.Append(ctx, &store.SetAgentState{
		Workspace: here(ctx), Agent: in.ID, State: in.Body.State, By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return a.agent(ctx, &in.AgentPath)
}

func (a *API) agentSessions(ctx context.Context, in *agentSessions) (*reply[list[store.AgentSession]], error) {
	if _, err := a.Store.Agent(ctx, here(ctx), in.ID); err != nil {
		return nil, err
	}
	found, err := a.Store.AgentSessions(ctx, here(ctx), in.ID, in.Limit)
	return listOf(found, ""), err
}

func (a *API) unread(ctx context.Context, in *AgentPath) (*reply[store.AgentUnread], error) {
	if by := who(ctx); sightOf(by) != nil && by.User != in.ID { // it names conversations
		return nil, chat.Faultf(chat.CodeForbidden, "you can ask for yourself only")
	}
	if _, err := a.Store.Agent(ctx, here(ctx), in.ID); err != nil {
		return nil, err
	}
	u, err := a.Store.Unread(ctx, here(ctx), in.ID)
	return &reply[store.AgentUnread]{u}, err
}

func (a *API) agentStates(ctx context.Context, _ *none) (*reply[list[store.AgentState]], error) {
	found, err := a.Store.AgentStates(ctx, here(ctx))
	return listOf(found, ""), err
}

func (a *API) putAgentState(ctx context.Context, in *agentStatePut) (*empty, error) {
	return nil, a.Store.PutAgentState(ctx, here(ctx), store.AgentState{Name: in.Name, Title: in.Body.Title, Available: in.Body.Available})
}

func (a *API) deleteAgentState(ctx context.Context, in *agentStateDelete) (*empty, error) {
	return nil, a.Store.DropAgentState(ctx, here(ctx), in.Name)
}

// onlyOwn lets a user act as an agent only for oneself, but for those who have a right. An agent has the id of the user.
func onlyOwn(ctx context.Context, agent string, others access.Right) error {
	c := whole(ctx)
	if c.person == nil || c.who.User == agent || c.who.Has(others) {
		return nil
	}
	return chat.Faultf(chat.CodeForbidden, "you can act for yourself only")
}

type claimPost struct {
	Keyed
	ConversationPath
	Body struct {
		Agent string `json:"agent" minLength:"1" maxLength:"200" doc:"Who accepts, declines or wants more time."`
	}
}

func (a *API) registerOffers() {
	const tag = "conversations"
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/accept", id: "acceptConversation", tag: tag, scope: ScopeWrite,
		summary: "Accept a waiting conversation", more: "Of several agents who try, one has it; the others get 409.",
	}, a.acceptConversation)
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/decline", id: "declineConversation", tag: tag, scope: ScopeWrite,
		summary: "Decline an offered conversation", more: "The next agent is asked.",
	}, a.declineConversation)
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/extend", id: "extendOffer", tag: tag, scope: ScopeWrite,
		summary: "Take more time to accept an offered conversation",
		more:    "The queue's time to accept (accept_seconds) once more, as often as it allows (extend_times); then, or when the time is over, 409.",
	}, a.extendOffer)
}

func (a *API) acceptConversation(ctx context.Context, in *claimPost) (*reply[chat.Event], error) {
	if err := onlyOwn(ctx, in.Body.Agent, access.ConversationsAssign); err != nil {
		return nil, err
	}
	res, err := desk.Accept(ctx, a.Store, desk.Claim{
		Workspace: here(ctx), Conversation: in.ID, Agent: in.Body.Agent, By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &reply[chat.Event]{res.Events[0]}, nil
}

func (a *API) declineConversation(ctx context.Context, in *claimPost) (*reply[chat.Event], error) {
	if err := onlyOwn(ctx, in.Body.Agent, access.ConversationsAssign); err != nil {
		return nil, err
	}
	res, err := a.Store.Append(ctx, &store.EndOffer{
		Workspace: here(ctx), Conversation: in.ID, Agent: in.Body.Agent, By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &reply[chat.Event]{res.Events[0]}, nil
}

func (a *API) extendOffer(ctx context.Context, in *claimPost) (*reply[chat.Event], error) {
	if err := onlyOwn(ctx, in.Body.Agent, access.ConversationsAssign); err != nil {
		return nil, err
	}
	res, err := desk.Extend(ctx, a.Store, desk.Claim{
		Workspace: here(ctx), Conversation: in.ID, Agent: in.Body.Agent, By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &reply[chat.Event]{res.Events[0]}, nil
}
