package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// lasting are the promises about what stays, what goes, and what happens when the world breaks.
func lasting() []examination {
	return []examination{
		{"erased is erased", false, erased},
		{"erased among others", false, erasedInBatch},
		{"the database goes and comes back", false, outage},
		{"the clock jumps", false, clockJumps},
		{"waits survive the clock", false, waitsSurviveClock},
		{"killed again and again", false, killed},
		{"two nodes migrate at once", true, migrateAtOnce},
	}
}

// erased plants words of a contact everywhere and then looks for them in every byte of the database.
func erased(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	keep := s.talk("keeper")
	const address = "Xaddress77"
	say := func(text string) chat.ConversationID {
		in := s.in(address, text)
		in.Key, in.ID = fmt.Sprint("key", s.key.Load()), fmt.Sprint(address, "/", s.key.Load())
		in.Sender = chat.Person{
			Address: address, Name: "Xname77", FirstName: "Xfirst77", LastName: "Xlast77", Username: "Xuser77", Phone: "Xphone77", Email: "Xmail77", Language: "Xlang77",
		}
		return s.receive(in).Events[0].Conversation
	}
	s.receive(s.about(chat.KindBlocked, address, "")) // in the channel's own stream: there is no conversation yet
	first := say("Xfirstwords77")
	s.do(&store.ChangeConversation{Workspace: s.ws, Conversation: first, Fields: map[string]json.RawMessage{"f": json.RawMessage(`"Xfield77"`)}, AddTags: []string{"Xtag77"}})
	s.do(s.place(first, chat.PlaceData{State: chat.StateClosed, Reason: "Xreason77", Note: "Xnote77"}))
	conv := say("Xwords77")
	contact := s.look(conv).Contact.ID
	for i := range 30 { // previews and bodies that are overwritten long before
		say(fmt.Sprint("Xword77 ", i))
	}
	seq := s.sent(conv, "Xexternal77")
	failed := s.about(chat.KindReceipt, address, "Xexternal77")
	failed.Status, failed.Failure = chat.Failed, &chat.Failure{Detail: "Xfailure77"}
	s.receive(failed)
	m := chat.TextMessage("Xedit77")
	s.do(&store.Change{Workspace: s.ws, Conversation: conv, Kind: chat.KindEdited, Seq: seq, Message: &m})
	s.do(&store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindFlowStep, Data: json.RawMessage(`"Xstep77"`)})
	photo := s.in(address, "")
	photo.Message.Stack = []chat.Element{chat.NewElement(chat.Image, chat.Media{Name: "Xfile77", Source: &chat.Source{ID: "Xsource77"}})}
	s.receive(photo)
	name := "Xhand77"
	s.do(&store.PatchContact{Workspace: s.ws, Contact: contact, Name: &name, Properties: map[string]json.RawMessage{"p": json.RawMessage(`"Xprop77"`)}})
	must(t, s.KeepAnswer(ctx, s.ws, "k", store.Answer{Body: `{"conversation":"` + string(conv) + `","text":"Xanswer77"}`}))
	must(t, s.KeepAnswer(ctx, s.ws, "other", store.Answer{Body: `{"conversation":"` + string(keep) + `"}`}))
	s.remember(t)

	before := readAll(t, s.Store, s.ws)
	e := &store.Erase{Workspace: s.ws, Contact: contact, By: chat.Party{Type: chat.PartySystem}}
	res := s.do(e)
	equal(t, "events that tell of it", kinds(res.Events), "erased closed erased")
	equal(t, "files to delete", len(e.Files), 1)
	if found := leaks(db.Dump(t, s.o.DSN), "77"); found != "" {
		t.Fatalf("still there: %q", found)
	}
	audit(t, s.Store)
	after := readAll(t, s.Store, s.ws)
	for i, old := range before {
		equal(t, "kind", after[i].Kind, old.Kind)
		equal(t, "time", after[i].At, old.At)
		if old.Conversation == keep {
			equal(t, "the other's event", fmt.Sprint(asJSON(t, after[i])), asJSON(t, old))
		}
	}
	equal(t, "the other's conversation", s.look(keep).Preview, "hello from keeper")
	_, err := s.Answer(ctx, s.ws, "other")
	must(t, err)
	c, err := s.Contact(ctx, s.ws, contact)
	must(t, err)
	if c.ErasedAt.IsZero() || len(c.Identities) != 0 {
		t.Fatalf("the contact: %+v", c)
	}
	again := say("I am back")
	if s.look(again).Contact.ID == contact || s.look(again).Previous != "" {
		t.Fatal("who comes back is somebody new")
	}
	s.refuses(chat.CodeNotFound, &store.Erase{Workspace: s.ws, Contact: "nobody"})
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	must(t, err)
	return string(raw)
}

