package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/telemetry"
)

func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestMetrics(t *testing.T) {
	m := telemetry.NewMetrics()
	telemetry.NewMetrics() // a second one in the same process is nobody's business
	m.Message("c1", chat.In, chat.KindMessage, "stored")
	m.Message("c1", chat.In, chat.KindMessage, "stored")
	m.Message("c2", chat.Out, chat.KindMessage, "sent")
	m.Ingest(3 * time.Millisecond)
	m.Send(200 * time.Millisecond)
	m.DeadLetter("out")
	m.FollowerLag("bot", 7)
	m.Job("out")
	m.Job("out")()
	got := scrape(t, m)
	for _, want := range []string{
		`dragoman_messages_total{channel="c1",direction="in",kind="message",result="stored"} 2`,
		`dragoman_messages_total{channel="c2",direction="out",kind="message",result="sent"} 1`,
		`dragoman_ingest_seconds_bucket{le="0.0025"} 0`,
		`dragoman_ingest_seconds_bucket{le="0.005"} 1`,
		`dragoman_send_seconds_sum 0.2`,
		`dragoman_dead_letters_total{work="out"} 1`,
		`dragoman_follower_lag{name="bot"} 7`,
		`dragoman_jobs_in_flight{work="out"} 1`,
		`go_goroutines `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %s", want)
		}
	}
	m.Forget("c1")
	if got := scrape(t, m); strings.Contains(got, `channel="c1"`) || !strings.Contains(got, `channel="c2"`) {
		t.Error("Forget dropped the wrong channel")
	}
}

func TestRequestsAreCounted(t *testing.T) {
	m := telemetry.NewMetrics()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/things/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("streams cannot flush: %v", err)
		}
	})
	at := time.Unix(0, 0)
	clock := func() time.Time { at = at.Add(10 * time.Millisecond); return at }
	h := m.Counted(mux, clock, func(r *http.Request) string { return r.Pattern })
	for _, method := range []string{"GET", "BREW"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, "/v1/things/17", nil))
	}
	got := scrape(t, m)
	for _, want := range []string{
		`dragoman_http_requests_total{method="GET",route="GET /v1/things/{id}",status="418"} 1`,
		`dragoman_http_requests_total{method="other",route="",status="405"} 1`,
		`dragoman_http_seconds_sum{route="GET /v1/things/{id}"} 0.01`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %s", want)
		}
	}
}
