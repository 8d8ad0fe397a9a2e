package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"golang.org/x/sync/errgroup"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/rpc"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/widget"
	"github.com/dragoman-hub/dragoman/connector/all"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/report"
	"github.com/dragoman-hub/dragoman/search"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/visitor"
	"github.com/dragoman-hub/dragoman/wake"
	"github.com/dragoman-hub/dragoman/web"
)

// program is all parts of the hub, wired. Parts are made in order and closed in reverse.
type program struct {
	settings settings
	log      *slog.Logger
	keys     *secret.Keyring
	metrics  *telemetry.Metrics
	traces   *telemetry.Tracing
	bus      wake.Bus
	nats     *wake.NATSBus // nil without NATS
	store    *store.Store
	web      *http.Client // the guarded one, for everything that goes out
	hub      *hub.Hub
	models   *llm.Book
	library  *knowledge.Library
	bots     *bot.Runner
	api      *api.API
	lines    *desk.Lines
	workers  *rpc.Server
	chats    *widget.Server
	visitors *visitor.Server
	site     *http.ServeMux // what pages with our own widget call
	back     *http.ServeMux // what other systems' clients call, below /back/
	paced    http.Handler   // the same, at a bounded pace

	pages     http.Handler // the desk and the other pages
	workspace chat.WorkspaceID
	url       string
	hidden    telemetry.Secrets
	admin     string
	adminMade bool
	signIn    string // the one-time token of the first user's link, at the first start
	closers   []func() error
}

// build opens everything and starts nothing.
func build(ctx context.Context, s settings, stderr io.Writer) (p *program, err error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p = &program{settings: s, metrics: telemetry.NewMetrics(), pages: web.Pages()}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return p, err
	}
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return p.openLog(stderr) },
		p.openTraces, p.openKeys, p.openBus, p.openStore, p.openHub, p.openAPI, p.openWorkers, p.openChats, p.openVisitors,
	} {
		if err := step(ctx); err != nil {
			return p, err
		}
	}
	return p, nil
}

// later notes what has to be closed.
func (p *program) later(f func() error) { p.closers = append(p.closers, f) }

// close ends the parts, the last one made first.
func (p *program) close() error {
	var errs []error
	for _, f := range slices.Backward(p.closers) {
		errs = append(errs, f())
	}
	p.closers = nil
	return errors.Join(errs...)
}

func (p *program) openLog(stderr io.Writer) error {
	w := stderr
	if p.settings.LogDir != "" {
		f, err := telemetry.Daily(p.settings.LogDir, p.settings.LogDays, time.Now)
		if err != nil {
			return err
		}
		p.later(f.Close)
		w = f
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(p.settings.LogLevel)); err != nil {
		return err
	}
	p.hidden.Add(p.settings.AdminToken, p.settings.OIDCSecret, p.settings.MetricsToken, p.settings.Key, p.settings.S3SecretKey)
	p.log = telemetry.NewLog(w, telemetry.LogOptions{JSON: p.settings.LogFormat == "json", Level: level, Secrets: &p.hidden})
	return nil
}

func (p *program) openTraces(ctx context.Context) (err error) {
	p.traces, err = telemetry.Traces(ctx, telemetry.TraceOptions{Endpoint: p.settings.OTLP, Version: version, Log: p.log})
	if err != nil {
		return err
	}
	p.later(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return p.traces.Shutdown(ctx)
	})
	return nil
}

func (p *program) openKeys(context.Context) (err error) {
	if p.settings.Key != "" {
		p.keys, err = secret.Parse(p.settings.Key)
		return err
	}
	p.keys, err = secret.Load(filepath.Join(p.settings.Data, keyFile))
	return err
}

func (p *program) openBus(context.Context) (err error) {
	if p.settings.NATS == "" {
		p.bus = wake.Local()
		return nil
	}
	p.nats, err = wake.NATS(p.settings.NATS, wake.NATSOptions{Log: p.log, Name: "dragoman"})
	p.bus = p.nats
	return err
}

func (p *program) openStore(ctx context.Context) (err error) {
	if p.settings.Database == "" {
		if err := makePrivate(p.settings.dsn()); err != nil {
			return err
		}
	}
	p.store, err = store.Open(ctx, store.Options{
		DSN: p.settings.dsn(), Lease: p.settings.Lease, Wake: p.bus, Log: p.log, Routes: slices.Concat(hub.Routes(), bot.Routes(), desk.Routes()),
	})
	if err != nil {
		return p.settings.noDatabase(err)
	}
	p.later(p.store.Close)
	p.bots = &bot.Runner{Store: p.store, Log: p.log, Fallback: p.settings.Fallback}
	return nil
}

func (p *program) blobs() (blob.Store, error) {
	s := p.settings
	if s.S3Endpoint != "" {
		return blob.S3(blob.S3Options{
			Endpoint: s.S3Endpoint, Region: s.S3Region, Bucket: s.S3Bucket, AccessKey: s.S3AccessKey, SecretKey: s.S3SecretKey, PathStyle: s.S3PathStyle,
		})
	}
	f, err := blob.Dir(filepath.Join(s.Data, blobFolder))
	if err != nil {
		return nil, err
	}
	p.later(f.Close)
	if err := f.Sweep(time.Now().Add(-24 * time.Hour)); err != nil {
		p.log.Warn("half-written files stay", "err", err)
	}
	return f, nil
}

