package fit_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// alphabet has what makes splitting hard: marks, pairs, joiners, flags, white space, ends of sentences.
var alphabet = []string{
	"a", "b", "word", "é", "e\u0301", "😀", "👨‍👩‍👧", "🇩🇪", "👍🏽", "각", "क्ष", "日", "。", ".", "!", " ", " ", "\n", "\n\n", "\t",
	"\r\n", "\u200d", "\ufe0f", "https://a.example/b", "@jane",
}

func genText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 40).Draw(t, "words"), "")
	})
}

func genSpans(content string) *rapid.Generator[[]chat.Span] {
	length := len(utf16.Encode([]rune(content)))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chat.Span {
		return chat.Span{
			Type:   rapid.SampledFrom([]string{"bold", "mention", "pre", "code"}).Draw(t, "type"),
			Offset: rapid.IntRange(0, max(0, length-1)).Draw(t, "offset"),
			Length: rapid.IntRange(1, 12).Draw(t, "length"),
		}
	}), 0, 4)
}

func genTraits() *rapid.Generator[connector.Traits] {
	types := []chat.ElementType{
		chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location, chat.Contact, chat.Buttons,
		chat.QuickReplies, chat.Card, chat.Carousel, chat.Poll, chat.Rating, chat.HTML, chat.Template,
	}
	controls := rapid.Custom(func(t *rapid.T) connector.ControlsTrait {
		return connector.ControlsTrait{
			Max: rapid.IntRange(0, 3).Draw(t, "max"), TitleLimit: rapid.IntRange(0, 6).Draw(t, "title"),
			PayloadLimit: rapid.SampledFrom([]int{0, 4, 12}).Draw(t, "payload"),
			TextLimit:    rapid.SampledFrom([]int{0, 16, 40}).Draw(t, "text"),
			URL:          rapid.Bool().Draw(t, "url"), Phone: rapid.Bool().Draw(t, "phone"), NeedsText: rapid.Bool().Draw(t, "needs"),
		}
	})
	media := rapid.Custom(func(t *rapid.T) connector.MediaTrait {
		return connector.MediaTrait{
			MaxBytes: rapid.SampledFrom([]int64{0, 50}).Draw(t, "bytes"), Caption: rapid.Bool().Draw(t, "caption"),
			MIME:  rapid.SampledFrom([][]string{nil, {"image/*"}, {"audio/ogg"}}).Draw(t, "mime"),
			ByURL: rapid.Bool().Draw(t, "byURL"), Upload: rapid.Bool().Draw(t, "upload"),
		}
	})
	return rapid.Custom(func(t *rapid.T) connector.Traits {
		return connector.Traits{
			TextLimit:    rapid.SampledFrom([]int{0, 32, 40, 100}).Draw(t, "limit"),
			TextUnit:     rapid.SampledFrom([]connector.Unit{"", connector.Runes, connector.UTF16, connector.Bytes}).Draw(t, "unit"),
			CaptionLimit: rapid.SampledFrom([]int{0, 10}).Draw(t, "caption"),
			Spans:        rapid.Bool().Draw(t, "spans"),
			Album:        rapid.IntRange(0, 3).Draw(t, "album"),
			Elements:     rapid.SliceOfDistinct(rapid.SampledFrom(types), rapid.ID).Draw(t, "elements"),
			Media:        rapid.MapOfN(rapid.SampledFrom(types[:6]), media, 0, 6).Draw(t, "media"),
			Controls:     rapid.MapOfN(rapid.SampledFrom(types[8:12]), controls, 0, 4).Draw(t, "controls"),
			Degrade:      rapid.MapOfN(rapid.SampledFrom(types), rapid.SampledFrom(types), 0, 4).Draw(t, "degrade"),
		}
	})
}

func genButtons() *rapid.Generator[[]chat.Button] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chat.Button {
		return chat.Button{
			Title: genText().Draw(t, "title"), Payload: rapid.StringN(0, 20, 60).Draw(t, "payload"),
			URL:   rapid.SampledFrom([]string{"", "", "https://u.example"}).Draw(t, "url"),
			Phone: rapid.SampledFrom([]string{"", "", "+1"}).Draw(t, "phone"),
		}
	}), 0, 5)
}

