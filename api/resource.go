package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/chat"
)

// list is the body of every list. Next is absent on the last page.
type list[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Give it as cursor to read on; absent on the last page."`
}

func listOf[T any](items []T, next string) *reply[list[T]] {
	if items == nil {
		items = []T{}
	}
	return &reply[list[T]]{Body: list[T]{items, next}}
}

// reply is an answer with a body; the status is the operation's.
type reply[T any] struct{ Body T }

// empty is an answer without a body.
type empty struct{}

// none is a request without anything.
type none struct{}

// Paging holds the members of a request for a list.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at the most."`
	Cursor string `query:"cursor" maxLength:"100" doc:"What the former page gave as next."`
}

// Keyed is the header of writes. It is exported, as all parts of inputs are, for huma looks only into exported fields.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"The same key and request again gives the first answer and does nothing."`
}

// act describes an operation. Scope "" is any token.
type act struct {
	method, path, id, tag, summary, more string
	scope                                string
	status                               int // of a success; 0: 200
	raw, exact, stream                   bool
	open                                 bool // no token; a JSON body
	person                               bool // only for users who have signed in
}

// operation is the act for the OpenAPI document.
func (t act) operation() huma.Operation {
	op := huma.Operation{
		Method: t.method, Path: t.path, OperationID: t.id, Tags: []string{t.tag}, Summary: t.summary, Description: t.more,
		DefaultStatus: t.status, BodyReadTimeout: -1, MaxBodyBytes: -1, // serve has read the body, within limits
		Security: []map[string][]string{{"token": {}}, {"session": {}}},
	}
	if t.open {
		op.Security = nil
	}
	if t.person {
		op.Security = []map[string][]string{{"session": {}}}
	}
	if right := needOf(t).right; right != "" {
		op.Description = strings.TrimSpace(op.Description + "\n\nRight: `" + string(right) + "`.")
	}
	if t.scope != "" {
		op.Description = strings.TrimSpace(op.Description + "\n\nScope: `" + t.scope + "`.")
		op.Extensions = map[string]any{"x-scope": t.scope}
	}
	return op
}

func (t act) route() route {
	n := needOf(t)
	return route{
		id: t.id, scope: t.scope, right: n.right, audits: n.audits, raw: t.raw, exact: t.exact, stream: t.stream,
		open: t.open, json: t.open, person: t.person,
	}
}

// add registers a typed operation: huma reads and checks the input, writes the output and documents both.
func add[I, O any](a *API, t act, do func(context.Context, *I) (*O, error)) {
	op := t.operation()
	op.Responses = map[string]*huma.Response{"default": problemResponse()}
	a.routes[t.method+" "+t.path] = t.route()
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err == nil {
			return out, nil
		}
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError && !errors.Is(ctx.Err(), context.Canceled) {
			a.Log.ErrorContext(ctx, "api: failed", "operation", t.id, "status", p.Status, "err", err)
		}
		return nil, p
	})
}

// addPlain registers a handler that reads and writes bytes itself; fill completes its description.
func (a *API) addPlain(t act, h func(http.ResponseWriter, *http.Request) error, fill func(*huma.Operation)) {
	op := t.operation()
	op.Responses = map[string]*huma.Response{"default": problemResponse()}
	fill(&op)
	a.huma.OpenAPI().AddOperation(&op)
	a.handle(t.method+" "+t.path, t.route(), h)
}

// handle registers a pattern of the mux.
func (a *API) handle(pattern string, rt route, h func(http.ResponseWriter, *http.Request) error) {
	a.routes[pattern] = rt
	gated{a}.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// here is the caller's workspace: nobody reaches any other.
func here(ctx context.Context) chat.WorkspaceID { return callerOf(ctx).Workspace }

// openGet registers a page that wants no token.
func (a *API) openGet(path, id, tag, summary, mime string, h func(http.ResponseWriter, *http.Request) error) {
	op := act{method: http.MethodGet, path: path, id: id, tag: tag, summary: summary}.operation()
	op.Security = nil
	op.Responses = map[string]*huma.Response{"200": textResponse(summary, mime), "default": problemResponse()}
	a.huma.OpenAPI().AddOperation(&op)
	a.handle(http.MethodGet+" "+path, route{open: true}, h)
}
