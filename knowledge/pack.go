package knowledge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSection is how many characters of a text make an item, at the most.
const maxSection = 2000

// paragraphs parts lines at blank ones.
func paragraphs(all []string) []string {
	var out []string
	var now []string
	end := func() {
		if len(now) > 0 {
			out = append(out, strings.Join(now, "\n"))
			now = nil
		}
	}
	for _, line := range all {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" {
			end()
			continue
		}
		now = append(now, line)
	}
	end()
	return out
}

// itemsOf makes items like the given one that have the paragraphs, each item as many as fit.
func itemsOf(like Item, all []string) []Item {
	var out []Item
	for _, text := range pack(all) {
		item := like
		item.Content, item.Metadata = text, []byte("{}")
		out = append(out, item)
	}
	return out
}

// pack joins paragraphs to texts of at most maxSection characters. One that is longer is cut, at the end of a sentence if there is one.
func pack(all []string) []string {
	var out []string
	var now strings.Builder
	size := 0
	end := func() {
		if now.Len() > 0 {
			out = append(out, now.String())
			now.Reset()
			size = 0
		}
	}
	for _, p := range all {
		for _, piece := range cut(p) {
			n := utf8.RuneCountInString(piece)
			if size > 0 && size+2+n > maxSection {
				end()
			}
			if size > 0 {
				now.WriteString("\n\n")
				size += 2
			}
			now.WriteString(piece)
			size += n
		}
	}
	end()
	return out
}

// cut parts a paragraph that is too long for one item.
func cut(p string) []string {
	var out []string
	for {
		end := index(p, maxSection)
		if end == len(p) {
			break
		}
		at := seam(p[:end])
		if piece := strings.TrimSpace(p[:at]); piece != "" {
			out = append(out, piece)
		}
		p = strings.TrimSpace(p[at:])
	}
	if p != "" {
		out = append(out, p)
	}
	return out
}

// index is where the first n characters of a text end.
func index(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// seam is where a text is best cut, in its second half: behind a sentence, a line, a word, or else at its end.
func seam(s string) int {
	half := len(s) / 2
	for _, ends := range []string{".!?。！？…", "\n", " \t"} {
		for at := len(s); at > half; {
			i := strings.LastIndexAny(s[:at], ends)
			if i < half {
				break
			}
			_, size := utf8.DecodeRuneInString(s[i:])
			next := i + size
			// a full stop inside of a number or an address is no end; a Chinese one needs no blank behind it
			if size > 1 || next == len(s) || s[next] == ' ' || s[next] == '\n' || s[i] == ' ' || s[i] == '\t' || s[i] == '\n' {
				return next
			}
			at = i
		}
	}
	return len(s)
}
