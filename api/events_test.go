package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// sseEvent is what a browser would hand to a page. An event with an id only is a mark.
type sseEvent struct {
	id, kind, data string
}

// stream is one open connection.
type stream struct {
	t      testing.TB
	cancel context.CancelFunc
	body   *bufio.Reader
	status int
}

func (w *world) stream(server, query, token string, header ...string) *stream {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/v1/events"+query, nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+w.tokens[token])
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	w.must(err)
	w.t.Cleanup(func() { cancel(); resp.Body.Close() })
	return &stream{w.t, cancel, bufio.NewReader(resp.Body), resp.StatusCode}
}

// next reads one event or mark; ok is false at the end.
func (s *stream) next() (e sseEvent, ok bool) {
	for {
		line, err := s.body.ReadString('\n')
		if err != nil {
			return e, false
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "":
			if line == "" && e != (sseEvent{}) {
				return e, true
			}
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		}
	}
}

// event skips marks.
func (s *stream) event() sseEvent {
	s.t.Helper()
	for {
		e, ok := s.next()
		if !ok {
			s.t.Fatal("the stream ended")
		}
		if e.kind != "" {
			return e
		}
	}
}

func (w *world) serve() string {
	s := httptest.NewServer(w.api)
	w.t.Cleanup(func() { w.api.Close(); s.Close() })
	return s.URL
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	url := w.serve()
	channel, conversation := w.talk("admin")
	all := w.stream(url, "?after=0", "read")
	for i, kind := range []string{"opened", "queued", "message"} {
		e := all.event()
		var got chat.Event
		if err := json.Unmarshal([]byte(e.data), &got); err != nil {
			t.Fatal(err)
		}
		if e.kind != kind || e.id != strconv.Itoa(i+1) || got.Pos != int64(i+1) || string(got.Kind) != kind || string(got.Conversation) != conversation {
			t.Errorf("%+v", e)
		}
	}
	if e, _ := all.next(); e.id != "3" || e.kind != "" {
		t.Errorf("the mark behind what was stored is %+v", e) // from here on the stream is live
	}
	now := w.stream(url, "?kinds=message,typing", "read")
	if e, _ := now.next(); e.id != "3" || e.kind != "" {
		t.Errorf("the first mark is %+v", e)
	}
	other := w.stream(url, "", "other")
	other.next()
	w.bus.Typing(wake.Typing{Workspace: w.ws, Conversation: chat.ConversationID(conversation), Sender: chat.Party{Type: chat.PartyAgent, ID: "bob"}, On: true})
	if e := now.event(); e.kind != "typing" || e.id != "" || !strings.Contains(e.data, `"on":true`) || !strings.Contains(e.data, conversation) {
		t.Errorf("typing: %+v", e)
	}
	if e := all.event(); e.kind != "typing" {
		t.Errorf("typing: %+v", e)
	}
	w.ok("POST", "/v1/conversations/"+conversation+"/notes", "write", `{"text":"n"}`)
	w.say(channel, "bob", "me too")
	if e := now.event(); e.kind != "message" || e.id != "7" || !strings.Contains(e.data, "me too") {
		t.Errorf("%+v", e)
	}
	one := w.stream(url, "?conversation="+conversation, "read", "Last-Event-ID: 1")
	for _, want := range []string{"2", "3", "4"} {
		if e := one.event(); e.id != want {
			t.Errorf("of one conversation: %+v, want %s", e, want)
		}
	}
	if e, ok := one.next(); !ok || e.kind != "" || e.id != "7" {
		t.Errorf("the mark tells how far was looked: %+v", e)
	}
	w.talk("other")
	if e := other.event(); e.kind != "opened" || e.id != "1" {
		t.Errorf("another workspace's stream: %+v", e)
	}
	for _, c := range []struct {
		query, header string
		status        int
	}{
		{"?after=x", "", 422},
		{"?after=-1", "", 422},
		{"?kinds=a b", "", 422},
		{"?colour=red", "", 422},
		{"?after=99", "", 409},
		{"", "Last-Event-ID: 1e3", 422},
		{"", "Last-Event-ID: 99999999999999999999", 422},
		{"?conversation=none", "", 404},
	} {
		header := []string{}
		if c.header != "" {
			header = append(header, c.header)
		}
		if s := w.stream(url, strings.ReplaceAll(c.query, " ", "%20"), "read", header...); s.status != c.status {
			t.Errorf("%s %s: %d, want %d", c.query, c.header, s.status, c.status)
		}
	}
}

// TestResume: clients that come and go while many write get each event once and in order.
func TestResume(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { resume(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { resume(t, newWorldOn(t, storetest.Postgres(t))) })
}

func resume(t *testing.T, w *world) {
	url := w.serve()
	channel, _ := w.talk("admin")
	const writers, each = 8, 40
	last := int64(3 + writers*2 + writers*each) // opened and queued, then what they say
	var writing, reading sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			for n := range each {
				w.say(channel, fmt.Sprint("writer", i), fmt.Sprint("say ", n))
			}
		})
	}
	for i := range 4 {
		reading.Go(func() {
			at := int64(0)
			for at < last {
				s := w.stream(url, "?after=0", "read", "Last-Event-ID: "+strconv.FormatInt(at, 10))
				for range 7 + 30*i { // then leave, in the middle of everything
					e, ok := s.next()
					if !ok {
						break
					}
					if e.kind == "" {
						if id, err := strconv.ParseInt(e.id, 10, 64); err != nil || id < at {
							t.Errorf("reader %d: mark %q after %d", i, e.id, at)
						}
						continue
					}
					if e.id != strconv.FormatInt(at+1, 10) {
						t.Errorf("reader %d: event %q after %d", i, e.id, at)
						return
					}
					if at++; at == last {
						break
					}
				}
				s.cancel()
			}
		})
	}
	writing.Wait()
	reading.Wait()
}

