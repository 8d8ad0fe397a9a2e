package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// notes is one note in memory.
type notes struct {
	mu    sync.Mutex
	value []byte
}

// Load implements connector.Notes.
func (n *notes) Load(context.Context, string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.value, nil
}

// Save implements connector.Notes.
func (n *notes) Save(_ context.Context, _ string, value []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.value = value
	return nil
}

// TestOffsetMovesAfterEmit: when the hub could not store, the same question is asked again.
func TestOffsetMovesAfterEmit(t *testing.T) {
	var asked []string
	b := newTestBot(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("offset"))
		_, _ = io.WriteString(w, `{"ok":true,"result":[{"update_id":41},{"update_id":42}]}`)
	})
	kept := &notes{value: []byte("41")}
	b.env.Notes = kept
	full := errors.New("disk full")
	for range 2 {
		err := (&poller{b}).Listen(t.Context(), func(context.Context, []chat.Incoming) error { return full })
		if !errors.Is(err, full) {
			t.Fatalf("got %v", err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	err := (&poller{b}).Listen(ctx, func(_ context.Context, events []chat.Incoming) error {
		if string(kept.value) != "41" || len(events) != 2 {
			t.Errorf("in emit: note %s, %d events", kept.value, len(events))
		}
		stop()
		return nil
	})
	if err != nil || string(kept.value) != "43" {
		t.Errorf("in the end: note %s, %v", kept.value, err)
	}
	if got := strings.Join(asked, " "); got != "41 41 41" {
		t.Errorf("asked for %s", got)
	}
}

// TestAnswerTooLarge: more updates than the hub reads at once are fetched one by one.
func TestAnswerTooLarge(t *testing.T) {
	var limits []string
	b := newTestBot(t, func(w http.ResponseWriter, r *http.Request) {
		limit := r.URL.Query().Get("limit")
		limits = append(limits, limit)
		if limit != "1" {
			_, _ = fmt.Fprintf(w, `{"ok":true,"result":[{"update_id":1,"x":%q}]}`, strings.Repeat("x", connector.AnswerLimit))
			return
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":[{"update_id":1}]}`)
	})
	b.env.Notes = &notes{}
	ctx, stop := context.WithCancel(t.Context())
	err := (&poller{b}).Listen(ctx, func(context.Context, []chat.Incoming) error {
		stop()
		return nil
	})
	if got := strings.Join(limits, " "); err != nil || got != "50 1" {
		t.Errorf("limits %s, %v", got, err)
	}
}

// TestListenEndsWithContext: Telegram holds the question open, and nobody waits for it.
func TestListenEndsWithContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	b := newTestBot(t, func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	})
	b.env.Notes = &notes{}
	if err := (&poller{b}).Listen(ctx, nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestBadNote(t *testing.T) {
	b := newTestBot(t, nil)
	b.env.Notes = &notes{value: []byte("elsewhere")}
	err := (&poller{b}).Listen(t.Context(), nil)
	if connector.AsError(err).Policy != connector.Malformed {
		t.Errorf("got %v", err)
	}
}

func TestHold(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{
		0: holdFor, time.Minute: holdFor, 30 * time.Second: 15 * time.Second, time.Second: time.Second,
	} {
		p := &poller{&bot{env: connector.Env{HTTP: &http.Client{Timeout: limit}}}}
		if got := p.hold(); got != want {
			t.Errorf("client limit %v: got %v, want %v", limit, got, want)
		}
	}
}
