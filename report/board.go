package report

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// fresh is for how long a look at a workspace serves everybody who asks: many screens show the same figures.
const fresh = time.Second

// Board shows how it stands now. It is safe for concurrent use.
type Board struct {
	Store *store.Store
	Now   func() time.Time

	mu    sync.Mutex
	looks map[chat.WorkspaceID]*look
}

// look is one reading of a workspace, under way until done is closed.
type look struct {
	done chan struct{}
	at   time.Time
	live *Live
	err  error
}

// Scope is what somebody may see of it.
type Scope struct {
	All    bool
	Queues []string // else these, with their members
	Agent  string   // and oneself
}

// Live tells how it stands, at most a second ago.
func (b *Board) Live(ctx context.Context, ws chat.WorkspaceID, see Scope) (*Live, error) {
	l := b.look(ctx, ws)
	select {
	case <-l.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.err != nil || see.All {
		return l.live, l.err
	}
	return l.live.within(see), nil
}

// look joins the reading that is under way or fresh, or begins one.
func (b *Board) look(ctx context.Context, ws chat.WorkspaceID) *look {
	now := b.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.looks[ws]; l != nil && now.Sub(l.at).Abs() < fresh {
		return l
	}
	l := &look{done: make(chan struct{}), at: now}
	if b.looks == nil {
		b.looks = map[chat.WorkspaceID]*look{}
	}
	b.looks[ws] = l
	go b.read(context.WithoutCancel(ctx), ws, l) // the one who began it may leave
	return l
}

// patience is how long a reading may take.
const patience = 20 * time.Second

func (b *Board) read(ctx context.Context, ws chat.WorkspaceID, l *look) {
	defer close(l.done)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, err := read(ctx, b.Store, ws, l.at)
	if err == nil {
		l.live = src.live(l.at)
		return
	}
	l.err = err
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.looks[ws] == l {
		delete(b.looks, ws) // the next one tries again
	}
}

// within is what somebody sees who does not see everything: not what flows have, and of the agents those of the queues.
func (l *Live) within(see Scope) *Live {
	out := &Live{At: l.At, Queues: []LiveQueue{}, Agents: []LiveAgent{}}
	seen := map[string]bool{see.Agent: true}
	for _, q := range l.Queues {
		if !slices.Contains(see.Queues, q.Name) {
			continue
		}
		out.Queues = append(out.Queues, q)
		for _, m := range q.members {
			seen[m] = true
		}
	}
	for _, a := range l.Agents {
		if seen[a.ID] {
			out.Agents = append(out.Agents, a)
		}
	}
	return out
}
