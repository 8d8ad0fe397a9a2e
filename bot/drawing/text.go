package drawing

import (
	"slices"
	"strings"
	"unicode"
)

// The size of letters, in pixels.
const (
	nameSize = 14.0
	textSize = 11.0
	lineStep = 15.0
)

// clean makes one line of a text and takes out what would not show, or show something else: control characters and those
// that turn the direction of writing around. What is very long is cut.
func clean(s string) string {
	s = clip(s, maxWords)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// How much of outside texts is kept, in bytes: of words in a line, and of what is shown to whoever points at something.
const (
	maxWords = 500
	maxTitle = 2000
)

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + " …"
}

// Letters by their width in the common sans-serif fonts, with a little to spare.
const (
	narrowLetters = "iljI.,:;'|!`"
	slimLetters   = "frt()[]{}/\\\"- *"
	wideLetters   = "mwMW@%&"
	capitals      = "ABCDEGHKNOPQRSTUVXYZ+=<>#~^_"
)

// width measures a text of the proportional font.
func width(s string, size float64) float64 {
	sum := 0
	for _, r := range s {
		sum += advance(r)
	}
	return float64(sum) * size / 1000
}

func advance(r rune) int {
	switch {
	case r < 0x300:
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case isWide(r):
		return 1000
	case r >= 0x1f000:
		return 1300
	default:
		return 720
	}
	switch {
	case strings.ContainsRune(narrowLetters, r):
		return 270
	case strings.ContainsRune(slimLetters, r):
		return 350
	case strings.ContainsRune(wideLetters, r):
		return 870
	case strings.ContainsRune(capitals, r):
		return 700
	default:
		return 570
	}
}

// isWide tells the scripts whose letters fill a square.
func isWide(r rune) bool {
	return r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x20000 && r <= 0x3ffff
}

// monoWidth measures a text of the font in which all letters have the same width.
func monoWidth(s string, size float64) float64 {
	sum := 0.0
	for _, r := range s {
		switch {
		case r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case isWide(r), r >= 0x1f000:
			sum += 1.25
		default:
			sum += 0.61
		}
	}
	return sum * size
}

// isMono tells the styles that are set in the font of equal widths.
func isMono(style string) bool { return style == styleExpr || style == styleWorker }

func spanWidth(s span) float64 {
	switch {
	case isMono(s.style):
		return monoWidth(s.text, textSize-0.5)
	case s.style == styleQuiet:
		return width(s.text, textSize)
	default: // bold
		return width(s.text, textSize) * 1.07
	}
}

// Space between spans, and in front of a line for each step that it is set in.
const (
	spanSpace  = 4.0
	indentStep = 10.0
)

func lineWidth(l line) float64 {
	sum := float64(l.indent) * indentStep
	for i, s := range l.spans {
		if i > 0 {
			sum += spanSpace
		}
		sum += spanWidth(s)
	}
	return sum
}

// wrap breaks lines that are too wide at a space, as long as there are not too many.
func wrap(lines []line, most float64, count int) []line {
	var out []line
	for i, l := range lines {
		room := count - len(out) - (len(lines) - i)
		for ; room > 0 && lineWidth(l) > most; room-- {
			head, rest := breakLine(l, most)
			if len(head.spans) == 0 {
				break
			}
			out, l = append(out, head), rest
		}
		out = append(out, l)
	}
	return out
}

// breakLine breaks the last span of a line; the head is empty if there is no place for that.
func breakLine(l line, most float64) (head, rest line) {
	last := l.spans[len(l.spans)-1]
	fits := -1
	for i, r := range last.text {
		if r != ' ' || i == 0 {
			continue
		}
		part := append(slices.Clone(l.spans[:len(l.spans)-1]), span{last.style, last.text[:i]})
		if lineWidth(line{l.indent, part}) > most {
			break
		}
		head, fits = line{l.indent, part}, i
	}
	if fits < 0 {
		return line{}, l
	}
	return head, line{l.indent, []span{{last.style, last.text[fits+1:]}}}
}

// fit cuts a line so that it is not wider than most; the cut is seen.
func fit(l line, most float64) line {
	l.indent = min(l.indent, 6)
	if lineWidth(l) <= most {
		return l
	}
	out := line{indent: l.indent}
	for _, s := range l.spans {
		out.spans = append(out.spans, s)
		if lineWidth(out) <= most {
			continue
		}
		last := &out.spans[len(out.spans)-1]
		rest := most - lineWidth(out) + spanWidth(*last)
		last.text = cut(last.text, rest, func(t string) float64 { return spanWidth(span{s.style, t}) })
		break
	}
	return out
}

// cut shortens a text until it and the sign of the cut fit; the sign itself always stays.
func cut(s string, most float64, measure func(string) float64) string {
	if measure(s) <= most {
		return s
	}
	letters := []rune(s)
	low, high := 0, len(letters)
	for low < high {
		mid := (low + high + 1) / 2
		if measure(string(letters[:mid])+"…") <= most {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return strings.TrimRight(string(letters[:low]), " ") + "…"
}
