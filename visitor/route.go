package visitor

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// call is one request of a visitor. Who is nobody on calls that need no token.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	site *site
	who  visitor
}

type handler func(c *call) error

// OpenAPIPath is where the calls are described.
const OpenAPIPath = Prefix + "openapi.json"

// routes are all calls, and their description.
func (s *Server) routes() {
	all := s.deeds()
	for _, d := range all {
		gate := s.private
		if d.open {
			gate = s.public
		}
		s.mux.HandleFunc(d.method+" "+Prefix+"{channel}/"+d.name, gate(d.handle))
	}
	s.mux.HandleFunc("OPTIONS "+Prefix+"{channel}/{call}", s.public(func(*call) error { return nil }))
	doc, err := s.describe(all)
	if err != nil {
		panic("visitor: OpenAPI document: " + err.Error()) // made of our own types at start: a programmer's error
	}
	s.mux.HandleFunc("GET "+OpenAPIPath, showOpenAPI(doc))
}

// callTime is how long a visitor may take to send a small body.
const callTime = 30 * time.Second

// ServeHTTP answers all paths below Prefix.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if telemetry.Action(ctx) == "" {
		ctx = telemetry.WithAction(ctx, chat.ActionID(chat.NewID()))
	}
	h := w.Header()
	h.Set("X-Action-Id", string(telemetry.Action(ctx)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(s.Now().Add(callTime)) // errors: this connection knows no deadlines; uploads and streams set others
	_ = rc.SetWriteDeadline(s.Now().Add(2 * callTime))
	defer s.recovered(w, r)
	s.mux.ServeHTTP(w, r.WithContext(ctx))
}

// Route names the pattern of a request, for metrics.
func (s *Server) Route(r *http.Request) string {
	_, pattern := s.mux.Handler(r)
	return pattern
}

// public checks what every call has to pass: the address's pace, the channel, the page's origin.
func (s *Server) public(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{w: w, r: r}
		if err := s.admit(c, h); err != nil {
			s.fail(c, err)
		}
	}
}

// private checks the token too.
func (s *Server) private(h handler) http.HandlerFunc {
	return s.public(func(c *call) error {
		var err error
		if c.who, err = s.bearer(c.site, c.r); err != nil {
			return err
		}
		if c.site.AuthenticationRequired && c.who.Known == "" { // it was not when the token was made
			return errNotSigned()
		}
		return h(c)
	})
}

func (s *Server) admit(c *call, h handler) error {
	if err := s.paces.calls.take(s.address(c.r), s.Now()); err != nil {
		return err
	}
	var err error
	if c.site, err = s.sites.find(c.r.Context(), chat.ChannelID(c.r.PathValue("channel"))); err != nil {
		return err
	}
	if done, err := s.cors(c); done || err != nil {
		return err
	}
	if s.isStopping() {
		return chat.Faultf(chat.CodeUnavailable, "closing: come back soon")
	}
	return h(c)
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

func (s *Server) address(r *http.Request) string {
	if s.Address != nil {
		return s.Address(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// body reads a small JSON body.
func (s *Server) body(c *call, into any) error {
	if ct, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || ct != "application/json" {
		return refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "the body must be application/json"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, s.Limits.Body))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return chat.Faultf(chat.CodeTooLarge, "the body is too large")
	}
	if err != nil || !utf8.Valid(raw) || chat.Depth(raw) > maxDepth || json.Unmarshal(raw, into) != nil {
		return refusal{http.StatusBadRequest, "malformed", "the body is not the JSON that this call wants"}
	}
	return nil
}

// maxDepth is how deep a body may be nested.
const maxDepth = 16

// answer writes JSON.
func (c *call) answer(status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(raw) // the reader may have left
	return nil
}

func (c *call) done() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// recovered ends a request whose handler broke down.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	s.Log.ErrorContext(r.Context(), "visitor: panic", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	s.fail(&call{w: w, r: r}, errors.New("panic"))
}
