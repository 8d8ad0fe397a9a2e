package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// FuzzReceive: any body is either refused as a whole, or gives events that can be stored and are the same every time.
func FuzzReceive(f *testing.F) {
	for _, body := range bodies(f) {
		f.Add(body)
	}
	w := &webhook{&bot{secret: "s", self: 110201543}}
	header := http.Header{secretHeader: {"s"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := w.Receive(context.Background(), connector.Request{Header: header, Body: body})
		if err != nil {
			if connector.AsError(err).Policy != connector.Malformed || len(got.Events) > 0 {
				t.Fatalf("%d events with %v", len(got.Events), err)
			}
			return
		}
		if len(got.Events) == 0 {
			t.Fatal("neither an event nor an error")
		}
		for _, e := range got.Events {
			checkEvent(t, e)
		}
		again, err := w.Receive(context.Background(), connector.Request{Header: header, Body: body})
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("the second time: %+v, %v", again, err)
		}
	})
}

func checkEvent(t *testing.T, e chat.Incoming) {
	t.Helper()
	if e.Key == "" || len(e.Key) > 200 {
		t.Errorf("key %q", e.Key)
	}
	raw, err := json.Marshal(e)
	if err != nil || !utf8.Valid(raw) {
		t.Errorf("cannot be stored: %v", err)
	}
	if e.Kind == chat.KindMessage && (e.Message == nil || len(e.Message.Stack) == 0 || e.Thread.Address == "") {
		t.Errorf("a message without content or place: %+v", e)
	}
}

// bodies are those of the transcripts.
func bodies(f *testing.F) [][]byte {
	names, err := filepath.Glob("testdata/in_*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatal("no transcripts", err)
	}
	var all [][]byte
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range txtar.Parse(raw).Files {
			if section.Name == "body" {
				all = append(all, bytes.TrimSpace(section.Data))
			}
		}
	}
	return all
}
