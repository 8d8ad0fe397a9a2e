package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// signingKey is the secret of Standard Webhooks, which signs both ways.
const signingKey = "a key of thirty-two bytes, truly"

func standardSignature(id, seconds, body string) string {
	mac := hmac.New(sha256.New, []byte(signingKey))
	mac.Write([]byte(id + "." + seconds + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// TestStandardWebhook connects a platform with two settings and no code.
func TestStandardWebhook(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 10)
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body) // a cut body has a wrong signature
		h := r.Header.Clone()
		h.Set("X-Good", strconv.FormatBool(h.Get("Webhook-Signature") == standardSignature(h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), string(raw))))
		h.Set("X-Body", string(raw))
		got <- h
		_, _ = fmt.Fprint(w, `{"id":"theirs-1"}`)
	}))
	t.Cleanup(platform.Close)
	hub := startHub(t, t.TempDir())
	c := hub.client()
	must(t, c, http.MethodPut, "/v1/flows/echo", json.RawMessage(echoFlow), nil)
	ch := addChannel(t, c, "webhook", "echo", map[string]any{
		"secret": "whsec_" + base64.StdEncoding.EncodeToString([]byte(signingKey)), "url": platform.URL,
	})
	in := func(id, body string, change func(map[string]string)) int {
		seconds := strconv.FormatInt(time.Now().Unix(), 10)
		h := map[string]string{
			"Content-Type": "application/json", "Webhook-Id": id, "Webhook-Timestamp": seconds, "Webhook-Signature": standardSignature(id, seconds, body),
		}
		if change != nil {
			change(h)
		}
		status, _ := call(t, http.MethodPost, hub.url+"/in/"+ch.ID, h, body)
		return status
	}
	const hello = `{"type":"message.created","timestamp":"2026-01-02T03:04:05Z","data":{"id":"m-1","conversation":"c-1","from":{"id":"u-1","name":"Ada"},"text":"hello"}}`
	before := head(t, c)
	for name, change := range map[string]func(map[string]string){
		"unsigned":     func(h map[string]string) { delete(h, "Webhook-Signature") },
		"wrong":        func(h map[string]string) { h["Webhook-Signature"] = "v1,AAAA" },
		"another id":   func(h map[string]string) { h["Webhook-Id"] = "msg_2" },
		"too old":      func(h map[string]string) { h["Webhook-Timestamp"] = "1674087231" },
		"another time": func(h map[string]string) { h["Webhook-Timestamp"] += "0" },
	} {
		if status := in("msg_1", hello, change); status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if now := head(t, c); now != before {
		t.Errorf("%d events were stored of calls that are not signed", now-before)
	}
	for range 3 {
		if status := in("msg_1", hello, nil); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	id := only(t, c, ch.ID)
	if sent := said(t, c, id, "re hello", chat.Sent); sent.ExternalID != "theirs-1" {
		t.Errorf("their id is %q", sent.ExternalID)
	}
	h := <-got
	if len(got) > 0 || h.Get("X-Good") != "true" || !strings.Contains(h.Get("X-Body"), `"text":"re hello"`) || h.Get("Idempotency-Key") == "" {
		t.Errorf("%d more, first %v", len(got), h)
	}
	if status := in("msg_2", `{"type":"message.status","data":{"id":"theirs-1","status":"delivered"}}`, nil); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	said(t, c, id, "re hello", chat.Delivered)
}

// moody answers each text in its own way, at its first tries; then well. It notes every try.
type moody struct {
	*httptest.Server
	mu    sync.Mutex
	tries []string          // texts, in the order in which they came
	keys  map[string]string // text by idempotency key
	taken map[string]int    // texts by how often a platform that looks at keys would have taken them
	moods map[string][]string
}

func newMoody(t testing.TB, moods map[string][]string) *moody {
	m := &moody{keys: map[string]string{}, taken: map[string]int{}, moods: moods}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Text string
		Data struct{ Text string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := body.Text + body.Data.Text
	switch m.mood(text, r.Header.Get("Idempotency-Key")) {
	case "hang":
		<-r.Context().Done()
	case "500":
		http.Error(w, "broken", http.StatusInternalServerError)
	case "429":
		w.Header().Set("Retry-After", "1")
		http.Error(w, "slowly", http.StatusTooManyRequests)
	case "400":
		http.Error(w, "I do not want that", http.StatusBadRequest)
	case "half":
		w.Header().Set("Content-Length", "100")
		_, _ = fmt.Fprint(w, `{"id":"ha`)
	default:
		_, _ = fmt.Fprintf(w, `{"id":"theirs %s"}`, text)
	}
}

func (m *moody) mood(text, key string) (mood string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tries = append(m.tries, text)
	if list := m.moods[text]; len(list) > 0 {
		mood, m.moods[text] = list[0], list[1:]
	}
	if mood == "500" || mood == "429" || mood == "400" {
		return mood // not taken
	}
	if key == "" || m.keys[key] == "" {
		m.taken[text]++
	}
	m.keys[key] = text
	return mood
}

// TestBadPlatform: every way in which a platform fails has its own honest end, the order is kept, and nothing is doubled.
func TestBadPlatform(t *testing.T) {
	t.Parallel()
	hub := startHub(t, t.TempDir())
	must(t, hub.client(), http.MethodPut, "/v1/flows/echo", json.RawMessage(echoFlow), nil)
	// the time limit below is one that a busy machine keeps
	texts := []string{"hang", "five hundred", "throttled", "half", "refused", "fine"}
	moods := func() map[string][]string {
		return map[string][]string{
			"re hang": {"hang"}, "re five hundred": {"500", "500"}, "re throttled": {"429"}, "re half": {"half"}, "re refused": {"400"},
		}
	}
	t.Run("it knows no keys", func(t *testing.T) {
		t.Parallel()
		p := newMoody(t, moods())
		plain := map[string]any{"timeout": 4, "body": map[string]any{"text": "{{ .text }}"}}
		tries := badPlatform(t, hub, p, plain, texts, map[string]chat.Status{
			"hang": chat.Unsure, "five hundred": chat.Sent, "throttled": chat.Sent, "half": chat.Unsure, "refused": chat.Failed, "fine": chat.Sent,
		})
		want := "re hang, re five hundred, re five hundred, re five hundred, re throttled, re throttled, re half, re refused, re fine"
		if tries != want {
			t.Errorf("tried %s\nwant  %s", tries, want)
		}
	})
	t.Run("it knows keys", func(t *testing.T) {
		t.Parallel()
		p := newMoody(t, moods())
		tries := badPlatform(t, hub, p, map[string]any{"timeout": 4}, texts, map[string]chat.Status{
			"hang": chat.Sent, "five hundred": chat.Sent, "throttled": chat.Sent, "half": chat.Sent, "refused": chat.Failed, "fine": chat.Sent,
		})
		want := "re hang, re hang, re five hundred, re five hundred, re five hundred, re throttled, re throttled, re half, re half, re refused, re fine"
		if tries != want {
			t.Errorf("tried %s\nwant  %s", tries, want)
		}
	})
}

// badPlatform lets one person write all texts and waits for the statuses of the answers; it gives the tries.
func badPlatform(t *testing.T, hub *process, p *moody, send map[string]any, texts []string, want map[string]chat.Status) string {
	c := hub.client()
	send["sign"] = map[string]any{"type": "none"}
	ch := addChannel(t, c, "webhook", "echo", map[string]any{
		"url": p.URL, "receive": map[string]any{"verify": map[string]any{"type": "none"}}, "send": send,
	})
	for i, text := range texts {
		body := fmt.Sprintf(`{"id":"m%d","from":"p1","text":%q}`, i, text)
		if status, answer := call(t, http.MethodPost, hub.url+"/in/"+ch.ID, map[string]string{"Content-Type": "application/json"}, body); status != http.StatusOK {
			t.Fatalf("status %d: %s", status, answer)
		}
	}
	id := only(t, c, ch.ID)
	for _, text := range texts {
		e := said(t, c, id, "re "+text, want[text])
		if bad := want[text] != chat.Sent; bad != (e.Error != nil) {
			t.Errorf("%s: error %+v", text, e.Error)
		}
	}
	dead, err := listAll[store.DeadLetter](t.Context(), c, "/v1/dead-letters")
	for text, status := range want {
		found := slices.ContainsFunc(dead, func(d store.DeadLetter) bool {
			return string(d.Event.Conversation) == id && d.Event.Message.Text() == "re "+text
		})
		if bad := status != chat.Sent; bad != found {
			t.Errorf("%s: among the dead letters: %v; %v", text, found, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for text, n := range p.taken {
		if n > 1 {
			t.Errorf("%q was taken %d times", text, n)
		}
	}
	return strings.Join(p.tries, ", ")
}

// TestStop: the polite end lets the send under way come to its end, ends streams, and leaves nothing unsure.
func TestStop(t *testing.T) {
	t.Parallel()
	arrived, answer := make(chan string, 10), make(chan struct{})
	platform := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct{ Text string }
		if json.NewDecoder(r.Body).Decode(&m) == nil {
			arrived <- m.Text
		}
		<-answer
		_, _ = fmt.Fprint(w, `{"id":"slow"}`)
	}))
	t.Cleanup(platform.Close)
	hub := startHub(t, t.TempDir(), "--log-level", "info")
	c := hub.client()
	channel := addEcho(t, c, platform.URL)
	live := follow(t, c, "")
	for i := range 3 {
		body := fmt.Sprintf(`{"id":"m%d","from":"p1","text":"message %d"}`, i, i)
		if status, words := call(t, http.MethodPost, hub.url+"/in/"+channel, map[string]string{"Content-Type": "application/json"}, body); status != http.StatusOK {
			t.Fatal(status, words)
		}
	}
	if first := <-arrived; first != "re message 0" {
		t.Errorf("first %q", first)
	}
	stopping := make(chan struct{})
	go func() {
		defer close(stopping)
		hub.terminate()
	}()
	select {
	case <-live.ended:
	case <-time.After(patience):
		t.Error("the stream does not end")
	}
	eventually(t, patience, "the hub takes nothing new", func() error {
		res, err := http.Get(hub.url + "/healthz")
		if err == nil {
			res.Body.Close()
			return errors.New("it does")
		}
		return nil
	})
	close(answer) // only now the platform answers
	<-stopping
	if code := hub.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	for _, want := range []string{"msg=started", "msg=listening", "msg=stopping", "msg=stopped"} {
		if !strings.Contains(hub.out.String(), want) {
			t.Errorf("the log has no %q", want)
		}
	}

	hub.start()
	id := only(t, c, channel)
	for i := range 3 {
		said(t, c, id, fmt.Sprintf("re message %d", i), chat.Sent)
	}
	var rest []string
	for len(arrived) > 0 {
		rest = append(rest, <-arrived)
	}
	if want := []string{"re message 1", "re message 2"}; !slices.Equal(rest, want) {
		t.Errorf("the platform got %q after the first, want %q", rest, want)
	}
}
