package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// talk is a workspace in which people speak.
type talk struct {
	*store.Store
	t  *testing.T
	ws chat.WorkspaceID
	ch chat.ChannelID
	n  int
}

func newTalk(t *testing.T, s *store.Store) *talk {
	w := &talk{Store: s, t: t}
	ws, err := s.AddWorkspace(t.Context(), "", "w")
	w.must(err)
	ch, err := s.AddChannel(t.Context(), store.Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	w.must(err)
	w.ws, w.ch = ws.ID, ch.ID
	return w
}

func (w *talk) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// hears stores what somebody says and answers with the event.
func (w *talk) hears(from, text string) chat.Event {
	w.t.Helper()
	w.n++
	m := chat.TextMessage(text)
	res, err := w.Append(w.t.Context(), &store.Receive{Channel: w.ch, In: chat.Incoming{
		Key: fmt.Sprint(w.n), ID: fmt.Sprint("id", w.n), Kind: chat.KindMessage, Thread: chat.Thread{Address: from}, Sender: chat.Person{Address: from, Name: "Name of " + from}, Message: &m,
	}})
	w.must(err)
	return res.Events[0]
}

// about stores what happens to an earlier message.
func (w *talk) about(e chat.Event, kind chat.Kind, text string) {
	w.t.Helper()
	w.n++
	in := chat.Incoming{Key: fmt.Sprint(w.n), Kind: kind, Target: e.ExternalID, Thread: chat.Thread{Address: e.Sender.ID}, Sender: chat.Person{Address: e.Sender.ID}}
	if text != "" {
		m := chat.TextMessage(text)
		in.Message = &m
	}
	_, err := w.Append(w.t.Context(), &store.Receive{Channel: w.ch, In: in})
	w.must(err)
}

func plainFold(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

// index brings the index up to the end of the log, in steps of so many events.
func (w *talk) index(x *store.Indexer, step int) {
	w.t.Helper()
	for more := true; more; {
		var err error
		more, err = x.Next(w.t.Context(), step)
		w.must(err)
	}
}

// finds gives sequence numbers with the addresses, the newest first.
func (w *talk) finds(words string, within *store.Sight) string {
	w.t.Helper()
	var out []string
	for before := int64(0); ; {
		found, next, err := w.SearchMessages(w.t.Context(), w.ws, store.SearchQuery{
			WordQuery: store.WordQuery{Words: strings.Fields(words), Prefix: true}, Within: within, Before: before, Limit: 2,
		})
		w.must(err)
		for _, x := range found {
			out = append(out, strings.TrimPrefix(x.Contact.Name, "Name of ")+fmt.Sprint(x.Event.Seq))
		}
		if before = next; next == 0 {
			return strings.Join(out, " ")
		}
	}
}

func TestSearch(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { searchMessages(t, open(t, filepath.Join(t.TempDir(), "d.db"))) })
	t.Run("postgres", func(t *testing.T) { searchMessages(t, open(t, storetest.Postgres(t))) })
}

func searchMessages(t *testing.T, s *store.Store) {
	w, other := newTalk(t, s), newTalk(t, s)
	first := w.hears("ada", "Hello there old friend")
	w.hears("bob", "hello again")
	w.hears("ada", "nothing to see here 'quoted' \"both\" : * ( ) AND NEAR")
	second := w.hears("ada", "hello world")
	other.hears("eve", "hello from elsewhere")
	_, err := s.Append(t.Context(), &store.Post{
		Workspace: w.ws, Conversation: first.Conversation, Kind: chat.KindNote, Message: chat.TextMessage("a hell of a note"), Sender: chat.Party{Type: chat.PartyAgent, ID: "x"},
	})
	w.must(err)
	x := s.Indexer(plainFold)
	w.index(x, 2)
	w.expect("nothing said", "zebra", "")
	w.expect("the newest first, in pages", "hell", "ada6 ada5 bob3 ada3")
	w.expect("all words", "hello ada", "")
	w.expect("all words", "friend hello", "ada3")
	w.expect("the last may go on", "wor", "ada5")
	w.expect("no syntax", `"zebra" : * (`, "")
	w.expect("no syntax", `and near`, "ada4")
	w.expect("quotes", `'quoted'`, "ada4")
	w.expect("after the half word", "world hello", "ada5")
	if got := w.finds("hello", &store.Sight{Assignee: "nobody"}); got != "" {
		t.Error("seen by somebody who sees nothing:", got)
	}
	if got := w.finds("hello", &store.Sight{Queues: []string{"q"}}); got != "" {
		t.Error("seen from a queue where nothing is:", got)
	}
	_, err = s.Append(t.Context(), &store.Place{Workspace: w.ws, Conversation: first.Conversation, To: chat.PlaceData{State: chat.StateQueued, Queue: "q"}})
	w.must(err)
	if got := w.finds("hello", &store.Sight{Queues: []string{"q"}}); got != "ada5 ada3" {
		t.Error("seen from the queue:", got)
	}

	w.about(first, chat.KindEdited, "Good bye")
	w.about(second, chat.KindDeleted, "")
	w.about(second, chat.KindEdited, "hello moon")
	w.index(x, 100)
	w.expect("edited", "bye", "ada3")
	w.expect("edited away", "friend", "")
	w.expect("deleted, then edited", "moon", "ada5")
	w.about(second, chat.KindDeleted, "")
	w.index(x, 100)
	w.expect("deleted", "moon", "")

	contacts, _, err := s.Contacts(t.Context(), w.ws, "ada", "", 1)
	w.must(err)
	w.hears("ada", "not indexed yet hello")
	_, err = s.Append(t.Context(), &store.Erase{Workspace: w.ws, Contact: contacts[0].ID})
	w.must(err)
	w.behind(true)
	w.expect("erased, at once", "hello", "bob3")
	w.index(s.Indexer(plainFold), 1) // by another node, in other steps
	w.behind(false)
	w.expect("erased for good", "hello", "bob3")
	if got := other.finds("hello", nil); got != "eve3" {
		t.Error("another workspace finds:", got)
	}
}

func (w *talk) expect(what, words, want string) {
	w.t.Helper()
	if got := w.finds(words, nil); got != want {
		w.t.Errorf("%s: %q finds %q, want %q", what, words, got, want)
	}
}

func (w *talk) behind(want bool) {
	w.t.Helper()
	if got, err := w.SearchBehind(w.t.Context(), w.ws); err != nil || got != want {
		w.t.Errorf("the index is behind: %v, %v; want %v", got, err, want)
	}
}

// TestIndexGoesOnWithOthers: a workspace whose log cannot be read keeps no other one from being searched.
func TestIndexGoesOnWithOthers(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "d.db")
	s := open(t, dsn)
	broken, sound := newTalk(t, s), newTalk(t, s)
	broken.hears("ada", "hello")
	db, err := sql.Open("sqlite", dsn)
	broken.must(err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "UPDATE events SET body = '{' WHERE kind = 'message'")
	broken.must(err)
	sound.hears("bob", "hello")
	if _, err := s.Indexer(plainFold).Next(t.Context(), 10); err == nil {
		t.Error("nothing is said of what cannot be read")
	}
	sound.expect("the other one", "hello", "bob3")
}

