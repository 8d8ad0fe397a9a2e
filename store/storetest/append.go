package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// appending are the promises of Append itself.
func appending() []examination {
	return []examination{
		{"duplicates in parallel", false, duplicates},
		{"duplicates on two nodes", true, duplicatesOnTwoNodes},
		{"gapless under many writers", false, gapless},
		{"gapless on two nodes", true, gaplessOnTwoNodes},
		{"a refused command spares its neighbours", false, refusedAlone},
		{"a conflict in the database spares its neighbours", false, conflictAlone},
		{"a panicking command spares its neighbours", false, panicAlone},
		{"unfit payloads spare their neighbours", false, unfitAlone},
		{"workspaces made side by side", false, workspacesSideBySide},
	}
}

func duplicates(t *testing.T, db Database) {
	s := newSite(t, db)
	manyTimes(t, s, s.Store)
}

func duplicatesOnTwoNodes(t *testing.T, db Database) {
	s := newSite(t, db)
	manyTimes(t, s, s.Store, s.open())
}

// manyTimes delivers 120 updates of 30 people 16 times each, in parallel.
func manyTimes(t *testing.T, s *site, nodes ...*store.Store) {
	const updates, times, people = 120, 16, 30
	var wg sync.WaitGroup
	var stored atomic.Int64
	for n := range times {
		node := nodes[n%len(nodes)]
		wg.Go(func() {
			var cmds []store.Command
			for i := range updates {
				u := (i + n*19) % updates // each in an order of its own
				m := chat.TextMessage(fmt.Sprint("text ", u))
				address := fmt.Sprint("p", u%people)
				cmds = append(cmds, &store.Receive{Channel: s.ch, In: chat.Incoming{
					Key: fmt.Sprint("u", u), ID: fmt.Sprint("m", u), Kind: chat.KindMessage, Message: &m,
					Thread: chat.Thread{Address: address}, Sender: chat.Person{Address: address, Name: "N"},
				}})
			}
			results, errs := node.AppendAll(t.Context(), cmds)
			for i, err := range errs {
				if err != nil {
					t.Errorf("update: %v", err)
				} else if !results[i].Duplicate {
					stored.Add(1)
				}
			}
		})
	}
	wg.Wait()
	equal(t, "stored", stored.Load(), updates)
	texts := map[string]int{}
	for _, e := range readAll(t, s.Store, s.ws) {
		if e.Kind == chat.KindMessage {
			texts[e.Message.Text()]++
		}
	}
	equal(t, "different messages", len(texts), updates)
	for text, n := range texts {
		equal(t, text, n, 1)
	}
	convs, _, err := s.Conversations(t.Context(), s.ws, store.ConversationFilter{Limit: 1000})
	must(t, err)
	equal(t, "conversations", len(convs), people)
	contacts, _, err := s.Contacts(t.Context(), s.ws, "", "", 1000)
	must(t, err)
	equal(t, "contacts", len(contacts), people)
	for _, c := range contacts {
		full, err := s.Contact(t.Context(), s.ws, c.ID)
		must(t, err)
		equal(t, "identities of "+c.Name, len(full.Identities), 1)
	}
	audit(t, s.Store)
}

func gapless(t *testing.T, db Database) {
	s := newSite(t, db)
	manyWriters(t, s, s.Store)
}

func gaplessOnTwoNodes(t *testing.T, db Database) {
	s := newSite(t, db)
	manyWriters(t, s, s.Store, s.open())
}

