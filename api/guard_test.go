package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

func TestWebhooks(t *testing.T) {
	w := newWorld(t)
	channel, _ := w.talk("admin")
	key := "Authorization: Bearer key-of-the-simulator"
	for _, c := range []struct {
		name, method, path, header, body string
		status                           int
		events                           int64
	}{
		{"stored", "POST", "/in/" + channel, key, `{"from":"ada","text":"a","id":"1"}`, 200, 1},
		{"repeated", "POST", "/in/" + channel, key, `{"from":"ada","text":"a","id":"1"}`, 200, 0},
		{"unsigned", "POST", "/in/" + channel, "", `{"from":"ada","text":"a"}`, 401, 0},
		{"malformed", "POST", "/in/" + channel, key, `{"from":`, 400, 0},
		{"wrong method", "GET", "/in/" + channel, key, "", 400, 0},
		{"no channel", "POST", "/in/none", key, "{}", 404, 0},
		{"too large", "POST", "/in/" + channel, key, `{"text":"` + strings.Repeat("x", 3<<20) + `"}`, 413, 0},
		{"no path", "POST", "/in/", key, "{}", 404, 0},
	} {
		before := w.head(w.ws)
		got := w.call(c.method, c.path, "", c.body, c.header)
		if got.status != c.status || got.header.Get("X-Action-Id") == "" {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		if grown := w.head(w.ws) - before; grown != c.events {
			t.Errorf("%s: %d events", c.name, grown)
		}
	}
	got := w.ok("POST", "/in/"+channel, "", `{"from":"ada","text":"b"}`, key)
	events := w.ok("GET", "/v1/conversations?channel="+channel, "read", "")
	last := w.ok("GET", "/v1/conversations/"+events.at(t, "items", 0, "id")+"/events?before=1000&limit=1", "read", "")
	if last.at(t, "items", 0, "action") != got.header.Get("X-Action-Id") {
		t.Error("the event does not name its action:", last.body)
	}
}

// receiver stands before the hub and keeps what it was handed.
type receiver struct {
	api.Hub
	got  connector.Request
	err  error
	boom bool
}

func (r *receiver) MaxBody(context.Context, chat.ChannelID) (int64, error) { return 100, nil }

func (r *receiver) Receive(_ context.Context, _ chat.ChannelID, req connector.Request) (connector.Reply, error) {
	if r.boom {
		panic("boom")
	}
	r.got = req
	return connector.Reply{Status: 202, ContentType: "text/x", Body: []byte("taken")}, r.err
}

func TestCalledURL(t *testing.T) {
	forwarded := []string{"X-Forwarded-For: 6.6.6.6, 7.7.7.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: seen.example"}
	for _, c := range []struct {
		name, public string
		trust        bool
		url, remote  string
	}{
		{"public", "https://hub.example/base", false, "https://hub.example/base/in/c?a=b%20c", "192.0.2.1"},
		{"proxy", "", true, "https://seen.example/in/c?a=b%20c", "7.7.7.7"},
		{"neither", "", false, "http://example.com/in/c?a=b%20c", "192.0.2.1"},
	} {
		r := &receiver{}
		w := newWorld(t, func(o *api.Options) { r.Hub, o.Hub, o.Public, o.TrustProxy = o.Hub, r, c.public, c.trust })
		got := w.call("POST", "/in/c?a=b%20c", "", "raw", forwarded...)
		if got.status != 202 || got.body != "taken" || got.header.Get("Content-Type") != "text/x" {
			t.Errorf("%s: %v", c.name, got)
		}
		if r.got.URL.String() != c.url || r.got.Remote != c.remote || string(r.got.Body) != "raw" || r.got.Method != "POST" {
			t.Errorf("%s: %v %v", c.name, r.got.URL, r.got.Remote)
		}
	}
}

func TestWebhookErrors(t *testing.T) {
	r := &receiver{}
	w := newWorld(t, func(o *api.Options) { r.Hub, o.Hub = o.Hub, r })
	for _, c := range []struct {
		err    error
		status int
		retry  bool
	}{
		{connector.ErrUnsigned, 401, false},
		{connector.Malformedf("no"), 400, false},
		{chat.Faultf(chat.CodeUnavailable, "away"), 503, true},
		{chat.Faultf(chat.CodeForbidden, "off"), 410, false},
		{chat.Faultf(chat.CodeNotFound, "none"), 404, false},
		{&connector.Error{Policy: connector.Retry, Detail: "secret words of a platform"}, 503, true},
		{context.DeadlineExceeded, 500, false},
	} {
		r.err = c.err
		got := w.call("POST", "/in/c", "", "x")
		if got.status != c.status || (got.header.Get("Retry-After") != "") != c.retry || strings.Contains(got.body, "secret words") {
			t.Errorf("%v: %d %v %s", c.err, got.status, got.header, got.body)
		}
	}
	r.boom = true
	got := w.call("POST", "/in/c", "", "x")
	if got.status != 500 || got.at(t, "action") == "" || strings.Contains(got.body, "boom") || !strings.Contains(w.logs.String(), "boom") {
		t.Errorf("panic: %d %s", got.status, got.body)
	}
}

func TestBodiesAreUTF8(t *testing.T) {
	w := newWorld(t)
	channel, conv := w.talk("admin")
	before := w.head(w.ws)
	for _, c := range [][3]string{
		{"POST", "/v1/conversations/" + conv + "/messages", `{"text":"a%b"}`},
		{"POST", "/v1/conversations/" + conv + "/notes", `{"text":"a%b"}`},
		{"POST", "/v1/channels", `{"connector":"simulator","name":"a%b"}`},
		{"PATCH", "/v1/channels/" + channel, `{"name":"a%b"}`},
		{"PUT", "/v1/flows/a", `{"states":[{"name":"a%b","initial":true}]}`},
		{"POST", "/v1/tokens", `{"name":"a%b","scopes":["read"]}`},
		{"POST", "/v1/tokens", `{"name":"a","scopes":["read"],"%":1}`},
	} {
		for _, bad := range []string{"\xff", "\xc3", "\xed\xa0\x80"} {
			got := w.call(c[0], c[1], "admin", strings.ReplaceAll(c[2], "%", bad))
			if got.status != 400 || got.at(t, "code") != "malformed" {
				t.Errorf("%s %s with %q: %d %s", c[0], c[1], bad, got.status, got.body)
			}
		}
	}
	if w.head(w.ws) != before || strings.Contains(w.ok("GET", "/v1/channels", "admin", "").body, "\uFFFD") {
		t.Error("something was stored")
	}
	w.ok("POST", "/v1/conversations/"+conv+"/messages", "admin", `{"text":"Grüße \uFFFD"}`) // that character itself may be sent
}

func TestLimitsOfBodies(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Body = 1000 })
	_, conversation := w.talk("admin")
	path := "/v1/conversations/" + conversation + "/messages"
	if got := w.call("POST", path, "write", `{"text":"`+strings.Repeat("x", 1000)+`"}`); got.status != 413 || got.at(t, "code") != "too_large" {
		t.Errorf("announced: %d %s", got.status, got.body)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", path, endless{})
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer "+w.tokens["write"])
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if rec.Code != 413 {
		t.Errorf("endless: %d", rec.Code)
	}
	if got := w.call("POST", path, "write", `{"stack":[{"type":"tool_use","payload":`+strings.Repeat(`{"a":`, 70)+"1"+strings.Repeat("}", 70)+"}]}"); got.status != 422 {
		t.Errorf("too deep: %d %s", got.status, got.body)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestHeaders(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Origins = []string{"https://desk.example"} })
	got := w.ok("GET", "/v1/me", "read", "", "Origin: https://evil.example")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q", name, got.header.Get(name))
		}
	}
	if got := w.ok("GET", "/v1/me", "read", "", "Origin: https://desk.example"); got.header.Get("Access-Control-Allow-Origin") != "https://desk.example" {
		t.Error("an allowed origin is not told so")
	}
	pre := w.call("OPTIONS", "/v1/me", "", "", "Origin: https://desk.example", "Access-Control-Request-Method: POST")
	if pre.status != 204 || !strings.Contains(pre.header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("pre-flight: %d %v", pre.status, pre.header)
	}
	if off := newWorld(t).call("OPTIONS", "/v1/me", "", "", "Origin: https://desk.example", "Access-Control-Request-Method: POST"); off.status != 405 || off.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("by default: %d", off.status)
	}
	if got := w.ok("GET", "/metrics", "", ""); !strings.Contains(got.body, "dragoman_up") {
		t.Error(got.body)
	}
	w.store.Close()
	if got := w.call("GET", "/readyz", "", ""); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("without a database: %d", got.status)
	}
	if got := w.call("GET", "/healthz", "", ""); got.status != 200 {
		t.Errorf("alive all the same: %d", got.status)
	}
}

