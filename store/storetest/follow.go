package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// follows is one of the two ways to follow.
type follows func(s *store.Store, ctx context.Context, name string, step store.Step, kinds ...chat.Kind) error

// following are the promises of Follow, which FollowAlong gives too.
func following() []examination {
	out := []examination{
		{"along is the same transaction", false, alongAtOnce},
		{"along a failing step hurts nobody", false, alongFails},
		{"along a step may want to be alone", false, alongNotNow},
		{"along a step reads what was appended", false, alongReads},
		{"along ends with its follower", false, alongEnds},
	}
	for name, follow := range map[string]follows{"follow": (*store.Store).Follow, "along": (*store.Store).FollowAlong} {
		with := func(f func(t *testing.T, db Database, follow follows, kinds ...chat.Kind), kinds ...chat.Kind) func(*testing.T, Database) {
			return func(t *testing.T, db Database) { f(t, db, follow, kinds...) }
		}
		out = append(out, []examination{
			{name + " exactly once across restarts", false, with(followRestarts)},
			{name + " exactly once on two nodes", true, with(followTwoNodes)},
			{name + " some kinds exactly once across restarts", false, with(followRestarts, chat.KindMessage)},
			{name + " some kinds exactly once on two nodes", true, with(followTwoNodes, chat.KindMessage)},
			{name + ": who follows knows whether others did", false, with(followSince)},
			{name + " is one transaction", false, with(followAtomic)},
			{name + " parks what keeps failing", false, with(followParks)},
			{name + " parks what cannot be stored", false, with(followUnfit)},
			{name + " many workspaces at once", false, with(followMany)},
			{name + ": idle workspaces cost nothing", false, with(followIdle)},
		}...)
	}
	return out
}

// ledger remembers what a follower saw; it is told after the fact, so it counts tries, not effects.
type ledger struct {
	mu   sync.Mutex
	seen []int64
}

func (l *ledger) add(pos int64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, pos)
	return len(l.seen)
}

func (l *ledger) all() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}

// count is a step that counts a conversation's messages in its state and answers each with a post that tells the number.
func count(ws chat.WorkspaceID) store.Step {
	return func(tx *store.Tx, e chat.Event) error {
		if e.Kind != chat.KindMessage || e.Direction != chat.In {
			return nil
		}
		n := 0
		body, err := tx.State()
		if err != nil {
			return err
		}
		if body != "" {
			if _, err := fmt.Sscan(body, &n); err != nil {
				return err
			}
		}
		n++
		tx.SetState(fmt.Sprint(n))
		_, err = tx.Append(&store.Post{
			Workspace: ws, Conversation: e.Conversation, Kind: chat.KindMessage, Sender: chat.Party{Type: chat.PartyBot}, Message: chat.TextMessage(fmt.Sprint(n, " ", e.Pos)),
		})
		return err
	}
}

// counted checks that every incoming message was answered once, in order, with the next number.
func counted(t testing.TB, s *site) {
	t.Helper()
	type talk struct{ in, out []int64 }
	talks := map[chat.ConversationID]*talk{}
	for _, e := range readAll(t, s.Store, s.ws) {
		if e.Kind != chat.KindMessage {
			continue
		}
		k := talks[e.Conversation]
		if k == nil {
			k = &talk{}
			talks[e.Conversation] = k
		}
		if e.Direction == chat.In {
			k.in = append(k.in, e.Pos)
			continue
		}
		var n int
		var pos int64
		if _, err := fmt.Sscan(e.Message.Text(), &n, &pos); err != nil {
			t.Fatal(err)
		}
		k.out = append(k.out, pos)
		equal(t, "number of an answer", n, len(k.out))
	}
	for id, k := range talks {
		equal(t, "answers in "+string(id), fmt.Sprint(k.out), fmt.Sprint(k.in))
	}
}

func answered(t testing.TB, s *site, want int) func() bool {
	return func() bool {
		n := 0
		for _, e := range readAll(t, s.Store, s.ws) {
			if e.Kind == chat.KindMessage && e.Direction == chat.Out {
				n++
			}
		}
		return n >= want
	}
}

func followRestarts(t *testing.T, db Database, follow follows, kinds ...chat.Kind) {
	// who is cut off keeps its lease until it runs out
	s := newSite(t, db, func(o *store.Options) { o.Lease = 300 * time.Millisecond })
	const total, lives = 120, 4
	for life := range lives {
		for i := range total / lives {
			s.receive(s.in(fmt.Sprint("p", i%7), "x"))
		}
		reached := make(chan struct{}, total)
		step := count(s.ws)
		stop := background(t, func(ctx context.Context) error {
			return follow(s.Store, ctx, "bot", func(tx *store.Tx, e chat.Event) error {
				select {
				case reached <- struct{}{}:
				default:
				}
				return step(tx, e)
			}, kinds...)
		})
		for range 5 * (life + 1) {
			await(t, "a step", reached)
		}
		if life%2 == 0 {
			stop()
		}
		must(t, s.Close()) // in the middle of the rest; every other time without a word to the follower
		stop()
		s.Store = s.open()
	}
	background(t, func(ctx context.Context) error { return follow(s.Store, ctx, "bot", count(s.ws), kinds...) })
	until(t, "all answers", answered(t, s, total))
	counted(t, s)
	audit(t, s.Store)
	until(t, "the cursor at the end", func() bool {
		lag, err := s.Lag(t.Context())
		return err == nil && lag["bot"] == 0
	})
}

