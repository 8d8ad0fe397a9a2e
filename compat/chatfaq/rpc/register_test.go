package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// put sends a frame.
func put(t testing.TB, conn *websocket.Conn, frame string) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// get reads the next frame.
func get(t testing.TB, conn *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, raw, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// ended reads until the hub closes, and gives the code and the reason.
func ended(t testing.TB, conn *websocket.Conn) (websocket.StatusCode, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, _, err := conn.Read(ctx)
		if err == nil {
			continue
		}
		var closed websocket.CloseError
		if ctx.Err() != nil {
			t.Fatal("the socket stays open")
		}
		if c := websocket.CloseStatus(err); c >= 0 {
			closed = asClose(err)
		}
		return closed.Code, closed.Reason
	}
}

func define(name, definition string, overwrite, auth bool) string {
	return fmt.Sprintf(`{"type":"fsm_def","data":{"name":%q,"definition":%s,"overwrite":%v,"authentication_required":%v}}`, name, definition, overwrite, auth)
}

const (
	tiny  = `{"states":[{"name":"a","initial":true,"events":["f"]}],"transitions":[]}`
	other = `{"states":[{"name":"a","initial":true,"events":["g"]}],"transitions":[]}`
)

// TestRegistration goes through the rules. Success is silent: a frame of an unknown type is answered, so that its answer shows that
// nothing came before it.
func TestRegistration(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name    string
		frames  []string
		errors  []string // what each error frame has
		version int      // of the newest definition in the end
		auth    bool
	}{
		{"new", []string{define("f", tiny, false, false)}, nil, 1, false},
		{"again", []string{define("f", tiny, false, false), define("f", tiny, false, false)}, nil, 1, false},
		{"again in other words", []string{define("f", tiny, false, false), define("f", `{"transitions":[], "states":[{"events":["f"],"initial":true,"name":"a"}]}`, false, false)}, nil, 1, false},
		{"other", []string{define("f", tiny, false, false), define("f", other, false, false)}, []string{"There is another definition"}, 1, false},
		{"other, overwrite", []string{define("f", tiny, false, false), define("f", other, true, false)}, nil, 2, false},
		{"same, overwrite", []string{define("f", tiny, false, false), define("f", tiny, true, false)}, nil, 1, false},
		{"flag", []string{define("f", tiny, false, true)}, nil, 1, true},
		{"other flag", []string{define("f", tiny, false, true), define("f", tiny, false, false)}, []string{"There is another definition"}, 1, true},
		{"other flag, overwrite", []string{define("f", tiny, false, true), define("f", tiny, true, false)}, nil, 1, false},
		{"no name", []string{`{"type":"fsm_def","data":{"definition":` + tiny + `}}`}, []string{`{"name":["This field is required."]}`}, 0, false},
		{"bad name", []string{define("a b", tiny, false, false)}, []string{`"name":["Want letters`}, 0, false},
		{"no definition", []string{`{"type":"fsm_def","data":{"name":"f"}}`}, []string{`{"definition":["This field is required."]}`}, 0, false},
		{"no initial state", []string{define("f", `{"states":[{"name":"a"}],"transitions":[]}`, false, false)}, []string{"no state is initial"}, 0, false},
		{"unknown state", []string{define("f", `{"states":[{"name":"a","initial":true}],"transitions":[{"dest":"b"}]}`, false, false)}, []string{"transitions[0].dest"}, 0, false},
		{"wrong type", []string{`{"type":"fsm_def","data":{"name":7,"definition":` + tiny + `}}`}, []string{`"data":["json`}, 0, false},
		{"no data", []string{`{"type":"fsm_def"}`}, []string{`{"data":["This field is required."]}`}, 0, false},
		{"no type", []string{`{"data":{}}`}, []string{`{"type":["This field is required."]}`}, 0, false},
		{"no JSON", []string{`hello`, `[1]`, `{`}, []string{"JSON object", "JSON object", "JSON object"}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := w.another(t)
			conn := w.dial("/back/ws/broker/rpc/")
			for _, frame := range append(c.frames, `{"type":"zzz","data":{}}`) {
				put(t, conn, frame)
			}
			for _, want := range append(c.errors, `{"type":["\"zzz\" is not a valid choice."]}`) {
				got := get(t, conn)
				if !strings.Contains(got, want) || !strings.Contains(got, `"type":"error","status":400,"payload":{"errors":`) || !strings.Contains(got, `"request_info":{}`) {
					t.Errorf("answered %s, want %s in it", got, want)
				}
			}
			f, err := w.store.Flow(t.Context(), w.ws, "f", 0)
			if c.version == 0 {
				if err == nil || len(w.server.pool.list(w.ws)) > 0 {
					t.Error("it is registered")
				}
				return
			}
			if err != nil || f.Version != c.version || len(w.server.pool.list(w.ws)) != 1 {
				t.Errorf("version %d, %v, %v", f.Version, err, w.server.pool.list(w.ws))
			}
			ch, found, err := w.server.channel(t.Context(), w.ws, "f")
			if err != nil || !found || authRequired(ch) != c.auth || ch.Status != "active" {
				t.Errorf("channel %+v, %v", ch, err)
			}
		})
	}
}

// TestByName: a worker may name a flow that is stored already.
func TestByName(t *testing.T) {
	w := newWorld(t)
	conn := w.dial("/back/ws/broker/rpc/f/")
	if got := get(t, conn); !strings.Contains(got, "No FSM found with name") {
		t.Error(got)
	}
	put(t, conn, define("f", tiny, false, false))
	w.channel("f")
	w.dial("/back/ws/broker/rpc/f/")
	w.until("two workers", func() bool { return len(w.server.pool.list(w.ws)) == 2 })
}

// TestRegisterTogether: many workers register the same new flow at the same time, and it is one flow with one channel.
func TestRegisterTogether(t *testing.T) {
	w := newWorld(t)
	const many = 20
	for range many {
		put(t, w.dial("/back/ws/broker/rpc/"), define("f", tiny, false, false))
	}
	w.until("all are there", func() bool { return len(w.server.pool.list(w.ws)) == many })
	channels, err := w.hub.Channels(t.Context(), w.ws)
	w.must(err)
	versions, err := w.store.FlowVersions(t.Context(), w.ws, "f")
	w.must(err)
	if len(channels) != 1 || len(versions) != 1 {
		t.Errorf("%d channels, %d versions", len(channels), len(versions))
	}
}

// another is a workspace of its own in the same hub, for a test within w's.
func (w *world) another(t *testing.T) *world {
	t.Helper()
	ws, err := w.store.AddWorkspace(t.Context(), "", t.Name())
	w.must(err)
	o := &world{t: t, store: w.store, hub: w.hub, bus: w.bus, server: w.server, http: w.http, ws: ws.ID}
	o.token = o.addToken(ScopeWorker).secret
	return o
}

// TestOtherWorkspace: a token reaches its own workspace only.
func TestOtherWorkspace(t *testing.T) {
	w := newWorld(t)
	w.parcelWorker().connect()
	w = w.another(t)
	w.token = w.addToken("admin").secret
	put(t, w.dial("/back/ws/broker/rpc/"), define("parcel_fsm", tiny, false, false))
	w.until("registered", func() bool { return len(w.server.pool.list(w.ws)) == 1 })
	if raw, _ := json.Marshal(w.server.pool.list(w.ws)); !strings.Contains(string(raw), "parcel_fsm") {
		t.Error(string(raw))
	}
}
