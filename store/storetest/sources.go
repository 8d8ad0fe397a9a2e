package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// timed is a site whose clock is moved by hand.
func timed(t *testing.T, db Database) (s *site, pass func(time.Duration)) {
	t.Helper()
	var later atomic.Int64
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s = newSite(t, db, func(o *store.Options) { o.Now = func() time.Time { return start.Add(time.Duration(later.Load())) } })
	return s, func(d time.Duration) { later.Add(int64(d)) }
}

func (s *site) source(base, task string) store.KnowledgeSource {
	s.t.Helper()
	src, err := s.AddKnowledgeSource(s.t.Context(), s.ws, base, store.KnowledgeSource{
		Parser: "pages", URL: "https://shop.example/" + task, Task: task, Status: store.SourcePending,
	}, nil)
	must(s.t, err)
	return src
}

// stands tells what became of a source.
func (s *site) stands(id int64) string {
	s.t.Helper()
	src, err := s.KnowledgeSource(s.t.Context(), s.ws, id)
	must(s.t, err)
	return line(src.Status, src.Detail)
}

func (s *site) ends(task string, status store.SourceStatus, detail string) bool {
	s.t.Helper()
	found, err := s.EndKnowledgeSource(s.t.Context(), s.ws, task, status, detail)
	must(s.t, err)
	return found
}

func knowledgeSources(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	base := s.base("b", "")
	a := s.source("b", "a")
	s.reopen()
	got, err := s.KnowledgeSource(ctx, s.ws, a.ID)
	must(t, err)
	equal(t, "read again", asJSON(t, got), asJSON(t, a))
	equal(t, "fails", line(s.ends("a", store.SourceFailed, "gone"), s.stands(a.ID)), "true failed gone")
	equal(t, "fails again", line(s.ends("a", store.SourceFailed, "other"), s.stands(a.ID)), "true failed gone")
	equal(t, "is finished after all", line(s.ends("a", store.SourceFinished, ""), s.stands(a.ID)), "true finished")
	equal(t, "what is finished stays so", line(s.ends("a", store.SourceFailed, "gone"), s.stands(a.ID)), "true finished")
	equal(t, "no such task", s.ends("zzz", store.SourceFinished, ""), false)
	table, err := s.AddKnowledgeSource(ctx, s.ws, "b", store.KnowledgeSource{Task: "t", Status: store.SourceFinished},
		[]store.KnowledgeEntry{entry("one", "first"), entry("two", "second")})
	must(t, err)
	items, err := s.KnowledgeItems(ctx, base, store.KnowledgeFilter{Limit: 9})
	must(t, err)
	equal(t, "its items", line(titles(items), items[1].Source == table.ID, s.lookBase("b").Items), "one two true 2")
	page, count, err := s.KnowledgeSources(ctx, s.ws, 0, 1)
	must(t, err)
	equal(t, "the newest", line(len(page), page[0].ID == table.ID, count), "1 true 2")
	other, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	_, err = s.KnowledgeSource(ctx, other.ID, a.ID)
	equal(t, "of another workspace", chat.CodeOf(err), chat.CodeNotFound)
	found, err := s.EndKnowledgeSource(ctx, other.ID, "a", store.SourceFailed, "")
	equal(t, "ended by another workspace", line(found, err), "false <nil>")
	_, err = s.AddKnowledgeSource(ctx, s.ws, "none", store.KnowledgeSource{Task: "x"}, nil)
	equal(t, "for no base", chat.CodeOf(err), chat.CodeNotFound)
	must(t, s.DropKnowledgeBase(ctx, s.ws, "b"))
	_, err = s.KnowledgeSource(ctx, s.ws, a.ID)
	equal(t, "with its base", chat.CodeOf(err), chat.CodeNotFound)
}

// repeatedSources: what is read again has its new items only.
func repeatedSources(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	base := s.base("b", "")
	s.learn("b", "own", "word")
	src := s.source("b", "first")
	feed := func(title string) {
		k := entry(title, "word")
		k.Source = src.ID
		_, err := s.AddKnowledgeItem(ctx, s.ws, "b", k)
		must(t, err)
	}
	feed("old")
	_, err := s.RepeatKnowledgeSource(ctx, s.ws, "b", src, "second")
	equal(t, "while it is read", chat.CodeOf(err), chat.CodeConflict)
	s.ends("first", store.SourceFailed, "gone")
	again, err := s.RepeatKnowledgeSource(ctx, s.ws, "b", src, "second")
	must(t, err)
	got, err := s.KnowledgeSource(ctx, s.ws, src.ID)
	must(t, err)
	equal(t, "read again", asJSON(t, got), asJSON(t, again))
	equal(t, "it stands", line(s.stands(src.ID), got.Task), "pending second")
	feed("new")
	equal(t, "items", line(s.finds(base, false, "word"), s.lookBase("b").Items), "own new 2")
	equal(t, "the old task is over", line(s.ends("first", store.SourceFinished, ""), s.stands(src.ID)), "false pending")
	s.ends("second", store.SourceFinished, "")
	_, err = s.RepeatKnowledgeSource(ctx, s.ws, "b", src, "third")
	equal(t, "by who knows only the old task", chat.CodeOf(err), chat.CodeConflict)
	s.base("c", "")
	_, err = s.RepeatKnowledgeSource(ctx, s.ws, "c", again, "third")
	equal(t, "in another base", chat.CodeOf(err), chat.CodeConflict)
}

