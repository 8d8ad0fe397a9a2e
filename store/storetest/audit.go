package storetest

import (
	"encoding/json"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// readAll reads a whole log.
func readAll(t testing.TB, s *store.Store, ws chat.WorkspaceID) []chat.Event {
	t.Helper()
	w, err := s.Workspace(t.Context(), ws)
	must(t, err)
	var all []chat.Event
	for at := int64(0); at < w.Head; {
		events, next, err := s.Log(t.Context(), ws, at, 500, store.LogFilter{})
		must(t, err)
		if next <= at {
			t.Fatalf("the log stands still at %d of %d", at, w.Head)
		}
		all = append(all, events...)
		at = next
	}
	return all
}

// stream names what has sequence numbers of its own: a conversation, or the events of a channel itself.
type stream struct {
	conv chat.ConversationID
	ch   chat.ChannelID
}

// audit checks what must hold for every log at every moment: positions and sequences are gapless, and every conversation
// is where its last move put it.
func audit(t testing.TB, s *store.Store) {
	t.Helper()
	all, err := s.Workspaces(t.Context())
	must(t, err)
	for _, w := range all {
		auditLog(t, s, w)
	}
}

func auditLog(t testing.TB, s *store.Store, w store.Workspace) {
	t.Helper()
	seqs, places := map[stream]int64{}, map[chat.ConversationID]chat.State{}
	for i, e := range readAll(t, s, w.ID) {
		equal(t, "position", e.Pos, int64(i+1))
		k := stream{conv: e.Conversation}
		if e.Conversation == "" {
			k.ch = e.Channel
		}
		seqs[k]++
		equal(t, "sequence in "+string(k.conv+"/")+string(k.ch), e.Seq, seqs[k])
		switch e.Kind {
		case chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed:
			places[e.Conversation] = placeOf(t, e)
		case chat.KindOpened:
			if places[e.Conversation] != "" {
				t.Fatalf("%s was opened twice", e.Conversation)
			}
			places[e.Conversation] = chat.StateBot
		default:
		}
	}
	open := map[string]chat.ConversationID{}
	before := ""
	for {
		page, next, err := s.Conversations(t.Context(), w.ID, store.ConversationFilter{Limit: 200, Before: before})
		must(t, err)
		for _, c := range page {
			equal(t, "last_seq of "+string(c.ID), c.LastSeq, seqs[stream{conv: c.ID}])
			if want, ok := places[c.ID]; ok && want != "" {
				equal(t, "state of "+string(c.ID), c.State, want)
			}
			if c.State == chat.StateClosed {
				continue
			}
			k := string(c.Channel) + " " + c.Thread.Key()
			if other := open[k]; other != "" {
				t.Fatalf("two open conversations in one thread: %s and %s", other, c.ID)
			}
			open[k] = c.ID
		}
		if next == "" {
			return
		}
		before = next
	}
}

// placeOf is where an event puts its conversation; "" once its data was erased.
func placeOf(t testing.TB, e chat.Event) chat.State {
	t.Helper()
	var d chat.PlaceData
	must(t, json.Unmarshal(e.Data, &d))
	return d.State
}
