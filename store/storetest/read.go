package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// reading are the promises about lists and about the tables around the log.
func reading() []examination {
	return []examination{
		{"a conversation's events", false, readEvents},
		{"the log while writers append", false, readLog},
		{"the log's filters", false, logFilters},
		{"pages of conversations", false, conversationPages},
		{"filters of conversations", false, conversationFilters},
		{"pages of contacts", false, contactPages},
		{"pages of dead letters", false, letterPages},
		{"tokens", false, tokens},
		{"flows", false, flows},
		{"channels", false, channels},
		{"answers, notes, payloads, files", false, smallTables},
	}
}

func readEvents(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	for i := range 20 {
		s.receive(s.in("a", fmt.Sprint(i)))
	}
	seqs := func(list []chat.Event, err error) string {
		must(t, err)
		out := []int64{}
		for _, e := range list {
			out = append(out, e.Seq)
			equal(t, "conversation", e.Conversation, conv)
		}
		return fmt.Sprint(out)
	}
	ctx := t.Context()
	equal(t, "forward", seqs(s.Events(ctx, s.ws, conv, 0, 3)), "[1 2 3]")
	equal(t, "from the middle", seqs(s.Events(ctx, s.ws, conv, 21, 10)), "[22 23]")
	equal(t, "behind the end", seqs(s.Events(ctx, s.ws, conv, 99, 10)), "[]")
	equal(t, "the end", seqs(s.LastEvents(ctx, s.ws, conv, 0, 3)), "[21 22 23]")
	equal(t, "before", seqs(s.LastEvents(ctx, s.ws, conv, 21, 2)), "[19 20]")
	equal(t, "before the beginning", seqs(s.LastEvents(ctx, s.ws, conv, 1, 2)), "[]")
	_, err := s.Events(ctx, s.ws, "nobody", 0, 1)
	equal(t, "unknown", chat.CodeOf(err), chat.CodeNotFound)
	w, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	_, err = s.Events(ctx, w.ID, conv, 0, 1)
	equal(t, "of another workspace", chat.CodeOf(err), chat.CodeNotFound)
	got, err := s.NewestIncoming(ctx, s.ws, conv)
	must(t, err)
	equal(t, "newest incoming", got, "m21")
	open, err := s.OpenConversation(ctx, s.ch, chat.Thread{Address: "a"})
	must(t, err)
	equal(t, "open", open, conv)
	s.shut(conv)
	open, err = s.OpenConversation(ctx, s.ch, chat.Thread{Address: "a"})
	must(t, err)
	equal(t, "open after closing", open, "")
}

