package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
)

// Bounds of the calls for knowledge.
const (
	maxItem    = 512 << 10 // bytes of a request's body
	usualItems = 50
	mostItems  = 500
)

// itemView is an item in the protocol's words. The SDK fails at any member that it does not know.
type itemView struct {
	ID         int64           `json:"id"`
	Created    time.Time       `json:"created_date"`
	Updated    time.Time       `json:"updated_date"`
	Title      string          `json:"title"`
	Content    string          `json:"content"`
	URL        *string         `json:"url"`
	Section    *string         `json:"section"`
	Role       *string         `json:"role"`
	Page       *int64          `json:"page_number"`
	Metadata   json.RawMessage `json:"metadata"`
	Base       int64           `json:"knowledge_base"`
	DataSource *int64          `json:"data_source"`
	Message    *string         `json:"message"`
}

func viewOf(k knowledge.Item) itemView {
	return itemView{
		ID: k.ID, Created: k.CreatedAt, Updated: k.UpdatedAt, Title: k.Title, Content: k.Content, URL: orNothing(k.URL), Section: orNothing(k.Section),
		Role: orNothing(k.Role), Page: orNothing(k.PageNumber), Metadata: k.Metadata, Base: k.Base, DataSource: orNothing(k.Source),
		Message: orNothing(k.Message),
	}
}

