package widget

import (
	"encoding/json"
	"net/url"
	"strings"
)

// maxAmpersands is how many of them a metadata text that was not encoded may have.
const maxAmpersands = 64

// metadataOf reads the parameter metadata. The widget writes its JSON into the address as it is, and browsers encode little of that: a "&" in
// it looks like the next parameter, a "+" like a space, a "%" or a ";" like a mistake. A brace that is not encoded tells such a text.
func metadataOf(rawQuery string) string {
	_, rest, found := strings.Cut("&"+rawQuery, "&metadata=")
	first, _, _ := strings.Cut(rest, "&")
	q, _ := url.ParseQuery(rawQuery) // what can be read of it
	if !found || !strings.ContainsAny(first, "{[") || json.Valid([]byte(q.Get("metadata"))) && !strings.Contains(first, "+") {
		return q.Get("metadata")
	}
	end := 0
	for range maxAmpersands {
		n := strings.IndexByte(rest[end:], '&')
		if n < 0 || end+n > 3*maxMetadata {
			break
		}
		end += n
		if text := unescaped(rest[:end]); json.Valid([]byte(text)) {
			return text
		}
		end++
	}
	return unescaped(rest)
}

// unescaped decodes what is encoded and leaves every other "%" as it is.
func unescaped(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		s = after
		if len(s) >= 2 {
			if c, err := url.PathUnescape("%" + s[:2]); err == nil {
				b.WriteString(c)
				s = s[2:]
				continue
			}
		}
		b.WriteByte('%')
	}
}
