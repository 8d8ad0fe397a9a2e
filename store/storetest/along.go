package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// along starts a follower that comes along, and waits until it has read the log to its head.
func (s *site) along(t testing.TB, step store.Step, kinds ...chat.Kind) (stop func()) {
	t.Helper()
	stop = background(t, func(ctx context.Context) error { return s.FollowAlong(ctx, "bot", step, kinds...) })
	s.ready(t)
	return stop
}

// ready waits until a message is answered in its own transaction.
func (s *site) ready(t testing.TB) {
	t.Helper()
	until(t, "a step that comes along", func() bool {
		e := s.receive(s.in("ready", "x")).Events[0]
		events, err := s.Events(t.Context(), s.ws, e.Conversation, e.Seq, 1)
		must(t, err)
		return len(events) == 1 && events[0].At.Equal(e.At)
	})
}

// answers are the texts of our own messages in a conversation.
func (s *site) answers(conv chat.ConversationID) (out []string) {
	events, err := s.Events(s.t.Context(), s.ws, conv, 0, 1000)
	must(s.t, err)
	for _, e := range events {
		if e.Kind == chat.KindMessage && e.Direction == chat.Out {
			out = append(out, e.Message.Text())
		}
	}
	return out
}

// alongAtOnce: whoever has stored a message finds its answer, and the answer to that one; all at one time, without a commit in between.
func alongAtOnce(t *testing.T, db Database) {
	s := newSite(t, db)
	step := count(s.ws)
	s.along(t, func(tx *store.Tx, e chat.Event) error {
		if e.Kind == chat.KindNote {
			return nil
		}
		if e.Kind == chat.KindMessage && e.Direction == chat.Out {
			_, err := tx.Append(&store.Post{Workspace: s.ws, Conversation: e.Conversation, Kind: chat.KindNote, Message: chat.TextMessage("heard " + e.Message.Text())})
			return err
		}
		return step(tx, e)
	}, chat.KindMessage)
	together := 0
	until(t, "twenty answers at once", func() bool { // a look of the follower's own may come between now and then
		in := s.receive(s.in("a", "x")).Events[0]
		events, err := s.Events(t.Context(), s.ws, in.Conversation, in.Seq, 2)
		must(t, err)
		if len(events) == 2 && events[0].At.Equal(in.At) {
			together++
			equal(t, "kinds", fmt.Sprintln(events[0].Kind, events[1].Kind), "message note\n")
			equal(t, "note", events[1].Message.Text(), "heard "+events[0].Message.Text())
			equal(t, "time", events[1].At, in.At)
		}
		return together == 20
	})
	until(t, "all answers", func() bool {
		lag, err := s.Lag(t.Context())
		return err == nil && lag["bot"] == 0
	})
	counted(t, s)
	audit(t, s.Store)
}

// alongFails: a step that breaks down does not hurt who appends, nor leave a trace; it is tried alone, and parked.
func alongFails(t *testing.T, db Database) {
	s := newSite(t, db)
	step := count(s.ws)
	s.along(t, func(tx *store.Tx, e chat.Event) error {
		if err := step(tx, e); err != nil {
			return err
		}
		switch {
		case e.Kind != chat.KindMessage || e.Direction == chat.Out:
			return nil
		case e.Message.Text() == "poison":
			return errors.New("planted")
		case e.Message.Text() == "panic" && tx.Along():
			panic("planted")
		case e.Message.Text() == "unfit" && tx.Along():
			p := &store.Post{Workspace: s.ws, Conversation: e.Conversation, Kind: chat.KindMessage, Message: chat.TextMessage("")}
			p.Message.Stack[0].Payload = []byte("{")
			_, err := tx.Append(p)
			return err
		}
		return nil
	}, chat.KindMessage)
	var conv chat.ConversationID
	for _, text := range []string{"one", "poison", "two", "panic", "three", "unfit", "four"} {
		conv = s.receive(s.in("a", text)).Events[0].Conversation
	}
	until(t, "all answers", func() bool { return len(s.answers(conv)) == 6 })
	letters := s.letters()
	equal(t, "dead letters", len(letters), 1)
	equal(t, "the parked event", letters[0].Event.Message.Text(), "poison")
	s.ready(t) // and it comes along again
	audit(t, s.Store)
}

