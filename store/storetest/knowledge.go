package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// knowing are the promises about knowledge, language models and prompts.
func knowing() []examination {
	return []examination{
		{"knowledge bases", false, knowledgeBases},
		{"knowledge documents", false, knowledgeDocuments},
		{"a document is replaced at once", false, replacedAtOnce},
		{"knowledge items", false, knowledgeItems},
		{"a full knowledge base", false, fullBase},
		{"sources of knowledge", false, knowledgeSources},
		{"sources that are read again", false, repeatedSources},
		{"sources that nobody is at", false, silentSources},
		{"as many sources as there may be", false, manySources},
		{"pictures of knowledge", false, knowledgePictures},
		{"finding words", false, findWords},
		{"words of a language", false, languageWords},
		{"strange words", false, strangeWords},
		{"language models", false, languageModels},
		{"prompts", false, prompts},
	}
}

func (s *site) base(name, language string) store.KnowledgeBase {
	s.t.Helper()
	b, err := s.PutKnowledgeBase(s.t.Context(), s.ws, name, language)
	must(s.t, err)
	return b
}

func (s *site) lookBase(name string) store.KnowledgeBase {
	s.t.Helper()
	b, err := s.KnowledgeBase(s.t.Context(), s.ws, name)
	must(s.t, err)
	return b
}

// entry is an item whose words are those of its texts, in small letters.
func entry(title, content string) store.KnowledgeEntry {
	return store.KnowledgeEntry{
		KnowledgeItem: store.KnowledgeItem{Title: title, Content: content}, TitleWords: strings.ToLower(title), BodyWords: strings.ToLower(content),
	}
}

func (s *site) learn(base, title, content string) store.KnowledgeItem {
	s.t.Helper()
	k, err := s.AddKnowledgeItem(s.t.Context(), s.ws, base, entry(title, content))
	must(s.t, err)
	return k
}

// finds gives the titles that a search finds, the best first.
func (s *site) finds(base store.KnowledgeBase, prefix bool, words ...string) string {
	s.t.Helper()
	found, err := s.FindWords(s.t.Context(), base, store.WordQuery{Words: words, Prefix: prefix}, 10)
	must(s.t, err)
	return titles(found)
}

// line is what Println would write.
func line(words ...any) string { return strings.TrimSpace(fmt.Sprintln(words...)) }

func titles(items []store.KnowledgeItem) string {
	out := make([]string, len(items))
	for i, k := range items {
		out[i] = k.Title
	}
	return strings.Join(out, " ")
}

func knowledgeBases(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	one := s.base("one", "")
	again := s.base("one", "de") // still empty
	equal(t, "the same base", again.ID, one.ID)
	equal(t, "its language", s.lookBase("one").Language, "de")
	s.base("two", "")
	s.learn("one", "a", "b")
	s.base("one", "de")
	_, err := s.PutKnowledgeBase(ctx, s.ws, "one", "en")
	equal(t, "another language with items", chat.CodeOf(err), chat.CodeConflict)
	_, err = s.PutKnowledgeBase(ctx, s.ws, "x", "klingon")
	equal(t, "an unknown language", chat.CodeOf(err), chat.CodeInvalid)
	page, next, err := s.KnowledgeBases(ctx, s.ws, "", 1)
	must(t, err)
	equal(t, "page", line(len(page), page[0].Name, page[0].Items, next), "1 one 1 one")
	page, next, err = s.KnowledgeBases(ctx, s.ws, next, 1)
	must(t, err)
	equal(t, "next page", line(len(page), page[0].Name, next), "1 two")
	other, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	_, err = s.KnowledgeBase(ctx, other.ID, "one")
	equal(t, "of another workspace", chat.CodeOf(err), chat.CodeNotFound)
	equal(t, "dropped by another", chat.CodeOf(s.DropKnowledgeBase(ctx, other.ID, "one")), chat.CodeNotFound)
	must(t, s.DropKnowledgeBase(ctx, s.ws, "one"))
	equal(t, "dropped again", chat.CodeOf(s.DropKnowledgeBase(ctx, s.ws, "one")), chat.CodeNotFound)
	if new := s.base("one", ""); new.ID == one.ID || new.Items != 0 {
		t.Fatalf("a new base of an old name: %+v", new)
	}
	equal(t, "found in it", s.finds(s.lookBase("one"), false, "b"), "")
}

