package wake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/dragoman-hub/dragoman/chat"
)

// patience bounds one exchange with the server.
const patience = 2 * time.Second

// NATSOptions are the settings of a NATSBus.
type NATSOptions struct {
	Log           *slog.Logger
	Name          string        // how the server's monitoring shows this node
	ReconnectWait time.Duration // between attempts; 0: 1 s
	Connect       []nats.Option // credentials, TLS
}

// NATSBus is a Bus between nodes over core NATS. What is published in this process reaches its own subscribers
// at once, connected or not; other nodes hear it when there is a connection. Heads wait for one, coalesced;
// typing signals and the like of that time are dropped.
type NATSBus struct {
	url       string
	opts      NATSOptions
	local     *LocalBus
	out       *Subscription // what other nodes have still to hear
	up        chan struct{} // holds a token after every connect and whenever messages were lost
	connected atomic.Bool
	malformed atomic.Int64
}

// NATS makes a bus over the servers of that URL (several with commas). Run connects.
func NATS(servers string, opts NATSOptions) (*NATSBus, error) {
	for s := range strings.SplitSeq(servers, ",") {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil || u.Host == "" { // the text of err would show a password
			return nil, chat.Faultf(chat.CodeInvalid, "NATS address: want nats://host:port, several with commas")
		}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.ReconnectWait == 0 {
		opts.ReconnectWait = time.Second
	}
	return &NATSBus{url: servers, opts: opts, local: Local(), out: newSubscription(), up: make(chan struct{}, 1)}, nil
}

// Head is Bus.Head.
func (b *NATSBus) Head(workspace chat.WorkspaceID, pos int64) {
	b.local.Head(workspace, pos)
	b.out.head(workspace, pos)
}

// Typing is Bus.Typing.
func (b *NATSBus) Typing(t Typing) {
	b.local.Typing(t)
	if b.connected.Load() {
		b.out.typing(t)
	}
}

// Presence is Bus.Presence.
func (b *NATSBus) Presence(p Presence) {
	b.local.Presence(p)
	if b.connected.Load() {
		b.out.presence(p)
	}
}

// Draft is Bus.Draft.
func (b *NATSBus) Draft(d Draft) {
	b.local.Draft(d)
	if b.connected.Load() {
		b.out.draft(d)
	}
}

// Post is Bus.Post.
func (b *NATSBus) Post(l Letter) {
	b.local.Post(l)
	if b.connected.Load() {
		b.out.letter(l)
	}
}

// Subscribe is Bus.Subscribe.
func (b *NATSBus) Subscribe() *Subscription { return b.local.Subscribe() }

// Mailbox is Bus.Mailbox.
func (b *NATSBus) Mailbox(topic string) *Subscription { return b.local.Mailbox(topic) }

// Connected tells whether other nodes hear us now.
func (b *NATSBus) Connected() bool { return b.connected.Load() }

// Malformed counts the messages that were dropped because they could not be read or written.
func (b *NATSBus) Malformed() int64 { return b.malformed.Load() }

// Run connects, and connects again for as long as it takes, until ctx ends; the answer is nil then. Any other answer
// means settings that cannot work.
func (b *NATSBus) Run(ctx context.Context) error {
	ended := make(chan struct{})
	nc, err := nats.Connect(b.url, append(b.options(), nats.ClosedHandler(func(*nats.Conn) { close(ended) }))...)
	if err != nil {
		return fmt.Errorf("wake: connect to NATS: %w", err)
	}
	defer func() {
		nc.Close()
		<-ended // the last callback: nothing is logged after Run
		b.connected.Store(false)
	}()
	for subject, hear := range map[string]nats.MsgHandler{subjectPrefix: b.receive, postPrefix: b.deliver} {
		if _, err := nc.Subscribe(subject+"*", hear); err != nil {
			return fmt.Errorf("wake: subscribe: %w", err)
		}
	}
	if !nc.IsConnected() {
		b.opts.Log.Warn("wake: NATS does not answer yet, trying again")
	}
	for {
		outgoing := b.out.Ready()
		if !b.connected.Load() {
			outgoing = nil // heads wait, coalesced
		}
		select {
		case <-ctx.Done():
			b.leave(ctx, nc)
			return nil
		case <-b.up:
			b.arrive(ctx, nc)
		case <-outgoing:
			b.publish(ctx, nc, b.out.Take(), patience)
		}
	}
}

// options: NoEcho, for our own subscribers have heard it already; no buffer while away, for out coalesces better.
func (b *NATSBus) options() []nats.Option {
	lost := func(_ *nats.Conn, err error) {
		b.connected.Store(false)
		if err != nil {
			b.opts.Log.Warn("wake: lost NATS, trying again", "error", err)
		}
	}
	up := func(nc *nats.Conn) {
		b.opts.Log.Info("wake: connected to NATS", "server", nc.ConnectedUrlRedacted())
		b.kick()
	}
	return append(slices.Clone(b.opts.Connect), []nats.Option{
		nats.Name(b.opts.Name), nats.NoEcho(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(b.opts.ReconnectWait), nats.ReconnectBufSize(-1), nats.Timeout(5 * time.Second),
		nats.DisconnectErrHandler(lost), nats.ConnectHandler(up), nats.ReconnectHandler(up),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.opts.Log.Warn("wake: NATS", "error", err)
			if errors.Is(err, nats.ErrSlowConsumer) {
				b.kick() // messages were dropped
			}
		}),
	}...)
}

