package knowledge

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/store"
)

// The limits of a query. What is more is left out, not refused: people paste whole letters.
const (
	maxQueryBytes = 4000
	maxQueryWords = 32
)

// queryOf makes of what somebody typed the words to look for, each once. The last one may be half a word.
func queryOf(text string) store.WordQuery {
	if len(text) > maxQueryBytes {
		text = text[:maxQueryBytes]
	}
	folded := Fold(text)
	if len(folded) == 0 {
		return store.WordQuery{}
	}
	last := folded[len(folded)-1]
	var words []string
	for _, w := range folded {
		if w != last && !slices.Contains(words, w) && len(words) < maxQueryWords-1 {
			words = append(words, w)
		}
	}
	// the beginning of a single letter is the beginning of nearly everything
	return store.WordQuery{Words: append(words, last), Prefix: utf8.RuneCountInString(last) > 1}
}

// telling leaves words out that most of the items have, if others are left: they find nothing that the others do not.
func telling(q store.WordQuery, counts []int64, items int64) store.WordQuery {
	few := max(items/2, 20)
	var out store.WordQuery
	for i, w := range q.Words {
		if counts[i] > 0 && counts[i] <= few {
			out.Words = append(out.Words, w)
			out.Prefix = q.Prefix && i == len(q.Words)-1
		}
	}
	if len(out.Words) == 0 {
		return q
	}
	return out
}

// weights tells how much each word says: one that few items have says most. One that none has says half of what the others say on
// average: the base may put it in other words.
func weights(counts []int64, items int64) []float64 {
	out := make([]float64, len(counts))
	sum, known := 0.0, 0
	for i, n := range counts {
		if n > 0 {
			out[i] = math.Log(1 + (float64(max(items-n, 0))+0.5)/(float64(n)+0.5))
			sum += out[i]
			known++
		}
	}
	for i, n := range counts {
		if n == 0 {
			out[i] = sum / float64(max(known, 1)) / 2
		}
	}
	return out
}

// How well a word is met, by where it stands: in the title, or so many times in section and content.
const (
	inTitle   = 1.0
	inBody    = 0.6 // once; the more often, the nearer to inTitle
	asPrefix  = 0.9 // of what it would be for the whole word
	asEnding  = 0.8 // with another ending
	unknowing = 0.05
)

// similarity is from 0 to 1: the share of what the query says that the item meets. The database has found it, so it is never 0, even
// where we do not see by which word.
func similarity(q store.WordQuery, weight []float64, language string, item *Item) float64 {
	title, body := Fold(item.Title), append(Fold(item.Section), Fold(item.Content)...)
	sum, met := 0.0, 0.0
	for i, w := range q.Words {
		open := q.Prefix && i == len(q.Words)-1
		sum += weight[i]
		met += weight[i] * max(inTitle*best(w, title, open, language), often(w, body, open, language))
	}
	if sum == 0 {
		return unknowing
	}
	return min(max(met/sum, unknowing), 1)
}

// best is how well the word is met by the best of some words.
func best(w string, words []string, open bool, language string) float64 {
	found := 0.0
	for _, x := range words {
		found = max(found, meets(w, x, open, language))
	}
	return found
}

// often counts, too.
func often(w string, words []string, open bool, language string) float64 {
	found, sum := 0.0, 0.0
	for _, x := range words {
		m := meets(w, x, open, language)
		found = max(found, m)
		sum += m
	}
	if found == 0 {
		return 0
	}
	return found * (inTitle - (inTitle-inBody)/max(sum, 1))
}

// meets compares a word of the query with one of an item.
func meets(w, x string, open bool, language string) float64 {
	switch {
	case w == x:
		return 1
	case open && strings.HasPrefix(x, w):
		return asPrefix
	case language != "" && alike(w, x):
		return asEnding
	default:
		return 0
	}
}

// alike tells two forms of a word, roughly: the database has cut the endings off by the rules of the language.
func alike(w, x string) bool {
	same := 0
	for same < len(w) && same < len(x) && w[same] == x[same] {
		same++
	}
	return same >= 3 && same >= min(len(w), len(x))-2 && len(w)-same <= 5 && len(x)-same <= 5
}

// rank gives the best k items, the best first; among equals the database's order stays.
func rank(q store.WordQuery, weight []float64, language string, items []Item, k int) []Hit {
	out := make([]Hit, len(items))
	for i := range items {
		out[i] = Hit{items[i], similarity(q, weight, language, &items[i])}
	}
	slices.SortStableFunc(out, func(a, b Hit) int { return cmp.Compare(b.Similarity, a.Similarity) })
	return out[:min(k, len(out))]
}
