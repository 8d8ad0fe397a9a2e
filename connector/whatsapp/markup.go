package whatsapp

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/dragoman-hub/dragoman/chat"
)

// marks are what WhatsApp writes around formatted words. It has no way to escape them and none to name a link's target.
var marks = map[string]string{"bold": "*", "italic": "_", "strike": "~", "code": fence, "pre": fence}

const fence = "```"

// marking is what is written before and behind a stretch of UTF-16 units.
type marking struct {
	start, end  int
	open, close string
}

// quoted is written at the beginning of a line.
const quoted = "> "

// formatted writes spans in WhatsApp's marks, as far as the limit of characters allows: rather without marks than without addresses,
// rather without addresses than not at all. It tells what was left out.
func formatted(text string, spans []chat.Span, limit int) (marked, notice string) {
	if len(spans) == 0 {
		return text, ""
	}
	units := utf16.Encode([]rune(text))
	all := markings(units, spans)
	if marked = write(units, all); runes(marked) <= limit {
		return marked, ""
	}
	all = slices.DeleteFunc(all, func(w marking) bool { return w.open != "" })
	if marked = write(units, all); runes(marked) <= limit {
		return marked, "formatting left out: the text is too long"
	}
	return text, "formatting and links left out: the text is too long"
}

// markings are what can be written: marks that nest, and the addresses of links.
func markings(units []uint16, spans []chat.Span) []marking {
	var all []marking
	for _, s := range spans {
		end := s.Offset + s.Length
		if s.Offset < 0 || s.Length <= 0 || s.Length > len(units)-s.Offset || torn(units, s.Offset) || torn(units, end) {
			continue
		}
		all = append(all, markingsOf(units, s, s.Offset, end)...)
	}
	slices.SortStableFunc(all, func(a, b marking) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end), cmp.Compare(len(a.open), len(b.open)))
	})
	return nested(all)
}

// nested leaves out marks that cross others, repeat them, or stand in code, where they would be seen.
func nested(all []marking) []marking {
	var around []marking
	return slices.DeleteFunc(all, func(w marking) bool {
		if w.open == "" {
			return false
		}
		around = slices.DeleteFunc(around, func(a marking) bool { return a.end <= w.start })
		for _, a := range around {
			if a.open == fence || a.open == w.open || a.end < w.end {
				return true
			}
		}
		if w.open != quoted {
			around = append(around, w)
		}
		return false
	})
}

// torn tells that an offset is within a character.
func torn(units []uint16, at int) bool {
	return at > 0 && at < len(units) && utf16.DecodeRune(rune(units[at-1]), rune(units[at])) != unicode.ReplacementChar
}

// markingsOf is what a span needs; nothing if WhatsApp has no form for it. All marks but those of code end with their line.
func markingsOf(units []uint16, s chat.Span, start, end int) []marking {
	mark := marks[s.Type]
	switch {
	case s.Type == "link" && s.URL != "" && !shows(words(units, start, end), s.URL):
		return []marking{{start: start, end: end, close: " (" + s.URL + ")"}}
	case s.Type == "quote" && (start == 0 || units[start-1] == '\n'):
		return eachLine(units, start, end, func(from, _ int) marking { return marking{from, from + 1, quoted, ""} })
	case mark == fence:
		return marksAround(units, []marking{{start, end, mark, mark}})
	case mark != "":
		return marksAround(units, eachLine(units, start, end, func(from, to int) marking { return marking{from, to, mark, mark} }))
	default:
		return nil
	}
}

func eachLine(units []uint16, start, end int, form func(from, to int) marking) []marking {
	var all []marking
	for from := start; from < end; {
		to := end
		if n := slices.Index(units[from:end], '\n'); n >= 0 {
			to = from + n
		}
		if to > from {
			all = append(all, form(from, to))
		}
		from = to + 1
	}
	return all
}

// marksAround leaves those that WhatsApp would read as marks: close to words, not within one, and with no such mark among the words.
func marksAround(units []uint16, all []marking) []marking {
	var good []marking
	for _, w := range all {
		for w.start < w.end && unicode.IsSpace(rune(units[w.start])) {
			w.start++
		}
		for w.end > w.start && unicode.IsSpace(rune(units[w.end-1])) {
			w.end--
		}
		before, behind := words(units, max(w.start-2, 0), w.start), words(units, w.end, min(w.end+2, len(units)))
		inside := words(units, w.start, w.end)
		if inside == "" || strings.Contains(inside, w.open[:1]) || partOfWord(lastRune(before), w) || partOfWord(firstRune(behind), w) {
			continue
		}
		good = append(good, w)
	}
	return good
}

// partOfWord tells that a mark beside this character would be read as no mark, or as another one.
func partOfWord(c rune, w marking) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || c == rune(w.open[0])
}

func firstRune(s string) rune {
	for _, c := range s {
		return c
	}
	return ' '
}

func lastRune(s string) rune {
	last := ' '
	for _, c := range s {
		last = c
	}
	return last
}

func words(units []uint16, start, end int) string { return string(utf16.Decode(units[start:end])) }

// shows tells whether the words of a link are its address already.
func shows(words, url string) bool {
	bare := strings.NewReplacer("https://", "", "http://", "", "mailto:", "", "tel:", "")
	return strings.TrimSuffix(bare.Replace(words), "/") == strings.TrimSuffix(bare.Replace(url), "/")
}

// write puts the markings, which nest, into the text.
func write(units []uint16, all []marking) string {
	before, behind := map[int]string{}, map[int]string{}
	for _, w := range all { // outer ones come first
		if w.open == quoted {
			before[w.start] = quoted + before[w.start]
			continue
		}
		before[w.start] += w.open
		behind[w.end] = w.close + behind[w.end]
	}
	var b strings.Builder
	from := 0
	for at := 0; at <= len(units); at++ {
		if before[at] == "" && behind[at] == "" {
			continue
		}
		b.WriteString(words(units, from, at))
		b.WriteString(behind[at])
		b.WriteString(before[at])
		from = at
	}
	b.WriteString(words(units, from, len(units)))
	return b.String()
}
