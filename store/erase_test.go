package store_test

import (
	"path/filepath"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// Somebody who blocked us before a word was said is a contact without a conversation, so that no event tells of the erasure.
func TestEraseWithoutConversation(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "d.db"))
		eraseWithoutConversation(t, s, s)
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := storetest.Postgres(t)
		eraseWithoutConversation(t, open(t, dsn), open(t, dsn))
	})
}

// eraseWithoutConversation erases on one node what another has just written, and still knows.
func eraseWithoutConversation(t *testing.T, here, other *store.Store) {
	ctx := t.Context()
	ws, err := here.AddWorkspace(ctx, "", "w")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := here.AddChannel(ctx, store.Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	ada := chat.Incoming{Key: "1", Kind: chat.KindBlocked, Thread: chat.Thread{Address: "a"}, Sender: chat.Person{Address: "a", Name: "Ada"}}
	if _, err := other.Append(ctx, &store.Receive{Channel: ch.ID, In: ada}); err != nil {
		t.Fatal(err)
	}
	list, _, err := here.Contacts(ctx, ws.ID, "", "", 10)
	if err != nil || len(list) != 1 {
		t.Fatal(err, list)
	}
	if _, err := here.Append(ctx, &store.Erase{Workspace: ws.ID, Contact: list[0].ID}); err != nil {
		t.Fatal(err)
	}
	c, err := here.Contact(ctx, ws.ID, list[0].ID)
	if err != nil || c.ErasedAt.IsZero() || c.Name != "" || len(c.Identities) != 0 {
		t.Errorf("not erased: %+v, %v", c, err)
	}
	ada.Key, ada.Kind, ada.Message = "2", chat.KindMessage, &chat.Message{Stack: []chat.Element{chat.Plain("I am back")}}
	if _, err := other.Append(ctx, &store.Receive{Channel: ch.ID, In: ada}); err != nil {
		t.Fatal(err)
	}
	if list, _, err = here.Contacts(ctx, ws.ID, "", "", 10); err != nil || len(list) != 2 {
		t.Errorf("who comes back is somebody new: %d contacts, %v", len(list), err)
	}
}