// remember lets a follower keep words in its state, and a worker in its jobs.
func (s *site) remember(t testing.TB) {
	t.Helper()
	reached := make(chan struct{}, 1000)
	head := s.head()
	stopBot := background(t, func(ctx context.Context) error {
		return s.Follow(ctx, "bot", func(tx *store.Tx, e chat.Event) error {
			if e.Conversation != "" && e.Sender != nil && e.Sender.Name == "Xname77" {
				tx.SetState("Xstate77 " + e.Message.Text())
			}
			if e.Pos == head {
				reached <- struct{}{}
			}
			return nil
		})
	})
	await(t, "the follower", reached)
	stopBot()
	stopWork := s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		must(t, j.Begin(ctx))
		must(t, j.Save(ctx, json.RawMessage(`"Xprogress77"`)))
		return store.Dead(&chat.Failure{Detail: "Xdead77"})
	})
	until(t, "the dead letter", func() bool { return len(s.letters()) == 1 })
	stopWork()
}

// leaks finds planted words: X, a name, and the mark.
func leaks(dump []byte, mark string) string {
	for at := 0; ; {
		i := bytes.Index(dump[at:], []byte(mark))
		if i < 0 {
			return ""
		}
		i += at
		begin := i
		for begin > 0 && dump[begin-1] >= 'a' && dump[begin-1] <= 'z' {
			begin--
		}
		if begin > 0 && begin < i && dump[begin-1] == 'X' {
			return string(dump[max(0, begin-40):min(len(dump), i+40)])
		}
		at = i + 1
	}
}

// erasedInBatch: messages of the contact stand before and behind its erasure, in one batch.
func erasedInBatch(t *testing.T, db Database) {
	s := newSite(t, db)
	for round := range 10 {
		address := fmt.Sprint("p", round)
		contact := s.look(s.talk(address)).Contact.ID
		cmds := []store.Command{
			&store.Receive{Channel: s.ch, In: s.in(address, "Xbefore77")},
			&store.Erase{Workspace: s.ws, Contact: contact},
			&store.Receive{Channel: s.ch, In: s.in(address, "behind")},
		}
		_, errs := s.AppendAll(t.Context(), cmds)
		for _, err := range errs {
			must(t, err)
		}
		open, err := s.OpenConversation(t.Context(), s.ch, chat.Thread{Address: address})
		must(t, err)
		c, err := s.Contact(t.Context(), s.ws, s.look(open).Contact.ID)
		must(t, err)
		if c.ID == contact || len(c.Identities) != 1 {
			t.Fatalf("who came back: %+v", c)
		}
	}
	if found := leaks(db.Dump(t, s.o.DSN), "77"); found != "" {
		t.Fatalf("still there: %q", found)
	}
	audit(t, s.Store)
}

