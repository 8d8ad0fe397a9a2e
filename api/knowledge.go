package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
)

// BasePath names a knowledge base.
type BasePath struct {
	Name string `path:"name" maxLength:"100" pattern:"^[\\p{L}\\p{N}_][\\p{L}\\p{N} _.:()-]*$" example:"faq"`
}

// NamePaging is Paging for lists by name, whose cursors are names.
type NamePaging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at the most."`
	Cursor string `query:"cursor" maxLength:"400" doc:"What the former page gave as next."`
}

type knowledgeBasePut struct {
	Keyed
	BasePath
	Body *struct {
		Language string `json:"language,omitempty" maxLength:"10" doc:"Whose endings are cut off, so that plurals are found too: en, de, fr, es, it, nl, pt, ru, sv ... On SQLite en only; the others are searched as they are."`
	}
}

type basesGet struct{ NamePaging }

type baseDrop struct {
	Keyed
	BasePath
}

type searchGet struct {
	BasePath
	Query string `query:"q" required:"true" maxLength:"4000" doc:"What somebody asks. Nothing in it is syntax; the last word may be half."`
	TopK  int    `query:"top_k" minimum:"1" maximum:"50" default:"3" doc:"How many at the most."`
}

// KnowledgeHit is an item that was found.
type KnowledgeHit struct{ knowledge.Hit }

func (a *API) registerKnowledge() {
	const tag = "knowledge"
	add(a, act{
		method: http.MethodPut, path: "/v1/knowledge-bases/{name}", id: "putKnowledgeBase", tag: tag, scope: ScopeFlows,
		summary: "Make a knowledge base", more: "The language of one that has items cannot be changed (409).",
	}, a.putBase)
	add(a, act{method: http.MethodGet, path: "/v1/knowledge-bases", id: "listKnowledgeBases", tag: tag, scope: ScopeRead, summary: "List knowledge bases"}, a.listBases)
	add(a, act{method: http.MethodGet, path: "/v1/knowledge-bases/{name}", id: "getKnowledgeBase", tag: tag, scope: ScopeRead, summary: "Read a knowledge base"}, a.base)
	add(a, act{
		method: http.MethodDelete, path: "/v1/knowledge-bases/{name}", id: "deleteKnowledgeBase", tag: tag, scope: ScopeFlows, status: http.StatusNoContent,
		summary: "Delete a knowledge base with all that is in it",
	}, a.dropBase)
	add(a, act{
		method: http.MethodGet, path: "/v1/knowledge-bases/{name}/search", id: "searchKnowledge", tag: tag, scope: ScopeRead,
		summary: "Search a knowledge base", more: "The best items come first; similarity is the share of what the query says that an item meets, from 0 to 1.",
	}, a.searchBase)
	a.registerDocuments(tag)
	a.registerItems(tag)
}

func (a *API) putBase(ctx context.Context, in *knowledgeBasePut) (*reply[store.KnowledgeBase], error) {
	language := ""
	if in.Body != nil {
		language = in.Body.Language
	}
	b, err := a.Store.PutKnowledgeBase(ctx, here(ctx), in.Name, language)
	return &reply[store.KnowledgeBase]{b}, err
}

func (a *API) listBases(ctx context.Context, in *basesGet) (*reply[list[store.KnowledgeBase]], error) {
	found, next, err := a.Store.KnowledgeBases(ctx, here(ctx), in.Cursor, in.Limit)
	return listOf(found, next), err
}

func (a *API) base(ctx context.Context, in *BasePath) (*reply[store.KnowledgeBase], error) {
	b, err := a.Store.KnowledgeBase(ctx, here(ctx), in.Name)
	return &reply[store.KnowledgeBase]{b}, err
}

func (a *API) dropBase(ctx context.Context, in *baseDrop) (*empty, error) {
	return nil, a.Store.DropKnowledgeBase(ctx, here(ctx), in.Name)
}

func (a *API) searchBase(ctx context.Context, in *searchGet) (*reply[list[KnowledgeHit]], error) {
	found, err := a.library.Search(ctx, here(ctx), in.Name, in.Query, in.TopK)
	out := make([]KnowledgeHit, len(found))
	for i, h := range found {
		out[i] = KnowledgeHit{h}
	}
	return listOf(out, ""), err
}
