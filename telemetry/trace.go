package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/dragoman-hub/dragoman/chat"
)

// TraceOptions are the settings of Traces.
type TraceOptions struct {
	Endpoint string       // of OTLP over HTTP, "http://127.0.0.1:4318"; without a path it is /v1/traces; empty: no traces
	Version  string       // of the program
	Ratio    float64      // of the traces that begin here and are kept, up to 1; 0: all
	Log      *slog.Logger // hears of failed exports
}

// Tracing makes spans and sends them away.
type Tracing struct {
	trace.TracerProvider
	stop func(context.Context) error
}

// Traces sets tracing up. Without an endpoint it costs nothing.
func Traces(ctx context.Context, o TraceOptions) (*Tracing, error) {
	if o.Endpoint == "" {
		return &Tracing{noop.NewTracerProvider(), func(context.Context) error { return nil }}, nil
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || o.Ratio < 0 || o.Ratio > 1 {
		return nil, chat.Faultf(chat.CodeInvalid, "traces: want an endpoint as http://host:4318 and a ratio of 0 to 1")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	if o.Ratio == 0 {
		o.Ratio = 1
	}
	about := resource.NewSchemaless(attribute.String("service.name", "dragoman"), attribute.String("service.version", o.Version))
	p := sdk.NewTracerProvider(sdk.WithBatcher(logged{exporter, o.Log}), sdk.WithResource(about), sdk.WithIDGenerator(actionIDs{}),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))))
	return &Tracing{p, p.Shutdown}, nil
}

// Shutdown sends what is still waiting, until ctx ends.
func (t *Tracing) Shutdown(ctx context.Context) error { return t.stop(ctx) }

// logged tells our own log of failures, where OpenTelemetry would use a global handler.
type logged struct {
	sdk.SpanExporter
	log *slog.Logger
}

// ExportSpans is sdk.SpanExporter.
func (l logged) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := l.SpanExporter.ExportSpans(ctx, spans)
	if err != nil && l.log != nil {
		l.log.WarnContext(ctx, "traces: not exported", "spans", len(spans), "err", err)
	}
	return nil
}
