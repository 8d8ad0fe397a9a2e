package knowledge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// shelf is a library with one workspace, over a real database.
type shelf struct {
	*knowledge.Library
	t     testing.TB
	store *store.Store
	ws    chat.WorkspaceID
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, run func(t *testing.T, s *shelf)) {
	t.Run("sqlite", func(t *testing.T) { run(t, newShelf(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { run(t, newShelf(t, pgtest.Start(t))) })
}

func newShelf(t testing.TB, dsn string) *shelf {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	w, err := st.AddWorkspace(t.Context(), "", "w")
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{knowledge.New(st), t, st, w.ID}
}

func (s *shelf) base(name, language string) {
	s.t.Helper()
	if _, err := s.store.PutKnowledgeBase(s.t.Context(), s.ws, name, language); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) upload(base, name, url, content string) store.KnowledgeDocument {
	s.t.Helper()
	d, err := s.Upload(s.t.Context(), s.ws, base, knowledge.Document{Name: name, Format: knowledge.FormatOf(name, ""), URL: url, Content: []byte(content)})
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *shelf) search(base, query string) []knowledge.Hit {
	s.t.Helper()
	hits, err := s.Search(s.t.Context(), s.ws, base, query, 3)
	if err != nil {
		s.t.Fatalf("%q: %v", query, err)
	}
	for i, h := range hits {
		if h.Similarity <= 0 || h.Similarity > 1 || i > 0 && h.Similarity > hits[i-1].Similarity {
			s.t.Fatalf("%q: hit %d has similarity %g", query, i, h.Similarity)
		}
	}
	return hits
}

const faq = `title,content,url,section,role,page_number
How do I reset my password?,Open the settings and press Forgotten. A mail with a link comes to you.,https://e.example/pw,Account,,1
How do I change my address?,Open the settings and go to Profile.,https://e.example/ad,Account,,2
How do I cancel an order?,Write to us as long as the parcel has not left the warehouse.,https://e.example/ca,Orders,,3
Où est mon colis ?,Le numéro de suivi est dans le courriel d'expédition. Après réexpédition il change.,,Colis,,
Wie lange dauert die Lieferung?,Die Lieferung nach Österreich dauert drei Tage. Größere Pakete brauchen länger.,,Bestellungen,,
営業時間,月曜日から金曜日まで、午前九時から午後五時まで営業しています。,,,,
Сколько стоит доставка?,Доставка по России стоит пятьсот рублей.,,,,
`

func TestSearch(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shelf) {
		s.base("faq", "")
		s.upload("faq", "faq.csv", "", faq)
		for query, want := range map[string]string{
			"how do I reset my password":    "How do I reset my password?",
			"PASSWORD":                      "How do I reset my password?",
			"passw":                         "How do I reset my password?", // half a word
			"I forgot it, where is forgott": "How do I reset my password?",
			"cancel my order please":        "How do I cancel an order?",
			"has my parcel left":            "How do I cancel an order?",
			"ou est le colis":               "Où est mon colis ?",
			"réexpedition":                  "Où est mon colis ?",
			"lieferung osterreich":          "Wie lange dauert die Lieferung?",
			"GRÖSSERE PAKETE":               "Wie lange dauert die Lieferung?",
			"営業時間は?":                        "営業時間",
			"сколько стоит":                 "Сколько стоит доставка?",
			"profile":                       "How do I change my address?",
		} {
			hits := s.search("faq", query)
			if len(hits) == 0 || hits[0].Title != want || hits[0].ID == 0 {
				t.Errorf("%q: %+v", query, hits)
			}
		}
		exact := s.search("faq", "How do I reset my password?")
		if len(exact) != 3 || exact[0].Similarity < 0.99 || exact[1].Similarity > 0.6 || exact[0].URL != "https://e.example/pw" || exact[0].PageNumber != 1 {
			t.Errorf("an exact question: %+v", exact)
		}
		if hits := s.search("faq", "quantum chromodynamics"); len(hits) != 0 {
			t.Errorf("found for nothing: %+v", hits)
		}
	})
}

// TestQueriesAreNoSyntax: any input gives an answer.
func TestQueriesAreNoSyntax(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shelf) {
		s.base("faq", "en")
		s.upload("faq", "faq.csv", "", faq)
		for _, query := range []string{
			"", " ", "?", "\x00", "\xff\xfe", "'", `"`, `""`, "(", "a AND", "OR OR", "NOT x", "x NEAR y", "title:password", "base:b1", "pass*", "*", "^how", "how do I -reset",
			"a & b | !c", "':*", `\`, "<->", "$1", "%", "{title body}: x", "; DROP TABLE knowledge_items", "😀", "\u202e", strings.Repeat("password ", 2000), strings.Repeat("x", 5000),
			strings.Repeat("(", 1000), "日本", "é\u0301\u0301",
		} {
			s.search("faq", query)
		}
		if hits := s.search("faq", "  password'); --  "); len(hits) == 0 {
			t.Error("a word among signs is found")
		}
		if hits := s.search("faq", "resetting passwords"); len(hits) == 0 || hits[0].Title != "How do I reset my password?" || hits[0].Similarity < 0.5 {
			t.Errorf("other endings: %+v", hits)
		}
		_, err := s.Search(t.Context(), s.ws, "none", "x", 3)
		if chat.CodeOf(err) != chat.CodeNotFound {
			t.Error(err)
		}
		if hits, err := s.Search(t.Context(), s.ws, "faq", "how", 0); err != nil || len(hits) != 0 {
			t.Error(hits, err)
		}
	})
}

// TestRareWordsCount: among many items with the common words of a question the one with its rare word is first.
func TestRareWordsCount(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shelf) {
		s.base("b", "")
		var b strings.Builder
		b.WriteString("title,content\n")
		for i := range 500 {
			fmt.Fprintf(&b, "How do I use the device %d,how do I how do I the the device\n", i)
		}
		b.WriteString("Warranty,two years\n")
		s.upload("b", "many.csv", "", b.String())
		hits := s.search("b", "how do I use the warranty")
		if len(hits) == 0 || hits[0].Title != "Warranty" {
			t.Errorf("%+v", hits)
		}
		if hits := s.search("b", "how do I"); len(hits) != 3 {
			t.Errorf("common words alone: %d", len(hits))
		}
	})
}

func TestItems(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shelf) {
		ctx := t.Context()
		s.base("b", "")
		k, err := s.AddItem(ctx, s.ws, "b", knowledge.Item{Title: "Router", Content: "a box", Document: "forged", Metadata: []byte(`{ "a" : 1 }`)})
		if err != nil || k.Document != "" || string(k.Metadata) != `{"a":1}` {
			t.Fatalf("%+v, %v", k, err)
		}
		content, page := "a lamp", int64(7)
		if k, err = s.PatchItem(ctx, s.ws, k.ID, knowledge.ItemPatch{Content: &content, PageNumber: &page}); err != nil || k.Title != "Router" || k.PageNumber != 7 {
			t.Fatalf("%+v, %v", k, err)
		}
		if hits := s.search("b", "box"); len(hits) != 0 {
			t.Error("found by what it was")
		}
		if hits := s.search("b", "lamp"); len(hits) != 1 || hits[0].ID != k.ID {
			t.Error("not found by what it is")
		}
		blank := " "
		if _, err := s.PatchItem(ctx, s.ws, k.ID, knowledge.ItemPatch{Content: &blank}); chat.CodeOf(err) != chat.CodeInvalid {
			t.Error(err)
		}
		for _, bad := range []knowledge.Item{
			{},
			{Content: "x", Title: strings.Repeat("x", 1001)},
			{Content: "x", PageNumber: -1},
			{Content: "x", Metadata: []byte("[]")},
			{Content: "x", Metadata: []byte("{")},
			{Content: "x", Metadata: []byte(`{"a":"` + strings.Repeat("x", 9000) + `"}`)},
		} {
			if _, err := s.AddItem(ctx, s.ws, "b", bad); chat.CodeOf(err) != chat.CodeInvalid && chat.CodeOf(err) != chat.CodeTooLarge {
				t.Errorf("%.50v: %v", bad, err)
			}
		}
		items, total, err := s.Items(ctx, s.ws, "b", store.KnowledgeFilter{Limit: 5})
		if err != nil || len(items) != 1 || total != 1 {
			t.Fatal(len(items), total, err)
		}
		if err := s.DropItem(ctx, s.ws, k.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.DropItem(ctx, s.ws, k.ID); chat.CodeOf(err) != chat.CodeNotFound {
			t.Error(err)
		}
	})
}

func TestUploadAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *shelf) {
		s.base("b", "")
		s.upload("b", "a.md", "https://e.example/a", "# One\nfirst words\n# Two\nsecond words")
		d := s.upload("b", "a.md", "https://e.example/a", "# Three\nthird words")
		if d.Items != 1 || d.Format != "markdown" {
			t.Fatalf("%+v", d)
		}
		if hits := s.search("b", "words"); len(hits) != 1 || hits[0].URL != "https://e.example/a#three" {
			t.Errorf("%+v", hits)
		}
		// what cannot be read leaves the former one
		_, err := s.Upload(t.Context(), s.ws, "b", knowledge.Document{Name: "a.md", Format: knowledge.CSV, Content: []byte("no table")})
		if chat.CodeOf(err) != chat.CodeInvalid || len(s.search("b", "third")) != 1 {
			t.Error(err)
		}
		_, err = s.Upload(t.Context(), s.ws, "none", knowledge.Document{Name: "a.md", Format: knowledge.Text, Content: []byte("x")})
		if chat.CodeOf(err) != chat.CodeNotFound {
			t.Error(err)
		}
	})
}
