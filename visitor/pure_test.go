package visitor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

// Every language has every word, with the same blanks.
func TestTexts(t *testing.T) {
	read := func(name string) map[string]string {
		raw, err := texts.ReadFile("texts/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]string
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return out
	}
	want := read("en.json")
	files, _ := texts.ReadDir("texts")
	for _, f := range files {
		got := read(f.Name())
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
			t.Errorf("%s has other words than en.json", f.Name())
		}
		for k, text := range got {
			for _, blank := range []string{"{n}", "{m}", "{name}"} {
				if strings.Contains(text, blank) != strings.Contains(want[k], blank) {
					t.Errorf("%s: %s: %s", f.Name(), k, blank)
				}
			}
		}
	}
}

// Words on a colour can always be read.
func TestContrast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rgb := [3]byte{rapid.Byte().Draw(t, "r"), rapid.Byte().Draw(t, "g"), rapid.Byte().Draw(t, "b")}
		l := 0.2126*linear(rgb[0]) + 0.7152*linear(rgb[1]) + 0.0722*linear(rgb[2])
		const digits = "0123456789abcdef"
		color := []byte{'#'}
		for _, c := range rgb {
			color = append(color, digits[c>>4], digits[c&15])
		}
		contrast := (l + 0.05) / 0.05
		if onColor(string(color)) == "#ffffff" {
			contrast = 1.05 / (l + 0.05)
		}
		if contrast < 4.5 {
			t.Fatalf("%s: %.2f", color, contrast)
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.x")
	f.Fuzz(func(t *testing.T, token string) {
		if p, ok := verify("a secret that nobody knows, of 32 and more", "", token, time.Unix(0, 0)); ok || p.ID != "" {
			t.Errorf("%q is an identity", token)
		}
	})
}

func FuzzChoose(f *testing.F) {
	f.Add("de-AT,de;q=0.9,en")
	f.Fuzz(func(t *testing.T, asked string) {
		if got := choose([]string{"de", "en"}, asked); got != "de" && got != "en" {
			t.Errorf("%q", got)
		}
	})
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text  string
		spans []chat.Span
		want  string
	}{
		{"plain", nil, "[]"},
		{"", nil, "[]"},
		{"see https://a.example/x?y=1.", nil, "[[see   ] [https://a.example/x?y=1 a https://a.example/x?y=1] [.  ]]"},
		{"😀 bold", []chat.Span{{Type: "bold", Offset: 3, Length: 4}}, "[[😀   ] [bold b ]]"},
		{"ab", []chat.Span{{Type: "link", Offset: 0, Length: 1, URL: "https://a.example/"}, {Type: "link", Offset: 1, Length: 1, URL: "javascript:x"}}, "[[a a https://a.example/] [b  ]]"},
		{"abc", []chat.Span{{Type: "bold", Offset: 0, Length: 2}, {Type: "italic", Offset: 1, Length: 2}, {Type: "spoiler", Offset: 2, Length: 1}}, "[[ab b ] [c  ]]"},
		{"abc", []chat.Span{{Type: "bold", Offset: 2, Length: 9}, {Type: "bold", Offset: -1, Length: 2}, {Type: "bold", Offset: 9, Length: 1}}, "[]"},
	} {
		if got := fmt.Sprint(words(c.text, c.spans)); got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

// Nothing of a text gets lost, whatever the spans are.
func FuzzWords(f *testing.F) {
	f.Add("see https://a.example/ 😀", "bold", 1, 3, 2, 9)
	f.Fuzz(func(t *testing.T, text, kind string, o1, l1, o2, l2 int) {
		text = strings.ToValidUTF8(text, "")
		got := words(text, []chat.Span{{Type: kind, Offset: o1, Length: l1, URL: "https://x.example"}, {Type: "link", Offset: o2, Length: l2, URL: text}})
		joined := ""
		for _, w := range got {
			joined += w[0]
			if w[2] != "" && safe(w[2]) == "" {
				t.Errorf("link to %q", w[2])
			}
		}
		if got != nil && len(utf16.Encode([]rune(joined))) != len(utf16.Encode([]rune(text))) {
			t.Errorf("%q became %q", text, joined)
		}
	})
}
