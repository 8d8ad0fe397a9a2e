package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

type conversationPost struct {
	Keyed
	Body struct {
		MessageInput
		Channel chat.ChannelID `json:"channel" minLength:"1" maxLength:"100"`
		Contact chat.ContactID `json:"contact,omitempty" maxLength:"100" doc:"Whom to write to, at the contact's address on the channel."`
		Address string         `json:"address,omitempty" maxLength:"500" doc:"Or the address itself: a phone number, a user id of the platform."`
		Name    string         `json:"name,omitempty" maxLength:"200" doc:"Of somebody who is not known yet."`
		Assign  string         `json:"assign,omitempty" maxLength:"200" doc:"Who has the conversation: me, or an agent's id." example:"me"`
		Queue   string         `json:"queue,omitempty" maxLength:"100" doc:"The queue it belongs to; without assign it waits there when the contact answers."`
	}
}

func (a *API) registerStart() {
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations", id: "startConversation", tag: "conversations", scope: ScopeWrite, status: http.StatusCreated, exact: true,
		summary: "Begin a conversation", more: "With a contact or an address, where the platform lets us write first: 409 with the code `window_closed` says what it wants instead, " +
			"such as a template. One conversation of a contact on a channel is open at a time.",
	}, a.startConversation)
}

// startReply is the conversation that a request began.
type startReply struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true: an earlier request with this key did it."`
	Body     chat.Conversation
}

func (a *API) startConversation(ctx context.Context, in *conversationPost) (*startReply, error) {
	once, err := onceOf(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	msg, err := a.message(ctx, in.Body.MessageInput)
	if err != nil {
		return nil, err
	}
	to, err := a.firstPlace(ctx, in)
	if err != nil {
		return nil, err
	}
	person, err := a.startWith(ctx, in)
	if err != nil {
		return nil, err
	}
	start := store.Start{
		Workspace: here(ctx), Channel: in.Body.Channel, Person: person, To: to, Known: true, Message: msg, By: party(ctx), Once: once, Action: actionOf(ctx),
	}
	if err := a.mayStart(ctx, start); err != nil {
		return nil, err
	}
	res, err := a.Store.Append(ctx, &start)
	if err != nil {
		return nil, err
	}
	e := res.Events[0]
	out := &startReply{}
	if res.Duplicate {
		if !(wanted{conversation: e.Conversation, kind: chat.KindMessage, message: &msg}).same(e) {
			return nil, mismatch()
		}
		out.Replayed = "true"
	}
	out.Body, err = a.Store.Conversation(ctx, here(ctx), e.Conversation)
	return out, err
}

// firstPlace is who gets the conversation. Who may not assign takes it.
func (a *API) firstPlace(ctx context.Context, in *conversationPost) (chat.PlaceData, error) {
	b, c := in.Body, whole(ctx)
	agent := b.Assign
	if agent == "me" {
		if c.person == nil {
			return chat.PlaceData{}, invalid(ProblemDetail{"body.assign", "a token is nobody: name an agent"})
		}
		agent = c.who.User
	}
	if agent == "" && b.Queue == "" {
		return chat.PlaceData{}, invalid(ProblemDetail{"body.assign", "say who has it: assign or queue"})
	}
	if (agent == "" || agent != c.who.User) && !c.who.Has(access.ConversationsAssign) {
		return chat.PlaceData{}, chat.Faultf(chat.CodeForbidden, "you can begin conversations of your own only")
	}
	to := chat.PlaceData{State: chat.StateQueued, Queue: b.Queue, Reason: chat.ReasonNew}
	if agent != "" {
		to.State, to.Assignee = chat.StateAssigned, agent
	}
	return to, nil
}

// startWith finds the address to write to.
func (a *API) startWith(ctx context.Context, in *conversationPost) (chat.Person, error) {
	b := in.Body
	switch {
	case (b.Contact == "") == (b.Address == ""):
		return chat.Person{}, invalid(ProblemDetail{"body", "give contact or address, one of them"})
	case b.Address != "":
		return chat.Person{Address: b.Address, Name: b.Name}, nil
	case !who(ctx).Has(access.ContactsRead):
		return chat.Person{}, chat.Faultf(chat.CodeForbidden, "your role has not got the right "+string(access.ContactsRead))
	}
	c, err := a.Store.Contact(ctx, here(ctx), b.Contact)
	if err != nil {
		return chat.Person{}, err
	}
	i := slices.IndexFunc(c.Identities, func(i store.Identity) bool { return i.Channel == b.Channel && !i.Blocked })
	if i < 0 {
		return chat.Person{}, invalid(ProblemDetail{"body.contact", "has no address on this channel that we may write to"})
	}
	p := c.Identities[i].Person
	p.Address = c.Identities[i].Address
	return p, nil
}

// mayStart asks the platform's rules, and looks whether there is who is to have it, but for what was begun before with the same key.
func (a *API) mayStart(ctx context.Context, s store.Start) error {
	if s.Once != "" {
		done, err := a.Store.Started(ctx, s.Workspace, s.Once)
		if done || err != nil {
			return err
		}
	}
	last, err := a.Store.ThreadConversation(ctx, s.Channel, chat.Thread{Address: s.Person.Address})
	if err != nil && chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	err = a.Hub.MayBegin(ctx, s.Workspace, s.Channel, hub.Beginning{Known: err == nil, LastIn: last.LastIn, Message: s.Message})
	if err != nil {
		return err
	}
	return a.somebody(ctx, s.To, "body.assign")
}
