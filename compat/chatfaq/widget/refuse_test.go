package widget

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/webchat"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// ends reads until the connection is closed.
func ends(t *testing.T, c *websocket.Conn) (websocket.StatusCode, string) {
	t.Helper()
	c.SetReadLimit(1 << 22)
	for {
		if _, _, err := c.Read(t.Context()); err != nil {
			var ce websocket.CloseError
			_ = errors.As(err, &ce)
			return websocket.CloseStatus(err), ce.Reason
		}
	}
}

// workers has a function that only a worker can run.
const workers = `{"states":[{"name":"a","initial":true,"events":["greet"]}],"transitions":[{"source":"a","dest":"a"}]}`

// TestRefusals: clients are told by a close code why they are not served.
func TestRefusals(t *testing.T) {
	// the grace is long enough for one look on a busy machine, and a look is under way when it ends
	inWorld(t, Limits{Grace: 15 * patience}, func(t *testing.T, w *world) {
		w.flow("open", parcel, `{}`)
		w.flow("closed", parcel, `{"authentication_required":true}`)
		w.flow("working", workers, `{}`)
		w.workers.Store(false)
		token := w.addToken()
		long := strings.Repeat("x", 190)
		var all sync.WaitGroup
		for _, c := range []struct {
			path   string
			code   websocket.StatusCode
			reason string
		}{
			{"c/nothing/u/", 4000, "`No FSM found with name nothing`"},
			{"c/" + long + "/u/", 4000, ("`No FSM found with name " + long)[:maxReason]},
			{"c/working/u/", 4000, "`No RPC worker working connected`"},
			{"c/closed/u/", 3000, "`Authentication failed`"},
			{"c/closed/u/?token=wrong", 3000, "`Authentication failed`"},
		} {
			conn, _, err := w.dial("/back/ws/broker/"+c.path, nil)
			w.must(err)
			all.Go(func() {
				if code, reason := ends(t, conn); code != c.code || reason != c.reason {
					t.Errorf("%s: %d %q, want %d %q", c.path, code, reason, c.code, c.reason)
				}
			})
		}
		all.Wait()
		w.tab("c", "closed", "u", "token="+token).unlocked()
		for _, path := range []string{"c/open/", "a%20b/open/u/", "c/op.en/u/"} {
			if _, code, err := w.dial("/back/ws/broker/"+path, nil); err == nil || code != http.StatusNotFound {
				t.Errorf("%s: accepted", path)
			}
		}
	})
}

// TestGrace: a flow or a worker that comes a little later is in time.
func TestGrace(t *testing.T) {
	inWorld(t, Limits{Grace: testPatience}, func(t *testing.T, w *world) {
		w.workers.Store(false)
		k := w.tab("c", "late", "u", "")
		k.until("connected", func() bool { return k.online })
		w.flow("late", workers, "")
		w.workers.Store(true)
		k.unlocked() // nobody runs the function, and the flow says so
	})
}