// followSince: who keeps something in memory as long as Since allows is never wrong, whoever else reads and whatever fails.
func followSince(t *testing.T, db Database, follow follows, _ ...chat.Kind) {
	s := newSite(t, db, func(o *store.Options) { o.Lease, o.Sweep = 200*time.Millisecond, 30*time.Millisecond })
	stores := []*store.Store{s.Store}
	if db.Nodes {
		stores = append(stores, s.open())
	}
	const total = 200
	var kept, read ledger
	for _, node := range stores {
		last, n := int64(-1), 0 // of this node
		background(t, func(ctx context.Context) error {
			return follow(node, ctx, "bot", func(tx *store.Tx, e chat.Event) error {
				body, err := tx.State()
				if err != nil {
					return err
				}
				if body == "" {
					body = "0"
				}
				if tx.Since() == last {
					kept.add(e.Pos)
					if fmt.Sprint(n) != body {
						t.Errorf("at %d: in memory %d, in the database %s", e.Pos, n, body)
					}
				} else if _, err := fmt.Sscan(body, &n); err != nil {
					return err
				}
				last, n = e.Pos, n+1
				tx.SetState(fmt.Sprint(n))
				if read.add(e.Pos)%17 == 0 {
					return errors.New("planted")
				}
				return nil
			}, chat.KindMessage)
		})
	}
	for range total {
		s.receive(s.in("one", "x"))
	}
	until(t, "the end", func() bool {
		lag, err := s.Lag(t.Context())
		return err == nil && lag["bot"] == 0
	})
	equal(t, "parked", len(s.letters()), 0)
	if n := len(kept.all()); n < total/10 {
		t.Errorf("memory was of use only %d times", n)
	}
}

func followTwoNodes(t *testing.T, db Database, follow follows, kinds ...chat.Kind) {
	s := newSite(t, db, func(o *store.Options) { o.Lease = 500 * time.Millisecond })
	const total = 150
	other := s.open()
	stop := background(t, func(ctx context.Context) error { return follow(s.Store, ctx, "bot", count(s.ws), kinds...) })
	background(t, func(ctx context.Context) error { return follow(other, ctx, "bot", count(s.ws), kinds...) })
	for i := range total {
		node := []*store.Store{s.Store, other}[i%2]
		if _, err := node.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in(fmt.Sprint("p", i%7), "x")}); err != nil {
			t.Fatal(err)
		}
		if i == total/2 {
			stop()
		}
	}
	until(t, "all answers", answered(t, s, total))
	counted(t, s)
	audit(t, s.Store)
}

// followAtomic: a step that fails after it wrote leaves neither state nor events, and is tried again.
func followAtomic(t *testing.T, db Database, follow follows, _ ...chat.Kind) {
	s := newSite(t, db)
	var tries ledger
	for range 5 {
		s.receive(s.in("a", "x"))
	}
	step := count(s.ws)
	background(t, func(ctx context.Context) error {
		return follow(s.Store, ctx, "bot", func(tx *store.Tx, e chat.Event) error {
			if err := step(tx, e); err != nil {
				return err
			}
			if e.Kind == chat.KindMessage && e.Direction == chat.In && tries.add(e.Pos) == 3 {
				return errors.New("planted")
			}
			return nil
		})
	})
	until(t, "all answers", answered(t, s, 5))
	counted(t, s)
	equal(t, "dead letters", len(s.letters()), 0)
}

