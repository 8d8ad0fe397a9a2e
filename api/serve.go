package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// actionHeader tells the caller under which id our log speaks of the request.
const actionHeader = "X-Action-Id"

func actionOf(ctx context.Context) chat.ActionID { return telemetry.Action(ctx) }

// ServeHTTP is the way of every request: action id, safety headers, route, token, limits, body, idempotency, handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action := chat.NewID()
	r = r.WithContext(telemetry.WithAction(r.Context(), chat.ActionID(action)))
	h := w.Header()
	h.Set(actionHeader, action)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	tw := &tracked{ResponseWriter: w}
	defer a.recovered(tw, r)
	a.bound(w)
	defer a.bound(w) // what the handler left of the body is read after it
	if a.cors(tw, r) {
		return
	}
	if err := a.serve(tw, r); err != nil {
		a.fail(tw, r, err)
	}
}

// bound limits how long a caller may take to send its body and to read the answer, from now on; handlers that stream set other limits.
// Everything is bounded, refused calls too: net/http reads the rest of their bodies.
func (a *API) bound(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	// errors only tell that this connection knows no deadlines
	_ = rc.SetReadDeadline(a.Now().Add(a.Limits.Timeout))
	_ = rc.SetWriteDeadline(a.Now().Add(2 * a.Limits.Timeout))
}

// serve does what stands before the handler; an error has not been answered yet.
func (a *API) serve(w http.ResponseWriter, r *http.Request) error {
	found, pattern := a.mux.Handler(r)
	rt, ok := a.routes[pattern]
	if !ok {
		return noRoute(found, r)
	}
	if !rt.stream {
		ctx, cancel := context.WithTimeout(r.Context(), a.Limits.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	r = a.withVisit(r)
	if rt.open {
		return a.serveOpen(w, r, rt)
	}
	who, err := a.identify(r)
	if err != nil {
		return err
	}
	if err := a.allowed(w, who, rt); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	r = r.WithContext(withCaller(r.Context(), who))
	if rt.raw {
		a.mux.ServeHTTP(w, r)
		return nil
	}
	body, err := a.readJSON(w, r)
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if rt.exact || !isWrite(r.Method) || r.Header.Get(keyHeader) == "" {
		a.mux.ServeHTTP(w, r)
		return nil
	}
	return a.once(w, r, who.Token, body)
}

// serveOpen is for what wants no token.
func (a *API) serveOpen(w http.ResponseWriter, r *http.Request, rt route) error {
	if rt.json {
		body, err := a.readJSON(w, r)
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	a.mux.ServeHTTP(w, r)
	return nil
}

// fail answers an error and logs those that are ours.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && !errors.Is(r.Context().Err(), context.Canceled) {
		a.Log.ErrorContext(r.Context(), "api: failed", "method", r.Method, "path", r.URL.Path, "status", p.Status, "err", err)
	}
	p.write(w)
}

// recovered turns a panic into a 500, if nothing was answered yet.
func (a *API) recovered(w *tracked, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	a.Log.ErrorContext(r.Context(), "api: panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.wrote {
		panic(http.ErrAbortHandler) // a half answer must not look like a whole one
	}
	problem(codeInternal, "something went wrong on our side; the action id finds it in our log").write(w)
}

// tracked knows whether an answer has begun.
type tracked struct {
	http.ResponseWriter
	wrote bool
}

func (t *tracked) WriteHeader(status int) {
	t.wrote = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracked) Write(b []byte) (int, error) {
	t.wrote = true
	return t.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// noRoute words the mux's own 404 and 405 as problems.
func noRoute(found http.Handler, r *http.Request) error {
	rec := &blackHole{header: http.Header{}}
	found.ServeHTTP(rec, r)
	if rec.status == http.StatusMethodNotAllowed {
		return problem(codeMethod, r.Method+" is not among "+rec.header.Get("Allow")).with("Allow", rec.header.Get("Allow"))
	}
	return problem(string(chat.CodeNotFound), "there is nothing at this path")
}

// blackHole hears what a handler would answer.
type blackHole struct {
	header http.Header
	status int
}

func (b *blackHole) Header() http.Header         { return b.header }
func (b *blackHole) WriteHeader(status int)      { b.status = status }
func (b *blackHole) Write(p []byte) (int, error) { return len(p), nil }

func isWrite(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

// readJSON reads a body that is JSON, or none, within the limits of size and depth.
func (a *API) readJSON(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := readBody(w, r, a.Limits.Body)
	if err != nil || len(body) == 0 {
		return nil, err
	}
	if ct := r.Header.Get("Content-Type"); ct != "" {
		if mt, _, err := mime.ParseMediaType(ct); err != nil || mt != "application/json" {
			return nil, problem(codeMedia, "the body must be application/json")
		}
	}
	if !utf8.Valid(body) { // else it would be kept with its wrong bytes replaced
		return nil, problem(codeMalformed, "the body is not valid UTF-8")
	}
	if chat.Depth(body) > maxDepth {
		return nil, invalid(ProblemDetail{"body", fmt.Sprintf("nested deeper than %d", maxDepth)})
	}
	return body, nil
}

// readBody reads all of a body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, problem(codeMalformed, "the body could not be read to its end")
	}
	return body, nil
}

func tooLarge(limit int64) *Problem {
	return problem(string(chat.CodeTooLarge), fmt.Sprintf("the body has more than %d bytes", limit))
}

// maxDepth is how deep objects and lists of a body may be nested.
const maxDepth = 64

// cors answers pre-flights of allowed origins and marks answers to them; true: the request is answered.
func (a *API) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || len(a.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !slices.Contains(a.Origins, origin) && !slices.Contains(a.Origins, "*") {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", strings.Join([]string{actionHeader, replayedHeader, "Retry-After", "Location"}, ", "))
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// remoteIP is the caller's address; behind a trusted proxy, what that proxy saw.
func (a *API) remoteIP(r *http.Request) string {
	if a.TrustProxy {
		// some proxies add a line of their own behind the caller's
		all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if ip := strings.TrimSpace(all[len(all)-1]); net.ParseIP(ip) != nil {
			return ip
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
