package widget

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
)

// mountREST puts the calls into a mux; each also answers the browser's question whether it may be made from another page.
func (s *Server) mountREST(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /back/api/broker/conversations/from_sender/{$}":    s.fromSender,
		"GET /back/api/broker/conversations/{id}/{$}":           s.conversation,
		"PATCH /back/api/broker/conversations/{id}/{$}":         s.rename,
		"DELETE /back/api/broker/conversations/{id}/{$}":        s.hide,
		"POST /back/api/broker/conversations/{id}/download/{$}": s.download,
		"GET /back/api/broker/user-feedback/{$}":                s.listFeedback,
		"POST /back/api/broker/user-feedback/{$}":               s.addFeedback,
		"GET /back/api/broker/user-feedback/{id}/{$}":           s.oneFeedback,
		"PATCH /back/api/broker/user-feedback/{id}/{$}":         s.changeFeedback,
		"POST /back/api/broker/conversation-feedback/{$}":       s.conversationFeedback,
		"GET /back/api/widget/widgets/{id}/{$}":                 s.configuration,
		"POST /back/api/broker/file-upload/{$}":                 s.upload,
		"PUT /back/uploads/{conversation}/{number}":             s.put,
	} {
		mux.HandleFunc(pattern, s.rest(do))
	}
	mux.HandleFunc("OPTIONS /back/api/", func(w http.ResponseWriter, _ *http.Request) { preflight(w) })
	mux.HandleFunc("OPTIONS /back/uploads/", func(w http.ResponseWriter, _ *http.Request) { preflight(w) })
}

// restTime bounds one call.
const restTime = 30 * time.Second

// rest runs a call and words its error.
func (s *Server) rest(do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allow(w)
		r = s.visited(r)
		limit := restTime
		if r.Method == http.MethodPut || strings.HasSuffix(r.URL.Path, "/file-upload/") {
			limit = uploadTime
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(s.Now().Add(limit)) // an error: this connection knows no deadlines
		_ = rc.SetWriteDeadline(s.Now().Add(2 * limit))
		if err := do(w, r.WithContext(ctx)); err != nil {
			s.fail(w, r, err)
		}
	}
}

// allow lets pages of any origin read the answer: there are no cookies, and what opens a conversation is its number or a token.
func allow(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Disposition")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

func preflight(w http.ResponseWriter) {
	allow(w)
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "accept, authorization, content-type, origin, widget-id, x-requested-with")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// refused is an answer other than yes; the member of the body is "detail" unless the protocol has another.
type refused struct {
	status int
	member string
	detail string
}

func (r refused) Error() string { return r.detail }

func problem(status int, detail string) error { return refused{status, "detail", detail} }

// orProblem is the error, if there is one, else a problem.
func orProblem(err error, status int, detail string) error {
	if err != nil {
		return err
	}
	return problem(status, detail)
}

// errNoToken is what clients of a conversation that requires a token are told.
func errNoToken() error {
	return refused{http.StatusUnauthorized, "error", "Authentication required"}
}

func errNotFound() error { return problem(http.StatusNotFound, "Not found.") }

// statuses of the hub's faults.
var statuses = map[chat.Code]int{
	chat.CodeInvalid: http.StatusBadRequest, chat.CodeNotFound: http.StatusNotFound, chat.CodeTooLarge: http.StatusRequestEntityTooLarge,
	chat.CodeUnavailable: http.StatusServiceUnavailable, chat.CodeForbidden: http.StatusForbidden, chat.CodeConflict: http.StatusConflict,
	chat.CodeClosed: http.StatusConflict, door.CodeThrottled: http.StatusTooManyRequests,
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if many, ok := errors.AsType[*door.TooManyError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(many.After.Seconds())+1))
	}
	no, known := errors.AsType[refused](err)
	if !known {
		no = refused{statuses[chat.CodeOf(err)], "detail", err.Error()}
		if f, ok := errors.AsType[*chat.Fault](err); ok {
			no.detail = f.Detail
		}
	}
	if no.status == 0 {
		s.Log.ErrorContext(r.Context(), "widget: failed", "method", r.Method, "path", r.URL.Path, "err", err)
		no = refused{http.StatusInternalServerError, "detail", "something went wrong on our side"}
	}
	_ = answer(w, no.status, map[string]string{no.member: no.detail}) // the caller may have gone
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err := w.Write(encoded(v))
	if err != nil {
		return nil //nolint:nilerr // the caller has gone: there is nobody to tell
	}
	return nil
}

// maxBody bounds the JSON of a call, in bytes.
const maxBody = 64 << 10

// body reads a JSON object.
func body(r *http.Request, into any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return problem(http.StatusBadRequest, "the body could not be read to its end")
	case len(raw) > maxBody:
		return problem(http.StatusRequestEntityTooLarge, "the body is too large")
	case chat.Depth(raw) > maxDepth || json.Unmarshal(raw, into) != nil:
		return problem(http.StatusBadRequest, "JSON parse error: want an object with the fields of this call")
	}
	return nil
}

// bearer is the token of a call: "Authorization: Token TOKEN".
func bearer(r *http.Request) string {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Token") && !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// page is one page of a list.
type page struct {
	Count    int     `json:"count"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
	Results  any     `json:"results"`
}

// Bounds of a page.
const (
	usualPage = 50
	maxPage   = 500
)

// paged cuts a list by the query's limit and offset.
func paged[T any](s *Server, r *http.Request, all []T) page {
	q := r.URL.Query()
	limit, offset := whole(q.Get("limit"), usualPage), whole(q.Get("offset"), 0)
	if limit = min(limit, maxPage); limit == 0 {
		limit = usualPage
	}
	from, to := min(offset, len(all)), min(offset+limit, len(all))
	out := page{Count: len(all), Results: append([]T{}, all[from:to]...)}
	if to < len(all) {
		out.Next = s.pageLink(r, limit, to)
	}
	if from > 0 {
		out.Previous = s.pageLink(r, limit, max(0, from-limit))
	}
	return out
}

func (s *Server) pageLink(r *http.Request, limit, offset int) *string {
	q := r.URL.Query()
	q.Set("limit", strconv.Itoa(limit))
	q.Set("offset", strconv.Itoa(offset))
	link := (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String()
	link = s.base(r) + link
	return &link
}

// whole reads a number from 0 to a million.
func whole(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1_000_000 {
		return otherwise
	}
	return n
}
