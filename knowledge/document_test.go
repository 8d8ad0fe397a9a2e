package knowledge_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/store"
)

// TestRead plays the documents of testdata: an item a line, "title | section | url | content", further columns where they are filled.
func TestRead(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			d := knowledge.Document{Content: a.Files[0].Data}
			for line := range strings.Lines(string(a.Comment)) {
				if v, ok := strings.CutPrefix(line, "name: "); ok {
					d.Name = strings.TrimSpace(v)
				}
				if v, ok := strings.CutPrefix(line, "url: "); ok {
					d.URL = strings.TrimSpace(v)
				}
			}
			d.Format = knowledge.FormatOf(d.Name, "")
			items, err := knowledge.Read(d)
			got := shownItems(items)
			if err != nil {
				got = err.Error() + "\n"
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func shownItems(items []store.KnowledgeItem) string {
	var b strings.Builder
	for _, k := range items {
		line := fmt.Sprintf("%s | %s | %s | %s", orDash(k.Title), orDash(k.Section), orDash(k.URL), strings.ReplaceAll(k.Content, "\n", "⏎"))
		if k.Role != "" {
			line += " | role " + k.Role
		}
		if k.PageNumber != 0 {
			line += fmt.Sprint(" | page ", k.PageNumber)
		}
		if string(k.Metadata) != "{}" {
			line += " | " + string(k.Metadata)
		}
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		d    knowledge.Document
		code chat.Code
	}{
		"no name":        {knowledge.Document{Content: []byte("x"), Format: knowledge.Text}, chat.CodeInvalid},
		"a long name":    {knowledge.Document{Name: strings.Repeat("x", 101), Content: []byte("x"), Format: knowledge.Text}, chat.CodeInvalid},
		"no format":      {knowledge.Document{Name: "a.pdf", Content: []byte("x")}, chat.CodeInvalid},
		"not UTF-8":      {knowledge.Document{Name: "a", Content: []byte("\xff\xfea\x00"), Format: knowledge.CSV}, chat.CodeInvalid},
		"a NUL":          {knowledge.Document{Name: "a", Content: []byte("a\x00"), Format: knowledge.Text}, chat.CodeInvalid},
		"blank":          {knowledge.Document{Name: "a", Content: []byte(" \n\t\n"), Format: knowledge.Text}, chat.CodeInvalid},
		"a wrong url":    {knowledge.Document{Name: "a", URL: "javascript:x", Content: []byte("x"), Format: knowledge.Text}, chat.CodeInvalid},
		"too large":      {knowledge.Document{Name: "a", Content: make([]byte, knowledge.MaxDocument+1), Format: knowledge.Text}, chat.CodeTooLarge},
		"a long cell":    {knowledge.Document{Name: "a", Content: []byte("content\n" + strings.Repeat("x", 50_001)), Format: knowledge.CSV}, chat.CodeTooLarge},
		"too many":       {knowledge.Document{Name: "a", Content: []byte("content\n" + strings.Repeat("x\n", store.MaxKnowledgeItems+1)), Format: knowledge.CSV}, chat.CodeTooLarge},
		"a column twice": {knowledge.Document{Name: "a", Content: []byte("content,Content\nx,y"), Format: knowledge.CSV}, chat.CodeInvalid},
		"many columns":   {knowledge.Document{Name: "a", Content: []byte("content" + strings.Repeat(",x", 60)), Format: knowledge.CSV}, chat.CodeTooLarge},
	} {
		if items, err := knowledge.Read(c.d); chat.CodeOf(err) != c.code || items != nil {
			t.Errorf("%s: %d items, %v", name, len(items), err)
		}
	}
	items, err := knowledge.Read(knowledge.Document{Name: "a", Content: []byte("\xef\xbb\xbfcontent\tother\r\nx\ty\r\n"), Format: knowledge.CSV})
	if err != nil || len(items) != 1 || items[0].Content != "x" {
		t.Errorf("byte order mark, tabs: %+v, %v", items, err)
	}
}

// TestLongTexts: items are no longer than they may be, nothing is lost or said twice, and texts are cut where people would.
func TestLongTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"word", "end.", "3.14", "日本。", "\n\n", "\n", "ünï", strings.Repeat("long", 700)}), 1, 3000).Draw(t, "words")
		text := strings.Join(words, " ")
		items, err := knowledge.Read(knowledge.Document{Name: "a", Content: []byte(text), Format: knowledge.Text})
		if err != nil {
			if strings.TrimSpace(text) == "" {
				return
			}
			t.Fatal(err)
		}
		var all strings.Builder
		for _, k := range items {
			if n := utf8.RuneCountInString(k.Content); n > 2000 || strings.TrimSpace(k.Content) == "" {
				t.Fatalf("%d characters", n)
			}
			all.WriteString(k.Content)
		}
		if got, want := squeezed(all.String()), squeezed(text); got != want {
			t.Fatalf("%d characters of %d", len(got), len(want))
		}
	})
	sentence := strings.Repeat("word ", 30) + "end 3.14 yes.\n"
	items, err := knowledge.Read(knowledge.Document{Name: "a", Content: []byte(strings.Repeat(sentence, 60)), Format: knowledge.Text})
	if err != nil || len(items) < 4 {
		t.Fatal(len(items), err)
	}
	for _, k := range items {
		if !strings.HasSuffix(k.Content, "yes.") {
			t.Errorf("cut inside a sentence: %q", k.Content[len(k.Content)-20:])
		}
	}
}

func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

// FuzzRead: no document panics, and what is read can be stored.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), "https://e.example/", a.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, format uint8, url string, content []byte) {
		d := knowledge.Document{Name: "a", URL: url, Content: content}
		d.Format = []knowledge.Format{knowledge.CSV, knowledge.Markdown, knowledge.Text}[format%3]
		items, err := knowledge.Read(d)
		if err != nil && chat.CodeOf(err) == "" {
			t.Fatal(err)
		}
		for _, k := range items {
			if strings.TrimSpace(k.Content) == "" || utf8.RuneCountInString(k.Title) > 1000 || utf8.RuneCountInString(k.Section) > 1000 || len(k.URL) > 2000*4 || !utf8.ValidString(k.Content+k.Title+k.URL) {
				t.Fatalf("%+v", k)
			}
		}
	})
}
