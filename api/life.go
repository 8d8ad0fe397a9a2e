package api

import (
	"context"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

type transferPost struct {
	Keyed
	ConversationPath
	Body struct {
		Move
		Queue string `json:"queue,omitempty" maxLength:"100" doc:"Give either a queue or an agent."`
		Agent string `json:"agent,omitempty" maxLength:"200"`
		Note  string `json:"note,omitempty" maxLength:"4000" doc:"For who gets it; stands in the event."`
		Force bool   `json:"force,omitempty" doc:"Also to an agent who is not available, or has as many conversations as the limit allows."`
	}
}

type snoozePost struct {
	Keyed
	ConversationPath
	Body *struct {
		Until time.Time `json:"until,omitzero" doc:"By default until the contact writes; a message of the contact ends it in any case."`
	}
}

type snoozeDelete struct {
	Keyed
	ConversationPath
}

type reopenPost struct {
	Keyed
	ConversationPath
	Body *struct {
		Agent string `json:"agent,omitempty" maxLength:"200" doc:"Who goes on; by default who has signed in."`
	}
}

type undoPost struct {
	Keyed
	ConversationPath
	Body struct {
		Seq int64 `json:"seq" minimum:"1" doc:"Of the event that told of what is to be taken back."`
	}
}

// undoAct also reaches a conversation that the caller has just given away.
const undoAct = "undoAct"

func (a *API) registerLife() {
	act := func(method, name, id, summary, more string) act {
		return act{
			method: method, path: "/v1/conversations/{id}/" + name, id: id, tag: "conversations", scope: ScopeWrite, summary: summary, more: more,
		}
	}
	add(a, act(http.MethodPost, "transfer", "transferConversation", "Pass a conversation on to a queue or an agent",
		"The same conversation goes on; the event tells from where it came, by whom, and the note. An agent at the limit gets it with force only (409)."), a.transfer)
	add(a, act(http.MethodPost, "snooze", "snoozeConversation", "Let an agent's conversation rest",
		"It stays with the agent and does not count in the agent's load until its time is over or the contact writes."), a.snooze)
	add(a, act(http.MethodDelete, "snooze", "awakenConversation", "End the rest of a conversation", ""), a.awaken)
	reopen := act(http.MethodPost, "reopen", "reopenConversation", "Go on in a closed conversation",
		"A new one begins, linked to the newest of the contact's thread by previous, and the agent has it.")
	reopen.status = http.StatusCreated
	add(a, reopen, a.reopen)
	add(a, act(http.MethodPost, "undo", undoAct, "Take back the last close, transfer, assignment or rest",
		"Within 60 seconds, by who did it, if nothing has happened since."), a.undo)
}

// did answers with the event of a command.
func (a *API) did(ctx context.Context, cmd store.Command) (*reply[chat.Event], error) {
	res, err := a.Store.Append(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return &reply[chat.Event]{res.Events[0]}, nil
}

func (a *API) transfer(ctx context.Context, in *transferPost) (*reply[chat.Event], error) {
	b := in.Body
	if (b.Queue == "") == (b.Agent == "") {
		return nil, invalid(ProblemDetail{"body", "give either queue or agent"})
	}
	to := chat.PlaceData{State: chat.StateQueued, Queue: b.Queue, Reason: b.Reason, Note: b.Note}
	if b.Agent != "" {
		to = chat.PlaceData{State: chat.StateAssigned, Assignee: b.Agent, Reason: b.Reason, Note: b.Note}
	}
	if err := a.orGone(ctx, in.ID, a.placeExists(ctx, to, "body.agent")); err != nil {
		return nil, err
	}
	return a.did(ctx, &store.Place{
		Workspace: here(ctx), Conversation: in.ID, Expect: b.Expect, To: to, Of: passesOnAs(ctx), Room: !b.Force, Known: true, By: party(ctx), Action: actionOf(ctx),
	})
}

// passesOnAs is as whom a user passes conversations on who has not got the right to assign: only what that user has; "" is whatever there is.
func passesOnAs(ctx context.Context) string {
	c := whole(ctx)
	if c.person == nil || c.who.Has(access.ConversationsAssign) {
		return ""
	}
	return c.who.User
}

// placeExists refuses a queue or an agent that nobody has stored: a mistyped name must not lose a contact.
func (a *API) placeExists(ctx context.Context, to chat.PlaceData, agent string) error {
	if to.Assignee != "" {
		_, err := a.Store.Agent(ctx, here(ctx), to.Assignee)
		if err = missing(err, agent, "no such agent"); err != nil {
			return err
		}
	}
	return a.queueExists(ctx, to.Queue)
}

// somebody is placeExists where the assignee need not be an agent: any user can have conversations.
func (a *API) somebody(ctx context.Context, to chat.PlaceData, member string) error {
	if to.Assignee != "" {
		_, err := a.Store.Agent(ctx, here(ctx), to.Assignee)
		if chat.CodeOf(err) == chat.CodeNotFound {
			_, err = a.Store.User(ctx, here(ctx), to.Assignee)
		}
		if err = missing(err, member, "no such agent"); err != nil {
			return err
		}
	}
	return a.queueExists(ctx, to.Queue)
}

func (a *API) queueExists(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	there, err := a.Store.HasQueue(ctx, here(ctx), name)
	if err == nil && !there {
		err = invalid(ProblemDetail{"body.queue", "no such queue"})
	}
	return err
}

// orGone is what is wrong with a move, unless the conversation itself is not there.
func (a *API) orGone(ctx context.Context, id chat.ConversationID, err error) error {
	if err != nil {
		if _, gone := a.Store.Conversation(ctx, here(ctx), id); gone != nil {
			return gone
		}
	}
	return err
}

// missing turns what was not found into what is wrong with the request.
func missing(err error, path, what string) error {
	if chat.CodeOf(err) == chat.CodeNotFound {
		return invalid(ProblemDetail{path, what})
	}
	return err
}

func (a *API) snooze(ctx context.Context, in *snoozePost) (*reply[chat.Event], error) {
	var until time.Time
	if in.Body != nil {
		until = in.Body.Until
	}
	return a.did(ctx, &store.Snooze{Workspace: here(ctx), Conversation: in.ID, Until: until, By: party(ctx), Action: actionOf(ctx)})
}

func (a *API) awaken(ctx context.Context, in *snoozeDelete) (*reply[chat.Event], error) {
	return a.did(ctx, &store.Awaken{Workspace: here(ctx), Conversation: in.ID, By: party(ctx), Action: actionOf(ctx)})
}

func (a *API) reopen(ctx context.Context, in *reopenPost) (*reply[chat.Conversation], error) {
	agent := ""
	if in.Body != nil {
		agent = in.Body.Agent
	}
	agent, err := actingAgent(ctx, agent, access.ConversationsAssign, "body.agent")
	if err != nil {
		return nil, err
	}
	if _, err := a.Store.Agent(ctx, here(ctx), agent); err != nil {
		return nil, missing(err, "body.agent", "no such agent")
	}
	res, err := a.Store.Append(ctx, &store.Reopen{Workspace: here(ctx), Conversation: in.ID, Agent: agent, By: party(ctx), Action: actionOf(ctx)})
	if err != nil {
		return nil, err
	}
	c, err := a.Store.Conversation(ctx, here(ctx), res.Events[0].Conversation)
	return &reply[chat.Conversation]{c}, err
}

func (a *API) undo(ctx context.Context, in *undoPost) (*reply[chat.Event], error) {
	return a.did(ctx, &store.Undo{Workspace: here(ctx), Conversation: in.ID, Seq: in.Body.Seq, By: party(ctx), Action: actionOf(ctx)})
}

// gaveAway tells whether it was the caller who moved a conversation last.
func (a *API) gaveAway(ctx context.Context, id chat.ConversationID) bool {
	moved, err := a.Store.EventsOfKinds(ctx, here(ctx), id, chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed)
	if err != nil || len(moved) == 0 {
		return false
	}
	by := moved[len(moved)-1].Sender
	return by != nil && by.Type == chat.PartyAgent && by.ID == party(ctx).ID
}

// actingAgent is the agent as whom a caller acts: the one who is named, else the user who has signed in. Users act for others if they have
// a right; without one they never do.
func actingAgent(ctx context.Context, named string, others access.Right, path string) (string, error) {
	if named == "" {
		named = whole(ctx).who.User
	}
	if named == "" {
		return "", invalid(ProblemDetail{path, "a token has to name the agent"})
	}
	if c := whole(ctx); others == "" && c.person != nil && named != c.who.User {
		return "", chat.Faultf(chat.CodeForbidden, "you can act for yourself only")
	}
	return named, onlyOwn(ctx, named, others)
}
