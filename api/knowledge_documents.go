package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
)

// documentTime is how long the upload of a document may take.
const documentTime = 5 * time.Minute

// DocumentPath names a document of a knowledge base.
type DocumentPath struct {
	BasePath
	Document string `path:"document" maxLength:"100" example:"faq.csv"`
}

type documentsGet struct {
	BasePath
	NamePaging
}

type documentDrop struct {
	Keyed
	DocumentPath
}

func (a *API) registerDocuments(tag string) {
	const path = "/v1/knowledge-bases/{name}/documents"
	a.addPlain(act{
		method: http.MethodPost, path: path, id: "uploadKnowledgeDocument", tag: tag, scope: ScopeFlows, raw: true, stream: true,
		summary: "Upload a document",
		more: "Its items replace those that a document of this name had, all at once. A table (CSV) has a header with content, and title, url, section, role, page_number as far as they are wanted; " +
			"other columns become metadata. Markdown is parted at its headings, other text at its paragraphs, into items of at most 2,000 characters. At most 10 MiB, in UTF-8.",
	}, a.uploadDocument, a.describeUpload)
	add(a, act{method: http.MethodGet, path: path, id: "listKnowledgeDocuments", tag: tag, scope: ScopeRead, summary: "List the documents of a knowledge base"}, a.listDocuments)
	add(a, act{
		method: http.MethodDelete, path: path + "/{document}", id: "deleteKnowledgeDocument", tag: tag, scope: ScopeFlows, status: http.StatusNoContent,
		summary: "Delete a document with its items",
	}, a.dropDocument)
}

func (a *API) describeUpload(op *huma.Operation) {
	str, file := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeString, Format: "binary"}
	op.Parameters = []*huma.Param{
		{Name: "name", In: "path", Required: true, Schema: str},
		{Name: "document", In: "query", Description: "The document's name; of a form, by default the name of the file.", Schema: str},
		{Name: "format", In: "query", Description: "By default as the type or the ending of the name says.", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"csv", "markdown", "text"}}},
		{Name: "url", In: "query", Description: "Where people find the document. Items of Markdown get it with the anchor of their heading.", Schema: str},
		{Name: keyHeader, In: "header", Schema: str},
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: str}, "text/markdown": {Schema: str}, "text/plain": {Schema: str},
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": file}}},
	}}
	op.Responses["201"] = &huma.Response{Description: "Stored.", Content: map[string]*huma.MediaType{"application/json": {Schema: schemaFor[store.KnowledgeDocument](a)}}}
}

func (a *API) uploadDocument(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), documentTime)
	defer cancel()
	// an error only tells that this connection knows no deadlines
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(a.Now().Add(documentTime))
	_ = rc.SetWriteDeadline(a.Now().Add(documentTime + a.Limits.Timeout))
	d, err := documentOf(w, r)
	if err != nil {
		return err
	}
	key, who := r.Header.Get(keyHeader), callerOf(ctx)
	if key == "" {
		return a.storeDocument(ctx, w, r, d)
	}
	if err := checkKey(key); err != nil {
		return err
	}
	name := onceName(who, key)
	release, err := a.locks.hold(ctx, name)
	if err != nil {
		return problem(string(chat.CodeConflict), "a request with this key is still under way").retryAfter(1)
	}
	defer release()
	request := fingerprint(r, append([]byte(d.Name+"\x00"+string(d.Format)+"\x00"), d.Content...))
	if done, err := a.replay(w, ctx, who, name, request); done || err != nil {
		return err
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	if err := a.storeDocument(ctx, rec, r, d); err != nil {
		return err
	}
	a.keep(ctx, who, name, request, rec)
	return nil
}

func (a *API) storeDocument(ctx context.Context, w http.ResponseWriter, r *http.Request, d knowledge.Document) error {
	stored, err := a.library.Upload(ctx, here(ctx), r.PathValue("name"), d)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, stored)
}

// formSpace is what a form may have around its file, in bytes.
const formSpace = 64 << 10

// documentOf reads an upload: the body itself, or the first file of a form.
func documentOf(w http.ResponseWriter, r *http.Request) (knowledge.Document, error) {
	r.Body = http.MaxBytesReader(w, r.Body, knowledge.MaxDocument+formSpace)
	q := r.URL.Query()
	for name := range q {
		if name != "document" && name != "format" && name != "url" {
			return knowledge.Document{}, invalid(ProblemDetail{"query." + name, "unknown query parameter"})
		}
	}
	name, mimeType, body, err := uploadBody(r)
	if err != nil {
		return knowledge.Document{}, err
	}
	content, err := io.ReadAll(io.LimitReader(body, knowledge.MaxDocument+1))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(content) > knowledge.MaxDocument {
		return knowledge.Document{}, tooLarge(knowledge.MaxDocument)
	}
	if err != nil {
		return knowledge.Document{}, err
	}
	d := knowledge.Document{Name: orElse(q.Get("document"), name), Format: knowledge.Format(q.Get("format")), URL: q.Get("url"), Content: content}
	if d.Format == "" {
		mt, _, _ := mime.ParseMediaType(mimeType) // where it cannot be read the name counts
		d.Format = knowledge.FormatOf(d.Name, mt)
	}
	return d, nil
}

func (a *API) listDocuments(ctx context.Context, in *documentsGet) (*reply[list[store.KnowledgeDocument]], error) {
	b, err := a.Store.KnowledgeBase(ctx, here(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Store.KnowledgeDocuments(ctx, b, in.Cursor, in.Limit)
	return listOf(found, next), err
}

func (a *API) dropDocument(ctx context.Context, in *documentDrop) (*empty, error) {
	return nil, a.Store.DropKnowledgeDocument(ctx, here(ctx), in.Name, in.Document)
}
