package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
)

func texts(calls []botCall) []string {
	var out []string
	for _, c := range calls {
		if c.method == "sendMessage" {
			out = append(out, c.chat()+" "+c.text())
		}
	}
	return out
}

func sameTexts(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// failing answers sendMessage of a text as often as it is listed.
func failing(plan map[string][]func(http.ResponseWriter, *http.Request) bool) func(botCall, http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(c botCall, w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		list := plan[c.text()]
		if c.method != "sendMessage" || len(list) == 0 {
			mu.Unlock()
			return false
		}
		plan[c.text()] = list[1:]
		mu.Unlock()
		return list[0](w, r)
	}
}

// exchange is how long one may take where a platform is silent. The answers of the others must not be late for it on a busy machine.
const exchange = 6 * time.Second

type answers = []func(http.ResponseWriter, *http.Request) bool

func refusing(code int, words string, parameters map[string]any) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, code, words, parameters) }
}

// silence takes a request and never answers.
func silence(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

// half answers with half a body.
func half(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"ok":true,"result":{"messa`))
	panic(http.ErrAbortHandler)
}

// page answers 200 with what is no JSON.
func page(w http.ResponseWriter, _ *http.Request) bool {
	_, _ = w.Write([]byte("<html>"))
	return true
}

func TestWhatBecomesOfRefusedMessages(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, failing(map[string]answers{
		"flaky":   {refusing(502, "Bad Gateway", nil), refusing(500, "Internal", nil)},
		"long":    {refusing(400, "Bad Request: message is too long", nil)},
		"lost":    {silence},
		"torn":    {half},
		"odd":     {page},
		"blocked": {refusing(403, "Forbidden: bot was blocked by the user", nil)},
	}))
	w := newWorld(t, setup{lease: shortLease, timeout: exchange}).run()
	w.clock.hurry(t)
	ch := w.channel("telegram", api.bot())
	cases := []struct {
		text     string
		want     chat.Status
		class    string
		requests int
	}{
		{"flaky", chat.Sent, "", 3},
		{"long", chat.Failed, "rejected", 1},
		{"lost", chat.Unsure, "unsure", 1},
		{"torn", chat.Unsure, "unsure", 1},
		{"odd", chat.Unsure, "unsure", 1},
		{"blocked", chat.Failed, "gone", 1},
	}
	for i, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			conv := w.meet(ch, fmt.Sprint(100+i))
			seq := w.say(conv, c.text)
			after := w.say(conv, "after "+c.text)
			w.awaitStatus(conv, after, chat.Sent)
			e := w.event(conv, seq)
			if e.Status != c.want || (e.Error == nil) != (c.class == "") || e.Error != nil && e.Error.Class != c.class {
				t.Errorf("status %s, error %+v", e.Status, e.Error)
			}
			n := 0
			for _, call := range api.all() {
				if call.text() == c.text {
					n++
				}
			}
			if n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
		})
	}
	letters := w.letters()
	if len(letters) != 5 || w.count("dead_letters_total", `work="out"`) != 5 {
		t.Errorf("%d dead letters, %v counted", len(letters), w.count("dead_letters_total"))
	}
	for _, l := range letters {
		if l.Failure == nil || l.Failure.Class == "" || l.Event.Message == nil {
			t.Errorf("a dead letter without its failure or message: %+v", l)
		}
	}
	conv, err := w.store.Conversation(t.Context(), w.workspace, letters[0].Event.Conversation)
	if err != nil {
		t.Fatal(err)
	}
	contact, err := w.store.Contact(t.Context(), w.workspace, conv.Contact.ID)
	if err != nil || len(contact.Identities) != 1 || !contact.Identities[0].Blocked {
		t.Errorf("the contact who blocked us: %+v, %v", contact, err)
	}
}

