package main

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans stands for an OTLP collector.
type spans struct {
	mu   sync.Mutex
	seen map[string][]string // names by trace id
}

func (s *spans) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	var export collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &export) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range export.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				s.seen[id] = append(s.seen[id], span.Name)
			}
		}
	}
}

// TestTraces: with --otlp one trace, named by the action id, has the webhook and the send that it led to; the platform gets its id.
func TestTraces(t *testing.T) {
	t.Parallel()
	s := &spans{seen: map[string][]string{}}
	otlp := httptest.NewServer(s)
	t.Cleanup(otlp.Close)
	parents := make(chan string, 10)
	platform := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { parents <- r.Header.Get("Traceparent") }))
	t.Cleanup(platform.Close)
	hub := startHub(t, t.TempDir(), "--otlp", otlp.URL)
	c := hub.client()
	channel := addEcho(t, c, platform.URL)
	trace := strings.ReplaceAll(webhookAction(t, hub, channel, "hello"), "-", "")
	said(t, c, only(t, c, channel), "re hello", "sent")
	if parent := <-parents; !strings.HasPrefix(parent, "00-"+trace+"-") {
		t.Errorf("the platform got %q, want trace %s", parent, trace)
	}
	begun := time.Now()
	hub.terminate() // what waits is sent away first
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Sorted(slices.Values(s.seen[trace]))
	if want := []string{"POST", "in webhook", "out webhook"}; !slices.Equal(names, want) {
		t.Errorf("trace %s has %q, want %q; all: %v; the end took %s", trace, names, want, s.seen, time.Since(begun))
	}
}
