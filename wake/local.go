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

// Post is Bus.Post.
func (b *LocalBus) Post(l Letter) {
	if l.check() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		if s.topic == l.Topic {
			s.letter(l)
		}
	}
}

// Subscribe is Bus.Subscribe.
func (b *LocalBus) Subscribe() *Subscription { return b.Mailbox("") }

// Mailbox is Bus.Mailbox.
func (b *LocalBus) Mailbox(topic string) *Subscription {
	s := newSubscription()
	s.topic = topic
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

// missed reaches mailboxes too.
func (b *LocalBus) missed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		s.missed()
	}
}

func (b *LocalBus) each(f func(*Subscription)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		if s.topic == "" {
			f(s)
		}
	}
}
