package hub_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

func openElements(kinds ...chat.ElementType) chat.Message {
	var m chat.Message
	for _, k := range kinds {
		m.Stack = append(m.Stack, chat.Element{Type: k, Payload: json.RawMessage(`{"event":"lead"}`)})
	}
	return m
}

// TestNothingForPeople: what programs say to each other is no failure where it cannot be shown, and no request; not even where it is too
// late for answers.
func TestNothingForPeople(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	w, _, ch := inParts(t, s, connector.Traits{ReplyWindow: time.Hour})
	conv := w.meet(ch, "ann")
	w.clock.advance(2 * time.Hour)
	w.run()
	for _, c := range []struct {
		kinds  []chat.ElementType
		fitted []string
	}{
		{[]chat.ElementType{chat.GTMTag}, []string{"gtm_tag dropped", "nothing to show"}},
		{[]chat.ElementType{chat.ToolUse, chat.ToolResult, chat.ToolUse}, []string{"tool_use dropped", "tool_result dropped", "nothing to show"}},
		{[]chat.ElementType{chat.CloseConversation}, []string{"close_conversation dropped", "nothing to show"}},
	} {
		seq := w.post(conv, openElements(c.kinds...))
		w.awaitStatus(conv, seq, chat.Delivered)
		if r := w.receipts(conv, seq); len(r) != 1 || r[0].Status != chat.Delivered || !slices.Equal(r[0].Fitted, c.fitted) {
			t.Errorf("%v: %+v", c.kinds, r)
		}
	}
	if got, letters := s.texts(), w.letters(); len(got)+len(letters) > 0 {
		t.Errorf("sent %q, dead letters %+v", got, letters)
	}
}

// TestSilentWhereItIsCarried: a platform that wants them gets them, and what people would miss fails.
func TestSilentWhereItIsCarried(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	w, _, ch := inParts(t, s, connector.Traits{Elements: []chat.ElementType{chat.ToolUse}})
	conv := w.meet(ch, "ann")
	w.run()
	seq := w.post(conv, openElements(chat.GTMTag, chat.ToolUse))
	w.awaitStatus(conv, seq, chat.Sent)
	if parts := s.all(); len(parts) != 1 || len(parts[0].Elements) != 1 || parts[0].Elements[0].Type != chat.ToolUse {
		t.Errorf("sent %+v", parts)
	}
	for _, kind := range []chat.ElementType{chat.Unsupported, "my_frame"} {
		failed := w.awaitStatus(conv, w.post(conv, openElements(chat.GTMTag, kind)), chat.Failed)
		if failed.Error == nil || failed.Error.Code != "nothing_to_send" {
			t.Errorf("%s: %+v", kind, failed.Error)
		}
	}
}

// TestOthers: where whoever reads may know more types than we do, those go as they are.
func TestOthers(t *testing.T) {
	t.Parallel()
	s := newSplitting()
	w, _, ch := inParts(t, s, connector.Traits{Others: true, NoOthers: []string{"bob"}})
	conv, other := w.meet(ch, "ann"), w.meet(ch, "bob")
	w.run()
	w.awaitStatus(other, w.post(other, openElements("my_frame")), chat.Failed)
	w.awaitStatus(conv, w.post(conv, openElements("my_frame", chat.GTMTag)), chat.Sent)
	if parts := s.all(); len(parts) != 2 || parts[0].Elements[0].Type != "my_frame" || parts[1].Elements[0].Type != chat.GTMTag {
		t.Errorf("sent %+v", parts)
	}
}
