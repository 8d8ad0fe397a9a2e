package telemetry_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/telemetry"
)

func TestSpansReachTheCollector(t *testing.T) {
	got := make(chan *collector.ExportTraceServiceRequest, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var req collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &req) != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		got <- &req
	}))
	defer s.Close()
	tr, err := telemetry.Traces(t.Context(), telemetry.TraceOptions{Endpoint: s.URL, Version: "1.2"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := tr.Tracer("t").Start(t.Context(), "ingest")
	var out bytes.Buffer
	telemetry.NewLog(&out, telemetry.LogOptions{}).InfoContext(ctx, "in the span")
	span.End()
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	req := <-got
	spans := req.GetResourceSpans()[0]
	if name := spans.GetScopeSpans()[0].GetSpans()[0].GetName(); name != "ingest" || !strings.Contains(spans.GetResource().String(), "dragoman") {
		t.Errorf("got %v", req)
	}
	if id := span.SpanContext().TraceID().String(); !strings.Contains(out.String(), "trace="+id) {
		t.Errorf("no trace id in %s", out.String())
	}
}

func TestFailedExportsAreLogged(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer s.Close()
	var out bytes.Buffer
	tr, err := telemetry.Traces(t.Context(), telemetry.TraceOptions{Endpoint: s.URL, Log: telemetry.NewLog(&out, telemetry.LogOptions{})})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tr.Tracer("t").Start(t.Context(), "lost")
	span.End()
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "not exported") {
		t.Errorf("log: %s", out.String())
	}
}

func TestNoEndpointNoTraces(t *testing.T) {
	tr, err := telemetry.Traces(t.Context(), telemetry.TraceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tr.Tracer("t").Start(t.Context(), "nothing")
	if span.IsRecording() {
		t.Error("it records, for nobody")
	}
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for _, o := range []telemetry.TraceOptions{{Endpoint: "127.0.0.1:4318"}, {Endpoint: "grpc://x"}, {Endpoint: "http://x", Ratio: 2}} {
		if _, err := telemetry.Traces(t.Context(), o); chat.CodeOf(err) != chat.CodeInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
