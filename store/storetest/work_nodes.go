package storetest

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// fencedNode: a node that was away for longer than its lease comes back and must not write.
func fencedNode(t *testing.T, db Database) {
	var mu sync.Mutex
	var ahead time.Duration
	s := newSite(t, db, func(o *store.Options) { o.Lease = 30 * time.Second })
	s.o.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(ahead)
	}
	other := s.open() // its clock tells that the lease has run out
	conv := s.talk("a")
	s.do(s.post(conv, "x"))
	began, gate := make(chan struct{}, 10), make(chan struct{})
	late := make(chan error, 10)
	s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if j.Interrupted {
			return store.Later(time.Second) // it may get the work back when the other has stopped
		}
		must(t, j.Begin(ctx))
		began <- struct{}{}
		<-gate
		late <- j.Save(ctx, json.RawMessage(`{"late":true}`))
		return s.delivered(j)
	})
	await(t, "the first node", began)
	mu.Lock()
	ahead = 31 * time.Second
	mu.Unlock()
	took := make(chan bool, 10)
	hold := make(chan struct{})
	background(t, func(ctx context.Context) error {
		return other.Work(ctx, store.Worker{Work: "out", Do: func(_ context.Context, j *store.Job) store.Verdict {
			took <- j.Interrupted
			<-hold
			return store.Done(s.report(conv, j.Event.Seq, chat.Delivered, "from the other"))
		}})
	})
	equal(t, "interrupted", await(t, "the second node", took), true)
	close(gate)
	if err := await(t, "the late node", late); chat.CodeOf(err) != chat.CodeConflict {
		t.Fatalf("the late node wrote: %v", err)
	}
	close(hold)
	until(t, "the second node's verdict", func() bool { return s.event(conv, 4).Status == chat.Delivered })
	equal(t, "external id", s.event(conv, 4).ExternalID, "from the other")
	audit(t, s.Store)
}

// handOver: a node that stops in order leaves nothing to wait for, not even where it was idle.
func handOver(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) { o.Lease = time.Hour })
	other := s.open()
	conv := s.talk("a")
	s.do(s.post(conv, "one"))
	done := newTexts()
	do := func(_ context.Context, j *store.Job) store.Verdict {
		done.add(j)
		return s.delivered(j)
	}
	stopWork := s.work(do)
	stopBot := background(t, func(ctx context.Context) error { return s.Follow(ctx, "bot", count(s.ws)) })
	until(t, "the bot's answer", answered(t, s, 2))
	done.reach(t, 2)
	s.idle()
	stopWork()
	stopBot()
	background(t, func(ctx context.Context) error { return other.Work(ctx, store.Worker{Work: "out", Do: do}) })
	background(t, func(ctx context.Context) error { return other.Follow(ctx, "bot", count(s.ws)) })
	s.receive(s.in("a", "x"))
	done.reach(t, 3)
}
