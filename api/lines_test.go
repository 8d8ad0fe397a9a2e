package api_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/desk"
)

// TestWhoFollowsIsThere: a user whose last stream ends becomes inactive after a while; the stream of a token is nobody's.
func TestWhoFollowsIsThere(t *testing.T) {
	var lines *desk.Lines
	w := people(t, func(o *api.Options) {
		lines = desk.NewLines(o.Store, time.Now, slog.New(slog.DiscardHandler), 200*time.Millisecond)
		o.Lines = lines
	})
	ended := make(chan error, 1)
	go func() { ended <- lines.Run(t.Context()) }()
	t.Cleanup(func() { w.must(<-ended) })
	ada := w.joined("ada@example.com", "agent")
	ids := []string{ada.id, w.ok("GET", "/v1/me", "read", "").at(t, "id")}
	for _, id := range ids {
		w.ok("PUT", "/v1/agents/"+id, "admin", `{"name":"x"}`)
		w.ok("POST", "/v1/agents/"+id+"/state", "admin", `{"state":"active"}`)
	}
	server := httptest.NewServer(w.api)
	defer server.Close()
	byToken := w.stream(server.URL, "", "read")
	byCookie := w.stream(server.URL, "", "", "Authorization: ", "Cookie: "+ada.cookie)
	for _, s := range []*stream{byToken, byCookie} {
		if _, ok := s.next(); !ok {
			t.Fatalf("no stream: %d", s.status)
		}
		s.cancel()
	}
	state := func(id string) string { return w.ok("GET", "/v1/agents/"+id, "admin", "").at(t, "state") }
	for deadline := time.After(time.Minute); state(ada.id) != "inactive"; {
		select {
		case <-deadline:
			t.Fatal("she is still active")
		case <-time.After(20 * time.Millisecond):
		}
	}
	if got := state(ids[1]); got != "active" {
		t.Errorf("a token's agent is %s", got)
	}
}
