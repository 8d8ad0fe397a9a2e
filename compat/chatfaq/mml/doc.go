// Package mml translates between ChatFAQ's layers and the elements of a message.
//
// It is pure. A layer always comes back as it was: where an element cannot say what a layer says, the element's payload keeps the
// rest under one more member, "chatfaq". Whoever does not know that member reads a text, a file, a rating.
package mml

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// Layer is one layer of a ChatFAQ message. A payload that is missing counts as null.
type Layer struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload"`
	Streaming     bool            `json:"streaming"`
	Meta          json.RawMessage `json:"meta,omitempty"`
	State         json.RawMessage `json:"state,omitempty"`
	FSMDefinition any             `json:"fsm_definition,omitempty"` // a name or a number
	ID            string          `json:"id,omitempty"`
}

// Bounds of a stack.
const (
	MaxLayers = 100
	MaxBytes  = 512 << 10 // of all payloads, metas and states of a stack
	maxDepth  = 64
	maxName   = 255 // bytes of a type, an id or a flow's name
)

// check finds what must not be stored; at is where the layer stands in the stack.
func (l *Layer) check(at int) error {
	fault := func(member, what string) error {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("stack.%d.%s: %s", at, member, what))
	}
	if l.Type == "" || len(l.Type) > maxName {
		return fault("type", "a text of 1 to 255 bytes")
	}
	if len(l.ID) > maxName {
		return fault("id", "at most 255 bytes")
	}
	switch d := l.FSMDefinition.(type) {
	case nil, int, int64, float64:
	case string:
		if len(d) > maxName {
			return fault("fsm_definition", "at most 255 bytes")
		}
	default:
		return fault("fsm_definition", "a name or a number")
	}
	for _, m := range []struct {
		name string
		raw  json.RawMessage
	}{{"payload", l.Payload}, {"meta", l.Meta}, {"state", l.State}} {
		switch {
		case len(m.raw) == 0:
		case chat.Depth(m.raw) > maxDepth:
			return fault(m.name, "nested too deep")
		case !json.Valid(m.raw):
			return fault(m.name, "no JSON")
		}
	}
	return nil
}

func (l *Layer) size() int { return len(l.Payload) + len(l.Meta) + len(l.State) }

// object reads a JSON object; false: it is something else.
func object(raw json.RawMessage) (map[string]json.RawMessage, bool) {
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return nil, false
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	return m, true
}
