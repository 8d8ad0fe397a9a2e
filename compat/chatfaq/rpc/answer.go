package rpc

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
)

// Bounds of what a worker says in one call and the hub has not stored yet.
const (
	maxBubble = mml.MaxBytes
	maxHeld   = 4 << 20
)

// answer is what an event has said so far: bubbles that are finished, and at most one that grows. It is not for several goroutines.
type answer struct {
	open  *bubble
	done  []chat.Message
	held  int // bytes of done
	ended bool

	ending bool // nothing but the rest of the open bubble will come, if that
}

// bubble is a message that is being written.
type bubble struct {
	id, group string
	layers    []mml.Layer
	content   []byte // of the first layer, joined of its deltas
	joined    bool
	size      int // of everything else
}

// add takes the next frame of an answer. After an error it still holds what was said before.
func (a *answer) add(r result) error {
	if r.Condition {
		return invalidError{"node_type": []string{"The call is for an event."}}
	}
	layers, size, err := readLayers(r.Layers)
	if err != nil {
		return err
	}
	if a.open != nil && a.open.id != r.Stack {
		if err := a.finish(); err != nil {
			return err
		}
	}
	if len(layers) > 0 {
		if a.open == nil {
			a.open = &bubble{id: r.Stack, group: r.Group}
		}
		if err := a.open.put(layers, size); err != nil {
			return err
		}
	}
	// some clients mark every chunk of their last bubble as the last frame
	grows := len(layers) > 0 && layers[0].Streaming && !r.LastChunk
	if (r.Last || r.LastChunk) && !grows {
		err = a.finish()
	}
	a.ended, a.ending = r.Last && !grows, r.Last && grows
	return err
}

func readLayers(raw []json.RawMessage) ([]mml.Layer, int, error) {
	layers, size := make([]mml.Layer, len(raw)), 0
	for i, one := range raw {
		if err := json.Unmarshal(one, &layers[i]); err != nil {
			return nil, 0, inLayer(i, err.Error())
		}
		if layers[i].Type == "" {
			return nil, 0, invalidError{"stack": invalidError{strconv.Itoa(i): required("type")}}
		}
		size += len(one)
	}
	return layers, size, nil
}

func inLayer(i int, word string) error {
	return invalidError{"stack": invalidError{strconv.Itoa(i): []string{word}}}
}

// put takes the newest frame of a bubble: a delta is joined to what was there, everything else replaces it.
func (b *bubble) put(layers []mml.Layer, size int) error {
	b.layers, b.size = layers, size
	content, isText := contentOf(layers[0].Payload)
	switch {
	case !layers[0].Streaming:
		b.content, b.joined = nil, false
	case isText:
		b.content, b.joined = append(b.content, content...), true
	}
	if b.size+len(b.content) > maxBubble {
		return inLayer(0, fmt.Sprintf("more than %d bytes", maxBubble))
	}
	return nil
}

func contentOf(payload json.RawMessage) (string, bool) {
	var p struct {
		Content *string `json:"content"`
	}
	if json.Unmarshal(payload, &p) != nil || p.Content == nil {
		return "", false
	}
	return *p.Content, true
}

// message is the bubble as it is now.
func (b *bubble) message() (chat.Message, error) {
	layers := b.layers
	if b.joined {
		var payload map[string]json.RawMessage
		if err := json.Unmarshal(layers[0].Payload, &payload); err != nil {
			payload = map[string]json.RawMessage{} // what held deltas before holds none now
		}
		whole, err := json.Marshal(strings.ToValidUTF8(string(b.content), "\uFFFD"))
		if err != nil {
			return chat.Message{}, err
		}
		payload["content"] = whole
		first := layers[0]
		if first.Payload, err = json.Marshal(payload); err != nil {
			return chat.Message{}, err
		}
		layers = append([]mml.Layer{first}, layers[1:]...)
	}
	m, err := mml.Message(layers)
	if err != nil {
		return m, err
	}
	if m.Meta == nil {
		m.Meta = map[string]string{}
	}
	m.Meta["stack_id"], m.Meta["stack_group_id"] = b.id, b.group
	return m, nil
}

// finish closes the bubble that grows.
func (a *answer) finish() error {
	b := a.open
	if b == nil {
		return nil
	}
	a.open = nil
	m, err := b.message()
	if err != nil {
		return invalidError{"stack": []string{err.Error()}}
	}
	if a.held += b.size + len(b.content); a.held > maxHeld {
		return invalidError{"stack": []string{fmt.Sprintf("more than %d bytes at once", maxHeld)}}
	}
	a.done = append(a.done, m)
	return nil
}

// take gives the finished bubbles, once.
func (a *answer) take() []chat.Message {
	done := a.done
	a.done, a.held = nil, 0
	return done
}
