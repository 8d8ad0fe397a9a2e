package wake

import (
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
)

// LocalBus is a Bus inside one process.
type LocalBus struct {
	mu   sync.Mutex // before Subscription.mu
	subs map[*Subscription]struct{}
}

// Local makes a bus for one process.
func Local() *LocalBus { return &LocalBus{subs: map[*Subscription]struct{}{}} }

// Head is Bus.Head.
func (b *LocalBus) Head(workspace chat.WorkspaceID, pos int64) {
	b.each(func(s *Subscription) { s.head(workspace, pos) })
}

// Typing is Bus.Typing.
func (b *LocalBus) Typing(t Typing) {
	b.each(func(s *Subscription) { s.typing(t) })
}

// Presence is Bus.Presence.
func (b *LocalBus) Presence(p Presence) {
	b.each(func(s *Subscription) { s.presence(p) })
}

// Draft is Bus.Draft.
func (b *LocalBus) Draft(d Draft) {
	b.each(func(s *Subscription) { s.draft(d) })
}

// Subscribe is Bus.Subscribe.
func (b *LocalBus) Subscribe() *Subscription {
	s := newSubscription()
	s.closed = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, s)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subs[s] = struct{}{}
	return s
}

func (b *LocalBus) missed() { b.each((*Subscription).missed) }

func (b *LocalBus) each(f func(*Subscription)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		f(s)
	}
}
