package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

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
}

func newSSE(a *API, w http.ResponseWriter) *sse {
	return &sse{a: a, w: w, rc: http.NewResponseController(w)}
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

// events writes frames and then sends them, all at once.
func (s *sse) events(frames []*frame) error {
	if len(frames) == 0 {
		return nil
	}
	s.begin()
	buf := s.a.streams.scratch.Get().(*[]byte)
	defer s.a.streams.scratch.Put(buf)
	for len(frames) > 0 {
		piece, n := frames[0].wire, 1
		if len(frames) > 1 {
			piece, n = gather((*buf)[:0], frames)
			*buf = piece
		}
		if _, err := s.w.Write(piece); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return s.rc.Flush()
}

// pieceSize is about how much is written at once: net/http cuts small writes into smaller ones, and a large one has to be kept for as long
// as a slow client takes.
const pieceSize = 16 << 10

// gather puts frames together, the first one at least; the answer is how many.
func gather(into []byte, frames []*frame) (piece []byte, n int) {
	for n < len(frames) && (n == 0 || len(into)+len(frames[n].wire) <= pieceSize) {
		into = append(into, frames[n].wire...)
		n++
	}
	return into, n
}

// mark is a sign of life that also tells the position: an id without data moves the client's Last-Event-ID and is no event.
func (s *sse) mark(pos int64) error {
	s.begin()
	if _, err := fmt.Fprintf(s.w, ": here\nid: %d\n\n", pos); err != nil {
		return err
	}
	return s.rc.Flush()
}

// begin is before each write: it may take only so long.
func (s *sse) begin() {
	s.start()
	// an error only tells that this connection knows no deadlines
	_ = s.rc.SetWriteDeadline(s.a.Now().Add(streamWrite))
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
