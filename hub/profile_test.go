package hub_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
)

// visit lets somebody begin a conversation and ends it again; it answers when the look-up of it, if any, is over.
func (w *world) visit(ch chat.ChannelID, address string) chat.Conversation {
	w.t.Helper()
	res, err := w.store.Append(w.t.Context(), &store.Receive{Channel: ch, In: chat.Incoming{
		Key: chat.NewID(), Kind: chat.KindMessage, Thread: chat.Thread{Address: address}, Sender: chat.Person{Address: address}, Message: textOf("hi"),
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	conv, err := w.store.Conversation(w.t.Context(), w.workspace, res.Events[0].Conversation)
	if err != nil {
		w.t.Fatal(err)
	}
	return conv
}

func (w *world) leave(conv chat.Conversation) {
	w.t.Helper()
	_, err := w.store.Append(w.t.Context(), &store.Place{
		Workspace: w.workspace, Conversation: conv.ID, To: chat.PlaceData{State: chat.StateClosed}, By: chat.Party{Type: chat.PartySystem},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestProfilesAreLookedUpOnceAWeek(t *testing.T) {
	t.Parallel()
	asked := newDiary[string]()
	s := &script{profile: func(_ context.Context, address string) (chat.Profile, error) {
		asked.add(address)
		if address == "nobody" {
			return chat.Profile{}, &connector.Error{Policy: connector.Rejected, Code: "404"}
		}
		return chat.Profile{Person: chat.Person{Name: "Name of " + address, Language: "fr"}}, nil
	}}
	w := newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("people", connector.Traits{})}}).run()
	ch := w.channel("people", map[string]any{"token": "SECRETpeopleTOKEN0001"})
	profiles := func(conv chat.Conversation) (n int) {
		for _, e := range w.events(conv.ID) {
			if e.Kind == chat.KindProfile {
				n++
			}
		}
		return n
	}
	first := w.visit(ch, "ann")
	w.await("the profile", func() bool { return profiles(first) == 1 })
	contact, err := w.store.Contact(t.Context(), w.workspace, first.Contact.ID)
	if err != nil || contact.Name != "Name of ann" || contact.Language != "fr" || contact.Identities[0].ProfileAt.IsZero() {
		t.Errorf("%+v, %v", contact, err)
	}
	w.leave(first)
	w.leave(w.visit(ch, "ann")) // known already
	w.visit(ch, "nobody")       // what fails harms nobody
	last := w.visit(ch, "bob")
	w.await("another's profile", func() bool { return profiles(last) == 1 })
	w.clock.advance(8 * 24 * time.Hour)
	again := w.visit(ch, "ann")
	w.await("the profile once more", func() bool { return profiles(again) == 1 })
	counts := map[string]int{}
	for _, a := range asked.all() {
		counts[a]++
	}
	if counts["ann"] != 2 || counts["bob"] != 1 || counts["nobody"] > 1 {
		t.Errorf("asked %v", counts)
	}
	if len(w.letters()) != 0 {
		t.Error("a profile became a dead letter")
	}
}

func TestProfilesAreTriedAFewTimes(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	s := &script{profile: func(_ context.Context, address string) (chat.Profile, error) {
		asked <- address
		return chat.Profile{}, &connector.Error{Policy: connector.Retry, Code: "502"}
	}}
	w := newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("people", connector.Traits{})}}).run()
	w.clock.hurry(t)
	ch := w.channel("people", map[string]any{"token": "SECRETpeopleTOKEN0001"})
	w.visit(ch, "ann")
	for range 4 {
		hear(t, "a try", asked)
	}
	w.visit(ch, "bob")
	for range 4 {
		if got := hear(t, "a try for the next", asked); got != "bob" {
			t.Errorf("asked for %s", got)
		}
	}
	if len(w.letters()) != 0 {
		t.Error("a profile became a dead letter")
	}
}

func TestProfilesLeaveTheirPaceToMessages(t *testing.T) {
	t.Parallel()
	const people = 20
	asked := newDiary[string]()
	s := &script{profile: func(_ context.Context, address string) (chat.Profile, error) {
		asked.add(address)
		return chat.Profile{Person: chat.Person{Name: "Name of " + address}}, nil
	}}
	r := connector.Rate{N: 100, Per: time.Second, Burst: 10}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("people", connector.Traits{Rate: r})}})
	ch := w.channel("people", map[string]any{"token": "SECRETpeopleTOKEN0001"})
	for i := range people {
		w.visit(ch, fmt.Sprint("p", i))
	}
	conv := w.meet(ch, "ann")
	var last int64
	for range 60 {
		last = w.say(conv, "x")
	}
	begun := time.Now()
	w.run()
	w.awaitStatus(conv, last, chat.Sent)
	n := len(asked.all())
	took := time.Since(begun) // read last: meanwhile another may be asked
	if most := 1 + int(took*10/time.Second); n > most {
		t.Errorf("%d look-ups in %s, at most %d", n, took, most)
	}
	eventually(t, "the other look-ups", func() bool { return len(asked.all()) == people+1 })
}
