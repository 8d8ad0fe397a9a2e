package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
)

// ItemPath names an item of a knowledge base.
type ItemPath struct {
	BasePath
	ID int64 `path:"id" minimum:"1"`
}

type knowledgeItemsGet struct {
	BasePath
	Paging
	Document string `query:"document" maxLength:"100" doc:"Of this document only."`
}

type knowledgeItemPost struct {
	Keyed
	BasePath
	Body struct {
		Title      string          `json:"title,omitempty" maxLength:"1000"`
		Content    string          `json:"content" minLength:"1" maxLength:"50000"`
		URL        string          `json:"url,omitempty" maxLength:"2000"`
		Section    string          `json:"section,omitempty" maxLength:"1000"`
		Role       string          `json:"role,omitempty" maxLength:"100"`
		PageNumber int64           `json:"page_number,omitempty" minimum:"0" maximum:"1000000"`
		Metadata   json.RawMessage `json:"metadata,omitempty" doc:"An object."`
		Message    string          `json:"message,omitempty" maxLength:"10000"`
	}
}

type knowledgeItemPatch struct {
	Keyed
	ItemPath
	Body struct {
		Title      *string         `json:"title,omitempty" maxLength:"1000"`
		Content    *string         `json:"content,omitempty" minLength:"1" maxLength:"50000"`
		URL        *string         `json:"url,omitempty" maxLength:"2000"`
		Section    *string         `json:"section,omitempty" maxLength:"1000"`
		Role       *string         `json:"role,omitempty" maxLength:"100"`
		PageNumber *int64          `json:"page_number,omitempty" minimum:"0" maximum:"1000000"`
		Metadata   json.RawMessage `json:"metadata,omitempty" doc:"An object, which replaces the former one."`
		Message    *string         `json:"message,omitempty" maxLength:"10000"`
	}
}

type knowledgeItemAct struct {
	Keyed
	ItemPath
}

func (a *API) registerItems(tag string) {
	const list, one = "/v1/knowledge-bases/{name}/items", "/v1/knowledge-bases/{name}/items/{id}"
	add(a, act{method: http.MethodGet, path: list, id: "listKnowledgeItems", tag: tag, scope: ScopeRead, summary: "List the items of a knowledge base"}, a.listItems)
	add(a, act{
		method: http.MethodPost, path: list, id: "createKnowledgeItem", tag: tag, scope: ScopeFlows, status: http.StatusCreated,
		summary: "Make an item", more: "It belongs to no document. A base has 50,000 items at the most.",
	}, a.createItem)
	add(a, act{method: http.MethodGet, path: one, id: "getKnowledgeItem", tag: tag, scope: ScopeRead, summary: "Read an item"}, a.item)
	add(a, act{
		method: http.MethodPatch, path: one, id: "changeKnowledgeItem", tag: tag, scope: ScopeFlows,
		summary: "Change an item", more: "What is left out stays. An item of a document lasts until the document is uploaded again.",
	}, a.patchItem)
	add(a, act{method: http.MethodDelete, path: one, id: "deleteKnowledgeItem", tag: tag, scope: ScopeFlows, status: http.StatusNoContent, summary: "Delete an item"}, a.dropItem)
}

func (a *API) listItems(ctx context.Context, in *knowledgeItemsGet) (*reply[list[store.KnowledgeItem]], error) {
	f := store.KnowledgeFilter{Document: in.Document, Limit: in.Limit + 1}
	if in.Cursor != "" {
		var err error
		if f.After, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || f.After < 0 {
			return nil, invalid(ProblemDetail{"query.cursor", "is no cursor of this list"})
		}
	}
	found, _, err := a.library.Items(ctx, here(ctx), in.Name, f)
	if err != nil || len(found) <= in.Limit {
		return listOf(found, ""), err
	}
	found = found[:in.Limit]
	return listOf(found, strconv.FormatInt(found[in.Limit-1].ID, 10)), nil
}

func (a *API) createItem(ctx context.Context, in *knowledgeItemPost) (*reply[store.KnowledgeItem], error) {
	b := in.Body
	k, err := a.library.AddItem(ctx, here(ctx), in.Name, store.KnowledgeItem{
		Title: b.Title, Content: b.Content, URL: b.URL, Section: b.Section, Role: b.Role, PageNumber: b.PageNumber, Metadata: b.Metadata, Message: b.Message,
	})
	return &reply[store.KnowledgeItem]{k}, err
}

// itemOf reads an item of the base that the path names.
func (a *API) itemOf(ctx context.Context, at ItemPath) (store.KnowledgeItem, error) {
	b, err := a.Store.KnowledgeBase(ctx, here(ctx), at.Name)
	if err != nil {
		return store.KnowledgeItem{}, err
	}
	k, err := a.library.Item(ctx, here(ctx), at.ID)
	if err == nil && k.Base != b.ID {
		err = chat.Faultf(chat.CodeNotFound, "no such knowledge item")
	}
	return k, err
}

func (a *API) item(ctx context.Context, in *ItemPath) (*reply[store.KnowledgeItem], error) {
	k, err := a.itemOf(ctx, *in)
	return &reply[store.KnowledgeItem]{k}, err
}

func (a *API) patchItem(ctx context.Context, in *knowledgeItemPatch) (*reply[store.KnowledgeItem], error) {
	k, err := a.itemOf(ctx, in.ItemPath)
	if err != nil {
		return nil, err
	}
	b := in.Body
	k, err = a.library.PatchItem(ctx, here(ctx), k.ID, knowledge.ItemPatch{
		Title: b.Title, Content: b.Content, URL: b.URL, Section: b.Section, Role: b.Role, PageNumber: b.PageNumber, Metadata: b.Metadata, Message: b.Message,
	})
	return &reply[store.KnowledgeItem]{k}, err
}

func (a *API) dropItem(ctx context.Context, in *knowledgeItemAct) (*empty, error) {
	k, err := a.itemOf(ctx, in.ItemPath)
	if err != nil {
		return nil, err
	}
	return nil, a.library.DropItem(ctx, here(ctx), k.ID)
}
