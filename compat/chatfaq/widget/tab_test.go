package widget

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// shown is a message as the widget keeps it.
type shown struct {
	Type    string  `json:"type"`
	Status  int     `json:"status"`
	ID      *int64  `json:"id"`
	StackID string  `json:"stack_id"`
	Last    bool    `json:"last"`
	Chunk   bool    `json:"last_chunk"`
	Sender  agent   `json:"sender"`
	Stack   []layer `json:"stack"`
}

type layer struct {
	Type    string         `json:"type"`
	Payload map[string]any `json:"payload"`
}

// tab stands in for the widget in a browser's tab and has its manners: its input is locked while it has no message, while the last one is
// a human's or not the last of its turn, and while it is not connected; it replaces what has the same stack id; after any close but 4000 and
// 3000 it comes back, with the same URL; it never gets its own messages.
type tab struct {
	w                        *world
	conversation, flow, user string
	query                    string
	again                    time.Duration // until it comes back

	mu       sync.Mutex
	c        *websocket.Conn
	messages []shown
	raw      []string
	errors   []string
	closed   websocket.StatusCode // for good
	reason   string
	online   bool
	opened   int
	changed  chan struct{}
	cancel   context.CancelFunc
	done     chan struct{}
}

func (w *world) tab(conversation, flow, user, query string) *tab {
	w.t.Helper()
	k := &tab{w: w, conversation: conversation, flow: flow, user: user, query: query, again: 10 * time.Millisecond, changed: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	k.cancel = cancel
	go k.live(ctx)
	w.t.Cleanup(k.close)
	return k
}

func (k *tab) close() {
	k.cancel()
	<-k.done
}

// live is connect, read, and connect again.
func (k *tab) live(ctx context.Context) {
	defer close(k.done)
	for ctx.Err() == nil {
		err := k.session(ctx)
		code := websocket.CloseStatus(err)
		k.mu.Lock()
		k.online, k.c = false, nil
		if code == 4000 || code == 3000 {
			var ce websocket.CloseError
			_ = errors.As(err, &ce)
			k.closed, k.reason = code, ce.Reason
		}
		stop := k.closed != 0
		k.mu.Unlock()
		k.ring()
		if stop {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(k.again):
		}
	}
}

func (k *tab) address() string {
	return "ws" + strings.TrimPrefix(k.w.http.URL, "http") + "/back/ws/broker/" + k.conversation + "/" + k.flow + "/" + k.user + "/?" + k.query
}

func (k *tab) session(ctx context.Context) error {
	c, resp, err := websocket.Dial(ctx, k.address(), nil)
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	if err != nil {
		return err
	}
	defer c.CloseNow() //nolint:errcheck // it may be closed
	c.SetReadLimit(1 << 22)
	k.mu.Lock()
	k.c, k.online = c, true
	k.opened++
	k.mu.Unlock()
	k.ring()
	for {
		_, raw, err := c.Read(ctx)
		if err != nil {
			return err
		}
		k.take(raw)
	}
}

func (k *tab) take(raw []byte) {
	var m shown
	if err := json.Unmarshal(raw, &m); err != nil {
		k.w.t.Errorf("no JSON: %s", raw)
		return
	}
	if m.Status != 400 && !drawable(m.Stack) {
		k.w.t.Errorf("the widget's page stops at %s", raw)
	}
	k.mu.Lock()
	k.raw = append(k.raw, string(raw))
	if m.Status == 400 {
		k.errors = append(k.errors, string(raw))
	} else if i := slices.IndexFunc(k.messages, func(x shown) bool { return x.StackID == m.StackID }); i >= 0 {
		k.messages[i] = m
	} else {
		k.messages = append(k.messages, m)
	}
	k.mu.Unlock()
	k.ring()
}

// drawable tells whether the widget, which draws all layers as it draws the first one, survives them.
func drawable(stack []layer) bool {
	return !slices.ContainsFunc(stack, func(l layer) bool {
		content, isText := l.Payload["content"].(string)
		words := stack[0].Type == "message" || stack[0].Type == "message_chunk"
		return l.Payload == nil || words && content == "" && !isText
	})
}

func (k *tab) ring() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// locked tells whether the widget would let its user write. k.mu is held.
func (k *tab) locked() bool {
	n := len(k.messages)
	return !k.online || n == 0 || k.messages[n-1].Sender.Type == "human" || !k.messages[n-1].Last
}

// until waits for something.
func (k *tab) until(what string, is func() bool) {
	k.w.t.Helper()
	limit := time.NewTimer(testPatience)
	defer limit.Stop()
	for {
		k.mu.Lock()
		ok := is()
		k.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-k.changed:
		case <-limit.C:
			k.mu.Lock()
			defer k.mu.Unlock()
			k.w.t.Fatalf("%s: never, in %s, closed %d %q; heard\n%s", what, k.conversation, k.closed, k.reason, strings.Join(k.raw, "\n"))
		}
	}
}

