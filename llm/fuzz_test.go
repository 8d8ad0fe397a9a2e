package llm_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/llm"
)

// FuzzAnswers: whatever an endpoint sends, there is an answer or a fault with a code.
func FuzzAnswers(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		_, body, _ := bytes.Cut(a.Files[0].Data, []byte("\n\n"))
		f.Add(bytes.Contains(a.Files[0].Data, []byte("event-stream")), body)
	}
	f.Fuzz(func(t *testing.T, stream bool, body []byte) {
		mime := "application/json"
		if stream {
			mime = "text/event-stream"
		}
		answer := func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {mime}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
		}
		c := client(t, "http://e.example", func(o *llm.Options) { o.HTTP = &http.Client{Transport: roundTrip(answer)} })
		a, err := llm.Collect(c.Stream(t.Context(), ask()))
		b, err2 := c.Complete(t.Context(), ask())
		if err != nil && chat.CodeOf(err) == "" || err == nil && a.Stop == "" {
			t.Fatalf("%+v, %v", a, err)
		}
		if x, y := shown(a, err), shown(b, err2); x != y {
			t.Fatalf("streamed %s\nwhole %s", x, y)
		}
		for _, p := range a.Content {
			if p.ToolUse != nil && (p.ToolUse.ID == "" || p.ToolUse.Name == "" || !json.Valid(p.ToolUse.Args)) {
				t.Fatalf("%+v", p.ToolUse)
			}
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
