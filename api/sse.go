package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
)

// Why a stream ends from our side. The client comes back with Last-Event-ID.
var (
	errClosed  = &chat.Fault{Code: chat.CodeUnavailable, Detail: "closing: come back soon"}
	errCut     = errors.New("api: the client reads too slowly, or its token was revoked")
	errRevoked = errors.New("api: the token is revoked or over")
)

// streamWrite is how long one write to a client may take.
const streamWrite = 15 * time.Second

// sse writes server-sent events (WHATWG HTML, section 9.2). The answer begins with the first write.
type sse struct {
	a       *API
	w       http.ResponseWriter
	rc      *http.ResponseController
	started bool
	buf     []byte
	ctx     context.Context // of the request
	sight   *sight          // nil: everything is shown
}

func newSSE(a *API, w http.ResponseWriter) *sse {
	return &sse{a: a, w: w, rc: http.NewResponseController(w)}
}

// look takes over what the reader may see by now.
func (s *sse) look(by access.Who) {
	switch now := newSight(s.a, by); {
	case now == nil || s.sight == nil:
		s.sight = now
	default:
		now.seen = s.sight.seen
		s.sight = now
	}
}

func (s *sse) start() {
	if s.started {
		return
	}
	s.started = true
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	s.w.WriteHeader(http.StatusOK)
}

// event writes one; JSON has no line ends, so it is one data line.
func (s *sse) event(f frame) error {
	if show, err := s.sight.shows(s.ctx, f); err != nil || !show {
		return err
	}
	b := s.buf[:0]
	if f.pos != 0 {
		b = append(b, "id: "...)
		b = strconv.AppendInt(b, f.pos, 10)
		b = append(b, '\n')
	}
	b = append(b, "event: "...)
	b = append(b, f.kind...)
	b = append(b, "\ndata: "...)
	b = append(b, f.data...)
	b = append(b, "\n\n"...)
	s.buf = b
	return s.send(b)
}

// mark is a sign of life that also tells the position: an id without data moves the client's Last-Event-ID and is no event.
func (s *sse) mark(pos int64) error {
	b := append(s.buf[:0], ": here\nid: "...)
	b = strconv.AppendInt(b, pos, 10)
	s.buf = append(b, "\n\n"...)
	return s.send(s.buf)
}

func (s *sse) send(b []byte) error {
	s.start()
	// an error only tells that this connection knows no deadlines
	_ = s.rc.SetWriteDeadline(s.a.Now().Add(streamWrite))
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.rc.Flush()
}

// failed passes an error on while it can still be answered; later the stream just ends, and the client comes back.
func (s *sse) failed(err error) error {
	if !s.started {
		return err
	}
	return nil
}

// end leaves the connection fit for the next request.
func (s *sse) end() { _ = s.rc.SetWriteDeadline(time.Time{}) }
