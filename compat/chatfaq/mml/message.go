package mml

import (
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// noteMember is where an element keeps what it cannot say itself.
const noteMember = "chatfaq"

// note is the rest of a layer. Without a payload, the element's own payload (but for the note) is the layer's.
type note struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload,omitempty"`
	Streaming     bool            `json:"streaming,omitempty"`
	Meta          json.RawMessage `json:"meta,omitempty"`
	State         json.RawMessage `json:"state,omitempty"`
	FSMDefinition any             `json:"fsm_definition,omitempty"`
	ID            string          `json:"id,omitempty"`
}

// Message makes a message of a stack; each layer becomes one element. An error is a *chat.Fault.
func Message(stack []Layer) (chat.Message, error) {
	if len(stack) > MaxLayers {
		return chat.Message{}, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("stack: more than %d layers", MaxLayers))
	}
	size := 0
	for i := range stack {
		if err := stack[i].check(i); err != nil {
			return chat.Message{}, err
		}
		if size += stack[i].size(); size > MaxBytes {
			return chat.Message{}, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("stack: more than %d bytes", MaxBytes))
		}
	}
	m := chat.Message{Stack: make([]chat.Element, len(stack))}
	for i, l := range stack {
		m.Stack[i] = element(l)
	}
	return m, nil
}

// Heard is Message for a stack that a human sent: replies in it were pressed, not offered.
func Heard(stack []Layer) (chat.Message, error) {
	m, err := Message(stack)
	if err != nil {
		return m, err
	}
	for i := range m.Stack {
		m.Stack[i] = asPress(m.Stack[i], stack[i])
	}
	return m, nil
}

// element makes one element: open, with the layer's own payload, where our readers can read that; else with a payload of ours.
func element(l Layer) chat.Element {
	if len(l.Payload) == 0 {
		l.Payload = json.RawMessage("null")
	}
	n := note{Type: l.Type, Streaming: l.Streaming, Meta: l.Meta, State: l.State, FSMDefinition: l.FSMDefinition, ID: l.ID}
	fields, isObject := object(l.Payload)
	kind, ours := translate(l, fields)
	if _, taken := fields[noteMember]; ours == nil && isObject && !taken {
		if kind == chat.Text && n.plain() && fields["spans"] == nil {
			return chat.Element{Type: kind, Payload: l.Payload} // what people write needs no note
		}
		return noted(kind, fields, n)
	}
	n.Payload = l.Payload
	fields = map[string]json.RawMessage{}
	if ours != nil {
		fields, _ = object(encoded(ours))
	}
	return noted(kind, fields, n)
}

// plain tells a layer that says nothing but its payload.
func (n note) plain() bool {
	return n.Type == TypeMessage && !n.Streaming && n.Meta == nil && n.State == nil && n.FSMDefinition == nil && n.ID == ""
}

func noted(kind chat.ElementType, fields map[string]json.RawMessage, n note) chat.Element {
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields[noteMember] = encoded(n)
	return chat.Element{Type: kind, Payload: encoded(fields)}
}

// encoded writes what was checked before: plain data and valid JSON.
func encoded(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("mml: " + err.Error())
	}
	return raw
}

// noteOf finds the layer that an element was made of.
func noteOf(e chat.Element) (Layer, bool) {
	fields, ok := object(e.Payload)
	if !ok || fields[noteMember] == nil {
		return Layer{}, false
	}
	var n note
	if json.Unmarshal(fields[noteMember], &n) != nil || n.Type == "" {
		return Layer{}, false
	}
	l := Layer(n)
	if l.Payload == nil {
		delete(fields, noteMember)
		l.Payload = encoded(fields)
	}
	return l, true
}
