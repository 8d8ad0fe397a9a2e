package whatsapp

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

func TestMarksGiveWayToTheLimit(t *testing.T) {
	spans := []chat.Span{{Type: "bold", Length: 4}, {Type: "link", Length: 4, URL: "https://a.example"}}
	for _, c := range []struct {
		limit        int
		want, notice string
	}{
		{30, "*word* (https://a.example)", ""},
		{25, "word (https://a.example)", "formatting left out"},
		{10, "word", "formatting and links left out"},
	} {
		got, notice := formatted("word", spans, c.limit)
		if got != c.want || !strings.HasPrefix(notice, c.notice) || notice != "" && c.notice == "" {
			t.Errorf("at most %d: %q, %q", c.limit, got, notice)
		}
	}
}

// Whatever the spans are, the words stay and each mark has its pair.
func TestMarksKeepTheWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab \n.é👋")), 0, 20, -1).Draw(t, "text")
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chat.Span {
			return chat.Span{
				Type:   rapid.SampledFrom([]string{"bold", "italic", "strike", "code", "pre", "quote", "underline"}).Draw(t, "type"),
				Offset: rapid.IntRange(-1, 22).Draw(t, "offset"), Length: rapid.IntRange(-1, 22).Draw(t, "length"),
			}
		}), 0, 6).Draw(t, "spans")
		got, _ := formatted(text, spans, maxText)
		if plain := strings.NewReplacer("*", "", "_", "", "~", "", fence, "", quoted, "").Replace(got); plain != text {
			t.Fatalf("%q became %q", text, got)
		}
		for _, mark := range []string{"*", "_", "~", fence} {
			if strings.Count(got, mark)%2 != 0 {
				t.Fatalf("a mark without its pair: %q", got)
			}
		}
	})
}
