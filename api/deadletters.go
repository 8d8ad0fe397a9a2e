package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

type deadLetterQuery struct {
	Paging
	Work    string         `query:"work" maxLength:"100" doc:"The kind of work." example:"out"`
	Kind    chat.Kind      `query:"kind" maxLength:"100" doc:"The kind of event that it is about." example:"message"`
	Channel chat.ChannelID `query:"channel" maxLength:"100"`
	Class   string         `query:"class" maxLength:"100" doc:"Of the failure." example:"rejected"`
	Since   time.Time      `query:"since" doc:"That came to be at this time or later."`
	Text    string         `query:"q" maxLength:"200" doc:"In what the message says, or in the platform's words. Of 5,000 letters at most for one page: a page may be short and have a next one."`
}

type deadLetterReplay struct {
	Keyed
	ID   string `path:"id" maxLength:"200"`
	Body *struct {
		Reason  string        `json:"reason,omitempty" maxLength:"1000" doc:"Stands in the audit log."`
		Message *MessageInput `json:"message,omitempty" doc:"Say this instead. Only of a message of ours of which no part has left us; it goes out as a new message, and the old one stays as it is."`
		Address string        `json:"address,omitempty" maxLength:"500" doc:"To this address instead, where the contact has never written: a conversation begins there for whoever has this one, which is closed."`
	}
}

func (a *API) registerDeadLetters() {
	const tag = "dead letters"
	add(a, act{
		method: http.MethodGet, path: "/v1/dead-letters", id: "listDeadLetters", tag: tag, scope: ScopeRead,
		summary: "List what could not be done, newest first", more: "With what the platform answered.",
	}, a.deadLetters)
	add(a, act{
		method: http.MethodPost, path: "/v1/dead-letters/{id}/replay", id: "replayDeadLetter", tag: tag, scope: ScopeWrite,
		summary: "Try it again", more: "It goes behind what its conversation sends now. The answer is the event that tells of it; with other words or another address, the new message. " +
			"Of several who try at once, one does it; the others get 404.",
	}, a.replayDeadLetter)
}

func (a *API) deadLetters(ctx context.Context, in *deadLetterQuery) (*reply[list[store.DeadLetter]], error) {
	all, next, err := a.Store.FindDeadLetters(ctx, here(ctx), store.LetterFilter{
		Work: in.Work, Kind: in.Kind, Channel: in.Channel, Class: in.Class, Since: in.Since, Text: in.Text, Cursor: in.Cursor, Limit: in.Limit,
	})
	for i := range all {
		all[i].Event = a.render(here(ctx), all[i].Event)
	}
	return listOf(all, next), err
}

func (a *API) replayDeadLetter(ctx context.Context, in *deadLetterReplay) (*reply[chat.Event], error) {
	reason := ""
	var cmd store.Command = &store.Requeue{Workspace: here(ctx), ID: in.ID, By: party(ctx), Action: actionOf(ctx)}
	if b := in.Body; b != nil {
		reason = b.Reason
		if b.Message != nil || b.Address != "" {
			var err error
			if cmd, err = a.resend(ctx, in); err != nil {
				return nil, err
			}
		}
	}
	res, err := a.Store.Append(ctx, cmd)
	if err != nil {
		return nil, err
	}
	e := res.Events[0]
	if d := store.AuditIn(ctx); d != nil {
		d.Reason = reason
		d.Became, _ = json.Marshal(trace{Conversation: e.Conversation, Seq: e.Seq, Kind: e.Kind}) // texts and a number: cannot fail
	}
	return &reply[chat.Event]{a.render(here(ctx), e)}, nil
}

// trace is what the audit log has of a dead letter: where to look, and nothing of what was said.
type trace struct {
	Conversation chat.ConversationID `json:"conversation,omitempty"`
	Seq          int64               `json:"seq"`
	Kind         chat.Kind           `json:"kind"`
	Failure      string              `json:"failure,omitempty"`
}

func traceOf(l store.DeadLetter) trace {
	t := trace{Conversation: l.Event.Conversation, Seq: l.Event.Seq, Kind: l.Event.Kind}
	if l.Failure != nil {
		t.Failure = l.Failure.Class
	}
	return t
}

// resend is the command for a letter that somebody has changed: these are words of the caller's, who has to be allowed to write there.
func (a *API) resend(ctx context.Context, in *deadLetterReplay) (*store.Resend, error) {
	if !who(ctx).Has(access.ConversationsWrite) {
		return nil, chat.Faultf(chat.CodeForbidden, "you have not got the right "+string(access.ConversationsWrite))
	}
	l, err := a.Store.DeadLetter(ctx, here(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.seesConversation(ctx, access.ConversationsWrite, l.Event.Conversation); err != nil {
		return nil, err
	}
	cmd := &store.Resend{Workspace: here(ctx), ID: in.ID, Address: in.Body.Address, By: party(ctx), Action: actionOf(ctx)}
	if in.Body.Message != nil {
		msg, err := a.message(ctx, *in.Body.Message)
		if err != nil {
			return nil, err
		}
		cmd.Message = &msg
	}
	if cmd.Address == "" || l.Event.Message == nil {
		return cmd, nil
	}
	return cmd, a.mayReaddress(ctx, l, cmd)
}

// mayReaddress asks the platform's rules for a beginning at another address.
func (a *API) mayReaddress(ctx context.Context, l store.DeadLetter, cmd *store.Resend) error {
	last, err := a.Store.ThreadConversation(ctx, l.Event.Channel, chat.Thread{Address: cmd.Address})
	if err != nil && chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	b := hub.Beginning{Known: err == nil, LastIn: last.LastIn, Message: *l.Event.Message}
	if cmd.Message != nil {
		b.Message = *cmd.Message
	}
	return a.Hub.MayBegin(ctx, cmd.Workspace, l.Event.Channel, b)
}