// alongNotNow: who declines is asked again in a transaction of its own, for this event and those behind it, in order.
func alongNotNow(t *testing.T, db Database) {
	s := newSite(t, db)
	step := count(s.ws)
	var alone ledger
	s.along(t, func(tx *store.Tx, e chat.Event) error {
		if e.Direction == chat.In && e.Message.Text() == "alone" {
			if tx.Along() {
				return store.ErrNotNow
			}
			alone.add(e.Pos)
		}
		return step(tx, e)
	}, chat.KindMessage)
	var conv chat.ConversationID
	cmds := make([]store.Command, 40)
	for i := range cmds {
		cmds[i] = &store.Receive{Channel: s.ch, In: s.in("a", []string{"x", "x", "alone", "x"}[i%4])}
	}
	results, errs := s.AppendAll(t.Context(), cmds)
	must(t, errors.Join(errs...))
	conv = results[0].Events[0].Conversation
	until(t, "all answers", func() bool { return len(s.answers(conv)) == len(cmds) })
	counted(t, s)
	equal(t, "alone", len(alone.all()), len(cmds)/4)
	equal(t, "in order", slices.IsSorted(alone.all()), true)
}

// alongReads: a step sees the conversation that was opened with the message, and the event as it will be read from the log; also of a batch
// that is larger than what one transaction takes along.
func alongReads(t *testing.T, db Database) {
	s := newSite(t, db)
	step := count(s.ws)
	seen := map[int64]chat.Event{}
	stop := s.along(t, func(tx *store.Tx, e chat.Event) error {
		conv, err := tx.Conversation()
		if err != nil {
			return err
		}
		if conv.ID != e.Conversation || conv.LastSeq < e.Seq {
			t.Errorf("at %d: conversation %s at %d", e.Pos, conv.ID, conv.LastSeq)
		}
		if e.Direction == chat.In {
			e.Status = ""
			seen[e.Pos] = e
		}
		return step(tx, e)
	}, chat.KindMessage)
	const total = 700
	cmds := make([]store.Command, total)
	for i := range cmds {
		cmds[i] = &store.Receive{Channel: s.ch, In: s.in(fmt.Sprint("p", i%50), fmt.Sprint("<", i, ">"))}
	}
	_, errs := s.AppendAll(t.Context(), cmds)
	must(t, errors.Join(errs...))
	until(t, "all answers", func() bool { return answered(t, s, total)() })
	stop()
	counted(t, s)
	for _, e := range readAll(t, s.Store, s.ws) {
		if e.Kind == chat.KindMessage && e.Direction == chat.In {
			e.Status = ""
			equal(t, "an event", asJSON(t, seen[e.Pos]), asJSON(t, e))
		}
	}
	audit(t, s.Store)
}

// alongEnds: after the follower has ended no step is taken, and the next follower goes on where it stopped.
func alongEnds(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) { o.Lease = time.Hour })
	stop := s.along(t, count(s.ws))
	stop()
	n := len(readAll(t, s.Store, s.ws))
	s.receive(s.in("ready", "x"))
	equal(t, "events", len(readAll(t, s.Store, s.ws)), n+1)
	node := s.Store
	if db.Nodes {
		node = s.open()
	}
	background(t, func(ctx context.Context) error { return node.FollowAlong(ctx, "bot", count(s.ws)) })
	until(t, "all answers", func() bool {
		in := 0
		for _, e := range readAll(t, s.Store, s.ws) {
			if e.Kind == chat.KindMessage && e.Direction == chat.In {
				in++
			}
		}
		return answered(t, s, in)()
	})
	counted(t, s)
}
