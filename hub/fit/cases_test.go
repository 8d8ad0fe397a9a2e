package fit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// TestCases runs testdata/*.txtar: what the platform can do (traits), what is said (stack), and what shall go
// out: the elements of each part, a line each, with an empty line between parts ("none" if there is nothing to send), and
// the notes. FIT_UPDATE=1 rewrites the last two; read what it wrote.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { runCase(t, name) })
	}
}

func runCase(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	section := map[string][]byte{}
	for _, f := range archive.Files {
		section[f.Name] = f.Data
	}
	var traits connector.Traits
	strict(t, section["traits"], &traits)
	m := chat.Message{ReplyTo: &chat.Reply{Seq: 1}}
	strict(t, section["stack"], &m.Stack)

	parts, notes, err := fit.Fit(m, traits, options())
	if (err != nil) != (len(parts) == 0) {
		t.Fatalf("%d parts with error %v", len(parts), err)
	}
	gotParts, gotNotes := written(t, parts), lines(notes)
	if os.Getenv("FIT_UPDATE") != "" {
		archive.Files = []txtar.File{
			{Name: "traits", Data: section["traits"]},
			{Name: "stack", Data: section["stack"]},
			{Name: "parts", Data: []byte(gotParts)},
			{Name: "notes", Data: []byte(gotNotes)},
		}
		if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(section["parts"]); gotParts != want {
		t.Errorf("parts\n%s\nwant\n%s", gotParts, want)
	}
	if want := string(section["notes"]); gotNotes != want {
		t.Errorf("notes\n%s\nwant\n%s", gotNotes, want)
	}
}

// options make links of file ids and short keys by check sum.
func options() fit.Options {
	return fit.Options{
		LinkFor: func(m chat.Media) string {
			if m.File == "" {
				return ""
			}
			return "https://hub.example/f/" + string(m.File)
		},
		ShortPayload: func(full string) string { return fmt.Sprintf("~%08x", crc32.ChecksumIEEE([]byte(full))) },
	}
}

func strict(t *testing.T, text []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func written(t *testing.T, parts []fit.Part) string {
	t.Helper()
	if len(parts) == 0 {
		return "none\n"
	}
	var b strings.Builder
	for i, p := range parts {
		if p.ReplyTo != (i == 0) {
			t.Errorf("part %d: ReplyTo is %v", i, p.ReplyTo)
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, e := range p.Elements {
			var line bytes.Buffer
			enc := json.NewEncoder(&line)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(e); err != nil {
				t.Fatal(err)
			}
			b.Write(line.Bytes())
		}
	}
	return b.String()
}

func lines(notes []string) string {
	if len(notes) == 0 {
		return ""
	}
	return strings.Join(notes, "\n") + "\n"
}
