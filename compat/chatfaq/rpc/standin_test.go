package rpc

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/chat"
)

// standin behaves like the protocol's own SDK, with its oddities: it takes frames of at most 1 MiB, works only while all of its sockets
// are open, looks into its queue every 10 ms, runs several functions of one name in turn, echoes the whole context, says nothing when a
// function fails, and comes back after a second for ever.
type standin struct {
	t          testing.TB
	w          *world
	name       string
	definition string
	overwrite  bool
	auth       bool
	functions  map[string][]function
	mute       bool // does not send the context back but for what the protocol wants
	again      time.Duration

	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	sockets map[string]*websocket.Conn
	frames  []string // errors that the hub sent
	called  []string // names of functions
	largest int
}

// function is a condition, or an event as a generator of layers.
type function struct {
	condition func(request sdkContext) (float64, any)
	event     func(t *sdkTurn)
	single    string // an event that returns one message
}

type sdkContext struct {
	TransitionData json.RawMessage `json:"transition_data"`
	Conversation   json.Number     `json:"conversation_id"`
	User           string          `json:"user_id"`
	Metadata       json.RawMessage `json:"initial_conversation_metadata"`
	Messages       []struct {
		ID     int64 `json:"id"`
		Sender struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"sender"`
		Stack []struct {
			Type    string          `json:"type"`
			Payload json.RawMessage `json:"payload"`
		} `json:"stack"`
	} `json:"conv_mml"`
	Channel string          `json:"bot_channel_name"`
	State   json.RawMessage `json:"state"`
	Status  json.RawMessage `json:"status"`
	CallID  string          `json:"call_id"`
}

// newest is the text of the newest message, as functions read it.
func (c sdkContext) newest() string {
	if len(c.Messages) == 0 || len(c.Messages[len(c.Messages)-1].Stack) == 0 {
		return ""
	}
	var p struct {
		Content string `json:"content"`
	}
	_ = json.Unmarshal(c.Messages[len(c.Messages)-1].Stack[0].Payload, &p)
	return p.Content
}

// says is a condition that looks for a word.
func says(word string) function {
	return function{condition: func(c sdkContext) (float64, any) {
		if strings.Contains(c.newest(), word) {
			return 0.9, map[string]any{"why": "matched"}
		}
		return 0, map[string]any{}
	}}
}

// connect starts a worker and waits until it is registered.
func (s *standin) connect() *standin {
	s.t.Helper()
	before := len(s.w.server.pool.list(s.w.ws))
	s.launch()
	s.w.until("registered", func() bool { return len(s.w.server.pool.list(s.w.ws)) > before })
	return s
}

func (s *standin) launch() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	s.cancel, s.sockets = cancel, map[string]*websocket.Conn{}
	if s.again == 0 {
		s.again = time.Second
	}
	queue := make(chan []byte, 10_000)
	s.wg.Go(func() { s.consume(ctx, "rpc", queue) })
	s.wg.Go(func() { s.consume(ctx, "ai", nil) })
	s.wg.Go(func() { s.produce(ctx, queue) })
	s.t.Cleanup(s.die)
}

// die ends the process: its sockets break without a word.
func (s *standin) die() {
	s.cancel()
	s.breakOff()
	s.wg.Wait()
}

func (s *standin) breakOff() {
	s.mu.Lock()
	var open []*websocket.Conn
	for _, c := range s.sockets {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		_ = c.CloseNow()
	}
}

func (s *standin) socket(name string) *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets[name]
}

// consume keeps one socket open.
func (s *standin) consume(ctx context.Context, route string, queue chan []byte) {
	for ctx.Err() == nil {
		conn, _, err := websocket.Dial(ctx, s.w.url("/back/ws/broker/"+route+"/")+"?token="+s.w.token, nil) //nolint:bodyclose // the socket has it
		if err == nil {
			conn.SetReadLimit(1 << 20)
			s.mu.Lock()
			s.sockets[route] = conn
			s.mu.Unlock()
			if route == "rpc" {
				s.register(ctx, conn)
			}
			for {
				_, raw, err := conn.Read(ctx)
				if err != nil {
					break
				}
				if queue != nil {
					queue <- raw
				}
			}
			s.mu.Lock()
			delete(s.sockets, route)
			s.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(s.again):
		}
	}
}

func (s *standin) register(ctx context.Context, conn *websocket.Conn) {
	frame, err := json.Marshal(map[string]any{"type": "fsm_def", "data": map[string]any{
		"name": s.name, "definition": json.RawMessage(s.definition), "overwrite": s.overwrite, "authentication_required": s.auth,
	}})
	if err == nil {
		err = conn.Write(ctx, websocket.MessageText, frame)
	}
	if err != nil && ctx.Err() == nil {
		s.t.Error(err)
	}
}

// produce works on what came, while all sockets are open.
func (s *standin) produce(ctx context.Context, queue chan []byte) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for s.socket("rpc") != nil && s.socket("ai") != nil {
			select {
			case raw := <-queue:
				s.take(ctx, raw)
				continue
			default:
			}
			break
		}
	}
}

func (s *standin) take(ctx context.Context, raw []byte) {
	var in struct {
		Type    string `json:"type"`
		Payload struct {
			Name string          `json:"name"`
			Ctx  json.RawMessage `json:"ctx"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		s.t.Errorf("the hub sent %.100s", raw)
		return
	}
	s.mu.Lock()
	s.largest = max(s.largest, len(raw))
	if in.Type == typeError {
		s.frames = append(s.frames, string(raw))
	} else {
		s.called = append(s.called, in.Payload.Name)
	}
	s.mu.Unlock()
	if in.Type == typeRequest {
		conn := s.socket("rpc")
		s.wg.Go(func() { s.run(ctx, conn, in.Payload.Name, in.Payload.Ctx) })
	}
}