// TestSlowClient: who does not read is cut off, holds nobody up, and resumes without a gap.
func TestSlowClient(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Buffer = 4 })
	channel, _ := w.talk("admin")
	stuck := newStuckWriter()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/events", nil)
	r.Header.Set("Authorization", "Bearer "+w.tokens["read"])
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.api.ServeHTTP(stuck, r)
	}()
	<-stuck.begun // the first mark is written, and the writer is stuck in it
	fast := w.stream(w.serve(), "", "read")
	fast.next()
	for i := range 20 {
		w.say(channel, "ada", fmt.Sprint(i))
		if e := fast.event(); e.kind != "message" {
			t.Errorf("%+v", e)
		}
	}
	close(stuck.free)
	<-done // cut off
	ids := stuck.ids()
	at := ids[len(ids)-1]
	for i, id := range ids {
		if id != int64(3+i) {
			t.Errorf("before the cut: %v", ids)
		}
	}
	if at >= 23 {
		t.Fatalf("nothing was cut off: %v", ids)
	}
	again := w.stream(w.serve(), "", "read", "Last-Event-ID: "+strconv.FormatInt(at, 10))
	for at < 23 {
		at++
		if e := again.event(); e.id != strconv.FormatInt(at, 10) {
			t.Errorf("after the cut: %+v, want %d", e, at)
		}
	}
}

// stuckWriter is a client whose line is blocked in its first write.
type stuckWriter struct {
	*httptest.ResponseRecorder
	mu          sync.Mutex
	text        strings.Builder
	begun, free chan struct{}
	once        sync.Once
}

func newStuckWriter() *stuckWriter {
	return &stuckWriter{ResponseRecorder: httptest.NewRecorder(), begun: make(chan struct{}), free: make(chan struct{})}
}

func (s *stuckWriter) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	<-s.free
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *stuckWriter) ids() (out []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.text.String()) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "id: "); ok {
			n, _ := strconv.ParseInt(id, 10, 64)
			out = append(out, n)
		}
	}
	return out
}

// deafBus hears nothing: every wake-up is lost.
type deafBus struct{ wake.Bus }

func (deafBus) Subscribe() *wake.Subscription { return wake.Local().Subscribe() }

// TestLostWakeUps cost a sweep, not an event; heartbeats go on meanwhile.
func TestLostWakeUps(t *testing.T) {
	w := newWorld(t, func(o *api.Options) {
		o.Wake = deafBus{o.Wake}
		o.Limits.Sweep, o.Limits.Heartbeat = 20*time.Millisecond, 20*time.Millisecond
	})
	channel, _ := w.talk("admin")
	s := w.stream(w.serve(), "", "read")
	for range 3 {
		if e, ok := s.next(); !ok || e.id != "3" || e.kind != "" {
			t.Errorf("beat %+v", e)
		}
	}
	w.say(channel, "ada", "still there?")
	if e := s.event(); e.id != "4" || e.kind != "message" {
		t.Errorf("%+v", e)
	}
}

// TestStreamsEnd: Close ends them, and a token has only so many.
func TestStreamsEnd(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Streams = 2 })
	url := w.serve()
	first, second := w.stream(url, "", "read"), w.stream(url, "", "read")
	first.next()
	second.next()
	if s := w.stream(url, "", "read"); s.status != 429 {
		t.Errorf("a third one: %d", s.status)
	}
	if s := w.stream(url, "", "admin"); s.status != 200 {
		t.Errorf("of another token: %d", s.status)
	}
	w.api.Close()
	for _, s := range []*stream{first, second} {
		if _, ok := s.next(); ok {
			t.Error("the stream goes on")
		}
	}
	w.ok("GET", "/v1/me", "read", "")
}

// TestStreamsOfBadTokensEnd revokes a token here, then one on another node, then lets one pass away.
func TestStreamsOfBadTokensEnd(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits.Heartbeat = 20 * time.Millisecond })
	server := w.serve()
	open := func(expiry string) (*stream, string) {
		made := w.ok("POST", "/v1/tokens", "admin", `{"name":"s","scopes":["read"]`+expiry+`}`)
		w.tokens["s"] = made.at(t, "token")
		s := w.stream(server, "", "s")
		if e, ok := s.next(); !ok || e.kind != "" {
			t.Fatal("no first mark")
		}
		return s, made.at(t, "id")
	}
	ends := func(s *stream, why string) {
		for range 500 { // marks that were under way
			if _, ok := s.next(); !ok {
				return
			}
		}
		t.Error(why + ": the stream goes on")
	}
	here, id := open("")
	w.ok("DELETE", "/v1/tokens/"+id, "admin", "")
	ends(here, "revoked here")

	there, id := open("")
	w.must(w.store.RevokeToken(t.Context(), w.ws, id))
	w.pass(6 * time.Second) // the cache's time
	ends(there, "revoked on another node")

	over, _ := open(`,"expires_at":"` + w.clock().Add(time.Hour).UTC().Format(time.RFC3339) + `"`)
	w.pass(2 * time.Hour)
	ends(over, "over")
}
