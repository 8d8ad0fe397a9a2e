package hub_test

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// script is a platform of our own, for what the real ones cannot show at will. Its functions may be nil.
type script struct {
	send     func(ctx context.Context, env connector.Env, part connector.Part) (connector.Sent, error)
	receive  func(req connector.Request) (connector.Delivery, error)
	listen   func(ctx context.Context, env connector.Env, emit func(context.Context, []chat.Incoming) error) error
	renew    func(ctx context.Context) (time.Time, error)
	act      func(kind chat.Kind, id string) error
	profile  func(ctx context.Context, address string) (chat.Profile, error)
	download func(ctx context.Context, src chat.Source) (connector.Attachment, error)
	ack      func(ctx context.Context, ack string) error
	check    func() (string, error)
}

// platform describes the script to the hub.
func (s *script) platform(name string, traits connector.Traits) connector.Platform {
	return connector.Platform{
		Name: name, Title: name, Traits: traits,
		Settings: []connector.Setting{
			{Name: "token", Type: connector.String, Secret: true, Required: true},
			{Name: "mood", Type: connector.String},
		},
		Open: func(_ context.Context, env connector.Env) (connector.Connector, error) {
			var set struct{ Token, Mood string }
			if err := env.Decode(&set); err != nil {
				return nil, err
			}
			if set.Mood == "impossible" {
				return nil, connector.Malformedf("settings: mood cannot work")
			}
			return s.open(base{s, env}), nil
		},
	}
}

// open gives a connector the abilities that the script has functions for.
func (s *script) open(b base) connector.Connector {
	switch {
	case s.listen != nil:
		return listening{b}
	case s.receive != nil:
		return receiving{b}
	case s.act != nil:
		return acting{renewing{b}}
	case s.renew != nil:
		return renewing{b}
	case s.download != nil:
		return downloading{b}
	case s.profile != nil:
		return profiling{b}
	case s.check != nil:
		return checking{b}
	default:
		return b
	}
}

type base struct {
	s   *script
	env connector.Env
}

func (b base) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	if b.s.send == nil {
		return connector.Sent{ID: part.Key}, nil
	}
	return b.s.send(ctx, b.env, part)
}

type (
	listening   struct{ base }
	receiving   struct{ base }
	renewing    struct{ base }
	acting      struct{ renewing }
	downloading struct{ base }
	profiling   struct{ base }
	checking    struct{ base }
)

func (c listening) Listen(ctx context.Context, emit func(context.Context, []chat.Incoming) error) error {
	return c.s.listen(ctx, c.env, emit)
}

func (c receiving) Receive(_ context.Context, req connector.Request) (connector.Delivery, error) {
	return c.s.receive(req)
}

func (c receiving) Acknowledge(ctx context.Context, ack string) error { return c.s.ack(ctx, ack) }

func (c renewing) Renew(ctx context.Context) (time.Time, error) { return c.s.renew(ctx) }

func (c acting) Edit(_ context.Context, id string, _ connector.Part) error {
	return c.s.act(chat.KindEdited, id)
}

func (c acting) Delete(_ context.Context, _ chat.Thread, id string) error {
	return c.s.act(chat.KindDeleted, id)
}

func (c acting) React(_ context.Context, _ chat.Thread, id, _ string) error {
	return c.s.act(chat.KindReaction, id)
}

func (c acting) MarkRead(_ context.Context, _ chat.Thread, id string) error {
	return c.s.act(chat.KindRead, id)
}

func (c downloading) Download(ctx context.Context, src chat.Source) (connector.Attachment, error) {
	return c.s.download(ctx, src)
}

func (c profiling) Profile(ctx context.Context, address string) (chat.Profile, error) {
	return c.s.profile(ctx, address)
}

func (c checking) Check(context.Context) (string, error) { return c.s.check() }

// diary keeps what a platform saw, and tells of it.
type diary[T any] struct {
	mu   sync.Mutex
	seen []T
	news chan T // every entry, for who waits
}

func newDiary[T any]() *diary[T] { return &diary[T]{news: make(chan T, 10000)} }

// add answers how many there are now.
func (d *diary[T]) add(v T) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = append(d.seen, v)
	d.news <- v
	return len(d.seen)
}

func (d *diary[T]) all() []T {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]T(nil), d.seen...)
}

var (
	_ connector.Listener     = listening{}
	_ connector.Receiver     = receiving{}
	_ connector.Acknowledger = receiving{}
	_ connector.Renewer      = renewing{}
	_ connector.Editor       = acting{}
	_ connector.Deleter      = acting{}
	_ connector.Reactor      = acting{}
	_ connector.Reader       = acting{}
	_ connector.Renewer      = acting{}
	_ connector.Downloader   = downloading{}
	_ connector.Profiler     = profiling{}
	_ connector.Checker      = checking{}
)
