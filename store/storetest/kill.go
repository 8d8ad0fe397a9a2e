package storetest

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// killUpdates is how many new updates the platform has for each life of a process that is killed again and again: more than are waited for
// before it is killed, however much it does meanwhile.
const killUpdates = 16

// at opens a database in which a workspace and a channel are already.
func at(t testing.TB, dsn string) *site {
	t.Helper()
	s := &site{t: t, o: store.Options{DSN: dsn, Sweep: 50 * time.Millisecond, Lease: 300 * time.Millisecond, Routes: []store.Route{outRoute()}}}
	s.Store = s.open()
	all, err := s.Channels(t.Context(), "")
	must(t, err)
	s.ws, s.ch = all[0].Workspace, all[0].ID
	return s
}

// known is how many updates there were so far: one more than the highest that was stored.
func (s *site) known() (n int) {
	for _, e := range readAll(s.t, s.Store, s.ws) {
		u := -1
		if e.Kind == chat.KindMessage && e.Direction == chat.In {
			_, err := fmt.Sscanf(e.ExternalID, "m%d", &u)
			must(s.t, err)
		}
		n = max(n, u+1)
	}
	return n
}

// live receives all updates (most of them for the second time) and some new ones, lets a bot answer each and a worker send each answer. It
// tells out of every send: the position of its event, and whether it knows that it may be the second.
func (s *site) live(out io.Writer) (updates int, received func(), stop func()) {
	updates = s.known() + killUpdates
	stopBot := background(s.t, func(ctx context.Context) error { return s.FollowAlong(ctx, "bot", count(s.ws)) })
	var mu sync.Mutex
	stopWork := s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if err := j.Begin(ctx); err != nil {
			return store.Later(time.Millisecond)
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := fmt.Fprintln(out, "sent", j.Event.Pos, j.Interrupted); err != nil {
			return store.Again(0, nil)
		}
		return s.delivered(j)
	})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range updates {
				u := (i + w*updates/4) % updates
				in := s.in(fmt.Sprint("p", u%5), "x")
				in.Key, in.ID = fmt.Sprint("u", u), fmt.Sprint("m", u)
				if _, err := s.Append(s.t.Context(), &store.Receive{Channel: s.ch, In: in}); err != nil {
					s.t.Errorf("receive: %v", err)
				}
			}
		})
	}
	return updates, wg.Wait, func() {
		stopBot()
		stopWork()
	}
}

// Victim is the life of a process that will be killed.
func Victim(tb testing.TB, dsn string, out io.Writer) {
	tb.Helper()
	_, received, _ := at(tb, dsn).live(out)
	received()
	<-tb.Context().Done()
}

// sends collects what victims and survivors wrote.
type sends struct {
	mu   sync.Mutex
	seen map[int64][]bool // position -> whether each send knew that it may be the second
}

func (x *sends) Write(line []byte) (int, error) {
	var pos int64
	var again bool
	if _, err := fmt.Sscanf(string(line), "sent %d %t", &pos, &again); err != nil {
		return len(line), nil // the test binary speaks of itself
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen[pos] = append(x.seen[pos], again)
	return len(line), nil
}

func killed(t *testing.T, db Database) {
	s := newSite(t, db)
	dsn := s.o.DSN
	must(t, s.Close())
	all := &sends{seen: map[int64][]bool{}}
	for life := range 4 {
		lines, kill := db.Spawn(t, dsn)
		for range 3 + 4*life {
			if _, err := all.Write([]byte(await(t, "a send of the victim", lines))); err != nil {
				t.Fatal(err)
			}
		}
		kill()
		for line := range lines { // what it wrote before it died
			if _, err := all.Write([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s = at(t, dsn)
	updates, received, stop := s.live(all)
	received()
	until(t, "all answers", answered(t, s, updates))
	s.idle()
	stop()
	counted(t, s)
	audit(t, s.Store)
	in := 0
	for _, e := range readAll(t, s.Store, s.ws) {
		switch {
		case e.Kind == chat.KindMessage && e.Direction == chat.In:
			in++
		case e.Kind == chat.KindMessage:
			equal(t, "status", e.Status, chat.Sent)
			for i, knew := range all.seen[e.Pos] {
				if i > 0 && !knew {
					t.Fatalf("message at %d was sent a second time as if it were the first: %v", e.Pos, all.seen[e.Pos])
				}
			}
		}
	}
	equal(t, "messages stored", in, updates)
	equal(t, "dead letters", len(s.letters()), 0)
}
