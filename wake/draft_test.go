package wake

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

func draft(conv, id, text string) Draft {
	return Draft{Workspace: "w", Conversation: chat.ConversationID(conv), ID: id, Message: chat.TextMessage(text)}
}

// TestDraftsCoalesce: a slow subscriber sees the newest draft of each message, and of so many messages only.
func TestDraftsCoalesce(t *testing.T) {
	bus := Local()
	s := bus.Subscribe()
	defer s.Close()
	for i := range 100 {
		bus.Draft(draft("c", "m", strings.Repeat("x", i)))
		bus.Draft(draft("c", "n", "n"))
	}
	got := s.Take().Drafts
	if len(got) != 2 || len(got[0].Message.Text()) != 99 || got[1].ID != "n" {
		t.Errorf("drafts %+v", got)
	}
	if again := s.Take().Drafts; len(again) != 0 {
		t.Errorf("drafts again: %+v", again)
	}
	for i := range DraftLimit + 10 {
		bus.Draft(draft(fmt.Sprint(i), "m", "x"))
	}
	if got := s.Take().Drafts; len(got) != DraftLimit {
		t.Errorf("%d drafts", len(got))
	}
}

// TestDraftOnTheWire: what is read is what was written; what is too large, or nobody's, is not written.
func TestDraftOnTheWire(t *testing.T) {
	d := draft("c", "m", strings.Repeat("é", 20_000))
	subject, body, err := encode("w", envelope{V: wireVersion, Draft: &d})
	if err != nil {
		t.Fatal(err)
	}
	w, e, err := decode(subject, body)
	if err != nil || w != "w" || fmt.Sprint(*e.Draft) != fmt.Sprint(d) {
		t.Errorf("read %v, %v", e.Draft, err)
	}
	huge, nobody := draft("c", "m", strings.Repeat("x", draftLimit)), draft("", "m", "x")
	for _, bad := range []envelope{{V: wireVersion, Draft: &huge}, {V: wireVersion, Draft: &nobody}, {V: wireVersion, Draft: &d, Head: 1}} {
		if _, _, err := encode("w", bad); err == nil {
			t.Errorf("written: %d", len(bad.Draft.Message.Text()))
		}
	}
	if _, _, err := decode(subject, []byte(`{"v":1,"head":1,"x":"`+strings.Repeat("x", wireLimit)+`"}`)); err == nil {
		t.Error("a large head was read")
	}
}
