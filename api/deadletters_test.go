package api_test

import (
	"context"
	"strings"
	"testing"
)

// TestDeadLetters: a platform that says no leaves a dead letter with its words; when it is well again, a replay delivers.
func TestDeadLetters(t *testing.T) {
	w := newWorld(t)
	url := w.serve()
	channel, conversation := w.talk("admin")
	w.ok("PATCH", "/v1/channels/"+channel, "admin", `{"settings":{"fail":"rejected"}}`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.hub.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	s := w.stream(url, "?kinds=receipt,repeated", "read")
	s.next()
	w.ok("POST", "/v1/conversations/"+conversation+"/messages", "write", `{"text":"can you hear me?"}`)
	if e := s.event(); !strings.Contains(e.data, `"failed"`) {
		t.Errorf("%+v", e)
	}
	list := w.ok("GET", "/v1/dead-letters", "read", "")
	if list.at(t, "items", 0, "event", "seq") != "4" || list.at(t, "items", 0, "failure", "class") != "rejected" {
		t.Fatal(list.body)
	}
	id := list.at(t, "items", 0, "id")
	if got := w.call("POST", "/v1/dead-letters/"+id+"/replay", "other", ""); got.status != 404 {
		t.Errorf("from another workspace: %d", got.status)
	}
	w.ok("PATCH", "/v1/channels/"+channel, "admin", `{"settings":{"fail":"none"}}`)
	key := "Idempotency-Key: again"
	first := w.ok("POST", "/v1/dead-letters/"+id+"/replay", "write", "", key)
	if again := w.ok("POST", "/v1/dead-letters/"+id+"/replay", "write", "", key); first.at(t, "kind") != "repeated" || again.body != first.body {
		t.Error(first.body, again.body)
	}
	if e := s.event(); e.kind != "repeated" {
		t.Errorf("%+v", e)
	}
	if e := s.event(); !strings.Contains(e.data, `"sent"`) {
		t.Errorf("%+v", e)
	}
	if got := w.ok("GET", "/v1/dead-letters", "read", ""); len(got.json(t)["items"].([]any)) != 0 {
		t.Error(got.body)
	}
	if got := w.call("POST", "/v1/dead-letters/"+id+"/replay", "write", ""); got.status != 404 {
		t.Errorf("once more: %d", got.status)
	}
}
