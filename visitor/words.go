package visitor

import (
	"cmp"
	"regexp"
	"slices"
	"unicode/utf16"

	"github.com/dragoman-hub/dragoman/chat"
)

// word is a stretch of a text that is drawn in one way: the text, the HTML element for it ("" is none), and where a link leads.
type word [3]string

// elements are the HTML elements for spans; others are plain.
var elements = map[string]string{
	"bold": "b", "italic": "i", "code": "code", "pre": "code", "strike": "s", "underline": "u", "quote": "q",
}

// address is what becomes a link though nobody marked it; marks at its end belong to the sentence.
var address = regexp.MustCompile("https?://[^\\s<>\"]*[^\\s<>\".,;:!?)\\]'`]")

// words cuts a text into stretches; nil: it is plain. A span within another one is left out.
func words(text string, spans []chat.Span) []word {
	units := utf16.Encode([]rune(text))
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b chat.Span) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []word
	at, plain := 0, true
	for _, s := range spans {
		tag, href := elements[s.Type], ""
		if s.Type == "link" {
			tag, href = "a", safe(s.URL)
		}
		if tag == "" || tag == "a" && href == "" || s.Offset < at || s.Length < 1 || s.Length > len(units)-s.Offset {
			continue
		}
		out = linked(out, string(utf16.Decode(units[at:s.Offset])))
		at, plain = s.Offset+s.Length, false
		out = append(out, word{string(utf16.Decode(units[s.Offset:at])), tag, href})
	}
	out = linked(out, string(utf16.Decode(units[at:])))
	if plain && len(out) == 1 && out[0][1] == "" {
		return nil
	}
	return out
}

// linked appends a plain stretch, with links where there are addresses.
func linked(out []word, text string) []word {
	at := 0
	for _, m := range address.FindAllStringIndex(text, -1) {
		if href := safe(text[m[0]:m[1]]); href != "" {
			if m[0] > at {
				out = append(out, word{text[at:m[0]]})
			}
			out = append(out, word{text[m[0]:m[1]], "a", href})
			at = m[1]
		}
	}
	if at < len(text) {
		out = append(out, word{text[at:]})
	}
	return out
}
