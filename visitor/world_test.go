package visitor_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/all"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/visitor"
	"github.com/dragoman-hub/dragoman/wake"
)

// patience of a test is long because the machine may be busy.
const patience = 60 * time.Second

// world is a hub with a bot and the visitors' server, all real, on loopback.
type world struct {
	t      testing.TB
	store  *store.Store
	hub    *hub.Hub
	bus    *wake.LocalBus
	blobs  *blob.Folder
	ring   *secret.Keyring
	server *visitor.Server
	http   *httptest.Server
	ws     chat.WorkspaceID
	site   chat.ChannelID
	change func(*visitor.Options)
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Start(t)) })
}

func lite(t testing.TB) string { return storetest.SQLite(t) }

// newWorld makes a hub with one channel of these settings; flow "" has a queue instead of a bot.
func newWorld(t testing.TB, dsn, flow, settings string, change func(*visitor.Options)) *world {
	t.Helper()
	w := &world{t: t, bus: wake.Local(), change: change}
	log := slog.New(slog.DiscardHandler)
	var err error
	w.store, err = store.Open(t.Context(), store.Options{DSN: dsn, Wake: w.bus, Routes: append(hub.Routes(), bot.Routes()...), Log: log})
	w.must(err)
	w.blobs, err = blob.Dir(filepath.Join(t.TempDir(), "blobs"))
	w.must(err)
	key := make([]byte, secret.KeySize)
	rand.Read(key) //nolint:errcheck // never fails
	w.ring, err = secret.NewKeyring(key)
	w.must(err)
	w.hub = hub.New(hub.Options{
		Store: w.store, Blobs: w.blobs, Wake: w.bus, Secrets: w.ring, Platforms: all.Platforms(), HTTP: outbound.Client(outbound.Options{Log: log}),
		Random: rand.Reader, Now: time.Now, Log: log, Meter: telemetry.NewMetrics(),
	})
	space, err := w.store.AddWorkspace(t.Context(), "", "test")
	w.must(err)
	w.ws = space.ID
	w.site = w.channel(flow, settings)
	w.serve()
	w.run()
	return w
}

// channel adds a website channel, with its flow.
func (w *world) channel(flow, settings string) chat.ChannelID {
	w.t.Helper()
	in := hub.ChannelInput{Connector: "webchat", Name: "Shop", Settings: json.RawMessage(settings), Queue: "support"}
	if flow != "" {
		if _, err := bot.Parse([]byte(flow)); err != nil {
			w.t.Fatal(err)
		}
		_, err := w.store.PutFlow(w.t.Context(), w.ws, "parcel", json.RawMessage(flow))
		w.must(err)
		in.Flow, in.Queue = "parcel", ""
	}
	ch, err := w.hub.AddChannel(w.t.Context(), w.ws, in)
	w.must(err)
	return ch.ID
}

// serve starts the visitors' server; a second call takes the place of the first, as after a restart.
func (w *world) serve() {
	o := visitor.Options{
		Store: w.store, Hub: w.hub, Blobs: w.blobs, Wake: w.bus, Signer: w.ring, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Limits: visitor.Limits{Calls: 10_000}, // tests ask again and again
	}
	if w.change != nil {
		w.change(&o)
	}
	w.server = visitor.New(o)
	w.http = httptest.NewServer(w.server)
}

func (w *world) stopServing() {
	w.server.Close()
	w.http.Close()
}

// run starts the stations; the end of the test stops everything.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	bots := &bot.Runner{Store: w.store, Fallback: "Sorry?"}
	var wg sync.WaitGroup
	wg.Go(func() { _ = bots.Run(ctx) })
	wg.Go(func() { _ = w.hub.Run(ctx) })
	w.t.Cleanup(func() {
		w.stopServing()
		cancel()
		wg.Wait()
		w.must(w.store.Close())
		w.must(w.blobs.Close())
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, good func() error) {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := good()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s: %v", what, err)
		}
	}
}

// reply is an answer of the server.
type reply struct {
	status int
	body   []byte
	header http.Header
}

func (r reply) into(t testing.TB, status int, v any) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if v != nil {
		if err := json.Unmarshal(r.body, v); err != nil {
			t.Fatalf("%v: %s", err, r.body)
		}
	}
}

