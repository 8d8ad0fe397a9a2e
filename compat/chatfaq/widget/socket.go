package widget

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/dragoman-hub/dragoman/chat"
)

// Close codes of the protocol. The widget shows the reason and does not come back; after any other code it comes back in a second.
const (
	closeRefused = websocket.StatusCode(4000)
	closeNoToken = websocket.StatusCode(3000)
)

// name is what stands in the path of a socket.
var name = regexp.MustCompile(`^[\w-]{1,200}$`)

// socket is one connection of a client.
type socket struct {
	s      *Server
	c      *websocket.Conn
	site   site
	thread chat.Thread // address: the user, topic: the client's name of the conversation
	base   string
	token  string // that it was opened with
	out    chan *frame
	fresh  bool          // this connection opened the conversation
	past   []*frame      // to be written first
	waits  atomic.Int64  // bytes in out
	over   chan struct{} // closed when the client is cut off
	once   sync.Once
	pace   *rate.Limiter
}

// cut ends a client that is too slow.
func (k *socket) cut() { k.once.Do(func() { close(k.over) }) }

// broker is the way of a connection: accept, then check, then talk. What is wrong is told by a close code, for browsers do not show why
// a handshake failed; only pages of other origins are refused at the door.
func (s *Server) broker(w http.ResponseWriter, r *http.Request) {
	k := &socket{
		s: s, thread: chat.Thread{Address: r.PathValue("user"), Topic: r.PathValue("conversation")}, base: s.base(r),
		out: make(chan *frame, s.Limits.Buffer), over: make(chan struct{}),
		pace: rate.NewLimiter(rate.Limit(s.Limits.Rate), 3*s.Limits.Rate),
	}
	flow := r.PathValue("flow")
	if !name.MatchString(flow) || !name.MatchString(k.thread.Address) || !name.MatchString(k.thread.Topic) {
		http.NotFound(w, r)
		return
	}
	if x, err := s.sites.find(r.Context(), flow); err == nil && !x.allows(r.Header.Get("Origin")) {
		http.Error(w, "this page may not open a chat", http.StatusForbidden)
		return
	}
	r = s.visited(r)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if !s.enter(k, cancel) {
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	}
	defer s.leave(k)
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // our own check of origins knows the channel
	if err != nil {
		return // it has answered
	}
	defer c.CloseNow() //nolint:errcheck // it may be closed already
	c.SetReadLimit(s.Limits.Frame)
	k.c = c
	k.talk(ctx, flow, r)
}

// talk checks, opens the conversation, and lives as long as the connection.
func (k *socket) talk(ctx context.Context, flow string, r *http.Request) {
	err := k.admit(ctx, flow, r)
	if err == nil {
		err = k.converse(ctx, r)
	}
	code, reason := closing(err)
	_ = k.c.Close(code, clip(reason)) // the client may have gone
}

// refusal ends a connection with a code of the protocol.
type refusal struct {
	code   websocket.StatusCode
	reason string
}

func (r refusal) Error() string { return r.reason }

var (
	errStopping = errors.New("the server stops")
	errSlow     = errors.New("too slow: frames were not taken")
)

// closing words the end of a connection.
func closing(err error) (websocket.StatusCode, string) {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.code, r.reason
	}
	switch {
	case err == nil:
		return websocket.StatusNormalClosure, ""
	case errors.Is(err, errStopping):
		return websocket.StatusGoingAway, errStopping.Error()
	case errors.Is(err, errSlow):
		return websocket.StatusPolicyViolation, errSlow.Error()
	case errors.Is(err, errCrowded):
		return websocket.StatusTryAgainLater, errCrowded.Error()
	case chat.CodeOf(err) != "":
		return websocket.StatusTryAgainLater, err.Error()
	default:
		return websocket.StatusInternalError, "something went wrong on our side"
	}
}

// maxReason is how long a reason may be, in bytes.
const maxReason = 123

// clip cuts a reason between two characters.
func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	end := 0
	for i := range s {
		if i > maxReason {
			break
		}
		end = i
	}
	return s[:end]
}