func knowledgeDocuments(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	base := s.base("b", "")
	s.learn("b", "own", "word")
	put := func(name string, contents ...string) store.KnowledgeDocument {
		var list []store.KnowledgeEntry
		for i, c := range contents {
			list = append(list, entry(fmt.Sprint(name, i), c))
		}
		d, err := s.PutKnowledgeDocument(ctx, s.ws, "b", store.KnowledgeDocument{Name: name, Format: "text", Bytes: 7}, list)
		must(t, err)
		return d
	}
	equal(t, "items", put("d", "first word", "second word").Items, 2)
	put("e", "third word")
	equal(t, "found", s.finds(base, false, "second"), "d1")
	put("d", "fourth word")
	equal(t, "replaced", s.finds(base, false, "second"), "")
	equal(t, "found", s.finds(base, false, "fourth"), "d0")
	equal(t, "number of items", s.lookBase("b").Items, 3)
	docs, next, err := s.KnowledgeDocuments(ctx, base, "", 5)
	must(t, err)
	equal(t, "documents", line(len(docs), docs[0].Name, docs[0].Items, docs[1].Name, next), "2 d 1 e")
	of, err := s.KnowledgeItems(ctx, base, store.KnowledgeFilter{Document: "e", Limit: 5})
	must(t, err)
	equal(t, "items of a document", titles(of), "e0")
	must(t, s.DropKnowledgeDocument(ctx, s.ws, "b", "d"))
	equal(t, "dropped again", chat.CodeOf(s.DropKnowledgeDocument(ctx, s.ws, "b", "d")), chat.CodeNotFound)
	equal(t, "found in what was dropped", s.finds(base, false, "fourth"), "")
	equal(t, "number of items", s.lookBase("b").Items, 2)
	_, err = s.PutKnowledgeDocument(ctx, s.ws, "none", store.KnowledgeDocument{Name: "d"}, nil)
	equal(t, "into no base", chat.CodeOf(err), chat.CodeNotFound)
}

// replacedAtOnce: who searches while a document is replaced finds the old or the new one, whole.
func replacedAtOnce(t *testing.T, db Database) {
	s := newSite(t, db)
	base := s.base("b", "")
	put := func(round int) error {
		var list []store.KnowledgeEntry
		for range 30 {
			list = append(list, entry(fmt.Sprint("r", round), "word"))
		}
		_, err := s.PutKnowledgeDocument(t.Context(), s.ws, "b", store.KnowledgeDocument{Name: "d", Format: "text"}, list)
		return err
	}
	must(t, put(0))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			found, err := s.FindWords(t.Context(), base, store.WordQuery{Words: []string{"word"}}, 100)
			if err != nil || len(found) != 30 || found[0].Title != found[29].Title {
				t.Errorf("%d items, %v", len(found), err)
				return
			}
		}
	})
	for round := range 10 {
		must(t, put(round+1))
	}
	stop()
	wg.Wait()
	equal(t, "number of items", s.lookBase("b").Items, 30)
}