func genElement() *rapid.Generator[chat.Element] {
	kinds := []chat.ElementType{
		chat.Text, chat.Text, chat.Image, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location, chat.Contact, chat.Buttons,
		chat.QuickReplies, chat.Card, chat.Carousel, chat.Poll, chat.Rating, chat.Feedback, chat.HTML, chat.Template, "odd",
	}
	return rapid.Custom(func(t *rapid.T) chat.Element {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		content := genText().Draw(t, "content")
		if rapid.IntRange(0, 19).Draw(t, "broken") == 0 {
			return chat.Element{Type: kind, Payload: json.RawMessage(rapid.SampledFrom([]string{"", "[]", `{"content":1}`, "{"}).Draw(t, "raw"))}
		}
		card := chat.CardPayload{Title: content, Subtitle: "s", Image: "https://p.example/a", Buttons: genButtons().Draw(t, "buttons")}
		payloads := map[chat.ElementType]any{
			chat.Text: chat.TextPayload{Content: content, Spans: genSpans(content).Draw(t, "spans")},
			chat.HTML: chat.TextPayload{Content: "<p>" + content + "</p>"},
			chat.Location: chat.LocationPayload{
				Name: content, Latitude: rapid.Float64Range(-100, 100).Draw(t, "lat"),
			},
			chat.Contact:      chat.ContactCard{Name: content},
			chat.Buttons:      chat.ButtonsPayload{Content: content, Buttons: card.Buttons},
			chat.QuickReplies: chat.ButtonsPayload{Buttons: card.Buttons},
			chat.Card:         card,
			chat.Carousel:     chat.CarouselPayload{Cards: []chat.CardPayload{card, {Title: "x"}}},
			chat.Poll:         chat.PollPayload{Question: content, Options: []string{"a", content}},
			chat.Rating:       chat.RatingPayload{Content: content, Max: rapid.IntRange(-1, 20).Draw(t, "top")},
		}
		if p, ok := payloads[kind]; ok {
			return chat.NewElement(kind, p)
		}
		return chat.NewElement(kind, chat.Media{
			File: chat.FileID(rapid.SampledFrom([]string{"", "f"}).Draw(t, "file")),
			URL:  rapid.SampledFrom([]string{"", "https://p.example/m"}).Draw(t, "url"),
			MIME: rapid.SampledFrom([]string{"", "image/png", "audio/ogg; codecs=opus"}).Draw(t, "mime"),
			Size: rapid.Int64Range(0, 100).Draw(t, "size"), Caption: content, Emoji: "👍",
		})
	})
}

func flat(parts []fit.Part) []chat.Element {
	var all []chat.Element
	for _, p := range parts {
		all = append(all, p.Elements...)
	}
	return all
}

// TestAnything: whatever comes, every part obeys the limits, and fitting what fits changes nothing.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		traits := genTraits().Draw(t, "traits")
		m := chat.Message{Stack: rapid.SliceOfN(genElement(), 0, 5).Draw(t, "stack")}
		parts, _, err := fit.Fit(m, traits, options2())
		if (err == nil) != (len(parts) > 0) {
			t.Fatalf("%d parts with error %v", len(parts), err)
		}
		for _, p := range parts {
			if len(p.Elements) != 1 && len(p.Elements) > traits.Album {
				t.Fatalf("an album of %d", len(p.Elements))
			}
			for _, e := range p.Elements {
				obeys(t, e, traits)
			}
		}
		if err != nil {
			return
		}
		again, notes, err := fit.Fit(chat.Message{Stack: flat(parts)}, traits, options2())
		if err != nil || len(notes) > 0 || !reflect.DeepEqual(again, parts) {
			t.Fatalf("again: %v, %v\n%s\nwas\n%s", err, notes, dump(again), dump(parts))
		}
	})
}

// options2 are options without sense or memory: keys of four bytes.
func options2() fit.Options {
	return fit.Options{ShortPayload: func(string) string { return "key1" }}
}

func dump(parts []fit.Part) string {
	raw, _ := json.MarshalIndent(parts, "", " ")
	return string(raw)
}

func length(s string, u connector.Unit) int {
	switch u {
	case connector.Bytes:
		return len(s)
	case connector.UTF16:
		return len(utf16.Encode([]rune(s)))
	default:
		return utf8.RuneCountInString(s)
	}
}

func obeys(t *rapid.T, e chat.Element, traits connector.Traits) {
	if !traits.Carries(e.Type) {
		t.Fatalf("%s is not carried", e.Type)
	}
	within := func(s string, limit int) {
		if limit > 0 && length(s, traits.TextUnit) > limit {
			t.Fatalf("%s of %d, at most %d: %q", e.Type, length(s, traits.TextUnit), limit, s)
		}
	}
	switch {
	case e.Type == chat.Text:
		var p chat.TextPayload
		if err := e.Into(&p); err != nil || strings.TrimSpace(p.Content) == "" {
			t.Fatalf("text %s: %v", e.Payload, err)
		}
		within(p.Content, traits.TextLimit)
		if len(p.Spans) > 0 && !traits.Spans {
			t.Fatalf("spans left: %s", e.Payload)
		}
		for _, s := range p.Spans {
			if s.Offset < 0 || s.Length < 1 || s.Offset+s.Length > length(p.Content, connector.UTF16) {
				t.Fatalf("span outside: %s", e.Payload)
			}
		}
	case e.Type == chat.Buttons || e.Type == chat.QuickReplies:
		var p chat.ButtonsPayload
		if err := e.Into(&p); err != nil {
			t.Fatal(err)
		}
		trait := traits.Controls[e.Type]
		within(p.Content, traits.TextLimit)
		within(p.Content, trait.TextLimit)
		obeysButtons(t, p.Buttons, trait)
		if trait.NeedsText && strings.TrimSpace(p.Content) == "" {
			t.Fatalf("no text: %s", e.Payload)
		}
	case e.Type == chat.Card:
		var p chat.CardPayload
		if err := e.Into(&p); err != nil {
			t.Fatal(err)
		}
		obeysButtons(t, p.Buttons, traits.Controls[chat.Card])
	case e.Type.IsMedia():
		var p chat.Media
		if err := e.Into(&p); err != nil {
			t.Fatal(err)
		}
		if trait, ok := traits.Media[e.Type]; ok {
			if trait.MaxBytes > 0 && p.Size > trait.MaxBytes || !trait.Caption && p.Caption != "" {
				t.Fatalf("media above its limits: %s", e.Payload)
			}
		}
		within(p.Caption, traits.CaptionLimit)
	}
}

