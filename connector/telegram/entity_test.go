package telegram

import (
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

// TestSpansComeBack: what was sent as entities reads as the same spans.
func TestSpansComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		want := drawSpans(t, text)
		got := spans(text, entities(text, want))
		if len(got) != len(want) {
			t.Fatalf("%d spans came back of %d: %+v", len(got), len(want), got)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("span %d: got %+v, want %+v", i, got[i], want[i])
			}
		}
	})
}

// drawSpans makes spans that lie inside the text and have what their type has.
func drawSpans(t *rapid.T, text string) []chat.Span {
	units := utf16.Encode([]rune(text))
	if len(units) == 0 {
		return nil
	}
	types := []string{
		"bold", "italic", "underline", "strike", "spoiler", "code", "pre", "link", "mention", "hashtag", "command", "email",
		"phone", "quote", "custom_emoji",
	}
	var list []chat.Span
	for range rapid.IntRange(0, 6).Draw(t, "spans") {
		s := chat.Span{Type: rapid.SampledFrom(types).Draw(t, "type"), Offset: rapid.IntRange(0, len(units)-1).Draw(t, "offset")}
		s.Length = rapid.IntRange(1, len(units)-s.Offset).Draw(t, "length")
		words := string(utf16.Decode(units[s.Offset : s.Offset+s.Length]))
		switch s.Type {
		case "link":
			s.URL = rapid.SampledFrom([]string{words, "https://example.org/a"}).Draw(t, "url")
		case "pre":
			s.Lang = rapid.SampledFrom([]string{"", "go"}).Draw(t, "lang")
		case "mention":
			s.ID = rapid.SampledFrom([]string{"", "7100000002"}).Draw(t, "id")
		case "custom_emoji":
			s.ID = "5368324170671202286"
		}
		list = append(list, s)
	}
	return list
}

// TestForeignOffsets: no offset that somebody makes up reaches outside the text.
func TestForeignOffsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		e := entity{
			Type: rapid.SampledFrom([]string{"bold", "url", "text_mention"}).Draw(t, "type"), Offset: rapid.Int().Draw(t, "offset"),
			Length: rapid.Int().Draw(t, "length"),
		}
		total := utf16Len(text)
		for _, s := range spans(text, []entity{e}) {
			if s.Offset < 0 || s.Length < 1 || s.Offset+s.Length > total {
				t.Fatalf("%+v in a text of %d units", s, total)
			}
		}
		entities(text, []chat.Span{{Type: "link", Offset: e.Offset, Length: e.Length}})
	})
}

func TestUTF16Len(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if got, want := utf16Len(text), len(utf16.Encode([]rune(text))); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	})
}

// TestRefsComeBack: external ids survive being written and read.
func TestRefsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := messageRef{
			chat: formatID(rapid.Int64().Draw(t, "chat")), message: rapid.Int64Min(1).Draw(t, "message"),
			business: rapid.StringMatching(`([A-Za-z0-9_@:-]{1,40})?`).Draw(t, "business"),
		}
		got, err := parseRef(want.String())
		if err != nil || got != want {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	})
}
