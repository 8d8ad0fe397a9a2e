package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Move is what all requests that move a conversation may say.
type Move struct {
	Reason string       `json:"reason,omitempty" maxLength:"1000"`
	Expect []chat.State `json:"expect,omitempty" maxItems:"3" nullable:"false" enum:"bot,queued,assigned" doc:"Refuse (409) unless the conversation is in one of these states now. Of several callers that expect the same state, one wins."`
}

type closePost struct {
	Keyed
	ConversationPath
	Body *struct{ Move }
}

type queuePost struct {
	Keyed
	ConversationPath
	Body struct {
		Move
		Queue string `json:"queue" minLength:"1" maxLength:"100" example:"support"`
	}
}

type assignPost struct {
	Keyed
	ConversationPath
	Body struct {
		Move
		Assignee string `json:"assignee" minLength:"1" maxLength:"200" doc:"Who takes it: an agent's id."`
		Queue    string `json:"queue,omitempty" maxLength:"100"`
	}
}

type botPost struct {
	Keyed
	ConversationPath
	Body *struct {
		Move
		Flow    string `json:"flow,omitempty" maxLength:"100" doc:"By default the flow that the conversation had, or its channel's."`
		Version int    `json:"version,omitempty" minimum:"1" maximum:"2147483647" doc:"The newest by default."`
	}
}

func (a *API) registerPlaces() {
	place := func(name, id, summary, more string) act {
		return act{
			method: http.MethodPost, path: "/v1/conversations/{id}/" + name, id: id, tag: "conversations", scope: ScopeWrite, summary: summary, more: more,
		}
	}
	add(a, place("close", "closeConversation", "Close a conversation", "The contact's next message begins a new one."), a.closeConversation)
	add(a, place("queue", "queueConversation", "Put a conversation into a queue", ""), a.queueConversation)
	add(a, place("assign", "assignConversation", "Give a conversation to an agent", ""), a.assignConversation)
	add(a, place("bot", "botConversation", "Give a conversation to a flow", ""), a.botConversation)
}

func (a *API) place(ctx context.Context, id chat.ConversationID, m Move, to chat.PlaceData) (*reply[chat.Event], error) {
	if err := a.orGone(ctx, id, a.somebody(ctx, to, "body.assignee")); err != nil {
		return nil, err
	}
	to.Reason = m.Reason
	res, err := a.Store.Append(ctx, &store.Place{
		Workspace: here(ctx), Conversation: id, Expect: m.Expect, To: to, Known: true, By: party(ctx), Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &reply[chat.Event]{res.Events[0]}, nil
}

func (a *API) closeConversation(ctx context.Context, in *closePost) (*reply[chat.Event], error) {
	var m Move
	if in.Body != nil {
		m = in.Body.Move
	}
	return a.place(ctx, in.ID, m, chat.PlaceData{State: chat.StateClosed})
}

func (a *API) queueConversation(ctx context.Context, in *queuePost) (*reply[chat.Event], error) {
	return a.place(ctx, in.ID, in.Body.Move, chat.PlaceData{State: chat.StateQueued, Queue: in.Body.Queue})
}

func (a *API) assignConversation(ctx context.Context, in *assignPost) (*reply[chat.Event], error) {
	return a.place(ctx, in.ID, in.Body.Move, chat.PlaceData{State: chat.StateAssigned, Assignee: in.Body.Assignee, Queue: in.Body.Queue})
}

func (a *API) botConversation(ctx context.Context, in *botPost) (*reply[chat.Event], error) {
	var m Move
	name, version := "", 0
	if in.Body != nil {
		m, name, version = in.Body.Move, in.Body.Flow, in.Body.Version
	}
	if name == "" {
		var err error
		if name, err = a.flowOf(ctx, in.ID); err != nil {
			return nil, err
		}
	}
	flow, err := a.Store.Flow(ctx, here(ctx), name, version)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return nil, invalid(ProblemDetail{"body.flow", "no such flow or version"})
	}
	if err != nil {
		return nil, err
	}
	return a.place(ctx, in.ID, m, chat.PlaceData{State: chat.StateBot, Flow: flow.Name, Version: flow.Version})
}

// flowOf is the flow that a conversation goes back to.
func (a *API) flowOf(ctx context.Context, id chat.ConversationID) (string, error) {
	c, err := a.Store.Conversation(ctx, here(ctx), id)
	if err != nil || c.Flow != "" {
		return c.Flow, err
	}
	ch, err := a.Store.Channel(ctx, c.Channel)
	if err == nil && ch.Flow == "" {
		err = invalid(ProblemDetail{"body.flow", "neither the conversation nor its channel has one"})
	}
	return ch.Flow, err
}
