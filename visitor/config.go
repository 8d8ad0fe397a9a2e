package visitor

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/connector/webchat"
)

//go:embed texts/*.json
var texts embed.FS

// config is what a widget has to know before anything is said. It is the same for everybody.
type config struct {
	Title       string            `json:"title"`
	Color       string            `json:"color,omitempty"`
	OnColor     string            `json:"on_color,omitempty"` // of words on Color: black or white, whichever can be read
	Greeting    string            `json:"greeting,omitempty"`
	SpeaksFirst bool              `json:"speaks_first,omitempty"`
	Form        []webchat.Field   `json:"form,omitempty"`
	Open        bool              `json:"open"`           // people answer now
	Line        string            `json:"line,omitempty"` // what a visitor is told before the first message
	Files       int64             `json:"files,omitempty"`
	Identity    bool              `json:"identity,omitempty"` // visitors without one are not let in
	Language    string            `json:"language"`
	Languages   []string          `json:"languages"`
	Texts       map[string]string `json:"texts"`
}

// config gives the settings that everybody may know, with the words of a language.
func (s *Server) config(c *call) error {
	x := c.site
	out := config{
		Title: x.Title, Color: x.Color, OnColor: onColor(x.Color), Greeting: x.Greeting, SpeaksFirst: x.SpeaksFirst && len(x.Form) == 0, Form: x.Form,
		Identity: x.AuthenticationRequired,
	}
	if on(x.Uploads) {
		out.Files = x.MaxFile
	}
	out.Languages, out.Language = languages(x), c.language()
	out.Texts = textsOf(x, out.Language)
	var err error
	if out.Open, err = s.answered(c.r.Context(), x); err != nil {
		return err
	}
	out.Line = state{Place: "none"}.words(out.Texts, out.Open)
	for name, dst := range map[string]*string{"title": &out.Title, "greeting": &out.Greeting} {
		if text := x.Texts[out.Language][name]; text != "" {
			*dst = text
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	h := c.w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	h.Add("Vary", "Accept-Language")
	if c.r.Header.Get("If-None-Match") == tag {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	_, _ = c.w.Write(raw) // the reader may have left
	return nil
}

// fallback is the language that has all words.
const fallback = "en"

// languages lists ours and those that the channel brings.
func languages(x *site) []string {
	all := map[string]bool{}
	files, _ := texts.ReadDir("texts") // embedded: it is there
	for _, f := range files {
		all[strings.TrimSuffix(f.Name(), path.Ext(f.Name()))] = true
	}
	for lang := range x.Texts {
		all[lang] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// language is the one to speak in.
func (c *call) language() string {
	return choose(languages(c.site), c.r.URL.Query().Get("lang")+","+c.r.Header.Get("Accept-Language"))
}

// choose takes the first language asked for that there is, or its main language.
func choose(have []string, asked string) string {
	for n, want := range strings.Split(asked, ",") {
		if n > 20 {
			break
		}
		want, _, _ = strings.Cut(strings.TrimSpace(want), ";")
		for want != "" {
			for _, lang := range have {
				if strings.EqualFold(lang, want) {
					return lang
				}
			}
			i := strings.LastIndexByte(want, '-')
			want = want[:max(i, 0)]
		}
	}
	return fallback
}

// textsOf are the texts of a language; what it lacks is in English, and the channel's own come first.
func textsOf(x *site, lang string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{fallback, lang} {
		raw, err := texts.ReadFile("texts/" + name + ".json")
		if err == nil {
			_ = json.Unmarshal(raw, &out) // ours: a test reads them
		}
	}
	maps.Copy(out, x.Texts[lang])
	return out
}

// onColor tells whether black or white is better read on a colour (WCAG 2.2, relative luminance). One of them always has a contrast
// above 4.5.
func onColor(color string) string {
	raw, err := hex.DecodeString(strings.TrimPrefix(color, "#"))
	if err != nil || len(raw) != 3 {
		return ""
	}
	l := 0.2126*linear(raw[0]) + 0.7152*linear(raw[1]) + 0.0722*linear(raw[2])
	if 1.05/(l+0.05) >= (l+0.05)/0.05 {
		return "#ffffff"
	}
	return "#000000"
}

// linear is the light of one part of an sRGB colour, 0 to 1.
func linear(part byte) float64 {
	v := float64(part) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
