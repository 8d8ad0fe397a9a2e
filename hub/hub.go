// Package hub is the station between the platforms and the log: in (verify, parse, store, then answer) and out (in order, at the
// platform's pace, with retries and an honest end). It also opens channels, fetches attachments and looks up profiles.
//
// It knows no platform by name, and neither bots nor agents: it reads and writes the log.
package hub

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// Meter counts. The hub tells it what happened; it never answers.
type Meter interface {
	// Message counts one message, or other event, of a channel.
	Message(channel chat.ChannelID, direction chat.Direction, kind chat.Kind, result string)
	// Ingest and Send are how long a webhook call and a request to a platform took.
	Ingest(d time.Duration)
	Send(d time.Duration)
	// DeadLetter counts a job that was given up.
	DeadLetter(work string)
	// Job counts a job as under way; the answer ends that.
	Job(work string) (done func())
}

// Options are what the hub needs. All are required but Hidden, Tracer, Public and Limits.
type Options struct {
	Store     *store.Store
	Blobs     blob.Store
	Wake      wake.Bus
	Secrets   *secret.Keyring
	Platforms []connector.Platform
	HTTP      *http.Client // the guarded one
	Random    io.Reader
	Now       func() time.Time
	Log       *slog.Logger
	Meter     Meter
	Hidden    *telemetry.Secrets // knows the secrets of open channels, for the log; nil: nobody does
	Tracer    trace.Tracer       // nil: no traces
	Public    string             // base URL under which platforms reach us; "" if they cannot
	Limits    Limits
}

// Limits bound what the hub takes. Zero values have the defaults that are named here.
type Limits struct {
	Attachment int64         // largest attachment in bytes; 50 MiB
	SendAge    time.Duration // a message that could not be sent for so long is given up; 24 h
	Attempts   int           // or after so many attempts; 30
	LinkAge    time.Duration // how long a signed link is good; 1 h
	Pause      time.Duration // the shortest pause after a listener's connection was lost; 1 s, up to 64 times that while it is lost again
}

// Hub connects channels with the log. It is safe for concurrent use.
type Hub struct {
	Options
	platforms map[string]connector.Platform

	mu      sync.Mutex
	lines   map[chat.ChannelID]*line
	unknown map[chat.ChannelID]time.Time
	epoch   int64 // grows when lines are forgotten: what was read before counts no more
	opening singleflight.Group
	renewal singleflight.Group
	acks    chan func(context.Context)
	changed chan struct{} // a channel of this node's was changed: look at the listeners
}

// New makes a hub; Run starts it. Webhooks may be received before Run.
func New(o Options) *Hub {
	h := &Hub{
		Options: o, platforms: map[string]connector.Platform{}, lines: map[chat.ChannelID]*line{}, unknown: map[chat.ChannelID]time.Time{},
		acks: make(chan func(context.Context), 1024), changed: make(chan struct{}, 1),
	}
	if h.Tracer == nil {
		h.Tracer = noop.NewTracerProvider().Tracer("")
	}
	for _, p := range o.Platforms {
		h.platforms[p.Name] = p
	}
	l := &h.Limits
	setDefault(&l.Attachment, 50<<20)
	setDefault(&l.SendAge, 24*time.Hour)
	setDefault(&l.Attempts, 30)
	setDefault(&l.LinkAge, time.Hour)
	setDefault(&l.Pause, time.Second)
	return h
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Routes say which events mean work for the hub; the store is opened with them.
func Routes() []store.Route {
	return []store.Route{
		{Work: workOut, Lane: outLane},
		{Work: workMedia, Lane: mediaLane},
		{Work: workProfile, Lane: profileLane},
	}
}

// Run sends, fetches and listens until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return h.work(ctx, workOut, h.out, h.concurrency) })
	g.Go(func() error { return h.work(ctx, workMedia, h.fetchMedia, func(string) int { return 4 }) })
	g.Go(func() error { return h.work(ctx, workProfile, h.lookUp, func(string) int { return 2 }) })
	g.Go(func() error { return h.listen(ctx) })
	for range 4 {
		g.Go(func() error { return h.acknowledge(ctx) })
	}
	return g.Wait()
}

// work does one kind of work and counts what is under way.
func (h *Hub) work(ctx context.Context, work string, do store.Do, concurrency func(group string) int) error {
	return h.Store.Work(ctx, store.Worker{Work: work, Concurrency: concurrency, Do: func(ctx context.Context, j *store.Job) store.Verdict {
		defer h.Meter.Job(work)()
		return do(ctx, j)
	}})
}

// Platforms lists what channels can be of.
func (h *Hub) Platforms() []connector.Platform { return h.Options.Platforms }

// Abilities names what connectors of a platform can do.
func (h *Hub) Abilities(platform string) []string { return h.platforms[platform].AbilityNames() }

// errNoPlatform is a channel whose connector this program has not got.
var errNoPlatform = errors.New("hub: this program has no such connector")