// followParks: one event always fails, another panics once; all others are handled, in order, each once.
func followParks(t *testing.T, db Database, follow follows, _ ...chat.Kind) {
	s := newSite(t, db)
	for _, text := range []string{"one", "poison", "two", "panic once", "three"} {
		s.receive(s.in("a", text))
	}
	var panicked sync.Once
	done := make(chan string, 100)
	background(t, func(ctx context.Context) error {
		return follow(s.Store, ctx, "bot", func(tx *store.Tx, e chat.Event) error {
			text := e.Message.Text()
			if e.Kind != chat.KindMessage || e.Direction != chat.In {
				if e.Kind == chat.KindNote {
					done <- text
				}
				return nil
			}
			_, err := tx.Append(&store.Post{Workspace: tx.Workspace(), Conversation: e.Conversation, Kind: chat.KindNote, Message: chat.TextMessage("saw " + text)})
			switch text {
			case "poison":
				return errors.New("planted")
			case "panic once":
				panicked.Do(func() { panic("planted") })
			}
			return err
		})
	})
	for _, want := range []string{"one", "two", "panic once", "three"} {
		equal(t, "handled", await(t, "the note about "+want, done), "saw "+want)
	}
	letters := s.letters()
	equal(t, "dead letters", len(letters), 1)
	equal(t, "the parked event", letters[0].Event.Message.Text(), "poison")
	equal(t, "by", letters[0].Work, "bot")
	s.refuses(chat.CodeConflict, &store.Requeue{Workspace: s.ws, ID: letters[0].ID})
	audit(t, s.Store)
}

// followUnfit: a step writes what no database takes. It must not stop the log.
func followUnfit(t *testing.T, db Database, follow follows, _ ...chat.Kind) {
	s := newSite(t, db)
	s.receive(s.in("a", "unfit"))
	s.receive(s.in("a", "fine"))
	handled := make(chan string, 100)
	background(t, func(ctx context.Context) error {
		return follow(s.Store, ctx, "bot", func(tx *store.Tx, e chat.Event) error {
			if e.Message.Text() == "unfit" {
				p := &store.Post{Workspace: tx.Workspace(), Conversation: e.Conversation, Kind: chat.KindMessage, Message: chat.TextMessage("")}
				p.Message.Stack[0].Payload = []byte("{")
				_, err := tx.Append(p)
				return err
			}
			handled <- e.Message.Text()
			return nil
		})
	})
	until(t, "what comes after it", func() bool {
		for len(handled) > 0 {
			if <-handled == "fine" {
				return len(s.letters()) == 1
			}
		}
		return false
	})
}

// followMany: more workspaces are behind than the database has connections, and each step needs one more read.
func followMany(t *testing.T, db Database, follow follows, _ ...chat.Kind) {
	s := newSite(t, db)
	const many = 30
	var all []chat.WorkspaceID
	for range many {
		w, err := s.AddWorkspace(t.Context(), "", "w")
		must(t, err)
		all = append(all, w.ID)
		_, err = s.Append(t.Context(), &store.Receive{Channel: s.channel(w.ID), In: s.in("a", "x")})
		must(t, err)
	}
	s.reopen() // no name is known yet
	noted := make(chan chat.WorkspaceID, many*10)
	background(t, func(ctx context.Context) error {
		return follow(s.Store, ctx, "bot", func(tx *store.Tx, e chat.Event) error {
			if e.Kind == chat.KindNote {
				noted <- tx.Workspace()
			}
			if e.Kind != chat.KindMessage {
				return nil
			}
			_, err := tx.Append(&store.Post{Workspace: tx.Workspace(), Conversation: e.Conversation, Kind: chat.KindNote, Message: chat.TextMessage("seen")})
			return err
		})
	})
	missing := map[chat.WorkspaceID]bool{}
	for _, ws := range all {
		missing[ws] = true
	}
	for len(missing) > 0 {
		delete(missing, await(t, "every workspace", noted))
	}
}

// followIdle: 400 workspaces in which nothing happens add no goroutine and no step; one that wakes is heard.
func followIdle(t *testing.T, db Database, follow follows, _ ...chat.Kind) {
	s := newSite(t, db)
	const many = 400
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range many / 8 {
				if _, err := s.AddWorkspace(t.Context(), "", "idle"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	steps := make(chan struct{}, 100)
	background(t, func(ctx context.Context) (err error) {
		pprof.Do(ctx, pprof.Labels("follows", string(s.ws)), func(ctx context.Context) {
			err = follow(s.Store, ctx, "bot", func(*store.Tx, chat.Event) error {
				steps <- struct{}{}
				return nil
			})
		})
		return err
	})
	s.receive(s.in("a", "x"))
	for range 3 {
		await(t, "the steps of the one that is awake", steps)
	}
	if n := beingRead(t, string(s.ws)); n >= many/10 {
		t.Fatalf("%d workspaces are being read", n)
	}
	equal(t, "further steps", len(steps), 0)
}

// beingRead counts the workspaces that a follower is reading now. Other examinations run beside this one: its goroutines are known by their
// label.
func beingRead(t testing.TB, label string) (n int) {
	t.Helper()
	var profile strings.Builder
	must(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	for _, alike := range strings.Split(profile.String(), "\n\n") {
		if !strings.Contains(alike, label) || !strings.Contains(alike, "catchUp") {
			continue
		}
		goroutines := 0
		_, err := fmt.Sscan(alike[strings.LastIndex(alike[:strings.Index(alike, " @ ")], "\n")+1:], &goroutines)
		must(t, err)
		n += goroutines
	}
	return n
}
