package knowledge

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxWord bounds a word in bytes: what is longer is cut, in texts and in queries alike.
const maxWord = 64

// Fold gives the words of a text in the form in which they are looked for: small letters, without accents, ligatures taken apart. Of
// scripts that put no blanks between words every character is a word.
func Fold(text string) []string {
	var f folder
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(text, " ")) {
		f.take(r)
	}
	f.end()
	return f.words
}

// folder gathers words from characters that were taken apart.
type folder struct {
	words []string
	word  strings.Builder
	base  rune // the letter to which marks belong
	lone  bool // it is a word of its own
}

func (f *folder) take(r rune) {
	switch {
	case r < utf8.RuneSelf: // most texts are mostly that
		f.takeASCII(r)
	case unicode.Is(unicode.Mn, r):
		if f.word.Len() > 0 && !silent(f.base, r) {
			f.write(string(r))
		}
	case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mc, r):
		lone := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		if lone || f.lone {
			f.end()
		}
		f.base, f.lone = unicode.ToLower(r), lone
		f.write(small(f.base))
	case !joins(r):
		f.end()
	}
}

func (f *folder) takeASCII(r rune) {
	switch {
	case 'A' <= r && r <= 'Z':
		r += 'a' - 'A'
	case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
	default:
		f.end()
		return
	}
	if f.lone {
		f.end()
	}
	f.base = r
	if f.word.Len() < maxWord {
		f.word.WriteByte(byte(r))
	}
}

func (f *folder) write(s string) {
	if f.word.Len()+len(s) <= maxWord {
		f.word.WriteString(s)
	}
}

func (f *folder) end() {
	if f.word.Len() > 0 {
		f.words = append(f.words, norm.NFC.String(f.word.String()))
		f.word.Reset()
	}
	f.lone = false
}

// silent tells marks that are left out: accents of Latin and Greek letters, points of Arabic and Hebrew. In other scripts a mark makes
// another letter, but for the Russian yo, which few write.
func silent(base, mark rune) bool {
	return unicode.In(base, unicode.Latin, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Common) || base == 'е' && mark == '\u0308'
}

// joins tells signs inside words that are not seen.
func joins(r rune) bool {
	switch r {
	case '\u00ad', '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
		return true
	default:
		return false
	}
}

// spelt are letters that have no accent to be taken off and are yet written otherwise by many.
var spelt = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'ħ': "h", 'ı': "i", 'þ': "th", 'ŧ': "t", 'ς': "σ",
}

func small(r rune) string {
	if s, ok := spelt[r]; ok {
		return s
	}
	return string(r)
}
