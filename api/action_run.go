package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/store"
)

// defaultHookTime is how long a hook may take when its action says nothing.
const defaultHookTime = 10 * time.Second

type actionRun struct {
	Keyed
	ConversationPath
	ActionPath
	Body *struct {
		Inputs map[string]json.RawMessage `json:"inputs,omitempty" maxProperties:"50"`
	}
}

// HookBody is what a hook gets.
type HookBody struct {
	Type      string    `json:"type"` // action
	Timestamp time.Time `json:"timestamp"`
	Data      HookData  `json:"data"`
}

// HookData is what it is about. Conversation, contact and messages are as the API shows them.
type HookData struct {
	Action       string                     `json:"action"`
	Workspace    chat.WorkspaceID           `json:"workspace"`
	Agent        chat.Party                 `json:"agent"`
	Inputs       map[string]json.RawMessage `json:"inputs"`
	Conversation chat.Conversation          `json:"conversation"`
	Contact      store.Contact              `json:"contact"`
	Messages     []chat.Event               `json:"messages,omitempty"`
}

func (a *API) runAction(ctx context.Context, in *actionRun) (*eventReply, error) {
	once, err := onceOf(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	inputs := map[string]json.RawMessage{}
	if in.Body != nil && in.Body.Inputs != nil {
		inputs = in.Body.Inputs
	}
	if once != "" {
		release, err := a.locks.hold(ctx, once)
		if err != nil {
			return nil, problem(string(chat.CodeConflict), "a request with this key is still under way").retryAfter(time.Second)
		}
		defer release()
		if done, err := a.actionDone(ctx, in, once, inputs); done != nil || err != nil {
			return done, err
		}
	}
	view, secret, err := a.actionFor(ctx, in)
	if err != nil {
		return nil, err
	}
	if wrong := assist.CheckInputs(view.Inputs, inputs); len(wrong) > 0 {
		return nil, invalid(named("body.inputs", wrong)...)
	}
	body, err := a.hookBody(ctx, in, view, inputs)
	if err != nil {
		return nil, err
	}
	return a.callHook(ctx, in, view, secret, once, body)
}

// actionDone is the answer to a request that was made before with the same key.
func (a *API) actionDone(ctx context.Context, in *actionRun, once string, inputs map[string]json.RawMessage) (*eventReply, error) {
	e, err := a.Store.ToldAction(ctx, here(ctx), once)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var did chat.ActionData
	if json.Unmarshal(e.Data, &did) != nil || e.Conversation != in.ID || did.Name != in.Name || !sameInputs(did.Inputs, inputs) {
		return nil, mismatch()
	}
	return &eventReply{Replayed: "true", Body: e}, nil
}

func sameInputs(a, b map[string]json.RawMessage) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && (len(a) == 0 && len(b) == 0 || sameJSON(x, y))
}

// actionFor finds an action that the conversation's queue has, with what signs its requests.
func (a *API) actionFor(ctx context.Context, in *actionRun) (v ActionView, key []byte, err error) {
	conv, err := a.Store.Conversation(ctx, here(ctx), in.ID)
	if err != nil {
		return v, nil, err
	}
	row, err := a.Store.ChatAction(ctx, here(ctx), in.Name)
	if err != nil {
		return v, nil, err
	}
	if v, err = actionView(row); err != nil {
		return v, nil, err
	}
	if !v.serves(conv.Queue) {
		return v, nil, chat.Faultf(chat.CodeNotFound, "conversations of this queue have no such action")
	}
	secret, err := a.Secrets.Open(actionSecretPlace(here(ctx), in.Name), row.Secret)
	if err != nil {
		return v, nil, chat.Faultf(chat.CodeConflict, "the secret of this action cannot be unsealed: give it anew, or start with the right key file")
	}
	key, err = outbound.HookKey(string(secret))
	return v, key, err
}

func (a *API) hookBody(ctx context.Context, in *actionRun, v ActionView, inputs map[string]json.RawMessage) (HookBody, error) {
	out := HookBody{Type: "action", Timestamp: a.Now().UTC(), Data: HookData{Action: v.Name, Workspace: here(ctx), Agent: party(ctx), Inputs: inputs}}
	var err error
	if out.Data.Conversation, err = a.Store.Conversation(ctx, here(ctx), in.ID); err != nil {
		return out, err
	}
	if out.Data.Contact, err = a.Store.Contact(ctx, here(ctx), out.Data.Conversation.Contact.ID); err != nil {
		return out, err
	}
	if v.Messages == 0 {
		return out, nil
	}
	// other events stand between messages: more are read than are given
	events, err := a.Store.LastEvents(ctx, here(ctx), in.ID, out.Data.Conversation.LastSeq+1, min(v.Messages*5, 500))
	if err != nil {
		return out, err
	}
	events = slices.DeleteFunc(events, func(e chat.Event) bool { return e.Kind != chat.KindMessage })
	out.Data.Messages = a.renderAll(here(ctx), events[max(0, len(events)-v.Messages):])
	return out, nil
}

// callHook asks the hook and tells what it did. Once it has answered the telling does not end with the caller.
func (a *API) callHook(ctx context.Context, in *actionRun, v ActionView, key []byte, once string, body HookBody) (*eventReply, error) {
	call := assist.Call{URL: v.URL, Key: key, ID: requestID(ctx, in, once, body.Data.Inputs), At: body.Timestamp, Timeout: defaultHookTime, Body: body}
	if v.Seconds > 0 {
		call.Timeout = time.Duration(v.Seconds) * time.Second
	}
	answer, err := assist.Ask(ctx, a.HTTP, call)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	did := chat.ActionData{Name: v.Name, Title: v.Title, Inputs: body.Data.Inputs, URL: answer.URL, Text: answer.Text, Request: call.ID}
	if did.Refused, err = a.unfit(ctx, assist.OfConversation, answer.Fields); err != nil {
		return nil, err
	}
	for name, value := range answer.Fields {
		if did.Refused[name] != "" {
			continue
		}
		if did.Fields == nil {
			did.Fields = map[string]json.RawMessage{}
		}
		if did.Fields[name] = bytes.TrimSpace(value); assist.IsNull(value) {
			did.Fields[name] = json.RawMessage("null")
		}
	}
	res, err := a.Store.Append(ctx, &store.TellAction{
		Workspace: here(ctx), Conversation: in.ID, Did: did, By: party(ctx), Once: once, Action: actionOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &eventReply{Body: res.Events[0]}, nil
}

// requestID names a request to a hook: the same for the same key and content, else a new one.
func requestID(ctx context.Context, in *actionRun, once string, inputs map[string]json.RawMessage) string {
	if once == "" {
		return "act_" + strings.ReplaceAll(chat.NewID(), "-", "")
	}
	raw, _ := json.Marshal(inputs) // it was JSON when it came
	sum := sha256.Sum256([]byte(strings.Join([]string{string(here(ctx)), once, string(in.ID), in.Name, string(raw)}, "\x00")))
	return "act_" + hex.EncodeToString(sum[:16])
}

// named makes problems of what is wrong by name.
func named(where string, wrong map[string]string) []ProblemDetail {
	out := make([]ProblemDetail, 0, len(wrong))
	for name, why := range wrong {
		out = append(out, ProblemDetail{where + "." + name, why})
	}
	slices.SortFunc(out, func(x, y ProblemDetail) int { return strings.Compare(x.Path, y.Path) })
	return out
}