func knowledgeItems(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	base := s.base("b", "")
	full := store.KnowledgeItem{
		Title: "t", Content: "c", URL: "https://e.example/#a", Section: "s", Role: "r", PageNumber: 3, Metadata: json.RawMessage(`{"a":1}`), Message: "m",
	}
	k, err := s.AddKnowledgeItem(ctx, s.ws, "b", store.KnowledgeEntry{KnowledgeItem: full, TitleWords: "t", BodyWords: "c"})
	must(t, err)
	got, err := s.KnowledgeItem(ctx, s.ws, k.ID)
	must(t, err)
	equal(t, "read again", asJSON(t, got), asJSON(t, k))
	equal(t, "metadata of none", string(s.learn("b", "x", "y").Metadata), "{}")
	got.Title, got.Content = "new", "other"
	changed, err := s.SetKnowledgeItem(ctx, s.ws, "b", store.KnowledgeEntry{KnowledgeItem: got, TitleWords: "new", BodyWords: "other"})
	must(t, err)
	_, err = s.SetKnowledgeItem(ctx, s.ws, "b", store.KnowledgeEntry{KnowledgeItem: got})
	equal(t, "changed meanwhile", chat.CodeOf(err), chat.CodeConflict)
	equal(t, "found by old words", s.finds(base, false, "c"), "")
	equal(t, "found by new words", s.finds(base, false, "other"), "new")
	read, err := s.KnowledgeItem(ctx, s.ws, k.ID)
	must(t, err)
	equal(t, "changed", asJSON(t, read), asJSON(t, changed))
	s.learn("b", "z", "z")
	list, err := s.KnowledgeItems(ctx, base, store.KnowledgeFilter{After: k.ID, Limit: 9})
	must(t, err)
	equal(t, "after", titles(list), "x z")
	list, err = s.KnowledgeItems(ctx, base, store.KnowledgeFilter{Offset: 1, Limit: 1})
	must(t, err)
	equal(t, "offset", titles(list), "x")
	s.base("other", "")
	equal(t, "dropped from another base", chat.CodeOf(s.DropKnowledgeItem(ctx, s.ws, "other", k.ID)), chat.CodeNotFound)
	must(t, s.DropKnowledgeItem(ctx, s.ws, "b", k.ID))
	_, err = s.KnowledgeItem(ctx, s.ws, k.ID)
	equal(t, "dropped", chat.CodeOf(err), chat.CodeNotFound)
	equal(t, "found after that", s.finds(base, false, "other"), "")
	equal(t, "number of items", s.lookBase("b").Items, 2)
	w, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	_, err = s.KnowledgeItem(ctx, w.ID, k.ID+1)
	equal(t, "of another workspace", chat.CodeOf(err), chat.CodeNotFound)
}

func fullBase(t *testing.T, db Database) {
	s := newSite(t, db)
	s.base("b", "")
	s.learn("b", "own", "word")
	_, err := s.PutKnowledgeDocument(t.Context(), s.ws, "b", store.KnowledgeDocument{Name: "d"}, make([]store.KnowledgeEntry, store.MaxKnowledgeItems))
	equal(t, "too many", chat.CodeOf(err), chat.CodeTooLarge)
	equal(t, "number of items", s.lookBase("b").Items, 1)
}

func findWords(t *testing.T, db Database) {
	s := newSite(t, db)
	base, other := s.base("b", ""), s.base("other", "")
	s.learn("b", "router", "the box with lights")
	s.learn("b", "modem", "another box beside the router")
	s.learn("b", "phone", "nothing of that")
	s.learn("other", "elsewhere", "router box")
	equal(t, "a title counts more", s.finds(base, false, "router"), "router modem")
	equal(t, "any of the words", s.finds(base, false, "phone", "lights"), "phone router")
	equal(t, "more words count more", s.finds(base, false, "box", "beside", "another"), "modem router")
	equal(t, "a part is no word", s.finds(base, false, "rou"), "")
	equal(t, "but a beginning", s.finds(base, true, "rou"), "router modem")
	equal(t, "only the last one", s.finds(base, true, "rou", "nothing"), "phone")
	equal(t, "another base", s.finds(other, false, "router"), "elsewhere")
	equal(t, "the mark of a base", s.finds(base, true, fmt.Sprint("b", base.ID)), "")
	equal(t, "nothing", s.finds(base, true), "")
	counts, err := s.CountWords(t.Context(), base, store.WordQuery{Words: []string{"box", "nowhere", "route"}, Prefix: true})
	must(t, err)
	equal(t, "counts", fmt.Sprint(counts), "[2 0 2]")
}

func languageWords(t *testing.T, db Database) {
	s := newSite(t, db)
	plain, english := s.base("plain", ""), s.base("english", "en")
	for _, b := range []string{"plain", "english"} {
		s.learn(b, "run", "running quickly")
	}
	equal(t, "without a language", s.finds(plain, false, "runs"), "")
	equal(t, "with one", s.finds(english, false, "runs"), "run")
	equal(t, "the beginning of a word", s.finds(english, true, "quick"), "run")
	// every language can be searched for a word as it stands, wherever its endings cannot be cut off
	for _, language := range strings.Fields("ar ca da de el en es eu fi fr ga hi hu hy id it lt ne nl no pt ro ru sr sv ta tr") {
		b := s.base(language, language)
		s.learn(language, "zebra", "okapi giraffe")
		equal(t, language, s.finds(b, true, "okapi"), "zebra")
	}
}

