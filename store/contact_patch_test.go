package store_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

func TestPatchContact(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { patchContact(t, open(t, filepath.Join(t.TempDir(), "d.db"))) })
	t.Run("postgres", func(t *testing.T) { patchContact(t, open(t, storetest.Postgres(t))) })
}

func patchContact(t *testing.T, s *store.Store) {
	ctx := t.Context()
	ws, err := s.AddWorkspace(ctx, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := s.AddChannel(ctx, store.Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(ctx, &store.Receive{Channel: ch.ID, In: chat.Incoming{
		Key: "1", Kind: chat.KindMessage, ID: "1", Thread: chat.Thread{Address: "a"}, Sender: chat.Person{Address: "a", Name: "Ada"},
		Message: &chat.Message{Stack: []chat.Element{chat.Plain("hi")}},
	}}); err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Contacts(ctx, ws.ID, "", "", 10)
	if err != nil || len(list) != 1 {
		t.Fatal(err, list)
	}
	id := list[0].ID
	patch := func(p store.PatchContact) error {
		p.Workspace, p.Contact = ws.ID, id
		_, err := s.Append(ctx, &p)
		return err
	}
	name, language := "Ada L.", "en-GB"
	if err := patch(store.PatchContact{Name: &name, Language: &language, Properties: map[string]json.RawMessage{"a": json.RawMessage("1"), "b": json.RawMessage(`"x"`)}}); err != nil {
		t.Fatal(err)
	}
	if err := patch(store.PatchContact{Properties: map[string]json.RawMessage{"a": json.RawMessage("null")}}); err != nil {
		t.Fatal(err)
	}
	// changes that come together are all kept, each one of its own member
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := patch(store.PatchContact{Properties: map[string]json.RawMessage{fmt.Sprint("p", i): json.RawMessage("true")}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c, err := s.Contact(ctx, ws.ID, id)
	if err != nil || c.Name != name || c.Language != language {
		t.Fatal(err, c)
	}
	var got map[string]any
	if err := json.Unmarshal(c.Properties, &got); err != nil || len(got) != 21 || got["b"] != "x" {
		t.Fatal(err, got)
	}
	big := map[string]json.RawMessage{"big": json.RawMessage(`"` + strings.Repeat("x", 70_000) + `"`)}
	if code := chat.CodeOf(patch(store.PatchContact{Properties: big})); code != chat.CodeInvalid {
		t.Error("too large:", code)
	}
	if _, err := s.Append(ctx, &store.PatchContact{Workspace: ws.ID, Contact: "nobody", Name: &name}); chat.CodeOf(err) != chat.CodeNotFound {
		t.Error(err)
	}
	other, err := s.AddWorkspace(ctx, "", "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(ctx, &store.PatchContact{Workspace: other.ID, Contact: id, Name: &name}); chat.CodeOf(err) != chat.CodeNotFound {
		t.Error("another workspace:", err)
	}
	if _, err := s.Append(ctx, &store.Erase{Workspace: ws.ID, Contact: id}); err != nil {
		t.Fatal(err)
	}
	if code := chat.CodeOf(patch(store.PatchContact{Name: &name})); code != chat.CodeConflict {
		t.Error("erased:", code)
	}
}