// TestNobodyHoldsAConnection sends calls whose bodies never come: whatever is answered, the connection ends.
func TestNobodyHoldsAConnection(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Timeout = 100 * time.Millisecond })
	address := strings.TrimPrefix(w.serve(), "http://")
	for _, line := range []string{"POST /nothing", "POST /v1/files", "GET /v1/events", "GET /files/x", "POST /in/x", "POST /v1/tokens", "GET /docs", "OPTIONS /v1/me"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		w.must(err)
		w.must(c.SetDeadline(time.Now().Add(10 * time.Second))) // only a failure waits for it
		_, err = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", line)
		w.must(err)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is still open", line)
		}
		c.Close()
	}
}

// TestNobodyHoldsAnAnswer asks again and again and reads nothing.
func TestNobodyHoldsAnAnswer(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Timeout = 100 * time.Millisecond })
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.serve(), "http://"))
	w.must(err)
	defer c.Close()
	w.must(c.SetDeadline(time.Now().Add(20 * time.Second))) // only a failure waits for it
	for ask := []byte("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"); err == nil; {
		_, err = c.Write(ask)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the server still waits for its reader")
	}
}

// TestPaced: one address cannot call what needs no token as often as it likes, and others go on.
func TestPaced(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Visits = 2 })
	w.pass(0) // the clock stands: nobody gets room for a visit by being slow
	h := w.api.Paced(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) }))
	visit := func(from string) int {
		r := httptest.NewRequest("GET", "/back/x", nil)
		r.RemoteAddr = from
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code == http.StatusTooManyRequests && rec.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return rec.Code
	}
	for i := range 9 {
		want := http.StatusNoContent
		if i == 8 {
			want = http.StatusTooManyRequests
		}
		if got := visit("10.0.0.1:99"); got != want {
			t.Errorf("visit %d: %d, want %d", i, got, want)
		}
	}
	if got := visit("10.0.0.2:99"); got != http.StatusNoContent {
		t.Errorf("another address: %d", got)
	}
	w.pass(time.Second)
	if got := visit("10.0.0.1:98"); got != http.StatusNoContent {
		t.Errorf("a second later: %d", got)
	}
}
