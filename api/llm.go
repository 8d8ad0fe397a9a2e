package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/llm"
)

// ModelPath names a language model.
type ModelPath struct {
	Name string `path:"name" maxLength:"100" example:"local"`
}

// LLMConfig is a language model under its name.
type LLMConfig struct{ llm.Config }

type llmConfigCreate struct {
	Keyed
	Body struct {
		Name     string            `json:"name" minLength:"1" maxLength:"100" pattern:"^[\\p{L}\\p{N}_][\\p{L}\\p{N} _.:()-]*$" example:"local"`
		BaseURL  string            `json:"base_url" minLength:"1" maxLength:"1000" doc:"Up to where /chat/completions follows." example:"https://api.openai.com/v1"`
		Model    string            `json:"model" minLength:"1" maxLength:"200" example:"gpt-4.1-mini"`
		Key      string            `json:"key,omitempty" maxLength:"4000" doc:"Sent as a bearer token. It comes back as ***."`
		Defaults llm.ModelDefaults `json:"defaults,omitzero"`
	}
}

type llmConfigPatch struct {
	Keyed
	ModelPath
	Body struct {
		BaseURL  *string            `json:"base_url,omitempty" maxLength:"1000" doc:"Another one needs the key anew."`
		Model    *string            `json:"model,omitempty" maxLength:"200"`
		Key      *string            `json:"key,omitempty" maxLength:"4000" doc:"*** keeps the stored one, an empty one removes it."`
		Defaults *llm.ModelDefaults `json:"defaults,omitempty" doc:"Replaces the former ones."`
	}
}

type llmConfigsGet struct{ NamePaging }

type llmConfigAct struct {
	Keyed
	ModelPath
}

func (a *API) registerModels() {
	const tag, list, one = "language models", "/v1/llm-configs", "/v1/llm-configs/{name}"
	add(a, act{
		method: http.MethodPost, path: list, id: "createLLMConfig", tag: tag, scope: ScopeAdmin, status: http.StatusCreated,
		summary: "Name a language model", more: "Any endpoint with OpenAI's chat completions. It is not asked: see check.",
	}, a.createModel)
	add(a, act{method: http.MethodGet, path: list, id: "listLLMConfigs", tag: tag, scope: ScopeRead, summary: "List language models"}, a.listModels)
	add(a, act{method: http.MethodGet, path: one, id: "getLLMConfig", tag: tag, scope: ScopeRead, summary: "Read a language model's settings"}, a.model)
	add(a, act{method: http.MethodPatch, path: one, id: "changeLLMConfig", tag: tag, scope: ScopeAdmin, summary: "Change a language model's settings", more: "What is left out stays."}, a.patchModel)
	add(a, act{method: http.MethodDelete, path: one, id: "deleteLLMConfig", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent, summary: "Forget a language model"}, a.dropModel)
	add(a, act{
		method: http.MethodPost, path: one + "/check", id: "checkLLMConfig", tag: tag, scope: ScopeAdmin,
		summary: "Ask a language model for a word", more: "It costs some tokens. What is wrong comes back in words that say what to do.",
	}, a.checkModel)
}

func (a *API) createModel(ctx context.Context, in *llmConfigCreate) (*reply[LLMConfig], error) {
	b := in.Body
	c, err := a.LLM.Add(ctx, here(ctx), llm.Config{Name: b.Name, BaseURL: b.BaseURL, Model: b.Model, Key: b.Key, Defaults: b.Defaults})
	return &reply[LLMConfig]{LLMConfig{c}}, err
}

func (a *API) listModels(ctx context.Context, in *llmConfigsGet) (*reply[list[LLMConfig]], error) {
	found, next, err := a.LLM.Configs(ctx, here(ctx), in.Cursor, in.Limit)
	out := make([]LLMConfig, len(found))
	for i, c := range found {
		out[i] = LLMConfig{c}
	}
	return listOf(out, next), err
}

func (a *API) model(ctx context.Context, in *ModelPath) (*reply[LLMConfig], error) {
	c, err := a.LLM.Config(ctx, here(ctx), in.Name)
	return &reply[LLMConfig]{LLMConfig{c}}, err
}

func (a *API) patchModel(ctx context.Context, in *llmConfigPatch) (*reply[LLMConfig], error) {
	b := in.Body
	c, err := a.LLM.Patch(ctx, here(ctx), in.Name, llm.ConfigPatch{BaseURL: b.BaseURL, Model: b.Model, Key: b.Key, Defaults: b.Defaults})
	return &reply[LLMConfig]{LLMConfig{c}}, err
}

func (a *API) dropModel(ctx context.Context, in *llmConfigAct) (*empty, error) {
	return nil, a.LLM.Drop(ctx, here(ctx), in.Name)
}

func (a *API) checkModel(ctx context.Context, in *llmConfigAct) (*reply[CheckResult], error) {
	words, err := a.LLM.Check(ctx, here(ctx), in.Name)
	return &reply[CheckResult]{CheckResult{words}}, err
}
