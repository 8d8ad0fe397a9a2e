package hub_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/simulator"
	"github.com/dragoman-hub/dragoman/connector/telegram"
	"github.com/dragoman-hub/dragoman/connector/webhook"
	"github.com/dragoman-hub/dragoman/connector/whatsapp"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// patience bounds every wait for a signal; it is long because the machine may be busy.
const patience = 40 * time.Second

// setup is what a test wants different. The zero value is a hub over SQLite in a folder of its own.
type setup struct {
	dsn       string
	dir       string
	key       []byte
	public    string
	limits    hub.Limits
	platforms []connector.Platform
	clock     *clock
	bus       *wake.LocalBus
	workspace chat.WorkspaceID
	timeout   time.Duration // of one exchange with a platform
	lease     time.Duration
	hidden    *telemetry.Secrets // nil: a secret that somebody logs is found
}

// world is a hub with everything real around it but the platforms.
type world struct {
	*hub.Hub
	t         *testing.T
	dir, dsn  string
	key       []byte
	store     *store.Store
	blobs     *blob.Folder
	bus       *wake.LocalBus
	ring      *secret.Keyring
	clock     *clock
	log       *journal
	metrics   *telemetry.Metrics
	workspace chat.WorkspaceID
	platforms map[string]connector.Platform

	secrets []string
	stop    func()
}

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{t: t, dir: s.dir, dsn: s.dsn, key: s.key, clock: s.clock, bus: s.bus, log: &journal{news: make(chan struct{}, 1)}, metrics: telemetry.NewMetrics(), stop: func() {}}
	w.defaults(s)
	var err error
	if w.ring, err = secret.NewKeyring(w.key); err != nil {
		t.Fatal(err)
	}
	log := telemetry.NewLog(w.log, telemetry.LogOptions{JSON: true, Level: slog.LevelDebug, Secrets: s.hidden})
	w.store, err = store.Open(t.Context(), store.Options{DSN: w.dsn, Wake: w.bus, Routes: hub.Routes(), Now: w.clock.Now, Log: log, Lease: s.lease})
	if err != nil {
		t.Fatal(err)
	}
	if w.blobs, err = blob.Dir(filepath.Join(w.dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	platforms := append([]connector.Platform{telegram.Platform(), whatsapp.Platform(), webhook.Platform(), simulator.Platform()}, s.platforms...)
	for _, p := range platforms {
		w.platforms[p.Name] = p
	}
	client := outbound.Client(outbound.Options{AllowPrivate: true, Timeout: s.timeout, Log: log})
	w.Hub = hub.New(hub.Options{
		Store: w.store, Blobs: w.blobs, Wake: w.bus, Secrets: w.ring, Platforms: platforms, HTTP: client, Random: rand.Reader,
		Now: w.clock.Now, Log: log, Meter: w.metrics, Hidden: s.hidden, Public: s.public, Limits: s.limits,
	})
	t.Cleanup(func() {
		w.close()
		client.CloseIdleConnections()
		w.hunt()
		if t.Failed() {
			t.Logf("the log:\n%s", w.log.tail(25))
		}
	})
	if w.workspace == "" {
		ws, err := w.store.AddWorkspace(t.Context(), "", "test")
		if err != nil {
			t.Fatal(err)
		}
		w.workspace = ws.ID
	}
	return w
}

func (w *world) defaults(s setup) {
	if w.dir == "" {
		w.dir = w.t.TempDir()
	}
	if w.dsn == "" {
		w.dsn = filepath.Join(w.dir, "hub.db")
		if s.dir == "" {
			if err := os.Rename(storetest.SQLite(w.t), w.dsn); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if w.key == nil {
		w.key = make([]byte, secret.KeySize)
		rand.Read(w.key) //nolint:errcheck // never fails
	}
	if w.clock == nil {
		w.clock = &clock{}
	}
	if w.bus == nil {
		w.bus = wake.Local()
	}
	w.workspace = s.workspace
	w.platforms = map[string]connector.Platform{}
}

// run starts the hub; close, or the end of the test, stops it.
func (w *world) run() *world {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
	})
	return w
}

func (w *world) close() {
	w.stop()
	if err := w.store.Close(); err != nil {
		w.t.Errorf("close: %v", err)
	}
	w.blobs.Close()
}

// again opens the same database once more, as after a restart; the platforms are the same. It does not run yet.
func (w *world) again(s setup) *world {
	w.t.Helper()
	s.dir, s.dsn, s.key, s.clock, s.workspace = w.dir, w.dsn, w.key, w.clock, w.workspace
	next := newWorld(w.t, s)
	next.secrets = w.secrets
	return next
}

// hunt looks for every secret in everything that was logged.
func (w *world) hunt() {
	text := w.log.text()
	for _, s := range w.secrets {
		if s != "" && strings.Contains(text, s) {
			w.t.Errorf("the log has the secret %.6s...", s)
		}
	}
}

// channel adds a channel and remembers its secrets.
func (w *world) channel(platform string, settings map[string]any) chat.ChannelID {
	w.t.Helper()
	ch, err := w.AddChannel(w.t.Context(), w.workspace, hub.ChannelInput{Connector: platform, Settings: asJSON(settings)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.remember(ch.ID)
	return ch.ID
}

// remember collects the secret settings of a channel, generated ones too.
func (w *world) remember(id chat.ChannelID) {
	w.t.Helper()
	for name, v := range w.settings(id) {
		row, err := w.store.Channel(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, s := range w.platforms[row.Connector].Settings {
			if text, ok := v.(string); ok && s.Name == name && s.Secret {
				w.secrets = append(w.secrets, text)
			}
		}
	}
}

// settings are a channel's settings in the clear.
func (w *world) settings(id chat.ChannelID) map[string]any {
	w.t.Helper()
	row, err := w.store.Channel(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	plain, err := w.ring.Open("channel/"+string(id)+"/settings", row.Settings)
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]any{}
	if err := json.Unmarshal(plain, &all); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// meet makes a conversation by storing a contact's first message.
func (w *world) meet(ch chat.ChannelID, address string) chat.ConversationID {
	w.t.Helper()
	res, err := w.store.Append(w.t.Context(), &store.Receive{Channel: ch, In: chat.Incoming{
		Key: "meet/" + address, Kind: chat.KindMessage, ID: "met/" + address, Thread: chat.Thread{Address: address},
		Sender: chat.Person{Address: address, Name: "N " + address}, Message: textOf("hello"),
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return res.Events[0].Conversation
}

func textOf(s string) *chat.Message {
	m := chat.TextMessage(s)
	return &m
}

// say posts a text of ours and answers its sequence number.
func (w *world) say(conv chat.ConversationID, text string) int64 {
	w.t.Helper()
	return w.post(conv, chat.TextMessage(text))
}

func (w *world) post(conv chat.ConversationID, m chat.Message) int64 {
	w.t.Helper()
	res, err := w.store.Append(w.t.Context(), &store.Post{
		Workspace: w.workspace, Conversation: conv, Kind: chat.KindMessage, Sender: chat.Party{Type: chat.PartyBot}, Message: m,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return res.Events[0].Seq
}

// events are all events of a conversation.
func (w *world) events(conv chat.ConversationID) []chat.Event {
	w.t.Helper()
	list, err := w.store.Events(w.t.Context(), w.workspace, conv, 0, 10000)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) event(conv chat.ConversationID, seq int64) chat.Event {
	w.t.Helper()
	list, err := w.store.Events(w.t.Context(), w.workspace, conv, seq-1, 1)
	if err != nil || len(list) != 1 {
		w.t.Fatal(len(list), err)
	}
	return list[0]
}

// all is the log of the workspace, narrowed to some kinds.
func (w *world) all(kinds ...chat.Kind) []chat.Event {
	w.t.Helper()
	var out []chat.Event
	for after := int64(0); ; {
		list, next, err := w.store.Log(w.t.Context(), w.workspace, after, 500, store.LogFilter{Kinds: kinds})
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, list...)
		if next == after {
			return out
		}
		after = next
	}
}

// receipts are the receipts of the message at seq.
func (w *world) receipts(conv chat.ConversationID, seq int64) []chat.ReceiptData {
	w.t.Helper()
	var out []chat.ReceiptData
	for _, e := range w.events(conv) {
		var r chat.ReceiptData
		if e.Kind == chat.KindReceipt && json.Unmarshal(e.Data, &r) == nil && r.Seq == seq {
			out = append(out, r)
		}
	}
	return out
}

func (w *world) letters() []store.DeadLetter {
	w.t.Helper()
	list, _, err := w.store.DeadLetters(w.t.Context(), w.workspace, "", 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// await waits for news, of the log or of what the hub wrote to its journal, until done.
func (w *world) await(what string, done func() bool) {
	w.t.Helper()
	news := w.bus.Subscribe()
	defer news.Close()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !done() {
		select {
		case <-news.Ready():
			news.Take()
		case <-w.log.news:
		case <-limit.C:
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// awaitStatus waits until a message of ours has a status.
func (w *world) awaitStatus(conv chat.ConversationID, seq int64, status chat.Status) chat.Event {
	w.t.Helper()
	w.await("status "+string(status)+" of message "+strconv.FormatInt(seq, 10), func() bool { return w.event(conv, seq).Status == status })
	return w.event(conv, seq)
}

// count adds up the metrics whose line has all these words.
func (w *world) count(words ...string) float64 {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(w.t.Context(), "GET", "/metrics", nil))
	sum := 0.0
lines:
	for line := range strings.Lines(rec.Body.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		fields := strings.Fields(line)
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			w.t.Fatal(line, err)
		}
		sum += n
	}
	return sum
}

func asJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// hear takes a value that a stand-in sends, or fails.
func hear[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// clock is the time of day plus what a test puts on it.
type clock struct {
	still time.Time // not zero: it goes only as far as the test puts it, however long the machine takes

	mu    sync.Mutex
	ahead time.Duration
	asked atomic.Int64 // how often it was read
}

func (c *clock) Now() time.Time {
	c.asked.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.still.IsZero() {
		return c.still.Add(c.ahead)
	}
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// hurry makes time fly until the test ends, so that back-offs and moratoria pass while the test waits for their outcome. It wants a
// short lease, for the store looks at its clock three times a lease.
func (c *clock) hurry(t *testing.T) {
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.advance(10 * time.Second)
			case <-stop:
				return
			}
		}
	}()
}

// shortLease lets the store look at the clock every 50 ms.
const shortLease = 150 * time.Millisecond

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	news chan struct{}
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.news <- struct{}{}:
	default:
	}
	return j.buf.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// lines are the logged lines with this message.
func (j *journal) lines(msg string) []map[string]any {
	var out []map[string]any
	for line := range strings.Lines(j.text()) {
		m := map[string]any{}
		if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == msg {
			out = append(out, m)
		}
	}
	return out
}

func (j *journal) tail(n int) string {
	lines := strings.Split(j.text(), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
