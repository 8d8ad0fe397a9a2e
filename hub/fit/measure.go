package fit

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/connector"
)

// ruler measures texts as a platform does. A limit of 0 is none.
type ruler struct {
	limit int
	unit  connector.Unit
}

// cost of one code point.
func (r ruler) cost(c rune) int {
	switch r.unit {
	case connector.UTF16:
		return utf16.RuneLen(c)
	case connector.Bytes:
		return utf8.RuneLen(c)
	default:
		return 1
	}
}

func (r ruler) measure(s string) int {
	n := 0
	for _, c := range s {
		n += r.cost(c)
	}
	return n
}

// holds tells whether s is within the limit; it looks no further than that.
func (r ruler) holds(s string) bool {
	if r.limit <= 0 || len(s) <= r.limit { // no unit counts more than bytes do
		return true
	}
	n := 0
	for _, c := range s {
		if n += r.cost(c); n > r.limit {
			return false
		}
	}
	return true
}

// len16 is the length in UTF-16 code units, in which spans count.
func len16(s string) int {
	n := 0
	for _, c := range s {
		n += utf16.RuneLen(c)
	}
	return n
}

// cutTitle shortens s to at most limit code points, an ellipsis among them.
func cutTitle(s string, limit int) string {
	if limit <= 0 || utf8.RuneCountInString(s) <= limit {
		return s
	}
	at, runes := 0, 0
	for {
		n := cluster(s[at:])
		runes += utf8.RuneCountInString(s[at : at+n])
		if runes > limit-1 {
			return s[:at] + "…"
		}
		at += n
	}
}
