package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
)

// line is an open channel: its connector, what it can do, and how fast it may go. A line is replaced when the channel's
// row has a new revision. Hub.mu guards until and looked.
type line struct {
	channel   store.Channel
	traits    connector.Traits
	conn      connector.Connector
	abilities connector.Abilities
	rate      *rate.Limiter
	courtesy  *rate.Limiter // what may be left out has a share of the rate
	until     time.Time     // when the row is looked at again
	looked    time.Time     // when somebody last went to do so
	ailing    atomic.Bool   // the row says that the channel does not work
	sessions  atomic.Int64  // how often the session was renewed

	mu      sync.Mutex
	threads map[string]*rate.Limiter
	refused map[string]time.Time // when the platform last did not take the account, by the kind of work
}

// tellListeners lets supervise look at once.
func (h *Hub) tellListeners() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// open makes a connector from a channel's row.
func (h *Hub) open(ctx context.Context, ch store.Channel) (*line, error) {
	settings, err := h.Secrets.Open(settingsPlace(ch.ID), ch.Settings)
	if err != nil {
		return nil, fmt.Errorf("hub: settings of channel %s: %w", ch.ID, err)
	}
	return h.openWith(ctx, ch, settings)
}

func (h *Hub) openWith(ctx context.Context, ch store.Channel, settings json.RawMessage) (*line, error) {
	p, ok := h.platforms[ch.Connector]
	if !ok {
		return nil, fmt.Errorf("%w: %s", errNoPlatform, ch.Connector)
	}
	conn, err := p.Open(ctx, connector.Env{
		Channel: ch.ID, Settings: settings, WebhookURL: h.webhookURL(ch.ID), HTTP: h.HTTP,
		Log: h.Log.With("channel", ch.ID, "connector", ch.Connector), Now: h.Now, Notes: notes{h, ch.ID},
	})
	if err != nil {
		return nil, err
	}
	t := connector.TraitsOf(p, conn)
	l := &line{
		channel: ch, traits: t, conn: conn, abilities: connector.AbilitiesOf(conn), rate: limiter(t.Rate),
		courtesy: limiter(connector.Rate{N: t.Rate.N, Per: profileShare * t.Rate.Per, Burst: 1}),
		threads:  map[string]*rate.Limiter{}, refused: map[string]time.Time{},
	}
	l.ailing.Store(ch.Status == store.ChannelError)
	h.hide(l, p, settings)
	return l, nil
}

// webhookURL is where a platform posts to; without a public address only programs on this machine can use it.
func (h *Hub) webhookURL(id chat.ChannelID) string {
	if h.Public == "" {
		return ""
	}
	return strings.TrimSuffix(h.Public, "/") + "/in/" + string(id)
}

func settingsPlace(id chat.ChannelID) string { return "channel/" + string(id) + "/settings" }

// limiter turns a rate into a token bucket; nil is no limit.
func limiter(r connector.Rate) *rate.Limiter {
	if r.N <= 0 || r.Per <= 0 {
		return nil
	}
	burst := r.Burst
	if burst <= 0 {
		burst = r.N
	}
	return rate.NewLimiter(rate.Limit(float64(r.N)/r.Per.Seconds()), burst)
}

// maxThreads bounds the limiters that a line remembers; those forgotten begin with a full burst again.
const maxThreads = 20000

// wait answers how long a request to a thread has to wait, and takes its place in both queues when that is at most patience.
// all tells that it is the whole channel that waits.
func (l *line) wait(now time.Time, thread chat.Thread, patience time.Duration) (d time.Duration, all bool) {
	var taken []*rate.Reservation
	for i, lim := range []*rate.Limiter{l.rate, l.thread(thread)} {
		if lim == nil {
			continue
		}
		r := lim.ReserveN(now, 1)
		taken = append(taken, r)
		if wait := r.DelayFrom(now); wait > d {
			d, all = wait, i == 0
		}
	}
	if d > patience {
		for _, r := range taken {
			r.CancelAt(now)
		}
	}
	return d, all
}

func (l *line) thread(t chat.Thread) *rate.Limiter {
	r := l.traits.ThreadRate
	if t.Group && l.traits.GroupRate.N > 0 {
		r = l.traits.GroupRate
	}
	if r.N <= 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	lim := l.threads[t.Key()]
	if lim == nil {
		if len(l.threads) >= maxThreads {
			clear(l.threads)
		}
		lim = limiter(r)
		l.threads[t.Key()] = lim
	}
	return lim
}

// concurrency is how many requests of a channel may be under way at once: one until the channel is open and tells.
func (h *Hub) concurrency(group string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch l := h.lines[chat.ChannelID(group)]; {
	case l == nil:
		return 1
	case l.traits.Concurrency > 0:
		return l.traits.Concurrency
	default:
		return 8
	}
}

// notes are a channel's durable facts, sealed.
type notes struct {
	h  *Hub
	id chat.ChannelID
}

func (n notes) place(key string) string { return "note/" + string(n.id) + "/" + key }

func (n notes) Load(ctx context.Context, key string) ([]byte, error) {
	sealed, err := n.h.Store.Note(ctx, n.id, key)
	if err != nil || sealed == "" {
		return nil, err
	}
	return n.h.Secrets.Open(n.place(key), sealed)
}

func (n notes) Save(ctx context.Context, key string, value []byte) error {
	return n.h.Store.SetNote(ctx, n.id, key, n.h.Secrets.Seal(n.place(key), value))
}
