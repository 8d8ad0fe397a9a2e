package api_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/simulator"
	"github.com/dragoman-hub/dragoman/connector/telegram"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// world is the API over a real store and a real hub, with two workspaces.
type world struct {
	t      testing.TB
	api    *api.API
	store  *store.Store
	hub    *hub.Hub
	bus    wake.Bus
	ws     chat.WorkspaceID // the first one
	other  chat.WorkspaceID
	tokens map[string]string // by name: admin, read, write, ..., other (admin of the other workspace)
	logs   *lockedBuffer

	mu  sync.Mutex
	now time.Time // zero: the real time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now.IsZero() {
		return time.Now()
	}
	return w.now
}

// pass lets time go by; from then on the clock stands.
func (w *world) pass(d time.Duration) { w.at(w.clock().Add(d)) }

func (w *world) at(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = now
}

func newWorld(t testing.TB, change ...func(*api.Options)) *world {
	return newWorldOn(t, storetest.SQLite(t), change...)
}

func newWorldOn(t testing.TB, dsn string, change ...func(*api.Options)) *world {
	w := &world{t: t, bus: wake.Local(), tokens: map[string]string{}, logs: &lockedBuffer{}}
	log := telemetry.NewLog(w.logs, telemetry.LogOptions{})
	var err error
	w.store, err = store.Open(t.Context(), store.Options{DSN: dsn, Wake: w.bus, Routes: hub.Routes(), Log: log, Now: w.clock})
	w.must(err)
	t.Cleanup(func() { w.store.Close() })
	blobs, err := blob.Dir(t.TempDir())
	w.must(err)
	t.Cleanup(func() { blobs.Close() })
	keys, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	w.must(err)
	w.hub = hub.New(hub.Options{
		Store: w.store, Blobs: blobs, Wake: w.bus, Secrets: keys, Platforms: []connector.Platform{simulator.Platform(), telegram.Platform()},
		HTTP: &http.Client{Transport: nowhere{}}, Random: rand.Reader, Now: w.clock, Log: log, Meter: telemetry.NewMetrics(), Public: "https://hub.example",
		Limits: hub.Limits{Attachment: 1 << 20},
	})
	o := api.Options{
		Store: w.store, Hub: w.hub, Wake: w.bus, Secrets: keys, Now: w.clock, Log: log, Version: "1.2.3", Public: "https://hub.example",
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "dragoman_up 1\n") }),
	}
	for _, f := range change {
		f(&o)
	}
	w.api = api.New(o)
	t.Cleanup(w.api.Close)
	w.ws, w.other = w.workspace("first"), w.workspace("second")
	for _, scope := range []string{"admin", "read", "write", "channels", "flows", "tokens"} {
		w.tokens[scope] = w.token(w.ws, scope, scope)
	}
	w.tokens["agent"] = w.token(w.ws, "agent", "read", "write")
	w.tokens["other"] = w.token(w.other, "other", "admin")
	return w
}

// nowhere refuses every request: nothing leaves the machine.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("no way to %s", r.URL.Host)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) workspace(name string) chat.WorkspaceID {
	ws, err := w.store.AddWorkspace(w.t.Context(), "", name)
	w.must(err)
	return ws.ID
}

func (w *world) token(ws chat.WorkspaceID, name string, scopes ...string) string {
	token, _ := secret.NewToken(api.TokenPrefix)
	_, err := w.store.AddToken(w.t.Context(), store.Token{Workspace: ws, Name: name, Scopes: scopes, Hash: api.TokenHash(token)})
	w.must(err)
	return token
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%d %q: %v", a.status, a.body, err)
	}
	return v
}

// at finds a member by its path.
func (a answer) at(t testing.TB, path ...any) string {
	t.Helper()
	var v any = a.json(t)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				t.Fatalf("%v: nothing at %d in %s", path, p, a.body)
			}
			v = l[p]
		}
	}
	return fmt.Sprint(v)
}

// call is one request; header is "Name: value" lines.
func (w *world) call(method, path, token, body string, header ...string) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	if t := w.tokens[token]; t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	} else if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

