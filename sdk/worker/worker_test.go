package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/sdk/worker"
)

func TestReconnectRegistersAgain(t *testing.T) {
	h := newHub(t)
	h.start(parcel(), nil)
	var registrations []string
	for range 5 {
		rpc := receive(t, h.rpc, "rpc socket")
		registrations = append(registrations, string(rpc.registration))
		_ = rpc.conn.CloseNow()
		err := receive(t, receive(t, h.ai, "ai socket").closed, "end of the ai socket")
		if err == nil {
			t.Fatal("the other socket stays open")
		}
	}
	for _, r := range registrations {
		if r != registrations[0] || !strings.Contains(r, "fsm_def") {
			t.Errorf("registration %s", r)
		}
	}
	rpc := receive(t, h.rpc, "rpc socket")
	rpc.call("both", "1", nil)
	if got := rpc.text(); got != "one" {
		t.Errorf("after reconnect: %q", got)
	}
}

func TestStopSaysGoodBye(t *testing.T) {
	h := newHub(t)
	stop := h.start(parcel(), nil)
	rpc, ai := receive(t, h.rpc, "rpc socket"), receive(t, h.ai, "ai socket")
	stop()
	for _, p := range []*peer{rpc, ai} {
		err := receive(t, p.closed, "close")
		if websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("closed by %v", err)
		}
	}
	if len(h.rpc) > 0 {
		t.Error("connected again")
	}
}

func TestRefusedTokenIsToldAndNotLogged(t *testing.T) {
	h := newHub(t)
	h.start(parcel(), func(w *worker.Worker) { w.Token = "s3cret-but-wrong" })
	await(t, "the refusal in the log", func() bool {
		return strings.Contains(h.log.String(), "the hub refuses the token (HTTP 403)")
	})
}

func TestUnreachableHubIsTriedForEver(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	h := newHub(t)
	h.start(parcel(), func(w *worker.Worker) { w.URL = gone.URL })
	await(t, "three tries", func() bool { return strings.Count(h.log.String(), "trying again") >= 3 })
}

func TestBadSettings(t *testing.T) {
	for _, w := range []worker.Worker{
		{},
		{Flow: parcel()},
		{Flow: parcel(), URL: "hub.example"},
		{Flow: parcel(), URL: "ftp://hub.example"},
		{Flow: parcel(), URL: "ws://%zz"},
	} {
		if err := w.Run(t.Context()); err == nil {
			t.Errorf("Run took URL %q", w.URL)
		}
	}
}

func TestErrorFrameIsLogged(t *testing.T) {
	h := newHub(t)
	h.start(parcel(), nil)
	rpc := receive(t, h.rpc, "rpc socket")
	for _, frame := range []string{
		`{"type":"error","status":400,"payload":{"errors":{"name":["This field is required."]},"request_info":{}}}`,
		`{"type":"error","status":400,"payload":{"node_type":["odd shape"]}}`,
		`{"type":"zzz","payload":{}}`, `not JSON`, `[]`, `{}`,
		`{"type":"rpc_request","payload":{"name":"both","ctx":{}}}`,
		`{"type":"rpc_request","payload":{"name":"both"}}`,
		`{"type":"rpc_request","payload":7}`,
		`{"type":"rpc_request","payload":{"ctx":{"conversation_id":{}},"name":"both"}}`,
	} {
		rpc.send([]byte(frame))
	}
	rpc.call("both", "1", nil)
	if got := rpc.text(); got != "one" {
		t.Errorf("after bad frames: %q", got)
	}
	for _, want := range []string{"This field is required.", "odd shape", "zzz", "without a conversation id"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, h.log.String())
		}
	}
}

func TestPings(t *testing.T) {
	h := newHub(t)
	h.start(parcel(), func(w *worker.Worker) { w.PingInterval, w.PongTimeout = 20*time.Millisecond, 3*time.Second })
	receive(t, h.rpc, "rpc socket")
	await(t, "pings on both sockets", func() bool { return h.pings.Load() >= 6 })
	if n := len(h.rpc); n > 0 {
		t.Errorf("%d reconnects with pongs coming", n)
	}
	h.deaf.Store(true)
	receive(t, h.rpc, "reconnect without pongs")
}

func TestLargeFrames(t *testing.T) {
	h := newHub(t)
	h.start(parcel(), func(w *worker.Worker) { w.ReadLimit = 4 << 20 })
	rpc := receive(t, h.rpc, "rpc socket")
	rpc.call("both", "1", map[string]any{"unknown": strings.Repeat("x", 3<<20)})
	if got := rpc.text(); got != "one" {
		t.Errorf("3 MiB: %q", got)
	}
	raw := encode(t, map[string]any{"type": "rpc_request", "payload": map[string]any{"name": "both", "ctx": map[string]any{"unknown": strings.Repeat("x", 5<<20)}}})
	_ = rpc.conn.Write(t.Context(), websocket.MessageText, raw) // it may be cut off in the middle of it
	receive(t, h.rpc, "reconnect")
	// the good-bye itself may be lost: the connection ends while the hub is still writing
	if !strings.Contains(h.log.String(), "read limited") {
		t.Errorf("5 MiB: %s", h.log.String())
	}
}