// refused checks status and code of a problem.
func (r reply) refused(t testing.TB, status int, code string) {
	t.Helper()
	var p struct{ Code string }
	if r.status != status || json.Unmarshal(r.body, &p) != nil || p.Code != code {
		t.Errorf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
}

func (w *world) request(ctx context.Context, method, path string, body []byte, header ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, w.http.URL+path, bytes.NewReader(body))
	w.must(err)
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// call makes a request below the channel.
func (w *world) call(method, path string, body any, header ...string) reply {
	w.t.Helper()
	return w.at(w.site, method, path, body, header...)
}

func (w *world) at(site chat.ChannelID, method, path string, body any, header ...string) reply {
	w.t.Helper()
	raw, ok := body.([]byte)
	if body != nil && !ok {
		var err error
		raw, err = json.Marshal(body)
		w.must(err)
	}
	res, err := http.DefaultClient.Do(w.request(w.t.Context(), method, "/visitor/"+string(site)+path, raw, header...))
	w.must(err)
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	w.must(err)
	return reply{res.StatusCode, all, res.Header}
}

type m = map[string]any

// tab is a visitor's page.
type tab struct {
	w     *world
	site  chat.ChannelID
	token string
}

func (w *world) tab() *tab { return w.tabAt(w.site) }

func (w *world) tabAt(site chat.ChannelID) *tab {
	w.t.Helper()
	var got struct{ Token string }
	w.at(site, "POST", "/sessions", m{}).into(w.t, 201, &got)
	return &tab{w: w, site: site, token: got.Token}
}

func (k *tab) call(method, path string, body any, header ...string) reply {
	k.w.t.Helper()
	return k.w.at(k.site, method, path, body, append(header, "Authorization", "Bearer "+k.token)...)
}

// newID is a client's name for a message.
func newID() string {
	raw := make([]byte, 12)
	rand.Read(raw) //nolint:errcheck // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (k *tab) say(text string) string {
	k.w.t.Helper()
	id := newID()
	k.call("POST", "/messages", m{"id": id, "text": text}).into(k.w.t, 201, nil)
	return id
}

// message and the like are what the widget reads.
type message struct {
	Key, From, ID, Name string
	Pos                 int64
	Unread, Gone        bool
	Parts               []struct {
		Type, Text, URL, Name string
		Size                  int64
		Buttons               []struct{ Title, Payload, URL string }
	}
}

func (x message) text() string {
	var all []string
	for _, p := range x.Parts {
		all = append(all, p.Text+p.Name)
	}
	return strings.Join(all, "|")
}

type snapshot struct {
	Pos      int64
	Messages []message
	Older    string
	Read     int64
	State    struct {
		Place, Agent, Line string
		Position, Minutes  int
		Rated, Rates       bool
	}
	Session *struct{ Token string }
}

func (k *tab) snapshot(query string) (out snapshot) {
	k.w.t.Helper()
	k.call("GET", "/snapshot"+query, nil).into(k.w.t, 200, &out)
	return out
}

func texts(all []message) []string {
	out := []string{}
	for _, x := range all {
		out = append(out, x.From+": "+x.text())
	}
	return out
}

// sees waits until a snapshot has these messages.
func (k *tab) sees(want ...string) snapshot {
	k.w.t.Helper()
	var got snapshot
	eventually(k.w.t, fmt.Sprint(want), func() error {
		got = k.snapshot("")
		if fmt.Sprint(texts(got.Messages)) != fmt.Sprint(want) {
			return fmt.Errorf("there is %q", texts(got.Messages))
		}
		return nil
	})
	return got
}

// sse is one event of a stream.
type sse struct{ id, kind, data string }

// stream is an open stream.
type stream struct {
	t      testing.TB
	header http.Header
	events chan sse
	close  func()
	ended  chan struct{}
}

func (k *tab) stream(after int64) *stream {
	k.w.t.Helper()
	ctx, cancel := context.WithCancel(k.w.t.Context())
	req := k.w.request(ctx, "GET", "/visitor/"+string(k.site)+"/stream", nil, "Authorization", "Bearer "+k.token, "Last-Event-ID", fmt.Sprint(after))
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // the reader below closes it
	k.w.must(err)
	if res.StatusCode != 200 {
		raw, _ := io.ReadAll(res.Body)
		res.Body.Close()
		k.w.t.Fatalf("stream: %d %s", res.StatusCode, raw)
	}
	s := &stream{t: k.w.t, header: res.Header, events: make(chan sse, 10_000), ended: make(chan struct{})}
	s.close = func() { cancel(); <-s.ended }
	k.w.t.Cleanup(s.close)
	go func() {
		defer close(s.ended)
		defer res.Body.Close()
		in := bufio.NewScanner(res.Body)
		in.Buffer(nil, 4<<20)
		var e sse
		for in.Scan() {
			name, value, _ := strings.Cut(in.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.kind = value
			case "data":
				e.data = value
			default:
				if e.kind != "" {
					s.events <- e
				}
				e = sse{}
			}
		}
	}()
	return s
}

// until waits for an event of a kind that is good, and tells what it was; others are passed over.
func (s *stream) until(kind string, good func(data string) bool) sse {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-s.events:
			if e.kind == kind && good(e.data) {
				return e
			}
		case <-s.ended:
			s.t.Fatalf("the stream ended before: %s", kind)
		case <-late:
			s.t.Fatalf("never on the stream: %s", kind)
		}
	}
}

