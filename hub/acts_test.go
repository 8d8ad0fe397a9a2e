package hub_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
)

func (w *world) change(conv chat.ConversationID, kind chat.Kind, seq int64) {
	w.t.Helper()
	c := &store.Change{Workspace: w.workspace, Conversation: conv, Kind: kind, Seq: seq, Sender: chat.Party{Type: chat.PartyAgent, ID: "a"}}
	switch kind {
	case chat.KindEdited:
		c.Message = textOf("edited")
	case chat.KindReaction:
		c.Reaction = &chat.ReactionData{Added: []string{"👍"}}
	default:
	}
	if _, err := w.store.Append(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

// actor is a platform that can do everything; before is asked what an act comes to.
func actor(before func(kind chat.Kind) error) (*script, *diary[string]) {
	did := newDiary[string]()
	return &script{
		send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
			did.add("send " + textOfPart(part))
			return connector.Sent{ID: "id of " + textOfPart(part)}, nil
		},
		act: func(kind chat.Kind, id string) error {
			did.add(string(kind) + " " + id)
			return before(kind)
		},
	}, did
}

func TestActsComeInOrderBehindTheirMessage(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	s, did := actor(func(kind chat.Kind) error {
		if kind == chat.KindReaction && broken.CompareAndSwap(false, true) {
			return &connector.Error{Policy: connector.IsUnsure, Code: "torn"} // may be done twice
		}
		return nil
	})
	w := newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("able", connector.Traits{})}}).run()
	w.clock.hurry(t)
	conv := w.meet(w.channel("able", map[string]any{"token": "SECRETableTOKEN000001"}), "ann")
	one := w.say(conv, "one")
	w.awaitStatus(conv, one, chat.Sent)
	w.say(conv, "two")
	w.change(conv, chat.KindEdited, one)
	w.change(conv, chat.KindReaction, one)
	w.change(conv, chat.KindRead, 3)
	w.say(conv, "three")
	w.change(conv, chat.KindDeleted, one)
	w.awaitStatus(conv, w.say(conv, "four"), chat.Sent)
	want := []string{
		"send one", "send two", "edited id of one", "reaction id of one", "reaction id of one", "read met/ann", "send three", "deleted id of one", "send four",
	}
	if got := did.all(); !slices.Equal(got, want) {
		t.Errorf("did %q\nwant %q", got, want)
	}
	if n := w.count("messages_total", `kind="edited"`, `direction="out"`, `result="sent"`); n != 1 {
		t.Errorf("%v edits were counted", n)
	}
}

func TestActsRenewSessions(t *testing.T) {
	t.Parallel()
	var session atomic.Bool
	s, did := actor(func(chat.Kind) error {
		if !session.Load() {
			return errExpired
		}
		return nil
	})
	s.renew = func(context.Context) (time.Time, error) { session.Store(true); return time.Time{}, nil }
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("able", connector.Traits{})}}).run()
	ch := w.channel("able", map[string]any{"token": "SECRETableTOKEN000001"})
	conv := w.meet(ch, "ann")
	one := w.say(conv, "one")
	w.awaitStatus(conv, one, chat.Sent)
	w.change(conv, chat.KindEdited, one)
	w.awaitStatus(conv, w.say(conv, "two"), chat.Sent)
	if got, want := did.all(), []string{"send one", "edited id of one", "edited id of one", "send two"}; !slices.Equal(got, want) {
		t.Errorf("did %q, want %q", got, want)
	}
	if st := w.shown(ch).Status; st != "active" {
		t.Errorf("the channel is %s", st)
	}
}

func TestActsThatCannotBeDone(t *testing.T) {
	t.Parallel()
	s := &script{}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("plain", connector.Traits{})}}).run()
	conv := w.meet(w.channel("plain", map[string]any{"token": "SECRETplainTOKEN00001"}), "ann")
	one := w.say(conv, "one")
	w.awaitStatus(conv, one, chat.Sent)
	w.change(conv, chat.KindEdited, one)
	w.change(conv, chat.KindRead, 3)
	w.change(conv, chat.KindRead, 1) // no message: nothing that a platform knows
	w.awaitStatus(conv, w.say(conv, "two"), chat.Sent)
	l := w.letters()
	if len(l) != 1 || l[0].Event.Kind != chat.KindEdited || l[0].Failure.Code != "no_ability" {
		t.Errorf("dead letters: %+v", l)
	}
}

func TestReadMarksWithoutAMessageAreLeftOut(t *testing.T) {
	t.Parallel()
	s, did := actor(func(chat.Kind) error { return nil })
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("able", connector.Traits{})}}).run()
	conv := w.meet(w.channel("able", map[string]any{"token": "SECRETableTOKEN000001"}), "ann")
	res, err := w.store.Append(t.Context(), &store.Receive{Channel: w.event(conv, 1).Channel, In: chat.Incoming{
		Key: "no id", Kind: chat.KindMessage, Thread: chat.Thread{Address: "ann"}, Sender: chat.Person{Address: "ann"}, Message: textOf("no id"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.change(conv, chat.KindRead, res.Events[0].Seq)
	w.awaitStatus(conv, w.say(conv, "one"), chat.Sent)
	if got := did.all(); !slices.Equal(got, []string{"send one"}) {
		t.Errorf("did %q", got)
	}
}
