package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func asClose(err error) (c websocket.CloseError) {
	errors.As(err, &c)
	return c
}

// TestTokens: who has none that is good is refused at the handshake, on every socket.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	read := w.addToken("read").secret
	for _, path := range []string{"/back/ws/broker/rpc/", "/back/ws/broker/rpc/f/", "/back/ws/broker/ai/", "/back/ws/broker/parse/"} {
		for _, token := range []string{"", "?token=", "?token=wrong", "?token=" + read, "?token=" + strings.Repeat("x", 1000)} {
			if status := w.refused(path + token); status != http.StatusForbidden {
				t.Errorf("%s%.30s: %d", path, token, status)
			}
		}
		w.dial(path)
	}
	w.token = w.addToken("admin").secret
	w.dial("/back/ws/broker/rpc/")
}

// TestRevoked: a token that is revoked cuts its sockets at the next look, and no others.
func TestRevoked(t *testing.T) {
	t.Parallel() // the look is seconds away
	w := newWorld(t)
	mine := w.dial("/back/ws/broker/rpc/")
	token := w.addToken(ScopeWorker)
	w.token = token.secret
	theirs := w.dial("/back/ws/broker/rpc/")
	put(t, theirs, define("f", tiny, false, false))
	w.until("registered", func() bool { return len(w.server.pool.list(w.ws)) == 1 })
	w.must(w.store.RevokeToken(t.Context(), w.ws, token.id))
	if code, reason := ended(t, theirs); code != websocket.StatusPolicyViolation || reason != errRevoked.Error() {
		t.Errorf("closed with %d %q", code, reason)
	}
	w.until("it is no worker any more", func() bool { return len(w.server.pool.list(w.ws)) == 0 })
	put(t, mine, `{"type":"zzz","data":{}}`)
	get(t, mine)
}

// TestStop: sockets are told when the hub stops, and no new ones are let in.
func TestStop(t *testing.T) {
	w := newWorld(t)
	conn := w.dial("/back/ws/broker/ai/")
	closed := make(chan websocket.StatusCode, 1)
	go func() {
		_, _, err := conn.Read(context.WithoutCancel(t.Context()))
		closed <- websocket.CloseStatus(err)
	}()
	w.stop()
	if code := <-closed; code != websocket.StatusGoingAway {
		t.Error(code)
	}
	if status := w.refused("/back/ws/broker/rpc/?token=" + w.token); status != http.StatusServiceUnavailable {
		t.Error(status)
	}
}

// TestTooManySockets of one token.
func TestTooManySockets(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.Sockets = 2 })
	one := w.dial("/back/ws/broker/rpc/")
	w.dial("/back/ws/broker/ai/")
	if status := w.refused("/back/ws/broker/rpc/?token=" + w.token); status != http.StatusTooManyRequests {
		t.Error(status)
	}
	_ = one.CloseNow()
	w.until("there is room again", func() bool {
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		return len(w.server.sockets) == 1 && len(w.server.reserved) == 1
	})
	w.until("let in", func() bool {
		conn, _, err := websocket.Dial(t.Context(), w.url("/back/ws/broker/rpc/")+"?token="+w.token, nil) //nolint:bodyclose // the socket has it
		if err == nil {
			_ = conn.CloseNow()
		}
		return err == nil
	})
}

// TestOddFrames: what is no text or too large ends the socket, with the reason.
func TestOddFrames(t *testing.T) {
	w := newWorld(t)
	conn := w.dial("/back/ws/broker/rpc/")
	w.must(conn.Write(t.Context(), websocket.MessageBinary, []byte("{}")))
	if code, _ := ended(t, conn); code != websocket.StatusUnsupportedData {
		t.Errorf("binary: %d", code)
	}
	conn = w.dial("/back/ws/broker/rpc/")
	put(t, conn, `{"type":"zzz","data":{"x":"`+strings.Repeat("x", 3<<20)+`"}}`)
	get(t, conn)
	_ = conn.Write(t.Context(), websocket.MessageText, bytes.Repeat([]byte("x"), 5<<20)) // it may be cut off while it writes
	if code, _ := ended(t, conn); code != websocket.StatusMessageTooBig && code != 0 {
		t.Errorf("large: %d", code)
	}
}

// TestPace: frames that come too fast wait, and none is lost.
func TestPace(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.Rate = 100 })
	conn := w.dial("/back/ws/broker/rpc/")
	begun := time.Now()
	const many = 150
	go func() {
		for range many {
			_ = conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"zzz","data":{}}`))
		}
	}()
	for range many {
		get(t, conn)
	}
	if d := time.Since(begun); d < 400*time.Millisecond {
		t.Errorf("%d frames in %v", many, d)
	}
}

// TestSlowReader: a worker that does not read is cut off, and the hub keeps no more of it than it says.
func TestSlowReader(t *testing.T) {
	w := newWorld(t)
	conn := w.dial("/back/ws/broker/rpc/")
	put(t, conn, define("f", tiny, false, false))
	w.until("registered", func() bool { return len(w.server.pool.list(w.ws)) == 1 })
	var c *socket
	w.server.mu.Lock()
	for c = range w.server.sockets {
	}
	w.server.mu.Unlock()
	frame := []byte(`"` + strings.Repeat("x", 900_000) + `"`)
	for range 2 * maxWaitingBytes / len(frame) {
		c.post(frame)
	}
	w.until("cut off", func() bool { return len(w.server.pool.list(w.ws)) == 0 })
}

// TestPings: the hub answers pings.
func TestPings(t *testing.T) {
	w := newWorld(t)
	conn := w.dial("/back/ws/broker/ai/")
	ctx := conn.CloseRead(t.Context())
	w.must(conn.Ping(ctx))
}

// TestLogin gives a token back for itself.
func TestLogin(t *testing.T) {
	w := newWorld(t)
	call := func(method, path, header, value string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set(header, value)
		rec := httptest.NewRecorder()
		w.http.Config.Handler.ServeHTTP(rec, r)
		body, err := io.ReadAll(rec.Result().Body)
		w.must(err)
		return rec.Code, strings.TrimSpace(string(body))
	}
	basic := func(password string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.SetBasicAuth("bot@example.com", password)
		return r.Header.Get("Authorization")
	}
	if status, body := call("POST", "/back/api/login/", "Authorization", basic(w.token)); status != 200 || body != fmt.Sprintf(`{"expiry":null,"token":%q}`, w.token) {
		t.Error(status, body)
	}
	for _, password := range []string{"", "wrong"} {
		if status, _ := call("POST", "/back/api/login/", "Authorization", basic(password)); status != http.StatusUnauthorized {
			t.Error(status)
		}
	}
	if status, _ := call("POST", "/back/api/login/", "Authorization", basic(w.addToken("read").secret)); status != http.StatusForbidden {
		t.Error(status)
	}
	if status, _ := call("POST", "/back/api/logout/", "Authorization", "Token "+w.token); status != http.StatusNoContent {
		t.Error(status)
	}
	if status, _ := call("GET", "/back/api/broker/sdks/", "Authorization", "Token wrong"); status != http.StatusForbidden {
		t.Error(status)
	}
	w.parcelWorker().connect()
	status, body := call("GET", "/back/api/broker/sdks/", "Authorization", "Token "+url.QueryEscape(w.token))
	var list struct {
		Count   int
		Results []map[string]string
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || list.Count != 1 || list.Results[0]["fsm_name"] != "parcel_fsm" {
		t.Error(status, body, err)
	}
}
