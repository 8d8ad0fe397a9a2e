package visitor

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// reader is a stream on its way to a visitor: server-sent events (WHATWG HTML, section 9.2) whose ids are positions in the log.
type reader struct {
	s     *Server
	c     *call
	rc    *http.ResponseController
	ctx   context.Context //nolint:containedctx // lives as long as its request
	seen  int64           // what stands until here was written
	state []byte          // as it was written last
	buf   []byte
}

// Why a stream ends from our side; the visitor comes back.
var (
	errSlow     = errors.New("visitor: frames were not taken")
	errStopping = errors.New("visitor: the server stops")
)

// stream gives what happens after a position, and then what happens.
func (s *Server) stream(c *call) error {
	after, err := position(c.r)
	if err != nil {
		return err
	}
	leave, err := s.enter(c)
	if err != nil {
		return err
	}
	defer leave()
	ctx := c.r.Context()
	f, room, l, err := s.feeds.enter(ctx, c.site, c.who.address())
	if err != nil {
		return err
	}
	defer s.feeds.leave(f, room, l)
	rd := &reader{s: s, c: c, rc: http.NewResponseController(c.w), ctx: ctx, seen: after}
	missed, err := s.missed(ctx, c, f, room, after)
	if err != nil {
		return err
	}
	rd.start()
	defer func() { _ = rd.rc.SetWriteDeadline(time.Time{}) }() // an error: this connection knows no deadlines
	if err = rd.writeAll(missed); err == nil {
		err = rd.tellState(0)
	}
	if err == nil {
		err = rd.live(f, l)
	}
	s.Log.DebugContext(ctx, "visitor: a stream ended", "err", err) // the answer has begun: the visitor comes back
	return nil
}

// position reads from where a stream begins.
func position(r *http.Request) (int64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, chat.Faultf(chat.CodeInvalid, "Last-Event-ID, or after: the position of the snapshot")
	}
	return n, nil
}

// enter makes room for a stream.
func (s *Server) enter(c *call) (leave func(), err error) {
	mine, near := "v"+c.who.address(), "a"+s.address(c.r)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return nil, chat.Faultf(chat.CodeUnavailable, "closing: come back soon")
	case s.count >= s.Limits.Streams:
		return nil, chat.Faultf(chat.CodeUnavailable, "too many visitors: try again soon")
	case s.open[mine] >= s.Limits.Mine || s.open[near] >= s.Limits.Near:
		return nil, paceError{5 * time.Second}
	}
	s.count++
	s.open[mine]++
	s.open[near]++
	s.streams.Add(1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.count--
		for _, name := range []string{mine, near} {
			if s.open[name]--; s.open[name] <= 0 {
				delete(s.open, name)
			}
		}
		s.streams.Done()
	}, nil
}

// missed makes the frames of what happened after a position. When that is too much, or the position is of no log of ours, the one frame
// is reset: the visitor reads a snapshot then.
func (s *Server) missed(ctx context.Context, c *call, f *feed, r *room, after int64) ([]*frame, error) {
	w, err := s.Store.Workspace(ctx, c.site.workspace)
	if err != nil {
		return nil, err
	}
	reset := []*frame{newFrame(0, "reset", struct{}{})}
	conv, err := s.conversation(ctx, c)
	if chat.CodeOf(err) == chat.CodeNotFound {
		if after > w.Head {
			return reset, nil
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f.follow(r, conv.ID)
	events, err := s.Store.LastEvents(ctx, c.site.workspace, conv.ID, 0, s.Limits.Window)
	if err != nil {
		return nil, err
	}
	// the first of them tells whether something may have happened before it that was not seen: in this conversation, or in one before
	if after > w.Head || len(events) > 0 && events[0].Pos > after && (events[0].Seq > 1 || conv.Previous != "") {
		return reset, nil
	}
	var out []*frame
	for _, e := range events {
		if e.Pos <= after {
			continue
		}
		if fr := s.frame(c.site, e); fr != nil {
			out = append(out, fr)
		}
	}
	return out, nil
}

func (rd *reader) start() {
	h := rd.c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	rd.c.w.WriteHeader(http.StatusOK)
	_ = rd.rc.SetReadDeadline(time.Time{}) // an error: this connection knows no deadlines
	_ = rd.send(append(rd.buf[:0], ": here\n\n"...))
}

// live writes what comes until the visitor goes, is too slow, or we stop.
func (rd *reader) live(f *feed, l *listener) error {
	beat := time.NewTicker(rd.s.Limits.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-rd.ctx.Done():
			return rd.ctx.Err()
		case <-rd.s.stop:
			return errStopping
		case <-l.bell:
			frames, over := f.take(l)
			if err := rd.writeAll(frames); err != nil {
				return err
			}
			if over {
				return errSlow
			}
		case <-beat.C:
			if err := rd.beat(); err != nil {
				return err
			}
		}
	}
}

// beat is a sign of life. Who waits in a queue learns where they stand.
func (rd *reader) beat() error {
	if bytes.Contains(rd.state, []byte(`"place":"queued"`)) {
		if err := rd.tellState(0); err != nil {
			return err
		}
	}
	return rd.send(append(rd.buf[:0], ": here\n\n"...))
}

func (rd *reader) writeAll(frames []*frame) error {
	for _, fr := range frames {
		if fr.pos != 0 && fr.pos <= rd.seen {
			continue
		}
		rd.seen = max(rd.seen, fr.pos)
		if err := rd.write(fr); err != nil {
			return err
		}
	}
	return nil
}

func (rd *reader) write(fr *frame) error {
	if fr.state {
		return rd.tellState(fr.pos)
	}
	return rd.event(fr.pos, fr.kind, fr.data)
}

// tellState writes where the conversation is now, unless that was written already.
func (rd *reader) tellState(pos int64) error {
	st, err := rd.s.stateNow(rd.ctx, rd.c)
	if err != nil {
		rd.s.Log.WarnContext(rd.ctx, "visitor: where a conversation is cannot be read", "err", err)
		return nil // the next sign of life, or event, tries again
	}
	raw := newFrame(0, "", st).data
	if bytes.Equal(raw, rd.state) {
		return nil
	}
	rd.state = raw
	return rd.event(pos, "state", raw)
}

// event writes one; JSON has no line ends, so it is one data line.
func (rd *reader) event(pos int64, kind string, data []byte) error {
	b := rd.buf[:0]
	if pos != 0 {
		b = append(b, "id: "...)
		b = strconv.AppendInt(b, pos, 10)
		b = append(b, '\n')
	}
	b = append(b, "event: "...)
	b = append(b, kind...)
	b = append(b, "\ndata: "...)
	b = append(b, data...)
	rd.buf = append(b, "\n\n"...)
	return rd.send(rd.buf)
}

// keepBuffer is how large a buffer an idle stream keeps, in bytes.
const keepBuffer = 1 << 10

func (rd *reader) send(b []byte) error {
	_ = rd.rc.SetWriteDeadline(rd.s.Now().Add(rd.s.Limits.Write)) // an error: this connection knows no deadlines
	if _, err := rd.c.w.Write(b); err != nil {
		return err
	}
	if cap(rd.buf) > keepBuffer {
		rd.buf = nil
	}
	return rd.rc.Flush()
}
