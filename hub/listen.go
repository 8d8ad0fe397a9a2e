package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
)

// superviseEvery is how often the list of channels is compared with the listeners that run, for changes that other nodes made.
const superviseEvery = 3 * time.Second

// listen keeps one listener running for each channel that has one: on one node at a time, again after every loss, anew when the
// channel's settings change.
func (h *Hub) listen(ctx context.Context) error {
	running := map[chat.ChannelID]*listener{}
	tick := time.NewTicker(superviseEvery)
	defer tick.Stop()
	for {
		h.supervise(ctx, running)
		select {
		case <-ctx.Done():
			for _, at := range running {
				<-at.done
			}
			return nil
		case <-tick.C:
		case <-h.changed:
		}
	}
}

// listener is one that runs, or did: done is closed when it has ended.
type listener struct {
	revision int64
	stop     context.CancelFunc
	done     chan struct{}
}

func (at *listener) ended() bool {
	select {
	case <-at.done:
		return true
	default:
		return false
	}
}

func (h *Hub) supervise(ctx context.Context, running map[chat.ChannelID]*listener) {
	list, err := h.Store.Channels(ctx, "")
	if err != nil {
		if ctx.Err() == nil {
			h.Log.ErrorContext(ctx, "hub: channels cannot be read", "err", err)
		}
		return
	}
	wanted := map[chat.ChannelID]bool{}
	for _, ch := range list {
		if ch.Status == store.ChannelOff {
			continue
		}
		l, err := h.line(ctx, ch.ID)
		if err != nil || l.abilities.Listen == nil {
			continue
		}
		wanted[ch.ID] = true
		before := running[ch.ID]
		if before == nil || before.revision != l.channel.Revision || before.ended() {
			running[ch.ID] = h.startListener(ctx, l, before)
		}
	}
	for id, at := range running {
		if !wanted[id] {
			at.stop()
			at.revision = 0 // of no channel: if it is wanted again, one begins anew
			if at.ended() {
				delete(running, id)
			}
		}
	}
}

// startListener ends the listener before, waits for that, and begins a new one.
func (h *Hub) startListener(ctx context.Context, l *line, before *listener) *listener {
	lctx, stop := context.WithCancel(ctx)
	at := &listener{revision: l.channel.Revision, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(at.done)
		if before != nil {
			before.stop()
			<-before.done
		}
		h.listenOn(lctx, l)
	}()
	return at
}

// listenOn holds the channel's lease and listens, with a pause after each loss that grows while losses follow one another.
func (h *Hub) listenOn(ctx context.Context, l *line) {
	name := "listen:" + string(l.channel.ID)
	err := h.Store.Hold(ctx, l.channel.Workspace, name, func(ctx context.Context) {
		for losses := 0; ctx.Err() == nil; {
			begun, seen := h.Now(), l.sessions.Load()
			err := h.listenOnce(ctx, l)
			if ctx.Err() != nil {
				return
			}
			if h.Now().Sub(begun) > time.Minute {
				losses = 0
			}
			losses++
			wait(ctx, h.afterLoss(ctx, l, err, losses, seen))
		}
	})
	if err != nil && ctx.Err() == nil {
		h.Log.ErrorContext(ctx, "hub: listener", "channel", l.channel.ID, "err", err)
	}
}

// listenOnce listens until the connection is lost. A listener that breaks down is lost too, and the others go on.
func (h *Hub) listenOnce(ctx context.Context, l *line) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &connector.Error{Policy: connector.Retry, Code: "panic", Detail: fmt.Sprint(p)}
		}
	}()
	return l.abilities.Listen.Listen(ctx, func(ctx context.Context, events []chat.Incoming) error {
		h.works(ctx, l)
		return h.take(ctx, l, events)
	})
}

// afterLoss says how long to wait before the next try; seen is l.sessions of when the lost one began.
func (h *Hub) afterLoss(ctx context.Context, l *line, err error, losses int, seen int64) time.Duration {
	pause := h.Limits.Pause << min(losses, 6)
	pause = pause/2 + rand.N(pause/2+1) //nolint:gosec // jitter is no secret
	if err == nil {
		return pause
	}
	e := connector.AsError(err)
	h.Log.WarnContext(ctx, "hub: listener lost", "channel", l.channel.ID, "losses", losses, "err", err)
	switch e.Policy {
	case connector.Throttled:
		return max(pause, e.After)
	case connector.Unauthorized:
		if losses == 1 && h.renew(ctx, l, seen) == nil {
			return 0
		}
	case connector.Suspended:
	default:
		return pause
	}
	h.markError(ctx, l, e)
	return 60 * h.Limits.Pause
}

// markError shows people that a channel does not work.
func (h *Hub) markError(ctx context.Context, l *line, e *connector.Error) {
	l.ailing.Store(true)
	if err := h.Store.MarkChannel(ctx, l.channel.ID, store.ChannelError, e.Error()); err != nil {
		h.Log.ErrorContext(ctx, "hub: channel not marked", "channel", l.channel.ID, "err", err)
		return
	}
	h.Log.WarnContext(ctx, "hub: channel does not work", "channel", l.channel.ID, "err", e)
}

// works takes that back, for the platform has just done something for us.
func (h *Hub) works(ctx context.Context, l *line) {
	if !l.ailing.CompareAndSwap(true, false) {
		return
	}
	l.mended()
	if err := h.Store.MarkChannel(ctx, l.channel.ID, store.ChannelActive, ""); err != nil {
		l.ailing.Store(true)
		h.Log.ErrorContext(ctx, "hub: channel not marked", "channel", l.channel.ID, "err", err)
		return
	}
	h.Log.InfoContext(ctx, "hub: channel works again", "channel", l.channel.ID)
}

// errNoRenewal is a connector that has nothing to renew.
var errNoRenewal = errors.New("hub: nothing to renew")

// renew gets a new session for a channel, unless somebody has done so since the caller looked (seen is l.sessions of then);
// callers that come meanwhile share its outcome.
func (h *Hub) renew(ctx context.Context, l *line, seen int64) error {
	if l.abilities.Renew == nil {
		return errNoRenewal
	}
	_, err, _ := h.renewal.Do(string(l.channel.ID), func() (any, error) {
		if l.sessions.Load() != seen {
			return nil, nil
		}
		until, err := l.abilities.Renew.Renew(context.WithoutCancel(ctx))
		if err == nil {
			l.sessions.Add(1)
			h.Log.InfoContext(ctx, "hub: session renewed", "channel", l.channel.ID, "until", until)
		}
		return nil, err
	})
	return err
}

// renewed calls a platform, and once more with a new session if the old one has ended.
func (h *Hub) renewed(ctx context.Context, l *line, call func() error) error {
	seen := l.sessions.Load()
	err := call()
	if err == nil || connector.AsError(err).Policy != connector.Unauthorized || h.renew(ctx, l, seen) != nil {
		return err
	}
	return call()
}

// wait waits, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
