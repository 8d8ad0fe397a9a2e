package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/store"
)

// PromptPath names a prompt.
type PromptPath struct {
	Name string `path:"name" maxLength:"100" pattern:"^[\\p{L}\\p{N}_][\\p{L}\\p{N} _.:()-]*$" example:"greeting"`
}

type promptPut struct {
	Keyed
	PromptPath
	Body struct {
		Prompt string `json:"prompt" minLength:"1" maxLength:"100000" example:"You are a helpful assistant."`
	}
}

type promptsGet struct{ NamePaging }

type promptDrop struct {
	Keyed
	PromptPath
}

func (a *API) registerPrompts() {
	const tag = "language models"
	add(a, act{
		method: http.MethodPut, path: "/v1/prompts/{name}", id: "putPrompt", tag: tag, scope: ScopeFlows, summary: "Store a prompt",
		more: "Workers fetch it by its name.",
	}, a.putPrompt)
	add(a, act{method: http.MethodGet, path: "/v1/prompts", id: "listPrompts", tag: tag, scope: ScopeRead, summary: "List prompts"}, a.listPrompts)
	add(a, act{method: http.MethodGet, path: "/v1/prompts/{name}", id: "getPrompt", tag: tag, scope: ScopeRead, summary: "Read a prompt"}, a.prompt)
	add(a, act{method: http.MethodDelete, path: "/v1/prompts/{name}", id: "deletePrompt", tag: tag, scope: ScopeFlows, status: http.StatusNoContent, summary: "Delete a prompt"}, a.dropPrompt)
}

func (a *API) putPrompt(ctx context.Context, in *promptPut) (*reply[store.Prompt], error) {
	p, err := a.Store.PutPrompt(ctx, here(ctx), in.Name, in.Body.Prompt)
	return &reply[store.Prompt]{p}, err
}

func (a *API) listPrompts(ctx context.Context, in *promptsGet) (*reply[list[store.Prompt]], error) {
	found, next, err := a.Store.Prompts(ctx, here(ctx), in.Cursor, in.Limit)
	return listOf(found, next), err
}

func (a *API) prompt(ctx context.Context, in *PromptPath) (*reply[store.Prompt], error) {
	p, err := a.Store.Prompt(ctx, here(ctx), in.Name)
	return &reply[store.Prompt]{p}, err
}

func (a *API) dropPrompt(ctx context.Context, in *promptDrop) (*empty, error) {
	return nil, a.Store.DropPrompt(ctx, here(ctx), in.Name)
}