func (p *program) openHub(context.Context) error {
	blobs, err := p.blobs()
	if err != nil {
		return err
	}
	p.web = outbound.Client(outbound.Options{
		AllowPrivate: p.settings.AllowPrivate, Log: p.log, Tracer: p.traces.Tracer("dragoman"), Propagator: propagation.TraceContext{},
	})
	p.hub = hub.New(hub.Options{
		Store: p.store, Blobs: blobs, Wake: p.bus, Secrets: p.keys, Platforms: all.Platforms(), Random: rand.Reader, Now: time.Now,
		Log: p.log, Meter: p.metrics, Hidden: &p.hidden, Tracer: p.traces.Tracer("dragoman/hub"), Public: p.settings.PublicURL, Limits: hub.Limits{Attachment: p.settings.MaxAttachment},
		HTTP: p.web,
	})
	p.models, p.library = llm.NewBook(p.store, p.keys, p.web, llm.Limits{}), knowledge.New(p.store)
	return nil
}

func (p *program) openAPI(context.Context) error {
	p.lines = desk.NewLines(p.store, time.Now, p.log, p.settings.AwayAfter)
	p.api = api.New(api.Options{
		Store: p.store, Hub: p.hub, Wake: p.bus, Secrets: p.keys, Now: time.Now, Log: p.log, Version: version, LLM: p.models, HTTP: p.web,
		Metrics: telemetry.Guard(p.settings.MetricsToken, p.metrics.Handler()),
		Public:  p.settings.PublicURL, TrustProxy: p.settings.TrustProxy, Origins: p.settings.Origins, Limits: api.Limits{Rate: p.settings.Rate}, Lines: p.lines,
		Access: access.Settings{HTTP: p.web, OIDC: access.OIDC{
			Issuer: p.settings.OIDCIssuer, Client: p.settings.OIDCClient, Secret: p.settings.OIDCSecret, Role: p.settings.OIDCRole,
		}},
	})
	return nil
}

func (p *program) openWorkers(context.Context) error {
	p.workers = rpc.New(rpc.Options{
		Store: p.store, Channels: p.hub, Wake: p.bus, Now: time.Now, Log: p.log, Link: p.fileLink, LLM: p.models, Knowledge: p.library,
		Blobs: p.hub.Blobs, Door: door.New(p.api.Address, time.Now),
	})
	p.back = http.NewServeMux()
	p.workers.Mount(p.back)
	p.paced = p.api.Paced(p.back)
	return nil
}

// fileLink is an address under which a worker can fetch a file; "" if none is known under which we are reached.
func (p *program) fileLink(ws chat.WorkspaceID, id chat.FileID) string {
	base := p.settings.PublicURL
	if base == "" {
		base = p.url
	}
	if base == "" {
		return ""
	}
	return strings.TrimRight(base, "/") + p.hub.FileLink(ws, id)
}

// work runs the stations until ctx ends.
func (p *program) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if p.nats != nil {
		g.Go(func() error { return p.nats.Run(ctx) })
	}
	g.Go(func() error { return p.hub.Run(ctx) })
	g.Go(func() error { return p.bots.Run(ctx) })
	g.Go(func() error {
		return (&desk.Router{Store: p.store, Log: p.log, BotSilence: p.settings.BotSilence, HTTP: p.web, Secrets: p.keys}).Run(ctx)
	})
	g.Go(func() error { return p.lines.Run(ctx) })
	g.Go(func() error { return (&report.Keeper{Store: p.store}).Run(ctx) })
	g.Go(func() error { return (&search.Index{Store: p.store, Fold: knowledge.Fold, Log: p.log}).Run(ctx) })
	g.Go(func() error { return p.visitors.Run(ctx) })
	g.Go(func() error { return p.bots.RunCalls(ctx, p.workers.Call) })
	g.Go(func() error { return p.workers.Run(ctx) })
	g.Go(func() error { return p.measure(ctx) })
	return g.Wait()
}

// measure keeps the numbers up to date that nobody counts as they happen.
func (p *program) measure(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		lags, err := p.store.Lag(ctx)
		if err != nil {
			continue // readyz tells that the database is away
		}
		for name, events := range lags {
			p.metrics.FollowerLag(name, events)
		}
	}
}

// ServeHTTP gives each request to the part that knows its path.
func (p *program) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, backPrefix) {
		p.paced.ServeHTTP(w, r)
		return
	}
	if p.ownSite(r) {
		p.site.ServeHTTP(w, r)
		return
	}
	if web.Owns(r.URL.Path) {
		p.pages.ServeHTTP(w, r)
		return
	}
	p.api.ServeHTTP(w, r)
}

// backPrefix is where ChatFAQ's clients call.
const backPrefix = "/back/"

func (p *program) route(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, backPrefix) {
		_, pattern := p.back.Handler(r)
		return pattern
	}
	if strings.HasPrefix(r.URL.Path, visitor.Prefix) {
		return p.visitors.Route(r)
	}
	if _, pattern := p.site.Handler(r); pattern != "" {
		return pattern
	}
	if web.Owns(r.URL.Path) {
		return "/"
	}
	return p.api.Route(r)
}

// server is the HTTP server with its limits.
func (p *program) server() *http.Server {
	return &http.Server{
		Handler: p.metrics.Counted(p, time.Now, p.route), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ConnContext: api.WithConn,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
}