// TestSideBySide holds calls until all places are taken, then lets them go.
func TestSideBySide(t *testing.T) {
	const places = 8
	started, release := make(chan string, 100), make(chan struct{})
	flow := parcel()
	flow.Events["hold"] = []worker.Event{func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
		started <- c.ID
		select {
		case <-release:
			return yield(worker.Text{Content: c.ID})
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	h := newHub(t)
	h.start(flow, func(w *worker.Worker) { w.Concurrency = places })
	rpc := receive(t, h.rpc, "rpc socket")
	for i := range places + 3 {
		rpc.call("hold", fmt.Sprint(i), nil)
	}
	for range places {
		receive(t, started, "call")
	}
	select {
	case id := <-started:
		t.Errorf("call %s is one too many", id)
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	ended := map[string]int{}
	for range 2 * (places + 3) {
		a := rpc.next()
		if a.Data.Last {
			ended[a.Data.Ctx.Conversation]++
		} else if a.Data.Stack[0].Payload.Content != a.Data.Ctx.Conversation {
			t.Errorf("answer %+v", a)
		}
	}
	if len(ended) != places+3 {
		t.Errorf("ended: %v", ended)
	}
}

// TestFlood gives more calls than may wait: each one still gets its end.
func TestFlood(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	flow := parcel()
	flow.Events["hold"] = []worker.Event{func(context.Context, *worker.Conversation, worker.Yield) error {
		<-release
		return nil
	}}
	h := newHub(t)
	t.Cleanup(func() { once.Do(func() { close(release) }) })
	h.start(flow, func(w *worker.Worker) { w.Concurrency = 1 })
	rpc := receive(t, h.rpc, "rpc socket")
	const calls = 1100
	for i := range calls {
		rpc.call("hold", fmt.Sprint(i), nil)
	}
	if a := rpc.next(); !a.Data.Last || a.Data.Stack[0].Payload.Content != "Something went wrong. Please try again." {
		t.Errorf("refusal %+v", a)
	}
	once.Do(func() { close(release) })
	for range calls - 1 {
		if a := rpc.next(); !a.Data.Last {
			t.Fatalf("%+v", a)
		}
	}
}

func TestLostConnectionEndsFunctions(t *testing.T) {
	started, ended := make(chan struct{}, 1), make(chan error, 1)
	flow := parcel()
	flow.Events["hold"] = []worker.Event{func(ctx context.Context, _ *worker.Conversation, yield worker.Yield) error {
		started <- struct{}{}
		<-ctx.Done()
		ended <- yield(worker.Text{Content: "too late"})
		return ctx.Err()
	}}
	h := newHub(t)
	h.start(flow, nil)
	rpc := receive(t, h.rpc, "rpc socket")
	rpc.call("hold", "1", nil)
	receive(t, started, "call")
	_ = rpc.conn.CloseNow()
	if receive(t, ended, "end of the function") == nil {
		t.Error("yield gives no error though nobody is there")
	}
	rpc = receive(t, h.rpc, "reconnect")
	rpc.call("both", "1", nil)
	if got := rpc.text(); got != "one" {
		t.Errorf("after reconnect: %q", got)
	}
}

func TestSlowFunctionEndsItsTurn(t *testing.T) {
	flow := parcel()
	flow.Events["hold"] = []worker.Event{func(ctx context.Context, _ *worker.Conversation, _ worker.Yield) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	flow.ErrorText = "Sorry."
	h := newHub(t)
	h.start(flow, func(w *worker.Worker) { w.CallTimeout = 10 * time.Millisecond })
	rpc := receive(t, h.rpc, "rpc socket")
	rpc.call("hold", "1", nil)
	if a := rpc.next(); !a.Data.Last || a.Data.Stack[0].Payload.Content != "Sorry." {
		t.Errorf("%+v", a)
	}
	await(t, "log", func() bool { return strings.Contains(h.log.String(), "deadline exceeded") })
}

func TestBadLayerAndScore(t *testing.T) {
	flow := parcel()
	flow.Events["odd"] = []worker.Event{func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
		return yield(worker.Custom{Type: "x", Payload: func() {}})
	}}
	flow.Conditions["nan"] = func(context.Context, *worker.Conversation) (float64, any, error) {
		var zero float64
		return zero / zero, nil, nil
	}
	flow.Conditions["odd_data"] = func(context.Context, *worker.Conversation) (float64, any, error) {
		return 1, make(chan int), nil
	}
	h := newHub(t)
	h.start(flow, nil)
	rpc := receive(t, h.rpc, "rpc socket")
	rpc.call("odd", "1", nil)
	if a := rpc.next(); !a.Data.Last {
		t.Errorf("%+v", a)
	}
	for _, name := range []string{"nan", "odd_data"} {
		rpc.call(name, "1", nil)
		var a struct {
			Data struct {
				Node  string           `json:"node_type"`
				Stack []map[string]any `json:"stack"`
			} `json:"data"`
		}
		if err := json.Unmarshal(receive(t, rpc.frames, "result"), &a); err != nil {
			t.Fatal(err)
		}
		if a.Data.Node != "condition" || a.Data.Stack[0]["score"] != 0.0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