// TestIndexOnSeveralNodes: nodes that index at the same time find every message once.
func TestIndexOnSeveralNodes(t *testing.T) {
	dsn := storetest.Postgres(t)
	here, there := open(t, dsn), open(t, dsn)
	w := newTalk(t, here)
	for i := range 40 {
		w.hears("ada", fmt.Sprint("word number ", i))
	}
	var all sync.WaitGroup
	for _, s := range []*store.Store{here, there, here} {
		all.Go(func() {
			x := s.Indexer(plainFold)
			for more := true; more; {
				var err error
				if more, err = x.Next(t.Context(), 3); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	w.index(here.Indexer(plainFold), 100)
	if got := len(strings.Fields(w.finds("word", nil))); got != 40 {
		t.Errorf("%d messages are found", got)
	}
}

func TestSearchPeople(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { searchPeople(t, open(t, filepath.Join(t.TempDir(), "d.db"))) })
	t.Run("postgres", func(t *testing.T) { searchPeople(t, open(t, storetest.Postgres(t))) })
}

func searchPeople(t *testing.T, s *store.Store) {
	w := newTalk(t, s)
	first := w.hears("+15551234", "a")
	w.hears("bob", "b")
	w.hears("ÖMER Ärzte", "c")
	for text, want := range map[string]string{
		"name": "ÖMER Ärzte bob +15551234", "NAME OF B": "bob", "ömer ä": "ÖMER Ärzte", "ÖMER": "ÖMER Ärzte", "+15551234": "+15551234", "15551234": "+15551234", "bob": "bob", "1555": "+15551234", "%": "", "zed": "",
	} {
		found, err := s.SearchPeople(t.Context(), w.ws, text, nil, 10)
		w.must(err)
		var got []string
		for _, p := range found {
			got = append(got, strings.TrimPrefix(p.Name, "Name of "))
			if p.Conversation == "" {
				t.Errorf("%s has no conversation", p.Name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	found, err := s.SearchPeople(t.Context(), w.ws, "15551234", &store.Sight{Assignee: "x"}, 10)
	if err != nil || len(found) != 1 || found[0].Conversation != "" {
		t.Errorf("out of sight: %+v, %v", found, err)
	}
	_, err = s.Append(t.Context(), &store.Place{Workspace: w.ws, Conversation: first.Conversation, To: chat.PlaceData{State: chat.StateAssigned, Assignee: "x"}})
	w.must(err)
	if found, err = s.SearchPeople(t.Context(), w.ws, "15551234", &store.Sight{Assignee: "x"}, 10); err != nil || len(found) != 1 || found[0].Conversation != first.Conversation {
		t.Errorf("in sight: %+v, %v", found, err)
	}
}

// TestErasedWordsAreGone: what was erased is not in the files of the index either.
func TestErasedWordsAreGone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "d.db"))
	w := newTalk(t, s)
	w.hears("ada", "I am a xylophonist")
	w.hears("bob", "I am a carpenter")
	w.index(s.Indexer(plainFold), 10)
	w.expect("found", "xylophonist", "ada3")
	contacts, _, err := s.Contacts(t.Context(), w.ws, "ada", "", 1)
	w.must(err)
	_, err = s.Append(t.Context(), &store.Erase{Workspace: w.ws, Contact: contacts[0].ID})
	w.must(err)
	w.must(s.Close())
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	w.must(err)
	all := ""
	for _, name := range names {
		raw, err := os.ReadFile(name)
		w.must(err)
		all += string(raw)
	}
	if strings.Contains(all, "xylo") || strings.Contains(all, "ylophon") {
		t.Error("an erased word is still in the files")
	}
	if !strings.Contains(all, "carpenter") {
		t.Error("the test looks in the wrong files")
	}
}
