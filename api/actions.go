package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/store"
)

// ActionPath names an action.
type ActionPath struct {
	Name string `path:"name" maxLength:"50" pattern:"^[a-z][a-z0-9_-]*$" example:"create_case"`
}

// ActionSettings are what an action has beside its address.
type ActionSettings struct {
	Inputs   []assist.Input `json:"inputs,omitempty" maxItems:"50" nullable:"false" doc:"What the agent is asked for."`
	Messages int            `json:"messages,omitempty" minimum:"0" maximum:"100" doc:"How many of the newest messages the hook gets; none by default."`
	Seconds  int            `json:"timeout_seconds,omitempty" minimum:"1" maximum:"20" doc:"How long the hook may take; 10 by default."`
}

type actionPut struct {
	Keyed
	ActionPath
	Body struct {
		ActionSettings
		Title  string   `json:"title,omitempty" maxLength:"200"`
		URL    string   `json:"url" minLength:"1" maxLength:"2000" example:"https://crm.example.com/hooks/case"`
		Secret string   `json:"secret,omitempty" maxLength:"200" doc:"Signs the requests: whsec_ and Base64, as Standard Webhooks have it. A new action gets one by default, which is shown once; a known one keeps its own."`
		Queues []string `json:"queues,omitempty" maxItems:"100" nullable:"false" doc:"Only in conversations of these queues; in all by default."`
	}
}

type actionDrop struct {
	Keyed
	ActionPath
}

