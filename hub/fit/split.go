package fit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
)

// boundary is how good a place is for a cut, the best first.
type boundary int

const (
	paragraph boundary = iota
	line
	sentence
	word
	character
	torn // inside of a mention, an address or the like
	boundaries
)

// least is how much of the limit a piece has to fill before a cut at such a boundary is taken, as a divisor.
var least = [boundaries]int{paragraph: 4, line: 3, sentence: 3, word: 4}

// piece is a part of a text with its share of the spans.
type piece struct {
	text  string
	spans []chat.Span
}

// split cuts a text into pieces within the ruler's limit. Together they are the text, but for white space at the
// cuts. A cut is never within a character as readers see it, unless that alone is above the limit. Spans that
// are cut go on in the next piece.
func split(text string, spans []chat.Span, r ruler) []piece {
	if r.holds(text) {
		return []piece{{text, spans}}
	}
	var pieces []piece
	rest, at := text, 0 // at counts UTF-16 units
	for !r.holds(rest) {
		n := cut(rest, at, spans, r)
		end := at + len16(rest[:n])
		head, tail := trimCut(rest[:n], rest[n:], verbatim(spans, end))
		pieces = appendPiece(pieces, head, spans, at)
		at = end + len16(rest[n:len(rest)-len(tail)])
		rest = tail
	}
	return appendPiece(pieces, rest, spans, at)
}

func appendPiece(pieces []piece, text string, spans []chat.Span, at int) []piece {
	if strings.TrimSpace(text) == "" {
		return pieces
	}
	return append(pieces, piece{text, clip(spans, at, at+len16(text))})
}

// trimCut takes away the white space at a cut; within code only the end of the line.
func trimCut(head, tail string, code bool) (string, string) {
	if code {
		h := strings.TrimSuffix(strings.TrimSuffix(head, "\n"), "\r")
		if h == head {
			tail = strings.TrimPrefix(strings.TrimPrefix(tail, "\r"), "\n")
		}
		return h, tail
	}
	for tail != "" {
		n := cluster(tail)
		if strings.TrimSpace(tail[:n]) != "" {
			break
		}
		tail = tail[n:]
	}
	return strings.TrimRightFunc(head, unicode.IsSpace), tail
}

// cut finds the best place for a cut within the limit, as an index in bytes, never 0. at is where rest begins.
func cut(rest string, at int, spans []chat.Span, r ruler) int {
	var index, size [boundaries]int
	whole := atomic(spans)
	for i, used := 0, 0; i < len(rest); {
		n := cluster(rest[i:])
		used += r.measure(rest[i : i+n])
		if used > r.limit {
			break
		}
		at += len16(rest[i : i+n])
		i += n
		b := boundaryAt(rest, i)
		if inside(whole, at) {
			b = torn
		}
		index[b], size[b] = i, used
	}
	for b, part := range least {
		if index[b] > 0 && (part == 0 || size[b]*part >= r.limit) {
			return index[b]
		}
	}
	if n := max(index[paragraph], index[line], index[sentence], index[word]); n > 0 {
		return n
	}
	return cutRunes(rest, r)
}

// cutRunes is the last resort, for one character above the limit: as many code points as fit, at least one.
func cutRunes(rest string, r ruler) int {
	used := 0
	for i, c := range rest {
		if used += r.cost(c); used > r.limit && i > 0 {
			return i
		}
	}
	return len(rest)
}

// boundaryAt says what ends or begins at index i of s.
func boundaryAt(s string, i int) boundary {
	prev, _ := utf8.DecodeLastRuneInString(s[:i])
	next, _ := utf8.DecodeRuneInString(s[i:])
	switch {
	case prev == '\n' && next == '\n', strings.HasSuffix(s[:i], "\n\n"), strings.HasPrefix(s[i:], "\n\n"):
		return paragraph
	case prev == '\n', next == '\n':
		return line
	case strings.ContainsRune("。！？", prev):
		return sentence
	case unicode.IsSpace(prev), unicode.IsSpace(next):
		if endsSentence(s[:i]) {
			return sentence
		}
		return word
	default:
		return character
	}
}

// endsSentence tells whether s ends with a full stop or the like, quotes and one space after it aside.
func endsSentence(s string) bool {
	if c, n := utf8.DecodeLastRuneInString(s); unicode.IsSpace(c) {
		s = s[:len(s)-n]
	}
	if c, n := utf8.DecodeLastRuneInString(s); strings.ContainsRune(`"')]»”’`, c) {
		s = s[:len(s)-n]
	}
	c, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!?…。！？", c)
}
