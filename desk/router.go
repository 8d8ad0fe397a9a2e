package desk

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
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
	// Tick is how often it looks for offers whose time is over; default 1 s.
	Tick time.Duration

	mu       sync.Mutex
	pictures map[chat.WorkspaceID]*picture
}

// looks are the kinds of events that can make an offer possible, or impossible.
var looks = []chat.Kind{
	chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed, chat.KindOfferEnded, chat.KindAgentChanged, chat.KindQueueChanged,
}

// Run routes until ctx ends.
func (r *Router) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Store.FollowAlong(ctx, Name, r.step, looks...) })
	g.Go(func() error { return r.expire(ctx) })
	return g.Wait()
}

// step takes one event into the picture and offers what can be offered now. What has to be read from the store, the whole picture or the
// queues, is read when it has been committed.
func (r *Router) step(tx *store.Tx, e chat.Event) error {
	if tx.Along() && e.Kind == chat.KindQueueChanged {
		return store.ErrNotNow
	}
	p, fresh, err := r.picture(tx, e)
	if err != nil {
		return err
	}
	p.last = e.Pos
	touched, err := p.take(tx, r.Store, e)
	if err != nil {
		return err
	}
	if fresh {
		touched = slices.Sorted(maps.Keys(p.queues))
	}
	for _, name := range touched {
		if err := p.route(tx, name, e.Action); err != nil {
			return err
		}
	}
	return nil
}

// picture is the workspace's, read anew when it has missed an event or has seen one that was not committed.
func (r *Router) picture(tx *store.Tx, e chat.Event) (p *picture, fresh bool, err error) {
	r.mu.Lock()
	p = r.pictures[tx.Workspace()]
	r.mu.Unlock()
	if p != nil && p.last == tx.Since() {
		return p, false, nil
	}
	if tx.Along() {
		return nil, false, store.ErrNotNow
	}
	if p, err = load(tx.Context(), r.Store, tx.Workspace()); err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pictures == nil {
		r.pictures = map[chat.WorkspaceID]*picture{}
	}
	r.pictures[tx.Workspace()] = p
	return p, true, nil
}

// take brings the picture up to date and names the queues in which something may have become possible.
func (p *picture) take(tx *store.Tx, s *store.Store, e chat.Event) ([]string, error) {
	switch e.Kind {
	case chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed, chat.KindOfferEnded:
		return p.takeConversation(tx, e)
	case chat.KindAgentChanged:
		var row store.Agent
		if err := json.Unmarshal(e.Data, &row); err != nil {
			return nil, err
		}
		row, err := tx.Agent(row.ID) // as it is now
		if err != nil {
			return nil, err
		}
		return p.agent(row).queues, nil
	case chat.KindQueueChanged:
		var row store.Queue
		if err := json.Unmarshal(e.Data, &row); err != nil {
			return nil, err
		}
		return []string{row.Name}, p.loadQueues(tx.Context(), s, tx.Workspace())
	default:
		return nil, nil
	}
}

// takeConversation looks where a conversation is now, which may be further than the event tells.
func (p *picture) takeConversation(tx *store.Tx, e chat.Event) ([]string, error) {
	conv, err := tx.Conversation()
	if err != nil {
		return nil, err
	}
	if agent := p.holders[conv.ID]; conv.State == chat.StateAssigned && agent == AgentID(conv.Assignee) {
		return nil, nil
	}
	touched := p.queuesOf(p.leave(conv.ID, e.At))
	switch conv.State {
	case chat.StateQueued:
		row, err := tx.Waiting()
		if err != nil {
			return nil, err
		}
		p.wait(row)
		touched = append(touched, conv.Queue)
	case chat.StateAssigned:
		p.hold(conv.ID, AgentID(conv.Assignee), e.At)
	default:
	}
	slices.Sort(touched)
	return slices.Compact(touched), nil
}

func (p *picture) queuesOf(agents []AgentID) (names []string) {
	for _, id := range agents {
		if a := p.agents[id]; a != nil {
			names = append(names, a.queues...)
		}
	}
	return names
}

// route offers what waits in a queue, in order, until nobody is free.
func (p *picture) route(tx *store.Tx, name string, action chat.ActionID) error {
	q := p.queues[name]
	if q == nil {
		return nil
	}
	agents := make([]Agent, 0, len(q.members))
	for _, id := range q.members {
		if a := p.agents[id]; a != nil {
			agents = append(agents, a.Agent)
		}
	}
	for _, w := range q.line {
		if len(w.offer) > 0 || q.rule == Everyone && w.told {
			continue
		}
		d := Route(q.rule, w.Waiting, agents, q.last)
		if d.Reason != Picked {
			if hopeless(d) {
				return nil // nor is anybody free for who stands behind
			}
			continue
		}
		if err := p.tell(tx, q, w, d, action); err != nil {
			return err
		}
		for i := range agents {
			agents[i].Load = p.agents[agents[i].ID].Load
		}
	}
	return nil
}

// hopeless tells that nobody is free at all, whatever a conversation wants.
func hopeless(d Decision) bool {
	for _, c := range d.Candidates {
		if c.Out != Unavailable && c.Out != AtCapacity {
			return false
		}
	}
	return true
}

// maxTold bounds the candidates that an offer's event tells of.
const maxTold = 20

// tell writes an offer.
func (p *picture) tell(tx *store.Tx, q *queue, w *waiter, d Decision, action chat.ActionID) error {
	var until time.Time
	if q.rule != Everyone {
		until = tx.Now().Add(q.settings.acceptTime())
		q.last = d.Offer[0]
	}
	agents := make([]string, len(d.Offer))
	for i, id := range d.Offer {
		agents[i] = string(id)
	}
	slices.SortStableFunc(d.Candidates, func(a, b Candidate) int { return len(a.Out) - len(b.Out) }) // those who were picked first
	d.Considered = len(d.Candidates)
	d.Candidates = d.Candidates[:min(len(d.Candidates), maxTold)]
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = tx.Append(&store.Offer{
		Workspace: tx.Workspace(), Conversation: w.Conversation, Agents: agents, Until: until, Decision: raw, Action: action,
	})
	if chat.CodeOf(err) == chat.CodeConflict || chat.CodeOf(err) == chat.CodeNotFound {
		return nil // it does not wait any more; the event that says so comes
	}
	if err != nil {
		return err
	}
	p.offer(w, d.Offer, until)
	return nil
}

// expire ends offers whose time is over.
func (r *Router) expire(ctx context.Context) error {
	every := r.Tick
	if every == 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := r.endOverdue(ctx); err != nil && ctx.Err() == nil && r.Log != nil {
			r.Log.WarnContext(ctx, "desk: offers whose time is over", "err", err)
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
