package desk

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Name is the follower's name in the store.
const Name = "desk"

// Router reads the log and offers waiting conversations to agents. What it decides stands in the log, with its reasons.
type Router struct {
	Store *store.Store
	Log   *slog.Logger
	// Tick is how often it looks for offers whose time is over, and for conversations whose rest is; default 1 s.
	Tick time.Duration
	// HTTP asks services outside for the rule "http"; nil: none is asked. Secrets opens their secrets.
	HTTP    *http.Client
	Secrets Sealer
	// BotSilence is after how long without an event a conversation of a bot is closed; 0: never.
	BotSilence time.Duration

	mu       sync.Mutex
	pictures map[chat.WorkspaceID]*picture
}

// looks are the kinds of events that can make an offer possible, or impossible.
var looks = []chat.Kind{
	chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed, chat.KindOfferEnded, chat.KindAgentChanged, chat.KindQueueChanged,
	chat.KindSnoozed, chat.KindAwoken, chat.KindTeamChanged, chat.KindHoursChanged, chat.KindRouteAnswer, chat.KindChanged,
}

// settles are those after which the queues are read anew.
var settles = []chat.Kind{chat.KindQueueChanged, chat.KindTeamChanged, chat.KindHoursChanged}

// Run routes until ctx ends.
func (r *Router) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Store.FollowAlong(ctx, Name, r.step, looks...) })
	g.Go(func() error { return r.RunRules(ctx) })
	g.Go(func() error { return r.expire(ctx) })
	g.Go(func() error { return r.live(ctx) })
	return g.Wait()
}

// step takes one event into the picture and offers what can be offered now. What has to be read from the store (the whole picture, the
// queues, what an expression wants to know) is read when it has been committed.
func (r *Router) step(tx *store.Tx, e chat.Event) error {
	if tx.Along() && slices.Contains(settles, e.Kind) {
		return store.ErrNotNow
	}
	p, err := r.picture(tx)
	if err != nil {
		return err
	}
	p.last = e.Pos
	t := &turn{Router: r, tx: tx, p: p, action: e.Action}
	if err := t.take(e); err != nil {
		return err
	}
	return p.fillAll(t)
}

// picture is the workspace's, read anew when it has missed an event or has seen one that was not committed.
func (r *Router) picture(tx *store.Tx) (*picture, error) {
	r.mu.Lock()
	p := r.pictures[tx.Workspace()]
	r.mu.Unlock()
	if p != nil && p.last == tx.Since() && (!p.reads || !tx.Along()) {
		return p, nil
	}
	if tx.Along() {
		return nil, store.ErrNotNow
	}
	p, err := load(tx.Context(), r.Store, tx.Workspace())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pictures == nil {
		r.pictures = map[chat.WorkspaceID]*picture{}
	}
	r.pictures[tx.Workspace()] = p
	return p, nil
}

// expire ends offers whose time is over, passes on who has waited for too long, and tells those who wait.
func (r *Router) expire(ctx context.Context) error {
	every := r.Tick
	if every == 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := errors.Join(r.endOverdue(ctx), r.passOverdue(ctx))
		if n%tellTicks == 0 {
			err = errors.Join(err, r.tellWaits(ctx))
		}
		if err != nil && ctx.Err() == nil && r.Log != nil {
			r.Log.WarnContext(ctx, "desk: offers and waits whose time is over", "err", err)
		}
	}
}

// overdueBatch is how many offers are ended before the next look.
const overdueBatch = 500

func (r *Router) endOverdue(ctx context.Context) error {
	overdue, err := r.Store.OverdueOffers(ctx, overdueBatch)
	var errs []error
	for conv, ws := range overdue {
		_, err := r.Store.Append(ctx, &store.EndOffer{Workspace: ws, Conversation: conv, By: chat.Party{Type: chat.PartySystem}})
		if chat.CodeOf(err) != chat.CodeConflict { // another node was faster, or an agent
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, err)...)
}
