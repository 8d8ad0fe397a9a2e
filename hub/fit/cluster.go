package fit

import (
	"unicode"
	"unicode/utf8"
)

// Some code points that bind to their neighbours.
const (
	zeroWidthJoiner = '\u200d'
	zeroWidthNon    = '\u200c'
)

// viramas bind the consonant that follows, in the scripts in which Unicode 15.1 says so (rule GB9c).
var viramas = []rune{'\u094d', '\u09cd', '\u0acd', '\u0b4d', '\u0c4d', '\u0d4d'}

// cluster is the length in bytes of what a reader takes for the first character of s: a base with its marks, a
// joined emoji, a flag, a Hangul syllable. These are the rules of Unicode's annex 29 without the rare ones
// (prepended marks).
func cluster(s string) int {
	prev, at := utf8.DecodeRuneInString(s)
	flag := isFlag(prev)
	for at < len(s) {
		next, n := utf8.DecodeRuneInString(s[at:])
		switch {
		case flag && isFlag(next):
			flag = false // the third starts a flag of its own
		case !bound(prev, next):
			return at
		}
		prev, at = next, at+n
	}
	return at
}

// bound tells whether next belongs to the same character as prev.
func bound(prev, next rune) bool {
	switch {
	case prev == '\r':
		return next == '\n'
	case prev == '\n':
		return false
	case extends(next):
		return true
	case prev == zeroWidthJoiner:
		return next > 0xff && !unicode.IsSpace(next) // a picture: joined emoji
	case next >= 0x1100 && isHangul(next):
		return joinsHangul(prev, next)
	default:
		return isVirama(prev) && unicode.IsLetter(next)
	}
}

// extends tells code points that never stand alone: marks, joiners, variation selectors, skin tones, tags.
func extends(r rune) bool {
	switch {
	case r < 0x300:
		return false
	case r == zeroWidthJoiner || r == zeroWidthNon:
		return true
	case r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f:
		return true
	default:
		return unicode.IsMark(r)
	}
}

func isFlag(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

func isVirama(r rune) bool {
	for _, v := range viramas {
		if r == v {
			return true
		}
	}
	return false
}

func isLeading(r rune) bool  { return r >= 0x1100 && r <= 0x115f || r >= 0xa960 && r <= 0xa97c }
func isFollower(r rune) bool { return r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7fb }
func isSyllable(r rune) bool { return r >= 0xac00 && r <= 0xd7a3 }
func isHangul(r rune) bool   { return isLeading(r) || isFollower(r) || isSyllable(r) }

func joinsHangul(prev, next rune) bool {
	if isFollower(next) {
		return isHangul(prev)
	}
	return isLeading(prev)
}
