package widget

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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
	"github.com/dragoman-hub/dragoman/wake"
)

// patience of a test is long because the machine may be busy.
const testPatience = time.Minute

// world is a hub with a bot and the widget's endpoints, all real, on loopback.
type world struct {
	t       testing.TB
	store   *store.Store
	hub     *hub.Hub
	bus     *wake.LocalBus
	server  *Server
	http    *httptest.Server
	ws      chat.WorkspaceID
	workers atomic.Bool
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.Start(t)) })
}

func newWorld(t testing.TB, dsn string, limits Limits, call bot.Caller) *world {
	t.Helper()
	w := &world{t: t, bus: wake.Local()}
	var err error
	log := slog.New(slog.DiscardHandler)
	w.store, err = store.Open(t.Context(), store.Options{DSN: dsn, Wake: w.bus, Routes: append(hub.Routes(), bot.Routes()...), Log: log})
	w.must(err)
	blobs, err := blob.Dir(filepath.Join(t.TempDir(), "blobs"))
	w.must(err)
	key := make([]byte, secret.KeySize)
	rand.Read(key) //nolint:errcheck // never fails
	ring, err := secret.NewKeyring(key)
	w.must(err)
	w.hub = hub.New(hub.Options{
		Store: w.store, Blobs: blobs, Wake: w.bus, Secrets: ring, Platforms: all.Platforms(), HTTP: outbound.Client(outbound.Options{Log: log}),
		Random: rand.Reader, Now: time.Now, Log: log, Meter: telemetry.NewMetrics(),
	})
	space, err := w.store.AddWorkspace(t.Context(), "", "test")
	w.must(err)
	w.ws = space.ID
	w.workers.Store(true)
	w.server = New(Options{
		Store: w.store, Hub: w.hub, Blobs: blobs, Wake: w.bus, Signer: ring, Workers: func(chat.WorkspaceID, string) bool { return w.workers.Load() },
		Now: time.Now, Log: log, Limits: limits,
	})
	mux := http.NewServeMux()
	w.server.Mount(mux)
	w.http = httptest.NewUnstartedServer(mux)
	w.http.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		w.must(c.(*net.TCPConn).SetWriteBuffer(128 << 10)) // little is on the way to a client that does not read
		return ctx
	}
	w.http.Start()
	w.run(call, blobs)
	return w
}

// run starts the stations; the end of the test stops everything.
func (w *world) run(call bot.Caller, blobs *blob.Folder) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	bots := &bot.Runner{Store: w.store, Fallback: "Sorry?"}
	var wg sync.WaitGroup
	wg.Go(func() { _ = bots.Run(ctx) })
	wg.Go(func() { _ = bots.RunCalls(ctx, call) })
	wg.Go(func() { _ = w.hub.Run(ctx) })
	w.t.Cleanup(func() {
		w.server.Close()
		w.http.Close()
		cancel()
		wg.Wait()
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
		if err := blobs.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// flow stores a flow and, with settings, its channel.
func (w *world) flow(name, definition, settings string) {
	w.t.Helper()
	if _, err := bot.Parse([]byte(definition)); err != nil {
		w.t.Fatal(err)
	}
	_, err := w.store.PutFlow(w.t.Context(), w.ws, name, json.RawMessage(definition))
	w.must(err)
	if settings != "" {
		_, err := w.hub.AddChannel(w.t.Context(), w.ws, hub.ChannelInput{Connector: "webchat", Name: name, Flow: name, Settings: json.RawMessage(settings)})
		w.must(err)
	}
	w.server.sites.forget()
}

// addToken makes an API token, for reading unless scopes are named.
func (w *world) addToken(scopes ...string) string {
	w.t.Helper()
	if len(scopes) == 0 {
		scopes = []string{"read"}
	}
	token := "drg_for_tests_only_" + strings.Join(scopes, "_")
	h := secret.HashToken(token)
	_, err := w.store.AddToken(w.t.Context(), store.Token{Workspace: w.ws, Name: "t", Hash: hex.EncodeToString(h[:]), Scopes: scopes})
	w.must(err)
	return token
}

// conv is the conversation of a tab.
func (w *world) conv(k *tab) chat.Conversation {
	w.t.Helper()
	x, err := w.server.sites.find(w.t.Context(), k.flow)
	w.must(err)
	conv, err := w.store.ThreadConversation(w.t.Context(), x.channel, chat.Thread{Address: k.user, Topic: k.conversation})
	w.must(err)
	return conv
}

// write appends a message of ours.
func (w *world) write(conv chat.ConversationID, by chat.PartyType, m chat.Message) {
	w.t.Helper()
	_, err := w.store.Append(w.t.Context(), &store.Post{
		Workspace: w.ws, Conversation: conv, Kind: chat.KindMessage, Sender: chat.Party{Type: by, ID: "x", Name: "Bo"}, Message: m,
	})
	w.must(err)
}

// place moves a conversation.
func (w *world) place(conv chat.ConversationID, to chat.PlaceData) {
	w.t.Helper()
	_, err := w.store.Append(w.t.Context(), &store.Place{Workspace: w.ws, Conversation: conv, To: to, By: chat.Party{Type: chat.PartyAgent, ID: "bo"}})
	w.must(err)
}

// call makes a request and reads the answer as JSON.
func (w *world) call(method, path, body string, header ...string) (int, any, http.Header) {
	w.t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = w.http.URL + path
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	w.must(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	w.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	w.must(err)
	var v any
	if json.Unmarshal(raw, &v) != nil {
		v = string(raw)
	}
	return resp.StatusCode, v, resp.Header
}

// parcel answers without any worker.
const parcel = `{"states":[{"name":"Hello","initial":true,"events":[{"say":"Hello!"},{"say":"What can I do for you?"}]},
	{"name":"Answer","events":[{"say":"You said {{message.text}}"}]},
	{"name":"Agent","events":[{"say":"One moment"},{"hand_over":{"queue":"support"}}]}],
	"transitions":[{"dest":"Agent","conditions":[{"expr":"message.text == 'agent'"}]},
	{"source":"Hello","dest":"Answer","unless":[{"expr":"message.text == 'mumble'"}]},
	{"source":"Answer","dest":"Answer","unless":[{"expr":"message.text == 'mumble'"}]}]}`
