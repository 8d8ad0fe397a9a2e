package widget

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// browser encodes a query as browsers do where the page did not.
func browser(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"'<>`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// plainJSON is JSON as pages write it.
func plainJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// TestMetadataOfTheWidget: what the widget writes into its address comes as it was meant, whatever stands around it.
func TestMetadataOfTheWidget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune(`xy &+;=?/:,{}[]\"'<>%ü€😀`)))
		m := rapid.MapOfN(text, text, 0, 3).Draw(t, "metadata")
		raw := plainJSON(m)
		for _, form := range []string{raw, plainJSON(raw)} {
			query := browser("metadata=" + form + rapid.SampledFrom([]string{"", "&token=t%2B1", "&token=t&state_override=x"}).Draw(t, "more"))
			if got := string(metadata(metadataOf(query))); got != raw {
				t.Fatalf("%s\n%s, want\n%s", query, got, raw)
			}
		}
		if encoded := "a=b&metadata=" + url.QueryEscape(raw) + "&c"; metadataOf(encoded) != raw {
			t.Fatalf("%s: %s", encoded, metadataOf(encoded))
		}
	})
}

func FuzzMetadata(f *testing.F) {
	for _, q := range []string{"", "metadata=", `metadata={"a":"x&y`, "metadata={%zz", `token=1&metadata=%22{\%22a\%22:1}%22&token=2`, "metadata=" + strings.Repeat("[&", 200)} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if m := metadata(metadataOf(query)); !json.Valid(m) {
			t.Errorf("%q: %s", query, m)
		}
	})
}