// readLog follows the log while eight writers append: nothing may be skipped, nothing come twice.
func readLog(t *testing.T, db Database) {
	s := newSite(t, db)
	const writers, each = 8, 30
	var wg sync.WaitGroup
	ended := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Append(t.Context(), &store.Receive{Channel: s.ch, In: s.in(fmt.Sprint("p", w), fmt.Sprint(i))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(ended)
	}()
	at, want, over := int64(0), int64(1), false
	for {
		events, next, err := s.Log(t.Context(), s.ws, at, 7, store.LogFilter{})
		must(t, err)
		for _, e := range events {
			equal(t, "position", e.Pos, want)
			want++
		}
		if next < at {
			t.Fatalf("the log went back from %d to %d", at, next)
		}
		if over && next == at {
			break
		}
		at = next
		select {
		case <-ended:
			over = true
		default:
		}
	}
	equal(t, "read", want-1, s.head())
	equal(t, "stored", s.head(), int64(writers*each+2*writers))
}

func logFilters(t *testing.T, db Database) {
	s := newSite(t, db)
	one, two := s.talk("a"), s.talk("b")
	for i := range 60 {
		conv := one
		if i%2 == 0 {
			conv = two
		}
		s.do(s.post(conv, fmt.Sprint(i)))
	}
	s.shut(one)
	walk := func(q store.LogFilter) (out []chat.Event) {
		for at := int64(0); ; {
			events, next, err := s.Log(t.Context(), s.ws, at, 2, q) // looks at 40 positions at a time: some calls find nothing
			must(t, err)
			out = append(out, events...)
			if next == at {
				return out
			}
			at = next
		}
	}
	closed := walk(store.LogFilter{Kinds: []chat.Kind{chat.KindClosed, chat.KindErased}})
	equal(t, "one kind", kinds(closed), "closed")
	equal(t, "events of one conversation", int64(len(walk(store.LogFilter{Conversation: one}))), s.look(one).LastSeq)
	equal(t, "both", len(walk(store.LogFilter{Conversation: two, Kinds: []chat.Kind{chat.KindMessage}})), 31)
	_, _, err := s.Log(t.Context(), s.ws, 0, 10, store.LogFilter{Conversation: "nobody"})
	equal(t, "unknown", chat.CodeOf(err), chat.CodeNotFound)
	events, next, err := s.Log(t.Context(), s.ws, 1<<62, 10, store.LogFilter{})
	must(t, err)
	equal(t, "behind the head", fmt.Sprint(len(events), next), fmt.Sprint(0, int64(1<<62)))
	_, _, err = s.Log(t.Context(), s.ws, -5, 0, store.LogFilter{})
	must(t, err)
}

func conversationPages(t *testing.T, db Database) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) // one moment for all: the order must hold nevertheless
	s := newSite(t, db, func(o *store.Options) { o.Now = func() time.Time { return now } })
	const n = 23
	for i := range n {
		conv := s.talk(fmt.Sprint("p", i))
		switch i % 4 {
		case 0:
			s.shut(conv)
		case 1:
			s.do(s.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"}))
		case 2:
			s.do(s.place(conv, chat.PlaceData{State: chat.StateBot}))
		}
	}
	for _, limit := range []int{1, 5, n - 1, n, n + 1} {
		seen := map[chat.ConversationID]bool{}
		before := ""
		for {
			page, next, err := s.Conversations(t.Context(), s.ws, store.ConversationFilter{Limit: limit, Before: before})
			must(t, err)
			if len(page) > limit {
				t.Fatalf("%d on a page of %d", len(page), limit)
			}
			for _, c := range page {
				if seen[c.ID] {
					t.Fatalf("%s is on two pages", c.ID)
				}
				seen[c.ID] = true
			}
			if next == "" {
				break
			}
			before = next
		}
		equal(t, "conversations", len(seen), n)
	}
	_, _, err := s.Conversations(t.Context(), s.ws, store.ConversationFilter{Limit: 5, Before: "nonsense"})
	equal(t, "a wrong cursor", chat.CodeOf(err), chat.CodeInvalid)
	page, _, err := s.Conversations(t.Context(), s.ws, store.ConversationFilter{})
	must(t, err)
	equal(t, "without a limit", len(page), 1)
}

func conversationFilters(t *testing.T, db Database) {
	s := newSite(t, db)
	queued, held, closed := s.talk("anna"), s.talk("bert"), s.talk("carl")
	s.do(s.place(queued, chat.PlaceData{State: chat.StateQueued, Queue: "sales"}))
	s.do(s.place(held, chat.PlaceData{State: chat.StateAssigned, Assignee: "agent 1"}))
	s.shut(closed)
	other := s.channel(s.ws)
	elsewhere := s.do(&store.Receive{Channel: other, In: s.in("dora", "100% of_it")}).Events[0].Conversation
	for name, q := range map[string]struct {
		f    store.ConversationFilter
		want []chat.ConversationID
	}{
		"all":           {store.ConversationFilter{}, []chat.ConversationID{elsewhere, closed, held, queued}},
		"state":         {store.ConversationFilter{State: chat.StateClosed}, []chat.ConversationID{closed}},
		"channel":       {store.ConversationFilter{Channel: other}, []chat.ConversationID{elsewhere}},
		"no channel":    {store.ConversationFilter{Channel: "nobody"}, nil},
		"contact":       {store.ConversationFilter{Contact: s.look(held).Contact.ID}, []chat.ConversationID{held}},
		"queue":         {store.ConversationFilter{Queue: "sales"}, []chat.ConversationID{queued}},
		"assignee":      {store.ConversationFilter{Assignee: "agent 1"}, []chat.ConversationID{held}},
		"name":          {store.ConversationFilter{Text: "BERT"}, []chat.ConversationID{held}},
		"preview":       {store.ConversationFilter{Text: "hello FROM c"}, []chat.ConversationID{closed}},
		"percent":       {store.ConversationFilter{Text: "0% o"}, []chat.ConversationID{elsewhere}},
		"no wildcard":   {store.ConversationFilter{Text: "100_"}, nil},
		"not both":      {store.ConversationFilter{Queue: "sales", State: chat.StateClosed}, nil},
		"every member":  {store.ConversationFilter{Queue: "sales", State: chat.StateQueued, Channel: s.ch, Text: "anna"}, []chat.ConversationID{queued}},
		"strange bytes": {store.ConversationFilter{Text: "a\x00\xff", Queue: "\x00", Assignee: "\xff", Contact: "\x00", Channel: "\x00"}, nil},
	} {
		q.f.Limit = 10
		page, next, err := s.Conversations(t.Context(), s.ws, q.f)
		must(t, err)
		var got []chat.ConversationID
		for _, c := range page {
			got = append(got, c.ID)
		}
		equal(t, name, fmt.Sprint(got), fmt.Sprint(q.want))
		equal(t, name+": next", next, "")
	}
}

