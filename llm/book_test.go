package llm_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/llm"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// shelf is a book with two workspaces, over a real database.
type shelf struct {
	*llm.Book
	store     *store.Store
	ws, other chat.WorkspaceID
}

func newShelf(t *testing.T, dsn string) *shelf {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	keys, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{Book: llm.NewBook(st, keys, outbound.Client(outbound.Options{AllowPrivate: true}), llm.Limits{}), store: st}
	for _, ws := range []*chat.WorkspaceID{&s.ws, &s.other} {
		w, err := st.AddWorkspace(t.Context(), "", "w")
		if err != nil {
			t.Fatal(err)
		}
		*ws = w.ID
	}
	return s
}

func TestBook(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { bookWorks(t, newShelf(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { bookWorks(t, newShelf(t, pgtest.Start(t))) })
}

func bookWorks(t *testing.T, s *shelf) {
	ctx := t.Context()
	var got map[string]any
	base := endpoint(t, sent(t, &got))
	c, err := s.Add(ctx, s.ws, llm.Config{Name: "local", BaseURL: base + "/", Model: "m", Key: key, Defaults: llm.ModelDefaults{MaxTokens: 5}})
	if err != nil || c.Key != llm.Hidden || c.BaseURL != base {
		t.Fatalf("%+v, %v", c, err)
	}
	words, err := s.Check(ctx, s.ws, "local")
	if err != nil || words != `m answers: "ok"` || got["max_tokens"] != 64.0 {
		t.Error(words, err, got)
	}
	cl, err := s.Client(ctx, s.ws, "local")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := cl.Complete(ctx, ask()); err != nil || a.Text() != "ok" || got["max_tokens"] != 5.0 {
		t.Error(a, err, got)
	}
	hidden, model, elsewhere, none := llm.Hidden, "n", base+"/elsewhere", ""
	if c, err = s.Patch(ctx, s.ws, "local", llm.ConfigPatch{Model: &model, Key: &hidden, Defaults: &llm.ModelDefaults{}}); err != nil || c.Model != "n" || c.Key != llm.Hidden || c.Defaults.MaxTokens != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := s.Check(ctx, s.ws, "local"); err != nil { // the key is still the same
		t.Error(err)
	}
	if _, err := s.Patch(ctx, s.ws, "local", llm.ConfigPatch{BaseURL: &elsewhere}); chat.CodeOf(err) != chat.CodeInvalid {
		t.Error("a key goes to another address:", err)
	}
	if c, err = s.Patch(ctx, s.ws, "local", llm.ConfigPatch{BaseURL: &elsewhere, Key: &none}); err != nil || c.Key != "" || c.BaseURL != elsewhere {
		t.Fatalf("%+v, %v", c, err)
	}
	_, err = s.Add(ctx, s.ws, llm.Config{Name: "local", BaseURL: base, Model: "m"})
	if chat.CodeOf(err) != chat.CodeConflict {
		t.Error(err)
	}
	list, next, err := s.Configs(ctx, s.ws, "", 10)
	if err != nil || len(list) != 1 || next != "" {
		t.Error(list, next, err)
	}
	for _, what := range []func() error{
		func() error { _, err := s.Config(ctx, s.other, "local"); return err },
		func() error { _, err := s.Client(ctx, s.other, "local"); return err },
		func() error { _, err := s.Patch(ctx, s.other, "local", llm.ConfigPatch{}); return err },
		func() error { return s.Drop(ctx, s.other, "local") },
	} {
		if err := what(); chat.CodeOf(err) != chat.CodeNotFound {
			t.Error("another workspace:", err)
		}
	}
	if err := s.Drop(ctx, s.ws, "local"); err != nil {
		t.Error(err)
	}
	bookRefuses(t, s, base)
}

// TestCheckTellsNoKey: an endpoint that repeats the key as the model's name, or talks without end, is not believed.
func TestCheckTellsNoKey(t *testing.T) {
	s := newShelf(t, storetest.SQLite(t))
	base := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get("Authorization") + "\n" + strings.Repeat("x", 1<<20)
		_ = json.NewEncoder(w).Encode(map[string]any{"model": name, "choices": []any{map[string]any{"message": map[string]any{"content": "ok"}}}})
	})
	if _, err := s.Add(t.Context(), s.ws, llm.Config{Name: "n", BaseURL: base, Model: "m", Key: key}); err != nil {
		t.Fatal(err)
	}
	words, err := s.Check(t.Context(), s.ws, "n")
	if err != nil || strings.Contains(words, key) || strings.Contains(words, "\n") || len(words) > 1000 {
		t.Errorf("%d bytes: %.100q, %v", len(words), words, err)
	}
}

func bookRefuses(t *testing.T, s *shelf, base string) {
	t.Helper()
	hot := 3.0
	good := llm.Config{Name: "n", BaseURL: base, Model: "m"}
	for name, change := range map[string]func(c *llm.Config){
		"no name":       func(c *llm.Config) { c.Name = "" },
		"a blank name":  func(c *llm.Config) { c.Name = " n" },
		"no model":      func(c *llm.Config) { c.Model = "" },
		"no address":    func(c *llm.Config) { c.BaseURL = "x" },
		"a hidden key":  func(c *llm.Config) { c.Key = llm.Hidden },
		"a broken key":  func(c *llm.Config) { c.Key = "a\nb" },
		"temperature":   func(c *llm.Config) { c.Defaults.Temperature = &hot },
		"max_tokens":    func(c *llm.Config) { c.Defaults.MaxTokens = -1 },
		"extra":         func(c *llm.Config) { c.Defaults.Extra = json.RawMessage("[]") },
		"a large extra": func(c *llm.Config) { c.Defaults.Extra = json.RawMessage(`{"a":"` + strings.Repeat("x", 9000) + `"}`) },
	} {
		c := good
		change(&c)
		if _, err := s.Add(t.Context(), s.ws, c); chat.CodeOf(err) != chat.CodeInvalid && chat.CodeOf(err) != chat.CodeTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysAreSealed looks for a key in every byte of the database, and moves it to another name.
func TestKeysAreSealed(t *testing.T) {
	path := storetest.SQLite(t)
	s := newShelf(t, path)
	ctx := t.Context()
	base := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	if _, err := s.Add(ctx, s.ws, llm.Config{Name: "a", BaseURL: base, Model: "m", Key: key}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil || bytes.Contains(raw, []byte(key)) {
			t.Errorf("%s has the key, or cannot be read: %v", f, err)
		}
	}
	row, err := s.store.LLMConfig(ctx, s.ws, "a")
	if err != nil {
		t.Fatal(err)
	}
	row.Name = "b"
	if _, err := s.store.AddLLMConfig(ctx, s.ws, row); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client(ctx, s.ws, "b"); chat.CodeOf(err) != chat.CodeConflict {
		t.Error("a key opens in another place:", err)
	}
}
