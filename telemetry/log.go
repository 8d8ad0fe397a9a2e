package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// LogOptions are the settings of a log.
type LogOptions struct {
	JSON    bool         // one JSON object per line; else key=value
	Level   slog.Leveler // nil: info
	Secrets *Secrets     // nil: none are known by value
}

// NewLog makes a logger. Its lines carry the action id and the trace id of their context; what stands under a key that
// sounds like a secret, and every registered secret wherever it stands, is written as "***".
func NewLog(w io.Writer, o LogOptions) *slog.Logger {
	if o.Secrets != nil {
		w = &hiding{w: w, secrets: o.Secrets, json: o.JSON}
	}
	opts := &slog.HandlerOptions{Level: o.Level, ReplaceAttr: hideByKey}
	if o.JSON {
		return slog.New(withContext{slog.NewJSONHandler(w, opts)})
	}
	return slog.New(withContext{slog.NewTextHandler(w, opts)})
}

// withContext adds what the context knows.
type withContext struct{ slog.Handler }

// Handle is slog.Handler.
func (h withContext) Handle(ctx context.Context, r slog.Record) error {
	id, span := Action(ctx), trace.SpanContextFromContext(ctx)
	if id == "" && !span.IsValid() {
		return h.Handler.Handle(ctx, r)
	}
	r = r.Clone()
	if id != "" {
		r.AddAttrs(slog.String("action", string(id)))
	}
	if span.IsValid() {
		r.AddAttrs(slog.String("trace", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler.
func (h withContext) WithAttrs(a []slog.Attr) slog.Handler {
	return withContext{h.Handler.WithAttrs(a)}
}

// WithGroup is slog.Handler.
func (h withContext) WithGroup(name string) slog.Handler {
	return withContext{h.Handler.WithGroup(name)}
}

const hidden = "***"

// secretWords make a key sound like a secret, in lower case and without "_" and "-".
var secretWords = []string{
	"token", "secret", "password", "passwd", "passphrase", "authorization", "cookie", "apikey", "accesskey", "privatekey", "credential",
}

// hideByKey is ReplaceAttr of slog.HandlerOptions.
func hideByKey(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.MessageKey || a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return a
	}
	if soundsSecret(a.Key) {
		return slog.String(a.Key, hidden)
	}
	for _, g := range groups {
		if soundsSecret(g) {
			return slog.String(a.Key, hidden)
		}
	}
	if h, ok := a.Value.Any().(http.Header); ok {
		return slog.Any(a.Key, hideHeader(h))
	}
	return a
}

func hideHeader(h http.Header) http.Header {
	h = h.Clone()
	for k := range h {
		if soundsSecret(k) || strings.Contains(strings.ToLower(k), "signature") {
			h[k] = []string{hidden}
		}
	}
	return h
}

func soundsSecret(key string) bool {
	key = strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(key))
	for _, w := range secretWords {
		if strings.Contains(key, w) {
			return true
		}
	}
	return false
}
