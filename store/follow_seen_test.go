package store

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// secondWorkspace adds a workspace with a channel.
func secondWorkspace(t *testing.T, s *Store) chat.ChannelID {
	t.Helper()
	ws, err := s.AddWorkspace(t.Context(), "", "another")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := s.AddChannel(t.Context(), Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return ch.ID
}

// pollFor waits for a condition.
func pollFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("never: " + what)
		case <-time.After(time.Millisecond):
		}
	}
}

// messagesOnly is a follower of messages that tells of each.
func messagesOnly(s *Store) (*follower, chan int64) {
	told := make(chan int64, 100)
	return &follower{
		s: s, name: "f", kinds: []chat.Kind{chat.KindMessage}, busy: map[int64]*followRun{}, seen: map[int64]seen{},
		step: func(_ *Tx, e chat.Event) error { told <- e.Pos; return nil },
	}, told
}

func isTold(t *testing.T, told chan int64) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(time.Minute):
		t.Fatal("a message is not followed")
	}
}

// A ride may leave while a settled cursor is on its way to the disk, and take along what is known of the one before: the next look mends that.
func TestSettledBesideARide(t *testing.T) {
	s, ch := oneChannel(t, filepath.Join(t.TempDir(), "db"))
	at, err := s.channelNo(t.Context(), ch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), said(ch, 1, 1)); err != nil {
		t.Fatal(err)
	}
	err = s.transact(t.Context(), []int64{at.ws}, func(u *unit) error { u.moveCursor(at.ws, "f", 1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	f, told := messagesOnly(s)
	head := onlyWorkspace(t, s).Head
	f.note(at.ws, seen{cursor: 0, until: head})
	f.settle(t.Context(), at.ws)
	if now := f.at(at.ws); now.cursor != -1 || now.until != 0 {
		t.Fatalf("it still takes for known %+v", now)
	}
	f.start(t.Context(), at.ws)
	isTold(t, told)
	f.wg.Wait()
}

// The cursor may move over what is of no interest between a look at the log and the transaction: what was found then is still to be done.
func TestCursorSettledMeanwhile(t *testing.T) {
	for name, dsn := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "db"), "PostgreSQL": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			s, ch := oneChannel(t, dsn)
			at, err := s.channelNo(t.Context(), ch)
			if err != nil {
				t.Fatal(err)
			}
			res, err := s.Append(t.Context(), said(ch, 1, 1))
			if err != nil {
				t.Fatal(err)
			}
			f, told := messagesOnly(s)
			ctx, stop := context.WithCancel(t.Context())
			defer f.wg.Wait()
			defer stop()
			leave := s.turns.take([]int64{at.ws})
			f.start(ctx, at.ws)
			pollFor(t, "a batch has begun", func() bool { return f.at(at.ws).cursor < 0 })
			err = s.engine.exec(ctx, stmt{
				sql:  "INSERT INTO followers (workspace, name, pos, holder, fence, lease_until) VALUES ($1, $2, $3, $4, 1, 0)",
				args: []any{at.ws, f.name, res.Events[len(res.Events)-1].Pos - 1, s.holder},
			})
			leave()
			if err != nil {
				t.Fatal(err)
			}
			isTold(t, told)
		})
	}
}

// A workspace that cannot be written to now does not keep a follower from the others.
func TestSettlingHoldsNobodyUp(t *testing.T) {
	for name, dsn := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "db"), "PostgreSQL": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			s, quiet := oneChannel(t, dsn)
			s.sweep = time.Millisecond
			at, err := s.channelNo(t.Context(), quiet)
			if err != nil {
				t.Fatal(err)
			}
			blocked := chat.Incoming{Key: "1", Kind: chat.KindBlocked, Thread: chat.Thread{Address: "a"}, Sender: chat.Person{Address: "a"}}
			if _, err := s.Append(t.Context(), &Receive{Channel: quiet, In: blocked}); err != nil {
				t.Fatal(err)
			}
			busy := secondWorkspace(t, s)
			leave := s.turns.take([]int64{at.ws})
			f, told := messagesOnly(s)
			ctx, stop := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() {
				if err := f.run(ctx); err != nil {
					t.Error(err)
				}
			})
			defer func() { stop(); leave(); all.Wait() }()
			pollFor(t, "a look at the quiet workspace", func() bool { return f.at(at.ws).until > 0 })
			for i := range 50 {
				if _, err := s.Append(t.Context(), said(busy, 1, i)); err != nil {
					t.Fatal(err)
				}
				isTold(t, told)
			}
		})
	}
}