func TestOrigins(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{"allowed_origins":["https://shop.example"]}`)
		for origin, ok := range map[string]bool{"https://shop.example": true, "": true, "https://evil.example": false, "null": false} {
			h := http.Header{}
			if origin != "" {
				h.Set("Origin", origin)
			}
			c, code, err := w.dial("/back/ws/broker/c/f/u/", h)
			if (err == nil) != ok || !ok && code != http.StatusForbidden {
				t.Errorf("origin %q: %v", origin, err)
			}
			if err == nil {
				_ = c.CloseNow()
			}
		}
	})
}

// TestBadFrames: what is no message ends the connection or is answered; the next connection goes on.
func TestBadFrames(t *testing.T) {
	inWorld(t, Limits{Frame: 10_000, Rate: 1}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		for _, c := range []struct {
			name  string
			kind  websocket.MessageType
			frame string
			times int
			code  websocket.StatusCode
		}{
			{"binary", websocket.MessageBinary, "{}", 1, websocket.StatusUnsupportedData},
			{"no JSON", websocket.MessageText, "{", 1, websocket.StatusInvalidFramePayloadData},
			{"large", websocket.MessageText, `"` + strings.Repeat("x", 11_000) + `"`, 1, websocket.StatusMessageTooBig},
			{"many", websocket.MessageText, `{"heartbeat":true}`, 60, websocket.StatusPolicyViolation},
		} {
			conn, _, err := w.dial("/back/ws/broker/c/f/u/", nil)
			w.must(err)
			for range c.times {
				if conn.Write(t.Context(), c.kind, []byte(c.frame)) != nil {
					break // closed already
				}
			}
			if code, _ := ends(t, conn); code != c.code {
				t.Errorf("%s: %d, want %d", c.name, code, c.code)
			}
		}
		w.tab("c", "f", "u", "").unlocked()
	})
}

// TestInvalid: the shapes of validation errors; and the input is unlocked again.
func TestInvalid(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		for i, c := range []struct{ frame, payload string }{
			{`{}`, `{"sender":["This field is required."],"stack":["This field is required."]}`},
			{`{"sender":{"type":"robot"},"stack":[{}]}`, `{"sender":{"type":["\"robot\" is not a valid choice."]},"stack":{"0":{"type":["This field is required."]}}}`},
			{`{"sender":{},"stack":5}`, `{"sender":{"type":["This field is required."]},"stack":{"non_field_errors":["Expected a list of items."]}}`},
			{`{"sender":[],"stack":[]}`, `{"sender":{"non_field_errors":["Invalid data. Expected a dictionary."]}}`},
			{`{"sender":{"type":"human","first_name":{}},"stack":[]}`, `{"sender":{"first_name":["Not a valid string of at most 255 characters."]}}`},
			{`{"sender":{"type":"human"},"stack":[{"type":"message","streaming":"x"}]}`, `{"stack":{"0":{"streaming":["Must be a valid boolean."]}}}`},
			{`{"sender":{"type":"human"},"stack":[7]}`, `{"stack":{"0":{"non_field_errors":["Invalid data. Expected a dictionary."]}}}`},
			{`[]`, `{"non_field_errors":["Invalid data. Expected a dictionary that is not nested too deep."]}`},
			{strings.Repeat("[", 200) + strings.Repeat("]", 200), `{"non_field_errors":["Invalid data. Expected a dictionary that is not nested too deep."]}`},
			{`{"reset":"x"}`, `{"reset":["the id of a message"]}`},
			{`{"reset":99999}`, `{"reset":["no such message in this conversation"]}`},
			{`{"sender":{"type":"human"},"stack":[{"type":"file_uploaded","payload":{"s3_path":"uploads/1/2"}}]}`, `{"stack":["s3_path: not an upload of this conversation"]}`},
		} {
			k.unlocked()
			k.send(c.frame)
			k.until(c.frame, func() bool { return len(k.errors) > i })
			k.mu.Lock()
			if want := `{"payload":` + c.payload + `,"status":400,"type":"response"}`; k.errors[i] != want {
				t.Errorf("%s:\n%s\nwant\n%s", c.frame, k.errors[i], want)
			}
			k.mu.Unlock()
		}
		k.unlocked()
		if n := len(k.bubbles()); n < 2 {
			t.Error("the greeting is gone")
		}
		conv := w.conv(k)
		if n, err := w.store.CountReceived(t.Context(), w.ws, conv.ID); err != nil || n != 0 {
			t.Errorf("%d messages stored, %v", n, err)
		}
		// odd, and good
		for _, frame := range []string{
			`{"sender":{"type":"bot","id":7,"x":1},"stack":[],"y":[]}`,
			`{"sender":{"type":"human","id":null},"stack":[{"type":"odd","z":1}]}`,
		} {
			k.unlocked()
			k.send(frame)
			k.unlocked()
		}
		if n, err := w.store.CountReceived(t.Context(), w.ws, conv.ID); err != nil || n != 2 {
			t.Errorf("%d messages stored, %v", n, err)
		}
	})
}

// TestSlow: a client that does not read is cut off, and others are not held up.
func TestSlow(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{Buffer: 4}, nil)
	w.flow("f", parcel, `{}`)
	k := &socket{s: w.server, out: make(chan *frame, 4), over: make(chan struct{})}
	r := &room{sockets: []*socket{k}}
	for range 9 {
		r.give(&frame{draft: true})
	}
	select {
	case <-k.over:
		t.Fatal("cut off for drafts")
	default:
	}
	r.give(&frame{at: 1})
	<-k.over
	if code, _ := closing(errSlow); code != websocket.StatusPolicyViolation {
		t.Error(code)
	}
}

// TestClose: a stop ends the sockets, and clients may come back.
func TestClose(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		conn, _, err := w.dial("/back/ws/broker/c/f/u/", nil)
		w.must(err)
		if _, _, err := conn.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		go w.server.Close()
		if code, _ := ends(t, conn); code != websocket.StatusGoingAway {
			t.Error(code)
		}
		w.server.Close()
		if _, code, err := w.dial("/back/ws/broker/c/f/u/", nil); err == nil || code != http.StatusServiceUnavailable {
			t.Error("accepted after the stop")
		}
	})
}

// What visitors of our own widget say on the same channel is not for clients of this protocol, whose users name themselves.
func TestOwnVisitorsAreHidden(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{}, nil)
	w.flow("parcel", parcel, `{}`)
	x, err := w.server.sites.find(t.Context(), "parcel")
	w.must(err)
	for _, address := range []string{webchat.Known + "7", webchat.Anonymous + "v"} {
		m := chat.TextMessage("private")
		w.must(w.hub.Accept(t.Context(), x.channel, []chat.Incoming{{
			Key: "k" + address, Kind: chat.KindMessage, Thread: chat.Thread{Address: address}, Sender: chat.Person{Address: address}, Message: &m,
		}}))
		status, list, _ := w.call("GET", "/back/api/broker/conversations/from_sender/?sender="+url.QueryEscape(address), "")
		if fmt.Sprint(list) != "[]" {
			t.Errorf("%s: %d %v", address, status, list)
		}
		if status, _, _ := w.call("GET", "/back/ws/broker/c/parcel/"+url.PathEscape(address)+"/", ""); status != 404 {
			t.Errorf("%s: its socket answers %d", address, status)
		}
	}
}