func contactPages(t *testing.T, db Database) {
	s := newSite(t, db)
	for i := range 11 {
		s.talk(fmt.Sprint("p", i))
	}
	var names []string
	cursor := ""
	for {
		page, next, err := s.Contacts(t.Context(), s.ws, "", cursor, 4)
		must(t, err)
		for _, c := range page {
			names = append(names, c.Name)
		}
		if next == "" {
			break
		}
		cursor = next
	}
	equal(t, "contacts", len(names), 11)
	equal(t, "newest first", names[0], "Name of p10")
	page, _, err := s.Contacts(t.Context(), s.ws, "OF P1", "", 10)
	must(t, err)
	equal(t, "found", len(page), 2)
	_, _, err = s.Contacts(t.Context(), s.ws, "", "x", 10)
	equal(t, "a wrong cursor", chat.CodeOf(err), chat.CodeInvalid)
	_, err = s.Contact(t.Context(), s.ws, "nobody")
	equal(t, "unknown", chat.CodeOf(err), chat.CodeNotFound)
}

// letterPages: one event can have several dead letters; no page border may swallow one.
func letterPages(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) {
		o.Routes = nil
		for _, work := range []string{"hook-1", "hook-2", "out"} {
			o.Routes = append(o.Routes, store.Route{Work: work, Lane: outRoute().Lane})
		}
	})
	conv := s.talk("a")
	for i := range 3 {
		s.do(s.post(conv, fmt.Sprint(i)))
	}
	for _, r := range s.o.Routes {
		background(t, func(ctx context.Context) error {
			return s.Work(ctx, store.Worker{Work: r.Work, Do: func(context.Context, *store.Job) store.Verdict {
				return store.Dead(&chat.Failure{Class: "planted"})
			}})
		})
	}
	until(t, "nine dead letters", func() bool { return len(s.letters()) == 9 })
	for limit := 1; limit <= 4; limit++ {
		seen := map[string]bool{}
		cursor := ""
		for {
			page, next, err := s.DeadLetters(t.Context(), s.ws, cursor, limit)
			must(t, err)
			for _, l := range page {
				seen[l.ID] = true
			}
			if next == "" {
				break
			}
			cursor = next
		}
		equal(t, fmt.Sprint("letters in pages of ", limit), len(seen), 9)
	}
	for filter, want := range map[store.LetterFilter]int{
		{Work: "out"}: 3, {Work: "hook-1", Text: "1"}: 1, {Text: "2"}: 3, {Class: "planted"}: 9, {Class: "plant"}: 0, {Kind: chat.KindMessage, Channel: s.ch}: 9, {Kind: chat.KindEdited}: 0,
		{Text: "PLANTED"}: 0, {Since: time.Now().Add(time.Hour)}: 0,
	} {
		filter.Limit = 9
		found, next, err := s.FindDeadLetters(t.Context(), s.ws, filter)
		must(t, err)
		equal(t, fmt.Sprintf("letters of %+v", filter), fmt.Sprint(len(found), next), fmt.Sprint(want, ""))
		for _, l := range found {
			one, err := s.DeadLetter(t.Context(), s.ws, l.ID)
			must(t, err)
			equal(t, "the letter", one.ID, l.ID)
		}
	}
	_, _, err := s.DeadLetters(t.Context(), s.ws, "nonsense", 1)
	equal(t, "a wrong cursor", chat.CodeOf(err), chat.CodeInvalid)
}
