package llm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/llm"
)

// TestBusy: one more try, before anything of an answer was read, when the endpoint says so.
func TestBusy(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		tries  int32
		ok     bool
	}{{429, "0", 2, true}, {503, "0.01", 2, true}, {429, "3600", 1, false}, {500, "0", 1, false}, {408, "0", 1, false}} {
		var tries atomic.Int32
		base := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
			if tries.Add(1) == 1 {
				w.Header().Set("Retry-After", c.after)
				w.WriteHeader(c.status)
				return
			}
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}`)
		})
		_, err := llm.Collect(client(t, base).Stream(t.Context(), ask()))
		if (err == nil) != c.ok || tries.Load() != c.tries || err != nil && chat.CodeOf(err) != chat.CodeUnavailable {
			t.Errorf("%d: %d tries, %v", c.status, tries.Load(), err)
		}
	}
	var tries atomic.Int32
	base := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		now := time.Now()
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		w.Header().Set("Retry-After", now.Add(-time.Second).UTC().Format(http.TimeFormat))
		w.WriteHeader(503)
	})
	if _, err := client(t, base).Complete(t.Context(), ask()); chat.CodeOf(err) != chat.CodeUnavailable || tries.Load() != 2 {
		t.Errorf("always busy: %d tries, %v", tries.Load(), err)
	}
}

// piece is a piece of a stream that never ends.
const piece = "data: {\"choices\":[{\"delta\":{\"content\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}]}\n\n"

// slow sends the same again and again, until its caller is gone: a server whose caller stays never closes.
func slow(every string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			_, _ = io.WriteString(w, every)
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
	}
}

// silent sends one piece and then nothing.
func silent() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, piece)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// TestLimits: a slow, an endless and a silent endpoint.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		h      http.HandlerFunc
		limits llm.Limits
		code   chat.Code
		words  string
	}{
		{"silent", silent(), llm.Limits{Idle: 30 * time.Millisecond}, chat.CodeUnavailable, "nothing came"},
		{"for ever alive", slow(": alive\n\n"), llm.Limits{Time: 60 * time.Millisecond, Idle: time.Minute}, chat.CodeUnavailable, "too long"},
		{"endless", slow(piece), llm.Limits{Answer: 2000}, chat.CodeTooLarge, "too long"},
		{"an endless line", slow("data: " + strings.Repeat("x", 1<<20)), llm.Limits{Answer: 1 << 40}, chat.CodeTooLarge, "line"},
	} {
		_, err := llm.Collect(client(t, endpoint(t, c.h), func(o *llm.Options) { o.Limits = c.limits }).Stream(t.Context(), ask()))
		if chat.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestLeaving: who leaves early, or whose context ends, ends the exchange.
func TestLeaving(t *testing.T) {
	for _, err := range client(t, endpoint(t, slow(piece))).Stream(t.Context(), ask()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	for _, err := range client(t, endpoint(t, slow(piece))).Stream(ctx, ask()) {
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client(t, endpoint(t, silent())).Complete(ctx, ask()); chat.CodeOf(err) != chat.CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