// ok is call for what must succeed.
func (w *world) ok(method, path, token, body string, header ...string) answer {
	w.t.Helper()
	got := w.call(method, path, token, body, header...)
	if got.status < 200 || got.status > 299 {
		w.t.Fatalf("%s %s: %d %s\n%s", method, path, got.status, got.body, w.logs)
	}
	return got
}

// talk makes a channel and a conversation in which somebody said hello; the answers are their ids.
func (w *world) talk(token string) (channel, conversation string) {
	w.t.Helper()
	channel = w.ok("POST", "/v1/channels", token, `{"connector":"simulator","name":"sim","settings":{"key":"key-of-the-simulator"}}`).at(w.t, "id")
	w.say(channel, "ada", "hello")
	return channel, w.ok("GET", "/v1/conversations?channel="+channel, token, "").at(w.t, "items", 0, "id")
}

// desk stores queues, and agents: those whose names begin with @.
func (w *world) desk(token string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		if agent, ok := strings.CutPrefix(name, "@"); ok {
			w.ok("PUT", "/v1/agents/"+agent, token, `{"name":"x"}`)
			continue
		}
		w.ok("PUT", "/v1/queues/"+name, token, `{"rule":"least_busy","members":[]}`)
	}
}

func (w *world) say(channel, from, text string) {
	w.t.Helper()
	w.ok("POST", "/in/"+channel, "", fmt.Sprintf(`{"from":%q,"name":"Ada","text":%q}`, from, text), "Authorization: Bearer key-of-the-simulator")
}

func (w *world) head(ws chat.WorkspaceID) int64 {
	w.t.Helper()
	s, err := w.store.Workspace(w.t.Context(), ws)
	w.must(err)
	return s.Head
}

// subset tells where want is not in got; "" if it is. Members of objects may be more, lists must be as long.
func subset(want, got any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: %v is no object", path, got)
		}
		for name, v := range want {
			if why := subset(v, m[name], path+"."+name); why != "" {
				return why
			}
		}
		return ""
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(want) {
			return fmt.Sprintf("%s: %v, want %d entries", path, got, len(want))
		}
		for i := range want {
			if why := subset(want[i], l[i], fmt.Sprintf("%s[%d]", path, i)); why != "" {
				return why
			}
		}
		return ""
	default:
		if !reflect.DeepEqual(want, got) {
			return fmt.Sprintf("%s: %v, want %v", path, got, want)
		}
		return ""
	}
}

// scene is an HTTP test as data. In path and body {channel}, {conversation}, {contact} stand for the ids of the talk.
type scene struct {
	name   string
	method string
	path   string
	token  string
	header string
	body   string
	status int
	want   string // a JSON subset of the answer
	events int64  // by how many the log grew
}

func (w *world) play(t *testing.T, s scene, names *strings.Replacer) {
	t.Helper()
	before := w.head(w.ws)
	var header []string
	if s.header != "" {
		header = strings.Split(s.header, "\n")
	}
	got := w.call(s.method, names.Replace(s.path), s.token, names.Replace(s.body), header...)
	if got.status != s.status {
		t.Fatalf("status %d, want %d: %s", got.status, s.status, got.body)
	}
	if s.status >= 400 {
		p := got.json(t)
		if got.header.Get("Content-Type") != "application/problem+json" || p["code"] == "" || p["action"] != got.header.Get("X-Action-Id") {
			t.Errorf("not a problem: %v %s", got.header, got.body)
		}
	}
	if s.want != "" {
		var want, have any
		if err := json.Unmarshal([]byte(names.Replace(s.want)), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(got.body), &have); err != nil {
			t.Fatal(err, got.body)
		}
		if why := subset(want, have, "answer"); why != "" {
			t.Errorf("%s\n%s", why, got.body)
		}
	}
	if grown := w.head(w.ws) - before; grown != s.events {
		t.Errorf("the log grew by %d, want %d", grown, s.events)
	}
}

func conversationID(id string) chat.ConversationID { return chat.ConversationID(id) }
