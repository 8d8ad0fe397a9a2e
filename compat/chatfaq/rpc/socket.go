package rpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/dragoman-hub/dragoman/store"
)

// The times of a socket.
const (
	pingEvery  = 20 * time.Second
	pongWithin = 20 * time.Second
	writeTime  = 10 * time.Second
)

// Bounds of what waits for a worker that reads too slowly.
const (
	maxWaiting      = 4096
	maxWaitingBytes = 16 << 20
)

// reasons why the hub closes a socket.
var (
	errSlow     = errors.New("reads too slowly")
	errSilent   = errors.New("no answer to a ping")
	errRevoked  = errors.New("the token is good no longer")
	errStopping = errors.New("the hub stops")
	errBinary   = errors.New("frames are text")
)

// codes are the close codes of the reasons; any other reason is a broken connection.
var codes = map[error]websocket.StatusCode{
	errSlow: websocket.StatusPolicyViolation, errSilent: websocket.StatusInternalError, errRevoked: websocket.StatusPolicyViolation,
	errStopping: websocket.StatusGoingAway, errBinary: websocket.StatusUnsupportedData,
}

// socket is one connection of a worker. What is sent waits in a bounded queue, so that sending never blocks; a worker that lets
// the queue run full is cut off.
type socket struct {
	conn  *websocket.Conn
	token store.Token
	hash  string // of the token
	end   context.CancelCauseFunc

	mu      sync.Mutex
	waiting [][]byte
	bytes   int
	ready   chan struct{} // holds a token while frames wait
}

// kind is what a socket is for.
type kind struct {
	frame  func(ctx context.Context, c *socket, in incoming) // with a good envelope; one after the other
	opened func(c *socket)
	closed func(c *socket) // called once, as soon as the socket is of no use any more
}

// accept checks the token and serves a socket to its end.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, k kind) {
	token, hash, err := s.authenticate(r, r.URL.Query().Get("token"))
	if err == nil {
		err = s.reserve(token.ID)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	defer s.release(token.ID)
	// what a browser could send on behalf of another site has no token
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // answered
	}
	conn.SetReadLimit(s.Limits.Frame)
	base := context.WithoutCancel(r.Context())
	ctx, end := context.WithCancelCause(base)
	c := &socket{conn: conn, token: token, hash: hash, end: end, ready: make(chan struct{}, 1)}
	s.keep(c)
	k.opened(c)
	var wg sync.WaitGroup
	wg.Go(func() { c.write(ctx) })
	wg.Go(func() { c.ping(ctx) })
	wg.Go(func() {
		<-ctx.Done()
		s.forget(c)
		k.closed(c)
		c.close(context.Cause(ctx))
	})
	// reading has a context of its own: to cancel it would break the connection before the reason is told
	end(s.read(base, ctx, c, k))
	wg.Wait()
	s.Log.Debug("rpc: socket closed", "path", r.URL.Path, "caller", token.ID, "why", context.Cause(ctx))
}

// read hands frames on, one after the other, at the pace that is allowed.
func (s *Server) read(base, ctx context.Context, c *socket, k kind) error {
	pace := rate.NewLimiter(rate.Limit(s.Limits.Rate), s.Limits.Rate)
	for {
		form, frame, err := c.conn.Read(base)
		if err != nil {
			return err
		}
		if form != websocket.MessageText {
			return errBinary
		}
		in, err := readFrame(frame)
		if err != nil {
			c.send(errorFrame(err))
		} else {
			k.frame(ctx, c, in)
		}
		if err := pace.Wait(ctx); err != nil {
			return err
		}
	}
}

// close says why, if it is the hub that ends it.
func (c *socket) close(cause error) {
	if code, ours := codes[cause]; ours {
		_ = c.conn.Close(code, cause.Error()) // an error tells only that nobody listens any more
		return
	}
	_ = c.conn.CloseNow()
}

// cut ends a socket.
func (c *socket) cut(why error) { c.end(why) }

// send queues a frame.
func (c *socket) send(v any) {
	raw, err := encode(v)
	if err != nil {
		c.cut(fmt.Errorf("rpc: %w", err))
		return
	}
	c.post(raw)
}

func (c *socket) post(raw []byte) {
	c.mu.Lock()
	c.waiting = append(c.waiting, raw)
	c.bytes += len(raw)
	full := len(c.waiting) > maxWaiting || c.bytes > maxWaitingBytes
	c.mu.Unlock()
	if full {
		c.cut(errSlow)
	}
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

func (c *socket) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.waiting = nil
		return nil
	}
	raw := c.waiting[0]
	c.waiting[0], c.waiting = nil, c.waiting[1:]
	c.bytes -= len(raw)
	return raw
}

func (c *socket) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ready:
		}
		for raw := c.next(); raw != nil; raw = c.next() {
			within, cancel := context.WithTimeoutCause(ctx, writeTime, errSlow)
			err := c.conn.Write(within, websocket.MessageText, raw)
			if context.Cause(within) == errSlow {
				err = errSlow
			}
			cancel()
			if err != nil {
				c.cut(err)
				return
			}
		}
	}
}

func (c *socket) ping(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		within, cancel := context.WithTimeout(ctx, pongWithin)
		err := c.conn.Ping(within)
		cancel()
		if err != nil {
			c.cut(errSilent)
			return
		}
	}
}
