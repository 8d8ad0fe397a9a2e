package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

// The world of a transcript that says nothing else.
const (
	defaultNow     = "2026-01-02T03:04:05Z"
	defaultWebhook = "https://hub.test/in/ch1"
	channelID      = "ch1"
)

// world is what one open connector sees: its Env, and what it did there.
type world struct {
	env     connector.Env
	out     *outside
	log     *lockedBuffer
	notes   *memoryNotes
	conn    connector.Connector
	can     connector.Abilities
	openErr error
	bound   time.Duration // how soon Listen has to end
	mu      sync.Mutex    // of links: acts may run side by side
	links   []string      // signed ones that were handed in
}

func (w *world) handIn(link string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.links = append(w.links, link)
}

func (w *world) handedIn() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.links)
}

// enter makes the world of a transcript, a little later than its own time if late is not zero, and opens the
// connector in it. The error is the transcript's, not the connector's.
func (x *exam) enter(ctx context.Context, tr *transcript, late time.Duration) (*world, error) {
	settings, err := x.settings(tr)
	if err != nil {
		return nil, err
	}
	// What is wrong with settings is for Open to say.
	if checked, problems := x.platform.CheckSettings(settings, sevens{}); problems == nil {
		settings = checked
	}
	w := &world{bound: x.bound, log: &lockedBuffer{}, out: &outside{standin: x.standin, gone: make(chan struct{})}}
	w.out.allowed = x.hostRule(settings)
	if w.notes, err = newNotes(tr.setup["notes"]); err != nil {
		return nil, err
	}
	now, err := time.Parse(time.RFC3339, tr.line("now", defaultNow))
	if err != nil {
		return nil, err
	}
	w.env = connector.Env{
		Channel: channelID, Settings: settings, WebhookURL: tr.line("webhook_url", defaultWebhook),
		HTTP: &http.Client{Transport: w.out}, Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time { return now.Add(late) }, Notes: w.notes,
	}
	w.open(ctx, x.platform)
	return w, nil
}

func (w *world) open(ctx context.Context, p connector.Platform) {
	w.openErr = guard(func() (err error) {
		w.conn, err = p.Open(ctx, w.env)
		return err
	})
	if w.openErr == nil {
		w.can = connector.AbilitiesOf(w.conn)
	}
}

// leave ends the requests that still wait.
func (w *world) leave() { w.out.end() }

// settings are those of the folder with the transcript's laid over them. tr may be nil.
func (x *exam) settings(tr *transcript) (json.RawMessage, error) {
	base, err := os.ReadFile(filepath.Join(x.dir, "settings.json"))
	if err != nil {
		return nil, err
	}
	var changes []byte
	if tr != nil && tr.setup["settings"] != nil {
		changes = tr.setup["settings"].data
	}
	return merge(base, changes)
}

// line is a section of one line.
func (tr *transcript) line(name, otherwise string) string {
	if s := tr.setup[name]; s != nil {
		return strings.TrimSpace(string(s.data))
	}
	return otherwise
}

// panicked is a panic of the connector, as an error.
type panicked struct {
	value any
	stack string
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// guard turns a panic into an error.
func guard(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, string(debug.Stack())}
		}
	}()
	return do()
}

// opener opens the same bytes every time.
func opener(data []byte) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// lockedBuffer collects the log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// memoryNotes are notes that count how often they were saved.
type memoryNotes struct {
	mu    sync.Mutex
	all   map[string][]byte
	saves int
}

func newNotes(s *section) (*memoryNotes, error) {
	n := &memoryNotes{all: map[string][]byte{}}
	if s == nil {
		return n, nil
	}
	var preset map[string]json.RawMessage
	if err := json.Unmarshal(s.data, &preset); err != nil {
		return nil, fmt.Errorf("notes: %w", err)
	}
	for name, raw := range preset {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			raw = []byte(text)
		}
		n.all[name] = raw
	}
	return n, nil
}

// Load implements connector.Notes.
func (n *memoryNotes) Load(_ context.Context, key string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return bytes.Clone(n.all[key]), nil
}

// Save implements connector.Notes.
func (n *memoryNotes) Save(_ context.Context, key string, value []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all[key] = append([]byte{}, value...)
	n.saves++
	return nil
}

func (n *memoryNotes) state() (map[string][]byte, int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.all), n.saves
}

// form is the notes as transcripts write them: objects and lists as they are, all else as text.
func (n *memoryNotes) form() map[string]any {
	all, _ := n.state()
	out := map[string]any{}
	for name, value := range all {
		if t := bytes.TrimSpace(value); len(t) > 0 && (t[0] == '{' || t[0] == '[') && json.Valid(t) {
			out[name] = json.RawMessage(t)
			continue
		}
		out[name] = string(value)
	}
	return out
}

// sevens is a source of randomness without any, so that generated secrets are the same every time.
type sevens struct{}

// Read implements io.Reader.
func (sevens) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 7
	}
	return len(p), nil
}