func TestDeadLettersAreRepeated(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, failing(map[string]answers{"odd": {refusing(400, "Bad Request: chat not found", nil)}}))
	w := newWorld(t, setup{}).run()
	conv := w.meet(w.channel("telegram", api.bot()), "100")
	seq := w.say(conv, "odd")
	w.awaitStatus(conv, seq, chat.Failed)
	letters := w.letters()
	if len(letters) != 1 {
		t.Fatal(letters)
	}
	if _, err := w.store.Append(t.Context(), &store.Requeue{Workspace: w.workspace, ID: letters[0].ID}); err != nil {
		t.Fatal(err)
	}
	w.await("the repeated message", func() bool { return len(texts(api.all())) == 2 && w.event(conv, seq).Status == chat.Sent })
	if e := w.event(conv, seq); e.Error != nil || e.ExternalID == "" {
		t.Errorf("%+v", e)
	}
	if len(w.letters()) != 0 {
		t.Error("the letter is still dead")
	}
}

// stamp is when a request came, by the world's clock.
type stamp struct {
	text string
	at   time.Time
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	calls := newDiary[stamp]()
	var w *world
	limited := map[string]*connector.Error{
		"thread":  {Policy: connector.Throttled, Code: "429", Thread: true, After: 40 * time.Second},
		"channel": {Policy: connector.Throttled, Code: "429", After: 50 * time.Second},
	}
	s := &script{send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
		m := chat.Message{Stack: part.Elements}
		seen := 0
		for _, c := range calls.all() {
			if c.text == m.Text() {
				seen++
			}
		}
		calls.add(stamp{m.Text(), w.clock.Now()})
		if e := limited[m.Text()]; e != nil && seen == 0 {
			return connector.Sent{}, e
		}
		return connector.Sent{ID: part.Key}, nil
	}}
	w = newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("strict", connector.Traits{Concurrency: 1})}}).run()
	ch := w.channel("strict", map[string]any{"token": "SECRETstrictTOKEN0001"})
	ann, bob := w.meet(ch, "ann"), w.meet(ch, "bob")

	w.say(ann, "thread")
	first := hear(t, "the throttled request", calls.news)
	later := w.say(ann, "behind it")
	w.awaitStatus(bob, w.say(bob, "another thread"), chat.Sent) // it goes on at once
	if got := hear(t, "the other thread", calls.news); got.text != "another thread" {
		t.Errorf("then came %q", got.text)
	}
	w.clock.hurry(t)
	w.awaitStatus(ann, later, chat.Sent)
	if again := hear(t, "the repetition", calls.news); again.text != "thread" || again.at.Sub(first.at) < 40*time.Second {
		t.Errorf("%q after %s", again.text, again.at.Sub(first.at))
	}
	hear(t, "what was behind it", calls.news)

	w.say(bob, "channel")
	first = hear(t, "the throttled request", calls.news)
	w.awaitStatus(ann, w.say(ann, "waits too"), chat.Sent)
	for range 2 {
		if next := hear(t, "what follows", calls.news); next.at.Sub(first.at) < 50*time.Second {
			t.Errorf("%q only %s after the channel was throttled", next.text, next.at.Sub(first.at))
		}
	}
}

func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		policy   connector.Policy
		limits   hub.Limits
		traits   connector.Traits
		want     chat.Status
		requests int // 0: as many as there is time for
	}{
		{"attempts", connector.Retry, hub.Limits{Attempts: 4}, connector.Traits{}, chat.Failed, 4},
		{"attempts when throttled", connector.Throttled, hub.Limits{Attempts: 3}, connector.Traits{}, chat.Failed, 3},
		{"attempts when unsure", connector.IsUnsure, hub.Limits{Attempts: 3}, connector.Traits{Idempotent: true}, chat.Unsure, 3},
		{"age", connector.Retry, hub.Limits{Attempts: 1 << 30, SendAge: 10 * time.Minute}, connector.Traits{}, chat.Failed, 0},
		{"age without credentials", connector.Unauthorized, hub.Limits{Attempts: 2, SendAge: 10 * time.Minute}, connector.Traits{}, chat.Failed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tries := newDiary[string]()
			s := &script{send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
				tries.add(part.Key)
				return connector.Sent{}, &connector.Error{Policy: c.policy, Code: "no", Detail: "never"}
			}}
			w := newWorld(t, setup{lease: shortLease, limits: c.limits, platforms: []connector.Platform{s.platform("never", c.traits)}}).run()
			conv := w.meet(w.channel("never", map[string]any{"token": "SECRETneverTOKEN00001"}), "ann")
			seq := w.say(conv, "x")
			w.twice(tries.news)
			w.clock.hurry(t)
			e := w.awaitStatus(conv, seq, c.want)
			if e.Error == nil || e.Error.Detail != "never" || e.Error.Class != string(c.policy) {
				t.Errorf("error: %+v", e.Error)
			}
			keys := tries.all()
			if c.requests != 0 && len(keys) != c.requests || len(keys) < 2 {
				t.Errorf("%d requests, want %d", len(keys), c.requests)
			}
			for _, k := range keys {
				if k != keys[0] {
					t.Errorf("the key changed: %q", keys)
				}
			}
			if l := w.letters(); len(l) != 1 || l[0].Failure.Detail != "never" {
				t.Errorf("dead letters: %+v", l)
			}
		})
	}
}