// all gives the events until the stream ends.
func (s *stream) all() iter.Seq[sse] {
	return func(yield func(sse) bool) {
		late := time.After(patience)
		for {
			select {
			case e := <-s.events:
				if !yield(e) {
					return
				}
			case <-s.ended:
				for len(s.events) > 0 {
					if !yield(<-s.events) {
						return
					}
				}
				return
			case <-late:
				s.t.Fatal("nothing more came")
			}
		}
	}
}

// says waits for a message with this text.
func (s *stream) says(text string) message {
	s.t.Helper()
	var got message
	s.until("message", func(data string) bool { return json.Unmarshal([]byte(data), &got) == nil && got.text() == text })
	return got
}

// conv is the conversation of an address.
func (w *world) conv(address string) chat.Conversation {
	w.t.Helper()
	conv, err := w.store.ThreadConversation(w.t.Context(), w.site, chat.Thread{Address: address})
	w.must(err)
	return conv
}

// only is the one conversation of the workspace.
func (w *world) only() chat.Conversation {
	w.t.Helper()
	all, _, err := w.store.Conversations(w.t.Context(), w.ws, store.ConversationFilter{Limit: 10})
	w.must(err)
	if len(all) != 1 {
		w.t.Fatalf("%d conversations", len(all))
	}
	return all[0]
}

// write appends a message, or a note, of an agent's.
func (w *world) write(conv chat.ConversationID, kind chat.Kind, msg chat.Message) chat.Event {
	w.t.Helper()
	res, err := w.store.Append(w.t.Context(), &store.Post{
		Workspace: w.ws, Conversation: conv, Kind: kind, Sender: chat.Party{Type: chat.PartyAgent, ID: "bo@inside", Name: "Bo"}, Message: msg,
	})
	w.must(err)
	return res.Events[0]
}

// place moves a conversation.
func (w *world) place(conv chat.ConversationID, to chat.PlaceData) {
	w.t.Helper()
	_, err := w.store.Append(w.t.Context(), &store.Place{Workspace: w.ws, Conversation: conv, To: to, By: chat.Party{Type: chat.PartyAgent, ID: "bo"}})
	w.must(err)
}

// parcel answers without any worker.
const parcel = `{"states":[{"name":"Hello","initial":true,"events":[{"say":{"text":"Hello!","buttons":[{"title":"Parcel","payload":"p1"},{"title":"Person","payload":"agent"}]}}]},
	{"name":"Answer","events":[{"say":"You said {{message.text}} {{message.payload}}"}]},
	{"name":"Agent","events":[{"say":"One moment"},{"hand_over":{"queue":"support"}}]},
	{"name":"End","events":[{"say":"Bye"},{"close":{}}]}],
	"transitions":[{"dest":"Agent","conditions":[{"expr":"message.payload == 'agent' || message.text == 'agent'"}]},
	{"dest":"End","conditions":[{"expr":"message.text == 'bye'"}]},
	{"source":"Hello","dest":"Answer","conditions":[{"expr":"message.text != 'hi'"}]},{"source":"Answer","dest":"Answer"}], "first_message":"greet"}`
