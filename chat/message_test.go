package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a reader reads of each sort of element.
func TestMessageText(t *testing.T) {
	for _, c := range []struct {
		name  string
		stack []Element
		want  string
	}{
		{"text", []Element{Plain("hi")}, "hi"},
		{"caption", []Element{NewElement(Image, Media{Caption: "me"})}, "me"},
		{"buttons", []Element{NewElement(Buttons, ButtonsPayload{Content: "choose", Buttons: []Button{{Title: "A"}}})}, "choose"},
		{"choice", []Element{NewElement(Choice, ChoicePayload{Title: "Yes", Payload: "y"})}, "Yes"},
		{"choice without a title", []Element{NewElement(Choice, ChoicePayload{Payload: "y"})}, "y"},
		{"poll", []Element{NewElement(Poll, PollPayload{Question: "when?"})}, "when?"},
		{"several", []Element{Plain("a"), NewElement(Location, LocationPayload{}), Plain("b")}, "a\nb"},
		{"foreign", []Element{{Type: "tool_use", Payload: json.RawMessage(`{"content":{"deep":1},"title":"T"}`)}}, "T"},
		{"broken", []Element{{Type: Text, Payload: json.RawMessage(`[1`)}}, ""},
		{"none", nil, ""},
	} {
		if got := (&Message{Stack: c.stack}).Text(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if (*Message)(nil).Text() != "" || (*Message)(nil).Payload() != "" {
		t.Error("no message has a text")
	}
}

func TestMessagePayload(t *testing.T) {
	m := &Message{Stack: []Element{Plain("hi"), NewElement(Choice, ChoicePayload{Title: "Yes", Payload: "y"})}}
	if got := m.Payload(); got != "y" {
		t.Errorf("got %q", got)
	}
}

// Unknown members of a payload survive being read and written.
func TestElementKeepsWhatItDoesNotKnow(t *testing.T) {
	const in = `{"type":"message","payload":{"content":"hi","references":{"a":[1,2]},"score":1e3}}`
	var e Element
	if err := json.Unmarshal([]byte(in), &e); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(e)
	if err != nil || string(out) != in {
		t.Errorf("%s, %v", out, err)
	}
}

func TestCodeOf(t *testing.T) {
	err := fmt.Errorf("while closing: %w", Faultf(CodeClosed, "the conversation is closed"))
	if CodeOf(err) != CodeClosed || CodeOf(errors.New("else")) != "" || CodeOf(nil) != "" {
		t.Error(err)
	}
}

func FuzzMessageText(f *testing.F) {
	f.Add("text", `{"content":"hi"}`)
	f.Add("choice", `{"payload":7,"title":null}`)
	f.Fuzz(func(t *testing.T, kind, payload string) {
		m := Message{Stack: []Element{{Type: ElementType(kind), Payload: json.RawMessage(payload)}, Plain("end")}}
		got := m.Text()
		if !strings.HasSuffix(got, "end") || !utf8.ValidString(got) {
			t.Errorf("%q", got)
		}
	})
}
