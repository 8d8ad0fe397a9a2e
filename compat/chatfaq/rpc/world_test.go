package rpc

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/all"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// patience of a test is long because the machine may be busy.
const patience = time.Minute

// world is a hub with workers' sockets on a real store: flows run, people write, and nothing is sent to any platform.
type world struct {
	t      testing.TB
	store  *store.Store
	hub    *hub.Hub
	bus    *wake.LocalBus
	bots   *bot.Runner
	server *Server
	http   *httptest.Server
	ws     chat.WorkspaceID
	token  string

	mu     sync.Mutex
	n      int
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	return newWorldOn(t, storetest.SQLite(t), change...)
}

func newWorldOn(t testing.TB, dsn string, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, bus: wake.Local()}
	log := slog.New(slog.DiscardHandler)
	var err error
	w.store, err = store.Open(t.Context(), store.Options{DSN: dsn, Routes: append(hub.Routes(), bot.Routes()...), Wake: w.bus, Log: log})
	w.must(err)
	blobs, err := blob.Dir(t.TempDir())
	w.must(err)
	keys, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	w.must(err)
	w.hub = hub.New(hub.Options{
		Store: w.store, Blobs: blobs, Wake: w.bus, Secrets: keys, Platforms: all.Platforms(), HTTP: http.DefaultClient, Random: rand.Reader,
		Now: time.Now, Log: log, Meter: telemetry.NewMetrics(),
	})
	w.bots = &bot.Runner{Store: w.store, Log: log, Fallback: "Sorry?"}
	o := Options{Store: w.store, Channels: w.hub, Wake: w.bus, Now: time.Now, Log: log}
	for _, f := range change {
		f(&o)
	}
	w.server = New(o)
	mux := http.NewServeMux()
	w.server.Mount(mux)
	w.http = httptest.NewServer(mux)
	ws, err := w.store.AddWorkspace(t.Context(), "", "w")
	w.must(err)
	w.ws = ws.ID
	w.token = w.addToken(ScopeWorker).secret
	w.start()
	t.Cleanup(func() {
		w.stop()
		w.http.Close()
		w.must(w.store.Close())
		w.must(blobs.Close())
	})
	return w
}

// start lets flows run and calls be made.
func (w *world) start() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	w.cancel = cancel
	w.wg.Go(func() { _ = w.bots.Run(ctx) })
	w.wg.Go(func() { _ = w.bots.RunCalls(ctx, w.server.Call) })
	w.wg.Go(func() { _ = w.server.Run(ctx) })
}

func (w *world) stop() {
	w.cancel()
	w.wg.Wait()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

type testToken struct{ id, secret string }

func (w *world) addToken(scopes ...string) testToken {
	w.t.Helper()
	text, h := secret.NewToken("drg")
	t, err := w.store.AddToken(w.t.Context(), store.Token{Workspace: w.ws, Name: "t", Hash: hex.EncodeToString(h[:]), Scopes: scopes})
	w.must(err)
	return testToken{t.ID, text}
}

// url is the address of a path, as the SDK is told it.
func (w *world) url(path string) string { return "ws" + strings.TrimPrefix(w.http.URL, "http") + path }

// dial opens a socket of a worker.
func (w *world) dial(path string) *websocket.Conn {
	w.t.Helper()
	conn, res, err := websocket.Dial(w.t.Context(), w.url(path)+"?token="+w.token, nil) //nolint:bodyclose // the socket has it
	if err != nil {
		w.t.Fatal(err, res)
	}
	conn.SetReadLimit(1 << 20)
	w.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// refused dials and gives the status of the refusal.
func (w *world) refused(path string) int {
	w.t.Helper()
	conn, res, err := websocket.Dial(w.t.Context(), w.url(path), nil) //nolint:bodyclose // the socket has it
	if err == nil {
		_ = conn.CloseNow()
		w.t.Fatalf("%s was let in", path)
	}
	if res == nil {
		w.t.Fatal(err)
	}
	return res.StatusCode
}

// channel waits for the widget's channel of a flow.
func (w *world) channel(flow string) (id chat.ChannelID) {
	w.t.Helper()
	w.until("a channel of "+flow, func() bool {
		ch, found, err := w.server.channel(w.t.Context(), w.ws, flow)
		w.must(err)
		id = ch.ID
		return found
	})
	return id
}

// addChannel makes one more channel of a flow.
func (w *world) addChannel(flow string) chat.ChannelID {
	w.t.Helper()
	ch, err := w.hub.AddChannel(w.t.Context(), w.ws, hub.ChannelInput{Connector: webchat, Flow: flow, Settings: json.RawMessage("{}")})
	w.must(err)
	return ch.ID
}

// pause is the work of a function.
func (w *world) pause(ms int) { <-time.After(time.Duration(ms) * time.Millisecond) }

// write lets somebody write.
func (w *world) write(ch chat.ChannelID, from, text string) {
	w.t.Helper()
	w.mu.Lock()
	w.n++
	n := w.n
	w.mu.Unlock()
	m := chat.TextMessage(text)
	_, err := w.store.Append(w.t.Context(), &store.Receive{Channel: ch, Action: chat.ActionID(fmt.Sprint("a", n)), In: chat.Incoming{
		Key: fmt.Sprint("k", n), ID: fmt.Sprint("m", n), Kind: chat.KindMessage, Thread: chat.Thread{Address: from},
		Sender: chat.Person{Address: from, Name: from}, Message: &m, Metadata: json.RawMessage(`{"lang":"en"}`),
	}})
	w.must(err)
}

// conversation finds the open conversation of an address.
func (w *world) conversation(ch chat.ChannelID, from string) chat.ConversationID {
	w.t.Helper()
	id, err := w.store.OpenConversation(w.t.Context(), ch, chat.Thread{Address: from})
	w.must(err)
	return id
}

func (w *world) events(id chat.ConversationID) []chat.Event {
	w.t.Helper()
	events, err := w.store.Events(w.t.Context(), w.ws, id, 0, 10_000)
	w.must(err)
	return events
}

// said is what was said in a conversation: "> " in, "< " out.
func (w *world) said(ch chat.ChannelID, from string) string {
	w.t.Helper()
	id := w.conversation(ch, from)
	if id == "" {
		return ""
	}
	var lines []string
	for _, e := range w.events(id) {
		switch {
		case e.Kind != chat.KindMessage:
		case e.Direction == chat.In:
			lines = append(lines, "> "+e.Message.Text())
		default:
			lines = append(lines, "< "+e.Message.Text())
		}
	}
	return strings.Join(lines, ", ")
}

// hears waits until this is what was said.
func (w *world) hears(ch chat.ChannelID, from, want string) {
	w.t.Helper()
	var got string
	deadline := time.Now().Add(patience)
	for got = w.said(ch, from); got != want && time.Now().Before(deadline); got = w.said(ch, from) {
		<-time.After(5 * time.Millisecond)
	}
	if got != want {
		w.t.Fatalf("said %q, want %q", got, want)
	}
}

func (w *world) until(what string, good func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !good() {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// replays runs a conversation again and compares the decisions, once the flow has come to its end.
func (w *world) replays(id chat.ConversationID) {
	w.t.Helper()
	w.until("the replay decides the same", func() bool {
		steps, err := bot.Replay(w.events(id), func(name string, version int) (*bot.Flow, error) {
			row, err := w.store.Flow(w.t.Context(), w.ws, name, version)
			if err != nil {
				return nil, err
			}
			return bot.Parse(row.Definition)
		})
		w.must(err)
		return len(steps) > 0 && !slices.ContainsFunc(steps, func(s bot.Replayed) bool { return !s.Same })
	})
}