// strangeWords: what people search for is never syntax, whatever it is.
func strangeWords(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	for _, language := range []string{"", "en", "ru"} {
		base := s.base("b"+language, language)
		for _, w := range []string{
			"", " ", `"`, "'", `\`, `a"b`, "a'b", `a\`, "*", "a*", "(", ")", "a OR b", "NOT", "NEAR(a b)", "a:b", ":*", "{title}: x", "^a", "-a", "a & !b", "<->",
			"\x00", "\xff", "%", "_", "$1", "?", "日本", "😀", strings.Repeat("x", 3000), "base : b1", "''::tsquery", "the", "é",
		} {
			for _, words := range [][]string{{w}, {"a", w}, {w, "a"}} {
				q := store.WordQuery{Words: words, Prefix: true}
				_, err := s.FindWords(ctx, base, q, 3)
				must(t, err)
				counts, err := s.CountWords(ctx, base, q)
				must(t, err)
				equal(t, "counts", len(counts), len(words))
			}
			k, err := s.AddKnowledgeItem(ctx, s.ws, base.Name, store.KnowledgeEntry{
				KnowledgeItem: store.KnowledgeItem{Title: w, Content: w, URL: w, Section: w, Role: w, Message: w}, TitleWords: w, BodyWords: w,
			})
			must(t, err)
			_, err = s.KnowledgeItem(ctx, s.ws, k.ID)
			must(t, err)
			_, err = s.PutPrompt(ctx, s.ws, w, w)
			must(t, err)
			_, err = s.PutKnowledgeDocument(ctx, s.ws, base.Name, store.KnowledgeDocument{Name: w, Format: w, URL: w}, nil)
			must(t, err)
		}
	}
}

func languageModels(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	in := store.LLMConfig{Name: "a", BaseURL: "https://e.example/v1", Model: "m", Key: "sealed", Defaults: json.RawMessage(`{"seed":1}`)}
	c, err := s.AddLLMConfig(ctx, s.ws, in)
	must(t, err)
	_, err = s.AddLLMConfig(ctx, s.ws, in)
	equal(t, "a name twice", chat.CodeOf(err), chat.CodeConflict)
	got, err := s.LLMConfig(ctx, s.ws, "a")
	must(t, err)
	equal(t, "read again", asJSON(t, got), asJSON(t, c))
	got.Model = "n"
	_, err = s.SetLLMConfig(ctx, s.ws, got)
	must(t, err)
	_, err = s.SetLLMConfig(ctx, s.ws, got)
	equal(t, "changed meanwhile", chat.CodeOf(err), chat.CodeConflict)
	in.Name = "b"
	_, err = s.AddLLMConfig(ctx, s.ws, in)
	must(t, err)
	list, next, err := s.LLMConfigs(ctx, s.ws, "", 1)
	must(t, err)
	equal(t, "page", line(len(list), list[0].Name, list[0].Model, next), "1 a n a")
	w, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	_, err = s.LLMConfig(ctx, w.ID, "a")
	equal(t, "of another workspace", chat.CodeOf(err), chat.CodeNotFound)
	equal(t, "dropped by another", chat.CodeOf(s.DropLLMConfig(ctx, w.ID, "a")), chat.CodeNotFound)
	must(t, s.DropLLMConfig(ctx, s.ws, "a"))
	equal(t, "dropped again", chat.CodeOf(s.DropLLMConfig(ctx, s.ws, "a")), chat.CodeNotFound)
}

func prompts(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	p, err := s.PutPrompt(ctx, s.ws, "a", "You are kind.")
	must(t, err)
	again, err := s.PutPrompt(ctx, s.ws, "a", "You are brief.")
	must(t, err)
	equal(t, "made", again.CreatedAt, p.CreatedAt)
	got, err := s.Prompt(ctx, s.ws, "a")
	must(t, err)
	equal(t, "read again", got, again)
	_, err = s.PutPrompt(ctx, s.ws, "b", "x")
	must(t, err)
	list, next, err := s.Prompts(ctx, s.ws, "a", 5)
	must(t, err)
	equal(t, "page", line(len(list), list[0].Name, next), "1 b")
	must(t, s.DropPrompt(ctx, s.ws, "a"))
	_, err = s.Prompt(ctx, s.ws, "a")
	equal(t, "dropped", chat.CodeOf(err), chat.CodeNotFound)
	equal(t, "dropped again", chat.CodeOf(s.DropPrompt(ctx, s.ws, "a")), chat.CodeNotFound)
}