// silentSources: who reads a source has to be heard of.
func silentSources(t *testing.T, db Database) {
	s, pass := timed(t, db)
	ctx := t.Context()
	s.base("b", "")
	kept, fed, silent := s.source("b", "kept"), s.source("b", "fed"), s.source("b", "silent")
	feed := func() {
		k := entry("x", "y")
		k.Source = fed.ID
		_, err := s.AddKnowledgeItem(ctx, s.ws, "b", k)
		must(t, err)
	}
	pass(store.SourceLease)
	must(t, s.FailKnowledgeSources(ctx))
	equal(t, "not yet", s.stands(silent.ID), "pending")
	keep := func(tasks ...string) string {
		pending, err := s.KeepKnowledgeSources(ctx, tasks)
		must(t, err)
		return line(pending)
	}
	equal(t, "kept", keep("kept", "zzz"), "[kept]")
	equal(t, "none is kept", keep(), "[]")
	feed()
	pass(time.Second)
	must(t, s.FailKnowledgeSources(ctx))
	equal(t, "kept by its node", s.stands(kept.ID), "pending")
	equal(t, "kept by its items", s.stands(fed.ID), "pending")
	equal(t, "not heard of", s.stands(silent.ID), "failed whoever read it has not been heard of since")
	pass(store.SourcePatience)
	equal(t, "both are pending yet", keep("kept", "silent", "fed"), "[kept fed]")
	feed()
	must(t, s.FailKnowledgeSources(ctx))
	equal(t, "nothing came of it", s.stands(kept.ID), "failed nothing came of it for 1h0m0s")
	equal(t, "something did", s.stands(fed.ID), "pending")
}

func manySources(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	s.base("b", "")
	first := s.source("b", "first")
	for i := range store.MaxKnowledgeSources - 1 {
		s.source("b", fmt.Sprint("p", i))
	}
	_, err := s.AddKnowledgeSource(ctx, s.ws, "b", store.KnowledgeSource{Task: "more", Status: store.SourcePending}, nil)
	equal(t, "too many are pending", chat.CodeOf(err), chat.CodeConflict)
	s.ends("first", store.SourceFailed, "")
	s.source("b", "in its place")
	_, err = s.RepeatKnowledgeSource(ctx, s.ws, "b", first, "again")
	equal(t, "too many to read one again", chat.CodeOf(err), chat.CodeConflict)
	s.ends("in its place", store.SourceFinished, "")
	for i := range store.MaxKnowledgeSources - 1 {
		s.ends(fmt.Sprint("p", i), store.SourceFinished, "")
	}
	_, err = s.KnowledgeSource(ctx, s.ws, first.ID)
	must(t, err)
	s.source("b", "last")
	_, err = s.KnowledgeSource(ctx, s.ws, first.ID)
	equal(t, "the oldest is forgotten", chat.CodeOf(err), chat.CodeNotFound)
	_, count, err := s.KnowledgeSources(ctx, s.ws, 0, 1)
	must(t, err)
	equal(t, "as many as before", count, store.MaxKnowledgeSources)
}

func knowledgePictures(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	s.base("b", "")
	k, bare := s.learn("b", "with", "a picture"), s.learn("b", "without", "one")
	add := func(base string, item int64) (store.KnowledgeFile, error) {
		id := chat.FileID(chat.NewID())
		_, err := s.AddFile(ctx, store.File{ID: id, Workspace: s.ws, Status: store.FileStored, MIME: "image/png"})
		must(t, err)
		return s.AddKnowledgePicture(ctx, s.ws, base, store.KnowledgeFile{Item: item, File: id, Name: ".png", Caption: "logo"})
	}
	f, err := add("b", k.ID)
	must(t, err)
	equal(t, "its name", f.Name, fmt.Sprintf("picture-%d.png", f.ID))
	got, err := s.KnowledgePictures(ctx, []int64{k.ID, bare.ID})
	must(t, err)
	equal(t, "read again", asJSON(t, got), asJSON(t, []store.KnowledgeFile{f}))
	_, err = add("b", k.ID+100)
	equal(t, "of no item", chat.CodeOf(err), chat.CodeNotFound)
	s.base("c", "")
	_, err = add("c", k.ID)
	equal(t, "of an item of another base", chat.CodeOf(err), chat.CodeNotFound)
	lost := func() string {
		all, err := s.LostKnowledgeFiles(ctx, 10)
		must(t, err)
		return line(len(all))
	}
	equal(t, "none is lost", lost(), "0")
	src, err := s.AddKnowledgeSource(ctx, s.ws, "b", store.KnowledgeSource{Task: "t", Status: store.SourcePending, CSV: f.File}, nil)
	must(t, err)
	equal(t, "nor the file of a source", line(lost(), src.CSV == f.File), "0 true")
	must(t, s.DropKnowledgeItem(ctx, s.ws, "b", k.ID))
	equal(t, "with its item", lost(), "1")
	must(t, s.DropKnowledgeFile(ctx, f))
	_, err = s.File(ctx, f.File)
	equal(t, "forgotten", line(lost(), chat.CodeOf(err)), "0 not_found")
}
