package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/store"
)

// maxWords bounds a query; what is more is left out.
const maxWords = 8

// Query makes of what somebody typed the words to look for, each once. The last one may be half a word.
func Query(fold func(string) []string, text string) store.WordQuery {
	var words []string
	folded := fold(text)
	for _, w := range folded {
		if !slices.Contains(words, w) && len(words) < maxWords {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return store.WordQuery{}
	}
	last := words[len(words)-1]
	// one or two letters are the beginning of nearly everything
	return store.WordQuery{Words: words, Prefix: last == folded[len(folded)-1] && utf8.RuneCountInString(last) > 2}
}

// The length of an excerpt, in characters: of all of it, and of what stands before the first word that was looked for.
const (
	excerptLength = 160
	excerptBefore = 40
)

// Excerpt is the stretch of a text in which the first of the words stands that were looked for; its beginning if none is found as it was typed.
func Excerpt(fold func(string) []string, q store.WordQuery, text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= excerptLength {
		return string(runes)
	}
	begin := 0
	if at := find(fold, q, runes); at > excerptBefore {
		begin = at - excerptBefore
		for begin < at && !unicode.IsSpace(runes[begin-1]) {
			begin++
		}
	}
	end := min(begin+excerptLength, len(runes))
	out := strings.TrimSpace(string(runes[begin:end]))
	if begin > 0 {
		out = "… " + out
	}
	if end < len(runes) {
		out += " …"
	}
	return out
}

// find tells where the first word stands that was looked for; 0 if none is found.
func find(fold func(string) []string, q store.WordQuery, text []rune) int {
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && !unicode.IsSpace(text[j]) {
			j++
		}
		if slices.ContainsFunc(fold(string(text[i:j])), func(w string) bool { return wanted(q, w) }) {
			return i
		}
		i = j + 1
	}
	return 0
}

func wanted(q store.WordQuery, word string) bool {
	for i, w := range q.Words {
		if word == w || q.Prefix && i == len(q.Words)-1 && strings.HasPrefix(word, w) {
			return true
		}
	}
	return false
}
