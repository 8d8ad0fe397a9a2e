package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestDeadLetters: a platform that says no leaves a dead letter with its words; when it is well again, a replay delivers.
func TestDeadLetters(t *testing.T) {
	w := newWorld(t)
	url := w.serve()
	channel, conversation := w.talk("admin")
	w.ok("PATCH", "/v1/channels/"+channel, "admin", `{"settings":{"fail":"rejected"}}`)
	defer w.sending()()

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

// sending lets the hub send until the answer is called.
func (w *world) sending() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error)
	go func() { ended <- w.hub.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
}

// await asks until the answer says something.
func (w *world) await(path, want string) answer {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		got := w.ok("GET", path, "admin", "")
		if strings.Contains(got.body, want) {
			return got
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s: in vain for %s: %s", path, want, got.body)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// letters lists ids of dead letters that pass a filter.
func (w *world) letters(query string) (ids []string) {
	w.t.Helper()
	for _, item := range w.ok("GET", "/v1/dead-letters"+query, "read", "").json(w.t)["items"].([]any) {
		ids = append(ids, item.(map[string]any)["id"].(string))
	}
	return ids
}

// TestChangedLetters: dead letters are found by what they are, and a message that never left is sent with other words, or elsewhere; once.
func TestChangedLetters(t *testing.T) {
	for name, w := range map[string]*world{"sqlite": newWorld(t, quickly), "postgres": newWorldOn(t, storetest.Postgres(t), quickly)} {
		t.Run(name, func(t *testing.T) { changedLetters(t, w) })
	}
}

func changedLetters(t *testing.T, w *world) {
	w.desk("admin", "sales", "@ann")
	channel, conversation := w.talk("admin")
	w.ok("PATCH", "/v1/channels/"+channel, "admin", `{"settings":{"fail":"rejected"}}`)
	defer w.sending()()
	for _, text := range []string{"ÄPFEL and pears", "one plum", "two plums"} {
		w.ok("POST", "/v1/conversations/"+conversation+"/messages", "write", fmt.Sprintf(`{"text":%q}`, text))
	}
	lost := w.ok("POST", "/v1/conversations", "admin", fmt.Sprintf(`{"channel":%q,"address":"+49 wrong","name":"Bea","text":"Hello Bea","assign":"ann","queue":"sales"}`, channel)).at(t, "id")
	for end := time.Now().Add(time.Minute); len(w.letters("")) < 4; {
		if time.Now().After(end) {
			t.Fatal("no four letters")
		}
		<-time.After(20 * time.Millisecond)
	}
	w.ok("PATCH", "/v1/channels/"+channel, "admin", `{"settings":{"fail":"none"}}`)

	for query, want := range map[string]int{
		"?q=%C3%A4pfel": 1, "?q=PLUM": 2, "?q=nothing": 0, "?class=rejected": 4, "?class=gone": 0, "?channel=" + channel: 4, "?channel=none": 0, "?work=out&kind=message": 4,
		"?kind=edited": 0, "?work=media": 0, "?since=2020-01-01T00:00:00Z": 4, "?since=2999-01-01T00:00:00Z": 0, "?q=plum&limit=1": 1, "?q=plum&class=rejected&limit=2": 2,
	} {
		if got := w.letters(query); len(got) != want {
			t.Errorf("%s: %v, want %d", query, got, want)
		}
	}
	first := w.ok("GET", "/v1/dead-letters?q=plum&limit=1", "read", "")
	second := w.ok("GET", "/v1/dead-letters?q=plum&limit=1&cursor="+first.at(t, "next"), "read", "")
	if first.at(t, "items", 0, "id") == second.at(t, "items", 0, "id") || strings.Contains(second.body, `"next"`) {
		t.Error(first.body, second.body)
	}

	apples, bea := w.letters("?q=pears")[0], w.letters("?q=bea")[0]
	replay := "/v1/dead-letters/" + apples + "/replay"
	for body, status := range map[string]int{
		`{"message":{"text":""}}`: 422, `{"message":{"stack":[{"type":"hologram","payload":{}}]}}`: 422, `{"address":"+49 right"}`: 409,
		`{"message":{"text":"x","reply_to":{"seq":999}}}`: 422, `{"reason":"` + strings.Repeat("x", 1001) + `"}`: 422,
	} {
		if got := w.call("POST", replay, "write", body); got.status != status {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := w.call("POST", "/v1/dead-letters/"+bea+"/replay", "write", `{"address":"+49 wrong"}`); got.status != 422 {
		t.Error("the same address:", got.body)
	}

	answers := make([]answer, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = w.call("POST", replay, "write", `{"reason":"a typo","message":{"text":"apples and pears"}}`)
		})
	}
	wg.Wait()
	sent := 0
	for _, got := range answers {
		if got.status == 200 {
			sent++
		} else if got.status != 404 {
			t.Error(got.body)
		}
	}
	if sent != 1 {
		t.Errorf("it was sent %d times", sent)
	}
	log := w.await("/v1/conversations/"+conversation+"/events", `"sent"`)
	if strings.Count(log.body, "apples and pears") != 1 || strings.Count(log.body, "ÄPFEL and pears") != 1 {
		t.Error(log.body)
	}

	again := w.ok("POST", "/v1/dead-letters/"+bea+"/replay", "write", `{"reason":"a wrong number","address":"+49 right"}`)
	moved := w.ok("GET", "/v1/conversations/"+again.at(t, "conversation"), "admin", "")
	if moved.at(t, "thread", "address") != "+49 right" || moved.at(t, "assignee") != "ann" || moved.at(t, "queue") != "sales" || moved.at(t, "contact", "name") != "Bea" {
		t.Error(moved.body)
	}
	if old := w.ok("GET", "/v1/conversations/"+lost, "admin", ""); old.at(t, "state") != "closed" || old.at(t, "close_reason") != "readdressed" {
		t.Error(old.body)
	}
	w.await("/v1/conversations/"+again.at(t, "conversation")+"/events", `"sent"`)
	acts := w.ok("GET", "/v1/audit?act=replayDeadLetter", "admin", "")
	if acts.at(t, "items", 0, "reason") != "a wrong number" || acts.at(t, "items", 1, "reason") != "a typo" || acts.at(t, "items", 1, "before", "failure") != "rejected" ||
		acts.at(t, "items", 1, "kind") != "dead letter" || acts.at(t, "items", 1, "object") != apples || strings.Contains(acts.body, "pears") {
		t.Error(acts.body)
	}
	if len(acts.json(t)["items"].([]any)) != 2 {
		t.Error("other acts:", acts.body)
	}
	plum := w.letters("?q=plum")[0]
	w.ok("POST", "/v1/conversations/"+conversation+"/close", "write", "")
	w.want(t, 409, "POST", "/v1/dead-letters/"+plum+"/replay", `{"message":{"text":"x"}}`)
	w.ok("POST", "/v1/dead-letters/"+plum+"/replay", "write", "")
}