// errors are what the hub complained of.
func (s *standin) errors() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.frames...)
}

func (s *standin) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.called...)
}

func (s *standin) run(ctx context.Context, conn *websocket.Conn, name string, raw json.RawMessage) {
	var c sdkContext
	if err := json.Unmarshal(raw, &c); err != nil {
		s.t.Errorf("context %s: %v", raw, err)
	}
	handlers := s.functions[name]
	for i, f := range handlers {
		t := &sdkTurn{s: s, ctx: ctx, conn: conn, raw: raw, Context: c, group: chat.NewID()}
		last := i == len(handlers)-1
		switch {
		case f.condition != nil:
			score, data := f.condition(c)
			t.send("condition", 0, []any{map[string]any{"score": score, "data": data}}, true, last)
		case f.single != "":
			t.send("action", chat.NewID(), []any{s.layer("message", false, map[string]any{"content": f.single, "references": map[string]any{}, "tool_calls": []any{}})}, true, last)
		default:
			f.event(t)
			if !t.failed {
				t.send("action", chat.NewID(), []any{}, true, last)
			}
		}
	}
}

func (s *standin) layer(kind string, streaming bool, payload any) map[string]any {
	return map[string]any{"type": kind, "streaming": streaming, "meta": map[string]any{}, "state": map[string]any{}, "fsm_definition": s.name, "payload": payload}
}

// sdkTurn is an event at work.
type sdkTurn struct {
	s       *standin
	ctx     context.Context
	conn    *websocket.Conn
	raw     json.RawMessage
	group   string
	failed  bool
	status  any
	Context sdkContext
}

// say yields a message.
func (t *sdkTurn) say(text string) {
	t.send("action", chat.NewID(), []any{t.s.layer("message", false, map[string]any{"content": text, "references": map[string]any{}, "tool_calls": []any{}})}, true, false)
}

// delta yields a piece of a growing message.
func (t *sdkTurn) delta(id, text string, last bool) {
	payload := map[string]any{"content": text, "tool_calls": []any{}}
	if last {
		payload["references"] = map[string]any{"knowledge_items": []any{}}
	}
	t.send("action", id, []any{t.s.layer("message_chunk", true, payload)}, last, false)
}

// fail is an exception: the worker logs it and says nothing.
func (t *sdkTurn) fail() { t.failed = true }

func (t *sdkTurn) send(node string, id any, stack []any, lastChunk, last bool) {
	if t.ctx.Err() != nil {
		return // who has died says nothing, though a last frame might still find its way
	}
	var ctx any = t.raw
	if t.s.mute {
		ctx = map[string]any{"conversation_id": string(t.Context.Conversation), "user_id": t.Context.User, "status": nil}
	}
	if t.status != nil {
		var whole map[string]any
		_ = json.Unmarshal(t.raw, &whole)
		whole["status"] = t.status
		ctx = whole
	}
	raw, err := json.Marshal(map[string]any{"type": "rpc_result", "data": map[string]any{
		"ctx": ctx, "node_type": node, "stack_group_id": t.group, "stack_id": id, "stack": stack, "last_chunk": lastChunk, "last": last,
	}})
	if err != nil {
		t.s.t.Error(err)
	}
	_ = t.conn.Write(t.ctx, websocket.MessageText, raw) // a broken socket is noticed by its reader
}
