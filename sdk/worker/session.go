package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
)

// errDone ends a session whose context has ended.
var errDone = errors.New("worker: stopped")

// session is one set of sockets, from all being open to one being closed.
type session struct {
	*connector
	sockets []*websocket.Conn
	rpc, ai *websocket.Conn
	link    *aiLink
	calls   chan *request
	tasks   chan task
	healthy atomic.Bool // the hub has shown life after the registration
}

// session connects and serves until something ends it. It tells whether the hub showed life.
func (c *connector) session(ctx context.Context) (bool, error) {
	sockets, err := c.open(ctx)
	if err != nil {
		return false, err
	}
	s := &session{
		connector: c, sockets: sockets, rpc: sockets[0], ai: sockets[1], calls: make(chan *request, mostWaiting), tasks: make(chan task, mostWaiting),
	}
	s.link = newAILink(func(raw []byte) error { return s.write(ctx, s.ai, raw) }, c.AITimeout)
	err = s.serve(ctx)
	return s.healthy.Load(), err
}

// open opens all sockets: calls, questions to models, and sources if there are parsers. The hub sends no calls before the registration,
// so none comes too early.
func (c *connector) open(ctx context.Context) ([]*websocket.Conn, error) {
	names := []string{"rpc", "ai"}
	if len(c.Parsers) > 0 {
		names = append(names, "parse")
	}
	sockets, errs := make([]*websocket.Conn, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { sockets[i], errs[i] = c.dial(ctx, name) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, conn := range sockets {
			if conn != nil {
				_ = conn.CloseNow()
			}
		}
		return nil, err
	}
	return sockets, nil
}

func (c *connector) dial(ctx context.Context, socket string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, c.address(socket), &websocket.DialOptions{HTTPClient: c.HTTPClient}) //nolint:bodyclose // the library owns the body
	if err != nil {
		if response != nil && (response.StatusCode == http.StatusForbidden || response.StatusCode == http.StatusUnauthorized) {
			return nil, fmt.Errorf("worker: the hub refuses the token (HTTP %d)", response.StatusCode)
		}
		return nil, err
	}
	conn.SetReadLimit(c.ReadLimit)
	return conn, nil
}

// serve registers the flow and runs all parts of a session; the first that ends, ends the others.
func (s *session) serve(parent context.Context) error {
	ctx, end := context.WithCancelCause(parent)
	// Reading outlives ctx, so that the sockets can be closed by handshake instead of being torn.
	reading, stopReading := context.WithCancel(context.WithoutCancel(parent))
	defer stopReading()
	var parts sync.WaitGroup
	part := func(f func() error) { parts.Go(func() { end(f()) }) }
	part(func() error { return s.read(reading, s.rpc, s.onRPC) })
	part(func() error { return s.read(reading, s.ai, s.onAI) })
	for _, conn := range s.sockets {
		part(func() error { return s.ping(ctx, conn) })
	}
	for range s.Concurrency {
		s.running.Go(func() { s.work(ctx) })
	}
	err := s.register(ctx)
	if len(s.Parsers) > 0 && err == nil {
		parse := s.sockets[2]
		part(func() error { return s.read(reading, parse, s.onParse) })
		s.running.Go(func() { s.readSources(ctx, parse) })
		err = s.announce(ctx, parse)
	}
	if err != nil {
		end(err)
	}
	<-ctx.Done()
	s.close(parent.Err() != nil)
	parts.Wait()
	return context.Cause(ctx)
}

func (s *session) register(ctx context.Context) error {
	raw, err := s.Flow.registration()
	if err != nil {
		return err
	}
	if err := s.write(ctx, s.rpc, raw); err != nil {
		return err
	}
	s.Logger.Info("worker: connected", "flow", s.Flow.Name, "hub", s.base.Redacted())
	return nil
}

// close says good-bye if we leave, and is short when the connection is lost anyway.
func (s *session) close(leaving bool) {
	var wg sync.WaitGroup
	for _, conn := range s.sockets {
		wg.Go(func() {
			if leaving {
				_ = conn.Close(websocket.StatusNormalClosure, "")
			}
			_ = conn.CloseNow()
		})
	}
	wg.Wait()
}

func (s *session) read(ctx context.Context, conn *websocket.Conn, take func(context.Context, incoming)) error {
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		in, err := parseFrame(raw)
		if err != nil {
			s.Logger.Error("worker: bad frame from the hub", "error", err)
			continue
		}
		s.healthy.Store(in.Type != "error" || s.healthy.Load())
		take(ctx, in)
	}
}

// ping keeps the connection open through proxies and finds out when it is dead.
func (s *session) ping(ctx context.Context, conn *websocket.Conn) error {
	for {
		if !pauseFor(ctx, s.PingInterval) {
			return errDone
		}
		pong, cancel := context.WithTimeout(ctx, s.PongTimeout)
		err := conn.Ping(pong)
		cancel()
		if err != nil {
			return fmt.Errorf("worker: no pong: %w", err)
		}
		s.healthy.Store(true)
	}
}

// write has a time of its own: a function whose context has ended must not tear the socket.
func (s *session) write(ctx context.Context, conn *websocket.Conn, raw []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, raw)
}

func (s *session) onRPC(ctx context.Context, in incoming) {
	switch in.Type {
	case "rpc_request":
		r, err := parseRequest(in.Payload)
		if err != nil {
			s.Logger.Error("worker: bad call from the hub", "error", err)
			return
		}
		select {
		case s.calls <- r:
		default:
			s.refuse(ctx, r)
		}
	case "error":
		s.logHubError(in)
	default:
		s.Logger.Warn("worker: unknown frame from the hub", "type", in.Type)
	}
}

func (s *session) onAI(_ context.Context, in incoming) {
	switch {
	case in.Type == "error":
		if !s.link.fail(in.Payload) {
			s.logHubError(in)
		}
	case strings.HasSuffix(in.Type, "_request_result"):
		if err := s.link.deliver(in); err != nil {
			s.Logger.Warn("worker: answer dropped", "error", err)
		}
	default:
		s.Logger.Warn("worker: unknown frame from the hub", "type", in.Type)
	}
}

func (s *session) logHubError(in incoming) {
	_, errs := errorFrame(in.Payload)
	s.Logger.Error("worker: the hub reports an error", "flow", s.Flow.Name, "status", in.Status, "errors", errs)
}