// patience is between two looks for a flow, or its workers, that are not there yet.
const patience = 200 * time.Millisecond

// admit waits for the flow and its workers, which may come a little later than the clients after a restart, and checks the token.
func (k *socket) admit(ctx context.Context, flow string, r *http.Request) error {
	grace, cancel := context.WithTimeout(ctx, k.s.Limits.Grace)
	defer cancel()
	tick := time.NewTicker(patience)
	defer tick.Stop()
	var last error // refusal; a look that the end of the grace cuts short tells nothing
	for {
		err := k.look(grace, flow)
		if err == nil {
			break
		}
		if _, refused := errors.AsType[refusal](err); refused {
			last = err
		} else if last == nil || grace.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-k.s.stop:
			return errStopping
		case <-grace.Done():
			return last
		}
	}
	if !k.site.allows(r.Header.Get("Origin")) {
		return refusal{closeRefused, "`this page may not open a chat`"}
	}
	k.token = r.URL.Query().Get("token")
	if err := k.authorized(ctx); err != nil {
		return err
	}
	return k.elsewhere(ctx, r.Header.Get("Origin"))
}

// authorized checks the token where one is required.
func (k *socket) authorized(ctx context.Context) error {
	if !k.site.settings.AuthenticationRequired {
		return nil
	}
	good, err := k.s.good(ctx, k.site.workspace, k.token)
	if err == nil && !good {
		err = refusal{closeNoToken, "`Authentication failed`"}
	}
	return err
}

// look finds the channel of the flow.
func (k *socket) look(ctx context.Context, flow string) (err error) {
	k.site, err = k.s.sites.of(ctx, flow)
	switch {
	case chat.CodeOf(err) == chat.CodeNotFound:
		return refusal{closeRefused, "`No FSM found with name " + flow + "`"}
	case err != nil:
		return err
	case k.site.workers && k.s.Workers != nil && !k.s.Workers(k.site.workspace, flow):
		return refusal{closeRefused, "`No RPC worker " + flow + " connected`"}
	}
	return nil
}

// write sends frames until the client goes, or is too slow.
func (k *socket) write(ctx context.Context, seen int64) error {
	past := k.past
	k.past = nil
	for _, fr := range past {
		if err := k.send(ctx, fr); err != nil {
			return err
		}
	}
	ping := time.NewTicker(k.s.Limits.Ping)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.s.stop:
			return errStopping
		case <-k.over:
			return errSlow
		case fr := <-k.out:
			k.waits.Add(-int64(len(fr.data)))
			if fr.at != 0 && fr.at <= seen {
				continue
			}
			if err := k.send(ctx, fr); err != nil {
				return err
			}
		case <-ping.C:
			if err := k.ping(ctx); err != nil {
				return err
			}
			// the token may have been revoked; when nobody can tell, it is believed
			if no, refused := errors.AsType[refusal](k.authorized(ctx)); refused {
				return no
			}
		}
	}
}

// writeTime is how long a client may take for one frame.
const writeTime = 10 * time.Second

func (k *socket) send(ctx context.Context, fr *frame) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return k.c.Write(ctx, websocket.MessageText, fr.data)
}

func (k *socket) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return k.c.Ping(ctx)
}

// tell puts a frame for this client alone into its buffer.
func (k *socket) tell(fr *frame) {
	if !k.put(fr) {
		k.cut()
	}
}

// put puts a frame into the buffer, unless too much waits there.
func (k *socket) put(fr *frame) bool {
	size := int64(len(fr.data))
	if before := k.waits.Add(size) - size; before > 0 && before+size > k.s.Limits.Backlog {
		k.waits.Add(-size)
		return false
	}
	select {
	case k.out <- fr:
		return true
	default:
		k.waits.Add(-size)
		return false
	}
}

// base is the address under which the client reached us.
func (s *Server) base(r *http.Request) string {
	if s.Public != "" {
		return s.Public
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
