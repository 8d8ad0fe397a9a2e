package fit

import (
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// sound gives the spans that lie within a text of that many UTF-16 units.
func sound(spans []chat.Span, length int) []chat.Span {
	ok := func(s chat.Span) bool {
		return s.Offset >= 0 && s.Length > 0 && s.Offset < length && s.Length <= length-s.Offset
	}
	if !slices.ContainsFunc(spans, func(s chat.Span) bool { return !ok(s) }) {
		return spans
	}
	var good []chat.Span
	for _, s := range spans {
		if ok(s) {
			good = append(good, s)
		}
	}
	return good
}

// clip gives the share of the spans between two UTF-16 offsets, counted from the first.
func clip(spans []chat.Span, from, to int) []chat.Span {
	var share []chat.Span
	for _, s := range spans {
		start, end := max(s.Offset, from), min(s.Offset+s.Length, to)
		if start >= end {
			continue
		}
		s.Offset, s.Length = start-from, end-start
		share = append(share, s)
	}
	return share
}

// atomic gives the spans that mean nothing when they are cut.
func atomic(spans []chat.Span) []chat.Span {
	var whole []chat.Span
	for _, s := range spans {
		switch s.Type {
		case "mention", "hashtag", "command", "email", "phone", "custom_emoji":
			whole = append(whole, s)
		}
	}
	return whole
}

// inside tells whether a cut at this offset would cut one of the spans.
func inside(spans []chat.Span, at int) bool {
	return slices.ContainsFunc(spans, func(s chat.Span) bool { return s.Offset < at && at < s.Offset+s.Length })
}

// verbatim tells whether the offset is within code, where white space counts.
func verbatim(spans []chat.Span, at int) bool {
	return slices.ContainsFunc(spans, func(s chat.Span) bool {
		return (s.Type == "pre" || s.Type == "code") && s.Offset < at && at < s.Offset+s.Length
	})
}

// plain writes the addresses of links behind their words, for platforms without formatting.
func plain(text string, spans []chat.Span) string {
	if !slices.ContainsFunc(spans, func(s chat.Span) bool { return s.Type == "link" }) {
		return text
	}
	links := map[int][]string{} // by the offset at which the link ends
	at, index := 0, map[int]int{0: 0}
	for i, c := range text {
		index[at] = i
		at += len16(string(c))
	}
	index[at] = len(text)
	for _, s := range spans {
		start, okStart := index[s.Offset]
		end, okEnd := index[s.Offset+s.Length]
		if s.Type == "link" && s.URL != "" && okStart && okEnd && start < end && !shows(text[start:end], s.URL) {
			links[s.Offset+s.Length] = append(links[s.Offset+s.Length], s.URL)
		}
	}
	if len(links) == 0 {
		return text
	}
	var b strings.Builder
	done := 0
	for _, end := range sortedKeys(links) {
		b.WriteString(text[done:index[end]])
		done = index[end]
		b.WriteString(" (" + strings.Join(links[end], ", ") + ")")
	}
	return b.String() + text[done:]
}

func sortedKeys(m map[int][]string) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// shows tells whether the words of a link are its address already.
func shows(words, url string) bool {
	bare := func(s string) string {
		for _, scheme := range []string{"https://", "http://", "mailto:", "tel:"} {
			s = strings.TrimPrefix(s, scheme)
		}
		return strings.TrimSuffix(s, "/")
	}
	return bare(words) == bare(url)
}
