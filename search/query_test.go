package search_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/search"
)

// fold is enough for these texts: the program's own takes accents off too.
func fold(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" .,!…", r) })
}

func TestQuery(t *testing.T) {
	for _, c := range []struct {
		text, words string
		prefix      bool
	}{
		{"", "", false},
		{"Hello wor", "hello wor", true},
		{"hello hello", "hello", true},
		{"a", "a", false},
		{"b a b", "b a", false},
		{"1 2 3 4 5 6 7 8 nine", "1 2 3 4 5 6 7 8", false},
	} {
		q := search.Query(fold, c.text)
		if got := strings.Join(q.Words, " "); got != c.words || q.Prefix != c.prefix {
			t.Errorf("%q: %q, %v", c.text, got, q.Prefix)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("lorem ipsum ", 20) + "the needle is here " + strings.Repeat("dolor sit ", 30)
	for _, c := range []struct{ query, text, begins, has string }{
		{"x", " short \n text ", "short text", ""},
		{"need", long, "… ", "needle is here"},
		{"nothing", long, "lorem", " …"},
		{"LOREM", long, "lorem", " …"},
	} {
		got := search.Excerpt(fold, search.Query(fold, c.query), c.text)
		if !strings.HasPrefix(got, c.begins) || !strings.Contains(got, c.has) || utf8.RuneCountInString(got) > 164 {
			t.Errorf("%q: %q", c.query, got)
		}
	}
}

// TestExcerptHasTheWord: wherever a word stands in a text of whatever length, the excerpt shows it.
func TestExcerptHasTheWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.StringMatching(`([a-m]{1,9} ){0,80}`).Draw(t, "before")
		after := rapid.StringMatching(`( [a-m]{1,9}){0,80}`).Draw(t, "after")
		text := before + "zebra" + after
		if got := search.Excerpt(fold, search.Query(fold, "zeb"), text); !strings.Contains(got, "zebra") {
			t.Fatalf("%q shows %q", text, got)
		}
	})
}
