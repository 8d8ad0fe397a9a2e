package visitor

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
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
		if p, ok := verify("a secret that nobody knows, of 32 and more", token, time.Unix(0, 0)); ok || p.ID != "" {
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