func (b *NATSBus) kick() {
	select {
	case b.up <- struct{}{}:
	default:
	}
}

// arrive makes sure that the server knows our subscription, and only then says what may have been missed before.
func (b *NATSBus) arrive(ctx context.Context, nc *nats.Conn) {
	if b.flush(ctx, nc, patience) != nil {
		return // lost again: the next connect kicks
	}
	b.connected.Store(nc.IsConnected())
	b.local.missed()
	b.out.signal() // heads that waited
}

// leave sends what is still waiting, within a second.
func (b *NATSBus) leave(ctx context.Context, nc *nats.Conn) {
	if b.connected.Load() {
		b.publish(context.WithoutCancel(ctx), nc, b.out.Take(), time.Second)
	}
}

// publish waits for the server's answer, for a write into a dying connection succeeds too. What comes meanwhile
// coalesces; what did not surely arrive goes back.
func (b *NATSBus) publish(ctx context.Context, nc *nats.Conn, n News, limit time.Duration) {
	err := b.sendAll(nc, n)
	if err == nil {
		err = b.flush(ctx, nc, limit)
	}
	if err == nil {
		return
	}
	b.connected.Store(nc.IsConnected())
	for w, pos := range n.Heads {
		b.out.head(w, pos)
	}
}

func (b *NATSBus) flush(ctx context.Context, nc *nats.Conn, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return nc.FlushWithContext(ctx)
}

func (b *NATSBus) sendAll(nc *nats.Conn, n News) error {
	for w, pos := range n.Heads {
		if err := b.send(nc, w, envelope{V: wireVersion, Head: pos}); err != nil {
			return err
		}
	}
	for _, t := range n.Typing {
		if err := b.send(nc, t.Workspace, envelope{V: wireVersion, Typing: &t}); err != nil {
			return err
		}
	}
	for _, p := range n.Presences {
		if err := b.send(nc, p.Workspace, envelope{V: wireVersion, Presence: &p}); err != nil {
			return err
		}
	}
	for _, d := range n.Drafts {
		if err := b.send(nc, d.Workspace, envelope{V: wireVersion, Draft: &d}); err != nil {
			return err
		}
	}
	for _, l := range n.Letters {
		subject, body, err := encodeLetter(l)
		if err := b.put(nc, subject, body, err); err != nil {
			return err
		}
	}
	return nil
}

// send answers errors of the connection only.
func (b *NATSBus) send(nc *nats.Conn, w chat.WorkspaceID, e envelope) error {
	subject, body, err := encode(w, e)
	return b.put(nc, subject, body, err)
}

func (b *NATSBus) put(nc *nats.Conn, subject string, body []byte, unfit error) error {
	if unfit != nil {
		b.malformed.Add(1)
		b.opts.Log.Warn("wake: not published", "error", unfit)
		return nil
	}
	err := nc.Publish(subject, body)
	if err != nil && nc.IsConnected() { // the server takes nothing of that size: repeating would not help
		b.opts.Log.Warn("wake: not published", "subject", subject, "error", err)
		return nil
	}
	return err
}

// deliver takes a letter of another node.
func (b *NATSBus) deliver(m *nats.Msg) {
	l, err := decodeLetter(m.Subject, m.Data)
	if err != nil {
		b.malformed.Add(1)
		b.opts.Log.Debug("wake: dropped a letter", "subject", m.Subject, "bytes", len(m.Data))
		return
	}
	b.local.Post(l)
}

func (b *NATSBus) receive(m *nats.Msg) {
	w, e, err := decode(m.Subject, m.Data)
	switch {
	case err != nil:
		b.malformed.Add(1)
		b.opts.Log.Debug("wake: dropped a message", "subject", m.Subject, "bytes", len(m.Data))
	case e.Typing != nil:
		b.local.Typing(*e.Typing)
	case e.Presence != nil:
		b.local.Presence(*e.Presence)
	case e.Draft != nil:
		b.local.Draft(*e.Draft)
	default:
		b.local.Head(w, e.Head)
	}
}