// outage stops the server: what is asked meanwhile is refused as unavailable, followers and workers go on when it is back.
func outage(t *testing.T, db Database) {
	if db.Outage == nil {
		return // the database is a file: it is never away
	}
	dsn, stop, start := db.Outage(t)
	s := siteAt(t, db, dsn, func(o *store.Options) { o.Lease = time.Second })
	conv := s.talk("a")
	background(t, func(ctx context.Context) error { return s.Follow(ctx, "bot", count(s.ws)) })
	gate, began := make(chan struct{}), make(chan struct{}, 100)
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		began <- struct{}{}
		<-gate
		return s.delivered(j)
	})
	await(t, "the first job", began)
	stop()
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			_, err := s.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in(fmt.Sprint("p", i), "lost")})
			if chat.CodeOf(err) != chat.CodeUnavailable {
				t.Errorf("while it is away: %v", err)
			}
		})
	}
	wg.Wait()
	_, err := s.Conversation(t.Context(), s.ws, conv)
	equal(t, "reading while it is away", chat.CodeOf(err), chat.CodeUnavailable)
	equal(t, "ping", chat.CodeOf(s.Ping(t.Context())), chat.CodeUnavailable)
	close(gate) // the verdict comes while nobody can take it
	start()
	until(t, "the first message after it came back", func() bool {
		_, err := s.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in("a", "back")})
		return err == nil
	})
	until(t, "the answers", answered(t, s, 2))
	s.idle()
	counted(t, s)
	audit(t, s.Store)
	equal(t, "dead letters", len(s.letters()), 0)
}

// clock is a clock that can jump.
type clock struct {
	mu   sync.Mutex
	jump time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.jump)
}

func (c *clock) set(jump time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jump = jump
}

func clockJumps(t *testing.T, db Database) {
	c := &clock{}
	s := newSite(t, db, func(o *store.Options) { o.Now, o.Lease = c.now, 500*time.Millisecond })
	stopBot := background(t, func(ctx context.Context) error { return s.Follow(ctx, "bot", count(s.ws)) })
	stopWork := s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if err := j.Begin(ctx); err != nil {
			return store.Later(0)
		}
		return s.delivered(j)
	})
	n := 0
	for _, jump := range []time.Duration{0, 5 * time.Hour, -7 * time.Hour, 0, 3 * time.Hour} {
		c.set(jump)
		for range 5 {
			s.receive(s.in(fmt.Sprint("p", n%3), "x"))
			n++
		}
		until(t, "the answers", answered(t, s, n))
		s.idle()
	}
	// cut off with leases three hours ahead; the clock is put right, and another one comes
	must(t, s.Close())
	stopBot()
	stopWork()
	c.set(0)
	s.Store = s.open()
	background(t, func(ctx context.Context) error { return s.Follow(ctx, "bot", count(s.ws)) })
	s.work(func(_ context.Context, j *store.Job) store.Verdict { return s.delivered(j) })
	s.receive(s.in("p1", "x"))
	until(t, "the answer to the last", answered(t, s, n+1))
	s.idle()
	counted(t, s)
	audit(t, s.Store)
}

// waitsSurviveClock: a job waits for a moment by a clock that is hours ahead; when the clock is put right it must not wait
// for hours.
func waitsSurviveClock(t *testing.T, db Database) {
	c := &clock{}
	s := newSite(t, db, func(o *store.Options) { o.Now, o.Lease = c.now, 500*time.Millisecond })
	for restart := range 2 {
		c.set(4 * time.Hour)
		conv := s.talk(fmt.Sprint("p", restart))
		s.do(s.post(conv, "x"))
		tries := make(chan int, 100)
		first := true
		do := func(_ context.Context, j *store.Job) store.Verdict {
			tries <- j.Attempts
			if first {
				first = false
				return store.Again(200*time.Millisecond, &chat.Failure{Class: "planted"})
			}
			return s.delivered(j)
		}
		stop := s.work(do)
		await(t, "the first try", tries)
		if restart == 1 {
			stop() // its verdict is stored; another process reads it
			stop = s.work(do)
		}
		c.set(0)
		await(t, "the second try", tries)
		s.idle()
		stop()
	}
}

func migrateAtOnce(t *testing.T, db Database) {
	o := store.Options{DSN: db.New(t)}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), o)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			if _, err := s.AddWorkspace(t.Context(), "", "w"); err != nil {
				t.Errorf("use: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	wg.Wait()
}
