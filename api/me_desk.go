package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Self says as which agent a token calls; users who have signed in are themselves.
type Self struct {
	Agent string `query:"agent" maxLength:"200" doc:"Tokens name the agent as whom they call; a user who has signed in is the agent with the user's id."`
}

type myConversations struct {
	Self
	Paging
	State chat.State `query:"state" enum:"assigned,closed" default:"assigned"`
}

type myStatePost struct {
	Keyed
	Self
	Body struct {
		State string `json:"state" minLength:"1" maxLength:"200" example:"active"`
	}
}

func (a *API) registerMyDesk() {
	const tag = "agents"
	add(a, act{
		method: http.MethodGet, path: "/v1/me/conversations", id: "listMyConversations", tag: tag, scope: ScopeRead,
		summary: "List the conversations that I have", more: "The most lately changed first; state=closed lists those that I had last.",
	}, a.myConversations)
	add(a, act{
		method: http.MethodGet, path: "/v1/me/unread", id: "countMyUnread", tag: tag, scope: ScopeRead, summary: "Count what I have not read",
	}, a.myUnread)
	add(a, act{method: http.MethodGet, path: "/v1/me/state", id: "getMyState", tag: tag, scope: ScopeRead, summary: "Read my state and load"}, a.myState)
	add(a, act{
		method: http.MethodPost, path: "/v1/me/state", id: "setMyState", tag: tag, scope: ScopeWrite, summary: "Change my state",
	}, a.setMyState)
}

// self is the agent that calls.
func (s Self) self(ctx context.Context) (string, error) {
	return actingAgent(ctx, s.Agent, "", "query.agent")
}

func (a *API) myConversations(ctx context.Context, in *myConversations) (*reply[list[chat.Conversation]], error) {
	agent, err := in.self(ctx)
	if err != nil {
		return nil, err
	}
	all, next, err := a.Store.Conversations(ctx, here(ctx), store.ConversationFilter{
		State: in.State, Assignee: agent, Before: in.Cursor, Limit: in.Limit, Within: sightOf(who(ctx)),
	})
	return listOf(all, next), err
}

func (a *API) myUnread(ctx context.Context, in *Self) (*reply[store.AgentUnread], error) {
	agent, err := in.self(ctx)
	if err != nil {
		return nil, err
	}
	return a.unread(ctx, &AgentPath{agent})
}

func (a *API) myState(ctx context.Context, in *Self) (*reply[AgentNow], error) {
	agent, err := in.self(ctx)
	if err != nil {
		return nil, err
	}
	return a.agent(ctx, &AgentPath{agent})
}

func (a *API) setMyState(ctx context.Context, in *myStatePost) (*reply[AgentNow], error) {
	agent, err := in.self(ctx)
	if err != nil {
		return nil, err
	}
	post := &agentStatePost{AgentPath: AgentPath{agent}}
	post.Body.State = in.Body.State
	return a.setAgentState(ctx, post)
}
