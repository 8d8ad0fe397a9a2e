package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/sdk/worker"
)

const patience = time.Minute

// hub plays the hub's side of the protocol over real sockets.
type hub struct {
	*httptest.Server
	t     *testing.T
	rpc   chan *peer // each rpc socket, after its registration was read
	ai    chan *peer
	pings atomic.Int64
	deaf  atomic.Bool // no pongs
	log   buffer
}

// peer is one socket of a worker.
type peer struct {
	t            *testing.T
	conn         *websocket.Conn
	frames       chan []byte
	registration []byte
	closed       chan error // gets the error that ended reading
}

func newHub(t *testing.T) *hub {
	h := &hub{t: t, rpc: make(chan *peer, 100), ai: make(chan *peer, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/hub/back/ws/broker/rpc/", func(w http.ResponseWriter, r *http.Request) { h.accept(w, r, h.rpc) })
	mux.HandleFunc("/hub/back/ws/broker/ai/", func(w http.ResponseWriter, r *http.Request) { h.accept(w, r, h.ai) })
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func (h *hub) accept(w http.ResponseWriter, r *http.Request, to chan *peer) {
	if r.URL.Query().Get("token") != "s3cret/+" {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool {
			h.pings.Add(1)
			return !h.deaf.Load()
		},
	})
	if err != nil {
		return
	}
	conn.SetReadLimit(64 << 20)
	p := &peer{t: h.t, conn: conn, frames: make(chan []byte, 10000), closed: make(chan error, 1)}
	if to == h.rpc {
		if _, p.registration, err = conn.Read(context.Background()); err != nil {
			return
		}
	}
	to <- p
	for {
		_, raw, err := conn.Read(context.Background())
		if err != nil {
			p.closed <- err
			return
		}
		p.frames <- raw
	}
}

// start runs a worker of the flow against the hub until the test ends; change may alter its settings.
func (h *hub) start(flow *worker.Flow, change func(*worker.Worker)) (stop func()) {
	h.t.Helper()
	w := &worker.Worker{
		URL: h.URL + "/hub", Token: "s3cret/+", Flow: flow, Backoff: 10 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
	if change != nil {
		change(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-ended:
				if err != nil {
					h.t.Errorf("Run: %v", err)
				}
			case <-time.After(patience):
				h.t.Error("Run does not end")
			}
			if strings.Contains(h.log.String(), "s3cret") {
				h.t.Errorf("the token is in the log:\n%s", h.log.String())
			}
		})
	}
	h.t.Cleanup(stop)
	return stop
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

func (p *peer) send(raw []byte) {
	p.t.Helper()
	if err := p.conn.Write(context.Background(), websocket.MessageText, raw); err != nil {
		p.t.Fatal(err)
	}
}

// call sends an rpc_request for a conversation.
func (p *peer) call(name, conversation string, ctx map[string]any) {
	p.t.Helper()
	about := map[string]any{"conversation_id": conversation, "bot_channel_name": "chan-" + conversation, "transition_data": map[string]any{}}
	for k, v := range ctx {
		about[k] = v
	}
	p.send(encode(p.t, map[string]any{
		"type": "rpc_request", "status": 200, "payload": map[string]any{"name": name, "ctx": about},
	}))
}

// answer is what the tests read of a worker's frame.
type answer struct {
	Type string `json:"type"`
	Data struct {
		Ctx struct {
			Conversation string `json:"conversation_id"`
		} `json:"ctx"`
		Stack []struct {
			Payload struct {
				Content string `json:"content"`
			} `json:"payload"`
		} `json:"stack"`
		Last    bool   `json:"last"`
		Channel string `json:"bot_channel_name"`
		Prompt  string `json:"prompt_config_name"`
	} `json:"data"`
}

func (p *peer) next() answer {
	p.t.Helper()
	var a answer
	if err := json.Unmarshal(receive(p.t, p.frames, "frame"), &a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// text reads one frame's text.
func (p *peer) text() string {
	p.t.Helper()
	a := p.next()
	if len(a.Data.Stack) == 0 {
		return ""
	}
	return a.Data.Stack[0].Payload.Content
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// await polls for what no channel tells.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
