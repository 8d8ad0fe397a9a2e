package api_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestOnce: the same request 16 times in parallel has one effect and one answer.
func TestOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { onceOnly(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { onceOnly(t, newWorldOn(t, storetest.Postgres(t))) })
}

func onceOnly(t *testing.T, w *world) {
	w.desk("admin", "a", "b")
	_, conversation := w.talk("admin")
	base := "/v1/conversations/" + conversation
	for _, c := range []struct {
		name, method, path, body, other string
		events                          int64
	}{
		{"message", "POST", base + "/messages", `{"text":"<b>once & only</b> 1.50"}`, `{"text":"another"}`, 1},
		{"buttons", "POST", base + "/messages", `{"stack":[{"type":"buttons","payload":{"content":"?","buttons":[{"title":"A","row":1}]}}],"reply_to":{"seq":3}}`, `{"stack":[{"type":"buttons","payload":{"content":"?","buttons":[{"title":"B","row":1}]}}],"reply_to":{"seq":3}}`, 1},
		{"tool", "POST", base + "/messages", `{"stack":[{"type":"tool_use","payload":{"n":12345678901234567890,"x":[1.0]}}]}`, `{"stack":[{"type":"tool_use","payload":{"n":12345678901234567891,"x":[1.0]}}]}`, 1},
		{"note", "POST", base + "/notes", `{"text":"seen"}`, `{"text":"not seen"}`, 1},
		{"edit", "PATCH", base + "/messages/3", `{"text":"new"}`, `{"text":"newer"}`, 1},
		{"reaction", "POST", base + "/messages/3/reactions", `{"emoji":"👍"}`, `{"emoji":""}`, 1},
		{"read", "POST", base + "/read", "", `{"seq":1}`, 1},
		{"queue", "POST", base + "/queue", `{"queue":"a"}`, `{"queue":"b"}`, 1},
		{"token", "POST", "/v1/tokens", `{"name":"x","scopes":["read"]}`, `{"name":"y","scopes":["read"]}`, 0},
		{"channel", "POST", "/v1/channels", `{"connector":"simulator"}`, `{"connector":"simulator","name":"n"}`, 0},
		{"flow", "PUT", "/v1/flows/f", goodFlow, strings.Replace(goodFlow, "hi", "ho", 1), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := "Idempotency-Key: " + c.name + "-key"
			before := w.head(w.ws)
			answers := make([]answer, 16)
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() { answers[i] = w.call(c.method, c.path, "admin", c.body, key) })
			}
			wg.Wait()
			first := 0
			for _, got := range answers {
				if got.status != answers[0].status || got.status > 299 || got.body != answers[0].body {
					t.Fatalf("%d %s\n%d %s", got.status, got.body, answers[0].status, answers[0].body)
				}
				if got.header.Get("Idempotency-Replayed") == "" {
					first++
				}
			}
			if first != 1 {
				t.Errorf("%d answers say that they are the first", first)
			}
			if grown := w.head(w.ws) - before; grown != c.events {
				t.Errorf("the log grew by %d", grown)
			}
			if c.name == "read" {
				return // its body may be left out, so that another one is no other request in the log's eyes
			}
			got := w.call(c.method, c.path, "admin", c.other, key)
			if got.status != 422 || got.at(t, "code") != "idempotency_mismatch" {
				t.Errorf("same key, another body: %d %s", got.status, got.body)
			}
			if grown := w.head(w.ws) - before; grown != c.events {
				t.Errorf("a mismatch was stored: %d", grown)
			}
		})
	}
	// the same key for another path, and with another token
	if got := w.call("POST", base+"/notes", "admin", `{"text":"<b>once & only</b> 1.50"}`, "Idempotency-Key: message-key"); got.at(t, "code") != "idempotency_mismatch" {
		t.Error("the key of a message for a note:", got.body)
	}
	if got := w.ok("POST", base+"/messages", "write", `{"text":"mine"}`, "Idempotency-Key: message-key"); got.header.Get("Idempotency-Replayed") != "" {
		t.Error("tokens share a key")
	}
}

// TestFailuresAreNotKept: what failed has changed nothing and can be tried again with the same key.
func TestFailuresAreNotKept(t *testing.T) {
	w := newWorld(t)
	_, conversation := w.talk("admin")
	path := "/v1/conversations/" + conversation + "/bot"
	if got := w.call("POST", path, "admin", `{"flow":"f"}`, "Idempotency-Key: k"); got.status != 422 {
		t.Fatal(got)
	}
	w.ok("PUT", "/v1/flows/f", "admin", goodFlow)
	w.ok("POST", path, "admin", `{"flow":"f"}`, "Idempotency-Key: k")
	if got := w.ok("POST", path, "admin", `{"flow":"f"}`, "Idempotency-Key: k"); got.header.Get("Idempotency-Replayed") != "true" {
		t.Error("not replayed")
	}
}

// TestKeptAnswersAreSealed: an answer may hold a new token, so nobody finds it in the database.
func TestKeptAnswersAreSealed(t *testing.T) {
	w := newWorld(t)
	token := w.ok("POST", "/v1/tokens", "admin", `{"name":"x","scopes":["read"]}`, "Idempotency-Key: k").at(t, "token")
	all, err := w.store.Tokens(t.Context(), w.ws)
	w.must(err)
	for _, tok := range all {
		a, err := w.store.Answer(t.Context(), w.ws, tok.ID+"/k")
		if err == nil && strings.Contains(a.Body, token) {
			t.Error("a token lies open in the database")
		}
		if err == nil {
			return
		}
	}
	t.Error("no answer was kept")
}