// twice waits for a second try. The time until then goes in steps, each of which waits for the hub: on a busy machine a message must not grow
// too old meanwhile.
func (w *world) twice(tries <-chan string) {
	w.t.Helper()
	hear(w.t, "the first try", tries)
	for range 9 {
		w.clock.advance(time.Minute)
		select {
		case <-tries:
			return
		case <-time.After(patience / 9):
		}
	}
	w.t.Fatal("waited in vain for the second try")
}

func TestUnsureIsRepeatedWhereKeysMakeItSafe(t *testing.T) {
	t.Parallel()
	keys := newDiary[string]()
	api := newWebAPI(t, func(n int, w http.ResponseWriter, r *http.Request) {
		keys.add(r.Header.Get("webhook-id"))
		if n == 1 {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	w := newWorld(t, setup{lease: shortLease, timeout: exchange}).run()
	w.clock.hurry(t)
	conv := w.meet(w.channel("webhook", map[string]any{"url": api.URL, "secret": "whsec_U0VDUkVUd2ViaG9va1NJR05JTkcwMQ=="}), "ann")
	w.awaitStatus(conv, w.say(conv, "x"), chat.Sent)
	if got := keys.all(); len(got) != 2 || got[0] == "" || got[0] != got[1] {
		t.Errorf("keys %q", got)
	}
}

func TestWindowClosed(t *testing.T) {
	t.Parallel()
	api := newWebAPI(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"messaging_product": "whatsapp", "messages": []any{map[string]any{"id": "wamid.OUT"}}})
	})
	w := newWorld(t, setup{lease: shortLease}).run()
	conv := w.meet(w.channel("whatsapp", number(api.URL)), "15551")
	w.clock.advance(25 * time.Hour)
	e := w.awaitStatus(conv, w.say(conv, "too late"), chat.Failed)
	if e.Error.Class != string(connector.WindowClosed) || api.count() != 0 {
		t.Errorf("%+v after %d requests", e.Error, api.count())
	}
	template := chat.Message{Stack: []chat.Element{chat.NewElement(chat.Template, chat.TemplatePayload{Name: "hello", Language: "en"})}}
	w.awaitStatus(conv, w.post(conv, template), chat.Sent)
	if api.count() != 1 {
		t.Errorf("%d requests for the template", api.count())
	}
}

func TestMovedAddressIsUsedAndKept(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, func(c botCall, w http.ResponseWriter, _ *http.Request) bool {
		if c.chat() == "-100" {
			return refuse(w, 400, "Bad Request: group chat was upgraded to a supergroup chat", map[string]any{"migrate_to_chat_id": int64(-1009999)})
		}
		return false
	})
	w := newWorld(t, setup{}).run()
	conv := w.meet(w.channel("telegram", api.bot()), "-100")
	w.awaitStatus(conv, w.say(conv, "one"), chat.Sent)
	w.awaitStatus(conv, w.say(conv, "two"), chat.Sent)
	sameTexts(t, texts(api.all()), []string{"-100 one", "-1009999 one", "-1009999 two"})
	if c, err := w.store.Conversation(t.Context(), w.workspace, conv); err != nil || c.Thread.Address != "-1009999" {
		t.Errorf("the conversation is at %q, %v", c.Thread.Address, err)
	}
}
