package knowledge

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/store"
)

// texts are drawn of few words, so that they often have some in common.
func texts() *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"reset", "resetting", "the", "box", "boxes", "how", "I", "Über", "a", "日本"}), 0, 12),
		func(words []string) string { return strings.Join(words, " ") })
}

// TestSimilarity: from 0 to 1, never 0, 1 for a title that says it all, and never less for an item that says more of it.
func TestSimilarity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		query := texts().Draw(t, "query")
		q := queryOf(query)
		items := rapid.Int64Range(1, 1000).Draw(t, "items")
		counts := rapid.SliceOfN(rapid.Int64Range(0, items), len(q.Words), len(q.Words)).Draw(t, "counts")
		weight := weights(counts, items)
		language := rapid.SampledFrom([]string{"", "en"}).Draw(t, "language")
		item := Item{Title: texts().Draw(t, "title"), Content: texts().Draw(t, "content"), Section: texts().Draw(t, "section")}
		got := similarity(q, weight, language, &item)
		if got <= 0 || got > 1 {
			t.Fatalf("similarity %g", got)
		}
		more := item
		more.Title += " " + query
		said := similarity(q, weight, language, &more)
		if said < got {
			t.Fatalf("from %g to %g by saying more", got, said)
		}
		if slices.Max(append(counts, 0)) > 0 && said < 0.999 {
			t.Fatalf("all is said, and yet %g", said)
		}
	})
}

// TestTelling: what is looked for is never nothing, never more than was asked, and the last word stays half only where it is the last.
func TestTelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := queryOf(texts().Draw(t, "query"))
		items := rapid.Int64Range(1, 1000).Draw(t, "items")
		counts := rapid.SliceOfN(rapid.Int64Range(0, items), len(q.Words), len(q.Words)).Draw(t, "counts")
		got := telling(q, counts, items)
		if len(q.Words) > 0 && len(got.Words) == 0 {
			t.Fatal("nothing is left")
		}
		for _, w := range got.Words {
			if !slices.Contains(q.Words, w) {
				t.Fatalf("%q was not asked", w)
			}
		}
		if got.Prefix && (!q.Prefix || got.Words[len(got.Words)-1] != q.Words[len(q.Words)-1]) {
			t.Fatalf("%v of %v", got, q)
		}
	})
}

func TestQueryOf(t *testing.T) {
	for text, want := range map[string]store.WordQuery{
		"":                        {},
		"?!":                      {},
		"How how HOW":             {Words: []string{"how"}, Prefix: true},
		"a b a":                   {Words: []string{"b", "a"}},
		"reset the passw":         {Words: []string{"reset", "the", "passw"}, Prefix: true},
		"日本":                      {Words: []string{"日", "本"}},
		strings.Repeat("ä", 5000): {Words: []string{strings.Repeat("a", 64)}, Prefix: true},
	} {
		if got := queryOf(text); !slices.Equal(got.Words, want.Words) || got.Prefix != want.Prefix {
			t.Errorf("%.20q: %v, want %v", text, got, want)
		}
	}
	if got := queryOf(strings.Repeat("w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 ", 3) + "v1 v2 v3 v4 v5 v6 v7 v8 v9 v10 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 last"); len(got.Words) != 32 || got.Words[31] != "last" {
		t.Errorf("too many words: %v", got)
	}
}
