package api_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

const shopFlow = `{"states":[
 {"name":"Start","initial":true,"events":[{"say":"hi"}]},
 {"name":"Order","events":[{"say":"which?"}]},
 {"name":"Done","events":[{"say":"bye"},{"goto":{"state":"Start"}}]}],
"transitions":[
 {"source":"Start","dest":"Order","conditions":[{"expr":"message.text == 'order'"}]},
 {"dest":"Done","conditions":[{"expr":"message.text == 'done'"}]}],
"fallback":[{"say":"what?"}]}`

func TestFlowGraph(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { graphScenes(t, newWorld(t)) })
	t.Run("postgres", func(t *testing.T) { graphScenes(t, newWorldOn(t, storetest.Postgres(t))) })
}

func graphScenes(t *testing.T, w *world) {
	const path = "/v1/flows/shop/graph.svg"
	w.ok("PUT", "/v1/flows/shop", "flows", shopFlow)
	empty := w.ok("GET", path, "read", "")
	wantPicture(t, empty, "shop, version 1", "no traffic yet", "Order", "message.text == &#39;done&#39;")
	w.runBot()
	channel := w.ok("POST", "/v1/channels", "admin", `{"connector":"simulator","name":"sim","flow":"shop","settings":{"key":"key-of-the-simulator"}}`).at(t, "id")
	for _, text := range []string{"hello", "order", "hmm", "done", "order"} {
		w.say(channel, "ada", text)
	}
	w.say(channel, "bob", "hello")
	full := w.eventually(path, "all 6 steps")
	wantPicture(t, full, "Start: 3× entered", "Order: 2× entered · 1× nothing fired", "Done: 1× entered",
		"1× goto", "2× message.text == &#39;order&#39;", "1× message.text == &#39;done&#39;")
	if etag := full.header.Get("ETag"); etag == "" || etag == empty.header.Get("ETag") {
		t.Errorf("etag %q", etag)
	} else if again := w.call("GET", path, "read", "", "If-None-Match: "+etag); again.status != 304 || again.body != "" {
		t.Errorf("%d %q", again.status, again.body)
	}
	if p := full.header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") || !strings.Contains(p, "sandbox") {
		t.Errorf("policy %q", p)
	}
	later := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))
	wantPicture(t, w.ok("GET", path+"?since="+later, "read", ""), "no traffic since")
	wantPicture(t, w.ok("GET", path+"?since=2020-01-01T00:00:00Z&theme=dark", "read", ""), "6 steps since 2020-01-01 00:00 UTC")

	w.ok("PUT", "/v1/flows/shop", "flows", strings.Replace(shopFlow, "which", "what", 1))
	wantPicture(t, w.ok("GET", path, "read", ""), "version 2", "0 steps of this version (and 6 of others)")
	wantPicture(t, w.ok("GET", path+"?version=1", "read", ""), "version 1", "all 6 steps")

	for where, status := range map[string]int{
		"?version=0": 422, "?version=2147483648": 422, "?version=2147483647": 404, "?theme=pink": 422, "?since=yesterday": 422, "?colour=red": 422,
	} {
		if got := w.call("GET", path+where, "read", ""); got.status != status {
			t.Errorf("%s: %d %s", where, got.status, got.body)
		}
	}
	for where, status := range map[string]int{"?version=2147483648": 422, "?version=99999999999999999999": 422, "?version=2147483647": 404} {
		if got := w.call("GET", "/v1/flows/shop"+where, "read", ""); got.status != status {
			t.Errorf("flow %s: %d %s", where, got.status, got.body)
		}
	}
	if got := w.call("GET", path, "other", ""); got.status != 404 {
		t.Errorf("another workspace: %d", got.status)
	}
	if got := w.call("GET", path, "", ""); got.status != 401 {
		t.Errorf("without a token: %d", got.status)
	}
}

// runBot lets flows answer until the test ends.
func (w *world) runBot() {
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&bot.Runner{Store: w.store}).Run(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			w.t.Error(err)
		}
	})
}

// eventually asks until the answer has these words.
func (w *world) eventually(path, words string) answer {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		got := w.ok("GET", path, "read", "")
		if strings.Contains(got.body, words) {
			return got
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("%s never has %q: %s", path, words, got.body)
		case <-tick.C:
		}
	}
}

func wantPicture(t *testing.T, got answer, wants ...string) {
	t.Helper()
	if got.header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("type %q", got.header.Get("Content-Type"))
	}
	d := xml.NewDecoder(strings.NewReader(got.body))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range wants {
		if !strings.Contains(got.body, want) {
			t.Errorf("%q is not in %s", want, got.body)
		}
	}
}

// TestFlowGraphOfLongLog: of a long log only the end is read, and the picture says so.
func TestFlowGraphOfLongLog(t *testing.T) {
	w := newWorld(t)
	w.ok("PUT", "/v1/flows/shop", "flows", shopFlow)
	_, conversation := w.talk("admin")
	record, err := json.Marshal(bot.Record{Flow: "shop", Version: 1, Trace: bot.Trace{
		Kind: chat.KindMessage, State: "Start", Entered: []string{"Order"}, Decisions: []bot.Decision{{From: "Start", To: "Order"}},
	}})
	w.must(err)
	steps := make([]store.Command, 250)
	for range 41 {
		for i := range steps {
			steps[i] = &store.Record{
				Workspace: w.ws, Conversation: conversationID(conversation), Kind: chat.KindFlowStep, Sender: chat.Party{Type: chat.PartyBot, ID: "shop"}, Data: record,
			}
		}
		w.must(w.appendAll(steps))
	}
	wantPicture(t, w.ok("GET", "/v1/flows/shop/graph.svg", "read", ""), "the last 10,000 steps", "10,000× message.text")
}

// appendAll appends side by side, so that the commands are committed in groups.
func (w *world) appendAll(list []store.Command) error {
	errs := make(chan error, len(list))
	for _, c := range list {
		go func() {
			_, err := w.store.Append(w.t.Context(), c)
			errs <- err
		}()
	}
	var all error
	for range list {
		all = errors.Join(all, <-errs)
	}
	return all
}

func TestFlowGraphDocumented(t *testing.T) {
	w := newWorld(t)
	got := w.ok("GET", "/openapi.json", "", "").json(t)
	raw, err := json.Marshal(got["paths"].(map[string]any)["/v1/flows/{name}/graph.svg"])
	w.must(err)
	for _, want := range []string{`"image/svg+xml"`, `"304"`, `"theme"`, `"date-time"`, `"maximum":2147483647`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
}