// manyWriters lets 32 writers write to 4 workspaces: messages in and out, moves, and much that is refused.
func manyWriters(t *testing.T, s *site, nodes ...*store.Store) {
	const writers, turns = 32, 12
	type place struct {
		ws chat.WorkspaceID
		ch chat.ChannelID
	}
	places := []place{{s.ws, s.ch}}
	for range 3 {
		w, err := s.AddWorkspace(t.Context(), "", "more")
		must(t, err)
		places = append(places, place{w.ID, s.channel(w.ID)})
	}
	var wg sync.WaitGroup
	for w := range writers {
		node, at := nodes[w%len(nodes)], places[w%len(places)]
		wg.Go(func() {
			for i := range turns {
				in := s.in(fmt.Sprint("p", (w+i)%5), "text")
				res, err := node.Append(t.Context(), &store.Receive{Channel: at.ch, In: in})
				if err != nil {
					t.Errorf("receive: %v", err)
					return
				}
				conv := res.Events[0].Conversation
				cmds := []store.Command{
					&store.Post{Workspace: at.ws, Conversation: conv, Kind: chat.KindMessage, Message: chat.TextMessage("out")},
					&store.Post{Workspace: at.ws, Conversation: "nobody", Kind: chat.KindMessage, Message: chat.TextMessage("lost")},
					&store.Place{Workspace: at.ws, Conversation: conv, To: chat.PlaceData{State: chat.StateClosed}, Expect: []chat.State{chat.StateAssigned}},
				}
				if i%4 == 3 {
					cmds = append(cmds, &store.Place{Workspace: at.ws, Conversation: conv, To: chat.PlaceData{State: chat.StateClosed}})
				}
				_, errs := node.AppendAll(t.Context(), cmds)
				for _, err := range errs {
					if code := chat.CodeOf(err); err != nil && code != chat.CodeClosed && code != chat.CodeNotFound && code != chat.CodeConflict {
						t.Errorf("writer: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	audit(t, s.Store)
	got := 0
	for _, p := range places {
		for _, e := range readAll(t, nodes[len(nodes)-1], p.ws) {
			if e.Kind == chat.KindMessage && e.Direction == chat.In {
				got++
			}
		}
	}
	equal(t, "messages received", got, writers*turns)
}

// among appends a command between good ones, all waiting at once, and answers its error. The good ones must succeed.
func among(t *testing.T, s *site, bad store.Command) error {
	t.Helper()
	const n = 20
	var cmds []store.Command
	for i := range n {
		cmds = append(cmds, &store.Receive{Channel: s.ch, In: s.in(fmt.Sprint("neighbour", i), "fine")})
	}
	cmds[n/2] = bad
	_, errs := s.AppendAll(t.Context(), cmds)
	for i, err := range errs {
		if i != n/2 && err != nil {
			t.Fatalf("neighbour %d: %v", i, err)
		}
	}
	audit(t, s.Store)
	return errs[n/2]
}

func refusedAlone(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	s.shut(conv)
	err := among(t, s, s.post(conv, "too late"))
	equal(t, "code", chat.CodeOf(err), chat.CodeClosed)
	for _, e := range readAll(t, s.Store, s.ws) {
		if e.Message.Text() == "too late" {
			t.Fatal("it was stored")
		}
	}
}

// conflictAlone makes a conversation get a name that is taken: only the database notices.
func conflictAlone(t *testing.T, db Database) {
	var taken atomic.Pointer[string]
	s := newSite(t, db, func(o *store.Options) {
		o.NewID = func() string {
			if id := taken.Swap(nil); id != nil {
				return *id
			}
			return chat.NewID()
		}
	})
	first := s.receive(s.in("a", "first"))
	list, _, err := s.Contacts(t.Context(), s.ws, "", "", 1)
	must(t, err)
	id := string(list[0].ID)
	taken.Store(&id)
	_, err = s.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in("b", "second")})
	if code := chat.CodeOf(err); code != chat.CodeConflict {
		t.Fatalf("got %v, want a conflict", err)
	}
	equal(t, "head", s.head(), first.Events[0].Pos)
	// among others: when the batch is tried again one by one, the name is free; the committer may take the first one alone
	var cmds []store.Command
	for i := range 20 {
		cmds = append(cmds, &store.Receive{Channel: s.ch, In: s.in(fmt.Sprint("neighbour", i), "fine")})
	}
	taken.Store(&id)
	_, errs := s.AppendAll(t.Context(), cmds)
	for i, err := range errs {
		if err != nil && (i > 0 || chat.CodeOf(err) != chat.CodeConflict) {
			t.Fatalf("neighbour %d: %v", i, err)
		}
	}
	audit(t, s.Store)
}

func panicAlone(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) {
		o.Routes = []store.Route{{Work: "out", Lane: func(e *chat.Event) string {
			if e.Message.Text() == "boom" {
				panic("planted")
			}
			return ""
		}}}
	})
	before := s.head()
	_, err := s.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in("a", "boom")})
	if chat.CodeOf(err) != chat.CodeInvalid {
		t.Fatalf("got %v, want an error that nobody tries again", err)
	}
	equal(t, "head", s.head(), before)
	if err := among(t, s, &store.Receive{Channel: s.ch, In: s.in("a", "boom")}); chat.CodeOf(err) != chat.CodeInvalid {
		t.Fatalf("among others: %v", err)
	}
	contacts, _, err := s.Contacts(t.Context(), s.ws, "name of a", "", 10)
	must(t, err)
	equal(t, "contacts of the panicking command", len(contacts), 0)
}

func unfitAlone(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	bad := s.post(conv, "x")
	bad.Message.Stack = []chat.Element{{Type: chat.Text, Payload: []byte(`{"content":`)}}
	equal(t, "no JSON", chat.CodeOf(among(t, s, bad)), chat.CodeInvalid)
	s.refuses(chat.CodeInvalid, bad)
	s.refuses(chat.CodeInvalid, &store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindFlowStep, Data: []byte("{")})
}

func workspacesSideBySide(t *testing.T, db Database) {
	s := newSite(t, db)
	nodes := []*store.Store{s.Store}
	if db.Nodes {
		nodes = append(nodes, s.open())
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = nodes[i%len(nodes)].AddWorkspace(t.Context(), "", "w") })
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	all, err := s.Workspaces(t.Context())
	must(t, err)
	equal(t, "workspaces", len(all), 9)
	_, err = s.AddWorkspace(t.Context(), s.ws, "again")
	equal(t, "the same id twice", chat.CodeOf(err), chat.CodeConflict)
}
