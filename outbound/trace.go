package outbound

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// begin opens a span (names by OpenTelemetry's semantic conventions for HTTP clients) and clones the request, for a
// RoundTripper must not change it.
func (g *guard) begin(req *http.Request) (*http.Request, trace.Span) {
	if g.opts.Tracer == nil {
		return req, nil
	}
	ctx, span := g.opts.Tracer.Start(req.Context(), req.Method, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("http.request.method", req.Method),
			attribute.String("server.address", req.URL.Hostname()),
			attribute.String("url.full", Host(req.URL)+"/REDACTED"),
		))
	req = req.Clone(ctx)
	if g.opts.Propagator != nil {
		g.opts.Propagator.Inject(ctx, propagation.HeaderCarrier(req.Header))
	}
	return req, span
}

// end closes the span when the answer's header is there.
func end(span trace.Span, res *http.Response, err error) {
	if span == nil {
		return
	}
	defer span.End()
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		return
	}
	span.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
	if res.StatusCode >= 400 {
		span.SetStatus(codes.Error, http.StatusText(res.StatusCode))
	}
}
