package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/dragoman-hub/dragoman/outbound"
)

func request(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// call makes a GET and gives the status; 0 with an error.
func call(t *testing.T, o outbound.Options, url string) (int, error) {
	t.Helper()
	res, err := outbound.Do(outbound.Client(o), request(t, url))
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	return res.StatusCode, nil
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestPrivateIsRefusedUnlessAllowed(t *testing.T) {
	calls := 0
	s := serve(t, func(http.ResponseWriter, *http.Request) { calls++ })
	port := s.Listener.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		res, err := call(t, outbound.Options{}, fmt.Sprintf("http://%s:%d/", host, port))
		if !errors.Is(err, outbound.ErrPrivate) || !strings.Contains(err.Error(), "--allow-private") {
			t.Errorf("%s: %v, %v", host, res, err)
		}
	}
	if calls != 0 {
		t.Fatalf("%d refused calls arrived", calls)
	}
	if _, err := call(t, outbound.Options{AllowPrivate: true}, s.URL); err != nil || calls != 1 {
		t.Fatalf("allowed, and got %v", err)
	}
}

func TestOtherSchemes(t *testing.T) {
	for _, u := range []string{"file:///etc/passwd", "ftp://example.org/", "unix:///run/x", "gopher://x/", "//example.org/"} {
		if _, err := call(t, outbound.Options{AllowPrivate: true}, u); !errors.Is(err, outbound.ErrScheme) {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, to := range []string{"/elsewhere", "http://10.0.0.1/", "http://[::1", "%zz"} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				t.Errorf("followed to %s", r.URL)
			}
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		})
		if status, err := call(t, outbound.Options{AllowPrivate: true}, s.URL); err != nil || status != http.StatusFound {
			t.Errorf("%s: %v, %v", to, status, err)
		}
	}
}

func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	_, err := call(t, outbound.Options{}, "http://192.0.2.7/") // refused before it leaves
	if !errors.Is(err, outbound.ErrPrivate) || !strings.Contains(err.Error(), "192.0.2.7") || strings.Contains(err.Error(), "proxy") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsShowNoSecrets(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		panic(http.ErrAbortHandler)
	})
	var log strings.Builder
	secret := strings.Replace(s.URL, "://", "://user:hunter2@", 1) + "/bot1:hunter2/send?key=hunter2#hunter2"
	c := outbound.Client(outbound.Options{AllowPrivate: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	res, err := outbound.Do(c, request(t, secret))
	if err == nil {
		res.Body.Close()
		t.Fatal("no error")
	}
	if strings.Contains(err.Error()+log.String(), "hunter2") {
		t.Errorf("error %q, log %q", err, log.String())
	}
	if u, ok := errors.AsType[*url.Error](err); !ok || u.URL != s.URL || !errors.Is(err, io.EOF) {
		t.Errorf("the error lost what it may say: %v", err)
	}
	if !strings.Contains(log.String(), "method=GET") {
		t.Errorf("nothing was logged: %q", log.String())
	}
	if got := outbound.Redact(&url.Error{Op: "Get", URL: "http://[::hunter2", Err: io.EOF}); strings.Contains(got.Error(), "hunter2") {
		t.Error(got)
	}
}

func TestLimits(t *testing.T) {
	ended := make(chan struct{})
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	})
	_, err := call(t, outbound.Options{AllowPrivate: true, Timeout: 50 * time.Millisecond}, silent.URL)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
	<-ended

	talkative := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) })
	if _, err := call(t, outbound.Options{AllowPrivate: true}, talkative.URL); err == nil {
		t.Error("a header of a megabyte was taken")
	}
}

func TestSpans(t *testing.T) {
	rec := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec))
	var parent string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		parent = r.Header.Get("Traceparent")
		w.WriteHeader(http.StatusTeapot)
	})
	c := outbound.Client(outbound.Options{AllowPrivate: true, Tracer: tp.Tracer("t"), Propagator: propagation.TraceContext{}})
	req := request(t, s.URL+"/bot1:hunter2/send?key=hunter2")
	res, err := outbound.Do(c, req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	spans := rec.Ended()
	if len(spans) != 1 || !strings.Contains(parent, spans[0].SpanContext().TraceID().String()) {
		t.Fatalf("%d spans, the server saw %q", len(spans), parent)
	}
	shown := fmt.Sprint(spans[0].Name(), spans[0].Attributes(), spans[0].Status())
	if strings.Contains(shown, "hunter2") || !strings.Contains(shown, "418") {
		t.Error(shown)
	}
	if req.Header.Get("Traceparent") != "" {
		t.Error("the caller's request was changed")
	}
}