func (k *tab) unlocked() {
	k.w.t.Helper()
	k.until("unlocked", func() bool { return !k.locked() })
}

// say waits for the input and writes.
func (k *tab) say(text string) {
	k.w.t.Helper()
	k.unlocked()
	k.send(`{"sender":{"type":"human","platform":"WS","id":` + quoted(k.user) + `},"stack":[{"type":"message","payload":{"content":` + quoted(text) + `}}],"stack_id":"0","stack_group_id":"0","last":true}`)
}

// send writes a frame of a human message and shows it, as the widget does.
func (k *tab) send(frame string) {
	k.w.t.Helper()
	m := shown{StackID: "0", Sender: agent{Type: "human"}}
	_ = json.Unmarshal([]byte(frame), &m)
	k.mu.Lock()
	m.StackID = "human" + text(int64(len(k.messages)))
	m.Sender.Type = "human"
	k.messages = append(k.messages, m)
	c := k.c
	k.mu.Unlock()
	k.w.must(c.Write(k.w.t.Context(), websocket.MessageText, []byte(frame)))
}

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

// drop breaks the connection.
func (k *tab) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.c != nil {
		_ = k.c.CloseNow()
	}
}

// bubbles are what its user sees.
func (k *tab) bubbles() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.drawn()
}

func (k *tab) drawn() []string {
	var out []string
	for _, m := range k.messages {
		var words []string
		for _, l := range m.Stack {
			content, _ := l.Payload["content"].(string)
			words = append(words, content)
		}
		if len(m.Stack) > 0 {
			out = append(out, m.Sender.Type+": "+strings.Join(words, " | "))
		}
	}
	return out
}

// sees waits until the user sees these and nothing else.
func (k *tab) sees(want ...string) {
	k.w.t.Helper()
	k.until("seen "+strings.Join(want, "; "), func() bool { return slices.Equal(k.drawn(), want) })
}

// lastID is the id of the newest message that has one.
func (k *tab) lastID() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.messages) - 1; i >= 0; i-- {
		if k.messages[i].ID != nil {
			return *k.messages[i].ID
		}
	}
	return 0
}

// dial makes one connection without the widget's manners; the number is the status of the handshake.
func (w *world) dial(path string, header http.Header) (*websocket.Conn, int, error) {
	w.t.Helper()
	c, resp, err := websocket.Dial(w.t.Context(), "ws"+strings.TrimPrefix(w.http.URL, "http")+path, &websocket.DialOptions{HTTPHeader: header})
	if resp == nil {
		return c, 0, err
	}
	if resp.Body != nil {
		resp.Body.Close()
	}
	return c, resp.StatusCode, err
}

func inWorld(t *testing.T, limits Limits, test func(t *testing.T, w *world)) {
	onBoth(t, func(t *testing.T, dsn string) { test(t, newWorld(t, dsn, limits, nil)) })
}