// ActionView is an action as those see it who look after it.
type ActionView struct {
	ActionSettings
	Name      string    `json:"name"`
	Title     string    `json:"title,omitempty"`
	URL       string    `json:"url"`
	Secret    string    `json:"secret" doc:"*** but in the answer to the request that made it."`
	Queues    []string  `json:"queues" nullable:"false"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ActionChoice is an action as agents see it.
type ActionChoice struct {
	Name   string         `json:"name"`
	Title  string         `json:"title,omitempty"`
	Inputs []assist.Input `json:"inputs" nullable:"false"`
}

const hiddenSecret = "***"

func (a *API) registerActions() {
	const tag = "actions"
	add(a, act{
		method: http.MethodPut, path: "/v1/actions/{name}", id: "putAction", tag: tag, scope: ScopeAdmin, summary: "Store an action",
		more: "Agents run it in a conversation: its hook gets a signed POST with the conversation and the contact.",
	}, a.putAction)
	add(a, act{method: http.MethodGet, path: "/v1/actions", id: "listActions", tag: tag, scope: ScopeAdmin, summary: "List actions"}, a.listActions)
	add(a, act{method: http.MethodGet, path: "/v1/actions/{name}", id: "getAction", tag: tag, scope: ScopeAdmin, summary: "Read an action"}, a.action)
	add(a, act{
		method: http.MethodDelete, path: "/v1/actions/{name}", id: "deleteAction", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete an action",
	}, a.dropAction)
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations/{id}/actions", id: "listConversationActions", tag: tag, scope: ScopeRead,
		summary: "List the actions that there are for a conversation",
	}, a.conversationActions)
	add(a, act{
		method: http.MethodPost, path: "/v1/conversations/{id}/actions/{name}", id: "runAction", tag: tag, scope: ScopeWrite, exact: true,
		summary: "Run an action", more: "Answers with the event `action`, which has what the hook said. A hook that fails is a 502 and nothing is stored; " +
			"with the same Idempotency-Key the next try has the same `webhook-id`, so that the hook can tell it from a new one.",
	}, a.runAction)
}

func actionSecretPlace(ws chat.WorkspaceID, name string) string {
	return "action/" + string(ws) + "/" + name + "/secret"
}

func (a *API) putAction(ctx context.Context, in *actionPut) (*reply[ActionView], error) {
	b := in.Body
	if problems := checkAction(in); len(problems) > 0 {
		return nil, invalid(problems...)
	}
	settings, err := json.Marshal(b.ActionSettings)
	if err != nil {
		return nil, err
	}
	row := store.ChatAction{Name: in.Name, Title: b.Title, URL: b.URL, Queues: b.Queues, Settings: settings}
	secret := b.Secret
	if secret == hiddenSecret {
		secret = ""
	}
	fresh := ""
	if secret == "" {
		switch _, err := a.Store.ChatAction(ctx, here(ctx), in.Name); {
		case chat.CodeOf(err) == chat.CodeNotFound:
			secret = outbound.NewHookSecret()
			fresh = secret
		case err != nil:
			return nil, err
		}
	}
	if secret != "" {
		row.Secret = a.Secrets.Seal(actionSecretPlace(here(ctx), in.Name), []byte(secret))
	}
	row, err = a.Store.PutChatAction(ctx, here(ctx), row)
	if err != nil {
		return nil, err
	}
	v, err := actionView(row)
	v.Secret = orElse(fresh, v.Secret)
	return &reply[ActionView]{v}, err
}

func checkAction(in *actionPut) []ProblemDetail {
	b := in.Body
	problems := checkQueueNames(b.Queues)
	if err := assist.CheckURL(b.URL); err != nil {
		problems = append(problems, ProblemDetail{"body.url", err.Error()})
	}
	if b.Secret != "" && b.Secret != hiddenSecret {
		if key, err := outbound.HookKey(b.Secret); err != nil || len(key) < 16 {
			problems = append(problems, ProblemDetail{"body.secret", "whsec_ and the Base64 of 16 bytes or more"})
		}
	}
	seen := map[string]bool{}
	for i, x := range b.Inputs {
		at := fmt.Sprintf("body.inputs[%d]", i)
		if seen[x.Name] {
			problems = append(problems, ProblemDetail{at + ".name", "is there twice"})
		}
		if seen[x.Name] = true; (x.Type == assist.TypeChoice) != (len(x.Choices) > 0) {
			problems = append(problems, ProblemDetail{at + ".choices", "an input of the type choice has some, others have none"})
		}
	}
	return problems
}

func actionView(row store.ChatAction) (ActionView, error) {
	v := ActionView{
		Name: row.Name, Title: row.Title, URL: row.URL, Secret: hiddenSecret, Queues: row.Queues, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	return v, json.Unmarshal(row.Settings, &v.ActionSettings)
}

func (a *API) actionViews(ctx context.Context) ([]ActionView, error) {
	rows, err := a.Store.ChatActions(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	out := make([]ActionView, len(rows))
	for i, row := range rows {
		if out[i], err = actionView(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (a *API) listActions(ctx context.Context, _ *none) (*reply[list[ActionView]], error) {
	found, err := a.actionViews(ctx)
	return listOf(found, ""), err
}

func (a *API) action(ctx context.Context, in *ActionPath) (*reply[ActionView], error) {
	row, err := a.Store.ChatAction(ctx, here(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	v, err := actionView(row)
	return &reply[ActionView]{v}, err
}

func (a *API) dropAction(ctx context.Context, in *actionDrop) (*empty, error) {
	return nil, a.Store.DropChatAction(ctx, here(ctx), in.Name)
}

// serves tells whether conversations of a queue have the action.
func (v ActionView) serves(queue string) bool {
	return len(v.Queues) == 0 || slices.Contains(v.Queues, queue)
}

func (a *API) conversationActions(ctx context.Context, in *ConversationPath) (*reply[list[ActionChoice]], error) {
	conv, err := a.Store.Conversation(ctx, here(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	found, err := a.actionViews(ctx)
	out := []ActionChoice{}
	for _, v := range found {
		if v.serves(conv.Queue) {
			out = append(out, ActionChoice{v.Name, v.Title, append([]assist.Input{}, v.Inputs...)})
		}
	}
	return listOf(out, ""), err
}