func obeysButtons(t *rapid.T, all []chat.Button, trait connector.ControlsTrait) {
	if trait.Max > 0 && len(all) > trait.Max {
		t.Fatalf("%d buttons, at most %d", len(all), trait.Max)
	}
	for _, b := range all {
		if trait.TitleLimit > 0 && utf8.RuneCountInString(b.Title) > trait.TitleLimit {
			t.Fatalf("title %q, at most %d", b.Title, trait.TitleLimit)
		}
		if trait.PayloadLimit > 0 && b.URL == "" && b.Phone == "" && len(b.Value()) > trait.PayloadLimit {
			t.Fatalf("payload %q, at most %d", b.Value(), trait.PayloadLimit)
		}
	}
}

// TestSplitting: the pieces together are the text but for white space at the cuts, in order, and every span covers
// the same characters as before.
func TestSplitting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := genText().Filter(func(s string) bool { return strings.TrimSpace(s) != "" }).Draw(t, "content")
		marks := rapid.IntRange(0, len([]rune(content))-1).Draw(t, "from")
		runes := []rune(content)
		to := rapid.IntRange(marks+1, len(runes)).Draw(t, "to")
		span := chat.Span{
			Type:   rapid.SampledFrom([]string{"bold", "mention", "pre"}).Draw(t, "type"),
			Offset: length(string(runes[:marks]), connector.UTF16), Length: length(string(runes[marks:to]), connector.UTF16),
		}
		traits := connector.Traits{
			TextLimit: rapid.IntRange(4, 40).Draw(t, "limit"), Spans: true,
			TextUnit: rapid.SampledFrom([]connector.Unit{connector.Runes, connector.UTF16, connector.Bytes}).Draw(t, "unit"),
		}
		m := chat.Message{Stack: []chat.Element{chat.NewElement(chat.Text, chat.TextPayload{Content: content, Spans: []chat.Span{span}})}}
		parts, _, err := fit.Fit(m, traits, fit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rest, marked := content, ""
		for _, e := range flat(parts) {
			var p chat.TextPayload
			if err := e.Into(&p); err != nil {
				t.Fatal(err)
			}
			before, after, ok := strings.Cut(rest, p.Content)
			if !ok || strings.TrimSpace(before) != "" {
				t.Fatalf("%q does not follow in %q", p.Content, rest)
			}
			rest = after
			units := utf16.Encode([]rune(p.Content))
			for _, s := range p.Spans {
				marked += string(utf16.Decode(units[s.Offset : s.Offset+s.Length]))
			}
		}
		if strings.TrimSpace(rest) != "" {
			t.Fatalf("%q is lost", rest)
		}
		if want := dark(string(runes[marks:to])); dark(marked) != want {
			t.Fatalf("marked %q, want %q", dark(marked), want)
		}
	})
}

// dark is what of a text is visible.
func dark(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// FuzzHTML feeds HTML from outside: no panic, no tags of ours, and limits hold.
func FuzzHTML(f *testing.F) {
	for _, s := range []string{
		"<p>a<b>b</b></p>", "<a href=javascript:x>y", "<pre>\n a\n", "<svg><svg></svg>x", "<li><li></b></a>", "<!doctype x><!-- --", "&#x1f600;&amp;",
		"<pre><pre></pre>\n\n\nx", "<script>", "<a href='https://a'><a href='https://b'>c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		traits := connector.Traits{TextLimit: 20, TextUnit: connector.UTF16, Spans: true}
		m := chat.Message{Stack: []chat.Element{chat.NewElement(chat.HTML, chat.TextPayload{Content: source})}}
		parts, _, err := fit.Fit(m, traits, fit.Options{})
		if (err == nil) != (len(parts) > 0) {
			t.Fatalf("%d parts with error %v", len(parts), err)
		}
		for _, e := range flat(parts) {
			var p chat.TextPayload
			if err := e.Into(&p); err != nil {
				t.Fatal(err)
			}
			n := length(p.Content, connector.UTF16)
			if n > 20 {
				t.Fatalf("%d units: %q", n, p.Content)
			}
			for _, s := range p.Spans {
				if s.Offset < 0 || s.Length < 1 || s.Offset+s.Length > n || strings.HasPrefix(strings.ToLower(s.URL), "javascript") {
					t.Fatalf("span %+v in %q", s, p.Content)
				}
			}
		}
	})
}
