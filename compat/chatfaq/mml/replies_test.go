package mml

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/all"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// TestReplies: what a worker offers to press comes to platforms that have buttons as buttons, with the ids as payloads.
func TestReplies(t *testing.T) {
	want := []chat.Button{{Title: "Yes", Payload: "y"}, {Title: "No", Payload: "2"}}
	for _, raw := range []string{
		`{"type":"buttons","payload":{"content":"Sure?","buttons":[{"id":"y","text":"Yes"},{"id":2,"text":"No"}]}}`,
		`{"type":"buttons","payload":{"content":"Sure?","buttons":[{"title":"Yes","payload":"y"},{"title":"No","payload":"2"}]}}`,
		`{"type":"quick_replies","payload":{"content":"Sure?","buttons":[{"id":"y","text":"Yes"},{"id":2,"text":"No"}]}}`,
		`{"type":"quick_replies","payload":[{"id":"y","text":"Yes","meta":{}},{"id":2,"text":"No"}]}`,
	} {
		var l Layer
		if err := json.Unmarshal([]byte(raw), &l); err != nil {
			t.Fatal(err)
		}
		m, err := Message([]Layer{l})
		if err != nil {
			t.Fatal(err)
		}
		drawn := 0
		for _, p := range all.Platforms() {
			if _, ok := p.Traits.Controls[chat.ElementType(l.Type)]; !ok {
				continue
			}
			parts, _, err := fit.Fit(m, p.Traits, fit.Options{})
			if err != nil || len(parts) != 1 {
				t.Errorf("%s on %s: %v, %v", raw, p.Name, parts, err)
				continue
			}
			var got chat.ButtonsPayload
			e := parts[0].Elements[0]
			if err := e.Into(&got); err != nil || !slices.Equal(got.Buttons, want) {
				t.Errorf("%s on %s: %s, %v", raw, p.Name, e.Payload, err)
			}
			drawn++
		}
		if drawn < 4 {
			t.Errorf("%s: %d platforms have buttons", raw, drawn)
		}
	}
}

// TestPresses: a press comes to workers as its title and the id, and what clients of the protocol press is a press here.
func TestPresses(t *testing.T) {
	for _, c := range []struct{ choice, want string }{
		{`{"title":"Yes","payload":"y"}`, `[{"type":"message","payload":{"content":"Yes"},"streaming":false},{"type":"quick_replies","payload":[{"id":"y"}],"streaming":false}]`},
		{`{"payload":"y"}`, `[{"type":"message","payload":{"content":"y"},"streaming":false},{"type":"quick_replies","payload":[{"id":"y"}],"streaming":false}]`},
		{`{"title":"Form","payload":"f","data":{"a":1}}`, `[{"type":"message","payload":{"content":"Form"},"streaming":false},{"type":"quick_replies","payload":[{"id":"f","meta":{"a":1}}],"streaming":false}]`},
	} {
		layers := Layers(chat.Message{Stack: []chat.Element{{Type: chat.Choice, Payload: json.RawMessage(c.choice)}}})
		if got := string(encoded(layers)); got != c.want {
			t.Errorf("%s is %s", c.choice, got)
		}
	}
	heard := []Layer{{Type: "quick_replies", Payload: json.RawMessage(`[{"id":"y"}]`)}, {Type: "message", Payload: json.RawMessage(`{"content":"hi"}`)}}
	m, err := Heard(heard)
	if err != nil || m.Stack[0].Type != chat.Choice || m.Payload() != "y" || m.Stack[1].Type != chat.Text {
		t.Errorf("%+v, %v", m, err)
	}
	for i, l := range Layers(stored(t, m)) {
		same(t, heard[i], l)
	}
	if _, err := Heard([]Layer{{}}); err == nil {
		t.Error("a layer without a type was taken")
	}
}
