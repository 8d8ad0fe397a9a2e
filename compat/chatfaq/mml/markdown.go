package mml

import (
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dragoman-hub/dragoman/chat"
)

// marks are Markdown's signs for formatted stretches; what has none stays plain.
var marks = map[string][2]string{
	"bold": {"**", "**"}, "italic": {"_", "_"}, "strike": {"~~", "~~"}, "code": {"`", "`"}, "pre": {"\n```\n", "\n```\n"},
}

// maxSpans bounds the work for one text.
const maxSpans = 1000

// markdown writes a formatted text in Markdown.
func markdown(content string, spans []chat.Span) string {
	if len(spans) == 0 || len(spans) > maxSpans {
		return content
	}
	opened, closed := map[int]string{}, map[int]string{}
	for _, s := range inOrder(spans) {
		open, shut := marks[s.Type][0], marks[s.Type][1]
		if s.Type == "link" && s.URL != "" {
			open, shut = "[", "]("+s.URL+")"
		}
		opened[s.Offset] += open
		closed[s.Offset+s.Length] = shut + closed[s.Offset+s.Length]
	}
	var b strings.Builder
	at := 0
	for _, r := range content {
		b.WriteString(closed[at] + opened[at])
		b.WriteRune(r)
		at += max(utf16.RuneLen(r), 1)
	}
	b.WriteString(closed[at])
	return b.String()
}

// inOrder puts outer stretches before inner ones, so that the marks nest.
func inOrder(spans []chat.Span) []chat.Span {
	return slices.SortedStableFunc(slices.Values(spans), func(a, b chat.Span) int {
		if a.Offset != b.Offset {
			return a.Offset - b.Offset
		}
		return b.Length - a.Length
	})
}

// bracketed is a text that may stand in brackets.
func bracketed(s string) string { return strings.NewReplacer("[", "(", "]", ")", "\n", " ").Replace(s) }