func orNothing[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// itemInput is an item as workers write it.
type itemInput struct {
	Base     *name           `json:"knowledge_base"`
	Title    *string         `json:"title"`
	Content  *string         `json:"content"`
	URL      *string         `json:"url"`
	Section  *string         `json:"section"`
	Role     *string         `json:"role"`
	Page     *int64          `json:"page_number"`
	Metadata json.RawMessage `json:"metadata"`
	Message  *string         `json:"message"`
	Source   *name           `json:"data_source"`
}

// list is a page of a list.
type list struct {
	Count    int64   `json:"count"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  any     `json:"results"`
}

func (s *Server) mountKnowledge(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request, store.Token) error{
		"GET /back/api/language-model/knowledge-items/{$}":          s.listItems,
		"POST /back/api/language-model/knowledge-items/{$}":         s.addItem,
		"GET /back/api/language-model/knowledge-items/{id}/{$}":     s.oneItem,
		"PATCH /back/api/language-model/knowledge-items/{id}/{$}":   s.changeItem,
		"GET /back/api/language-model/prompt-configs/{$}":           s.listPrompts,
		"POST /back/api/language-model/data-sources/{$}":            s.addSource,
		"GET /back/api/language-model/data-sources/{$}":             s.listSources,
		"GET /back/api/language-model/data-sources/{id}/{$}":        s.oneSource,
		"POST /back/api/language-model/data-sources/{id}/again/{$}": s.repeatSource,
		"POST /back/api/language-model/knowledge-item-images/{$}":   s.addPicture,
		"GET /back/api/language-model/retrieve/{$}":                 s.retrieve,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			token, err := s.caller(r)
			if err == nil && s.Knowledge == nil {
				err = errNoKnowledge
			}
			if err == nil {
				err = do(w, r, token)
			}
			if err != nil {
				s.reject(w, r, err)
			}
		})
	}
}

// statuses of the faults that a caller can do something about.
var statuses = map[chat.Code]int{
	chat.CodeInvalid: http.StatusBadRequest, chat.CodeNotFound: http.StatusNotFound, chat.CodeTooLarge: http.StatusRequestEntityTooLarge,
	chat.CodeConflict: http.StatusConflict,
}

// reject answers a call that failed.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, err error) {
	if wrong, ok := errors.AsType[invalidError](err); ok {
		answerJSON(w, http.StatusBadRequest, wrong)
		return
	}
	fault, ok := errors.AsType[*chat.Fault](err)
	if status := statuses[chat.CodeOf(err)]; ok && status != 0 {
		answerJSON(w, status, map[string]string{"detail": fault.Detail})
		return
	}
	if chat.CodeOf(err) == "" {
		s.Log.DebugContext(r.Context(), "rpc: call refused", "path", r.URL.Path, "err", err)
	}
	refuse(w, err)
}

func readBody(r *http.Request, into any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxItem+1))
	switch {
	case err != nil:
		return chat.Faultf(chat.CodeInvalid, "the body could not be read to its end")
	case len(raw) > maxItem:
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("the body: %d bytes at the most", maxItem))
	case !isObject(raw) || json.Unmarshal(raw, into) != nil:
		return chat.Faultf(chat.CodeInvalid, "JSON parse error: want an object with the fields of this call")
	}
	return nil
}

// base finds a knowledge base by its number or its name.
func (s *Server) base(r *http.Request, ws chat.WorkspaceID, which name) (store.KnowledgeBase, error) {
	if id, err := strconv.ParseInt(string(which), 10, 64); err == nil {
		b, err := s.Store.KnowledgeBaseOf(r.Context(), ws, knowledge.Item{Base: id})
		if chat.CodeOf(err) != chat.CodeNotFound {
			return b, err
		}
	}
	return s.Store.KnowledgeBase(r.Context(), ws, string(which))
}

func (s *Server) listItems(w http.ResponseWriter, r *http.Request, token store.Token) error {
	q := r.URL.Query()
	base, err := s.base(r, token.Workspace, name(q.Get("knowledge_base__name")))
	if err != nil {
		return err
	}
	var wanted map[string]any
	if m := q.Get("metadata"); m != "" && json.Unmarshal([]byte(m), &wanted) != nil {
		return invalidError{"metadata": []string{"Want an object or null."}}
	}
	limit, offset := window(r, store.MaxKnowledgeItems)
	items, count, err := s.items(r, base, wanted, limit, offset)
	if err != nil {
		return err
	}
	views := make([]itemView, len(items))
	for i, k := range items {
		views[i] = viewOf(k)
	}
	answerJSON(w, http.StatusOK, listOf(r, views, count, limit, offset))
	return nil
}

// window is the part of a list that is asked for.
func window(r *http.Request, most int) (limit, offset int) {
	q := r.URL.Query()
	return whole(q.Get("limit"), usualItems, mostItems), whole(q.Get("offset"), 0, most)
}

// listOf is a page of a list, with the ways to its neighbours.
func listOf[T any](r *http.Request, page []T, count int64, limit, offset int) list {
	out := list{Count: count, Results: page}
	if more := offset + len(page); int64(more) < count && len(page) > 0 {
		out.Next = pageLink(r, limit, more)
	}
	if offset > 0 {
		out.Previous = pageLink(r, limit, max(0, offset-limit))
	}
	return out
}

// items are one page of those that have what is wanted in their metadata.
func (s *Server) items(r *http.Request, base store.KnowledgeBase, wanted map[string]any, limit, offset int) (page []knowledge.Item, count int64, err error) {
	if len(wanted) == 0 {
		page, err = s.Store.KnowledgeItems(r.Context(), base, store.KnowledgeFilter{Offset: offset, Limit: limit})
		return page, base.Items, err
	}
	for after := int64(0); ; {
		some, err := s.Store.KnowledgeItems(r.Context(), base, store.KnowledgeFilter{After: after, Limit: mostItems})
		if err != nil {
			return nil, 0, err
		}
		for _, k := range some {
			if after = k.ID; !holds(k.Metadata, wanted) {
				continue
			}
			if count++; count > int64(offset) && len(page) < limit {
				page = append(page, k)
			}
		}
		if len(some) < mostItems {
			return page, count, nil
		}
	}
}

// holds tells whether all wanted members are in an object.
func holds(metadata json.RawMessage, wanted map[string]any) bool {
	var m map[string]any
	if json.Unmarshal(metadata, &m) != nil {
		return false
	}
	for member, v := range wanted {
		if got, ok := m[member]; !ok || !reflect.DeepEqual(got, v) {
			return false
		}
	}
	return true
}

func whole(text string, usual, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || usual > 0 && n == 0 {
		return usual
	}
	return min(n, most)
}

func pageLink(r *http.Request, limit, offset int) *string {
	q := r.URL.Query()
	q.Set("limit", strconv.Itoa(limit))
	q.Set("offset", strconv.Itoa(offset))
	link := (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String()
	return &link
}

func (s *Server) addItem(w http.ResponseWriter, r *http.Request, token store.Token) error {
	var in itemInput
	if err := readBody(r, &in); err != nil {
		return err
	}
	wrong := invalidError{}
	for member, missing := range map[string]bool{"knowledge_base": in.Base == nil, "content": in.Content == nil} {
		if missing {
			wrong[member] = []string{wordRequired}
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	base, err := s.base(r, token.Workspace, *in.Base)
	if err != nil {
		return err
	}
	source, err := s.sourceOf(r, token.Workspace, base, valueOf(in.Source))
	if err != nil {
		return err
	}
	k, err := s.Knowledge.AddItem(r.Context(), token.Workspace, base.Name, knowledge.Item{
		Source: source,
		Title:  valueOf(in.Title), Content: *in.Content, URL: valueOf(in.URL), Section: valueOf(in.Section), Role: valueOf(in.Role),
		PageNumber: valueOf(in.Page), Metadata: in.Metadata, Message: valueOf(in.Message),
	})
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusCreated, viewOf(k))
	return nil
}

func number(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, chat.Faultf(chat.CodeNotFound, "Not found.")
	}
	return id, nil
}

func (s *Server) oneItem(w http.ResponseWriter, r *http.Request, token store.Token) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	k, err := s.Knowledge.Item(r.Context(), token.Workspace, id)
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, viewOf(k))
	return nil
}

func (s *Server) changeItem(w http.ResponseWriter, r *http.Request, token store.Token) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	var in itemInput
	if err := readBody(r, &in); err != nil {
		return err
	}
	if isNull(in.Metadata) {
		in.Metadata = nil
	}
	k, err := s.Knowledge.PatchItem(r.Context(), token.Workspace, id, knowledge.ItemPatch{
		Title: in.Title, Content: in.Content, URL: in.URL, Section: in.Section, Role: in.Role, Message: in.Message, PageNumber: in.Page, Metadata: in.Metadata,
	})
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, viewOf(k))
	return nil
}

// promptView is a prompt in the protocol's words; its name is all that there is for an id.
type promptView struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created_date"`
	Updated time.Time `json:"updated_date"`
	Name    string    `json:"name"`
	Prompt  string    `json:"prompt"`
}

// listPrompts gives the one that is named; the SDK asks for no more.
func (s *Server) listPrompts(w http.ResponseWriter, r *http.Request, token store.Token) error {
	found := []promptView{}
	p, err := s.Store.Prompt(r.Context(), token.Workspace, r.URL.Query().Get("name"))
	switch {
	case err == nil:
		found = append(found, promptView{p.Name, p.CreatedAt, p.UpdatedAt, p.Name, p.Prompt})
	case chat.CodeOf(err) != chat.CodeNotFound:
		return err
	}
	answerJSON(w, http.StatusOK, list{Count: int64(len(found)), Results: found})
	return nil
}
