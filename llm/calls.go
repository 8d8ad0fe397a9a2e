package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// calls are calls of tools that come in pieces: a piece has the index of its call, or the id, or it belongs to the last one.
type calls []*call

type call struct {
	index    int
	id, name string
	args     strings.Builder
	whole    json.RawMessage // where the arguments come as an object, not as a text
}

func (c *calls) add(p callPiece) error {
	id := textOf(p.ID)
	found := c.find(p, id)
	if found == nil {
		if len(*c) >= maxTools {
			return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("the model calls more than %d tools at once", maxTools))
		}
		found = &call{index: len(*c), id: id}
		if p.Index != nil {
			found.index = *p.Index
		}
		*c = append(*c, found)
	}
	if found.id == "" {
		found.id = id
	}
	if found.name == "" {
		found.name = p.Function.Name
	}
	args := bytes.TrimSpace(p.Function.Arguments)
	if len(args) > 0 && args[0] == '{' {
		found.whole = args
		return nil
	}
	found.args.WriteString(textOf(args))
	return nil
}

// find gives the call that a piece belongs to, nil for a new one.
func (c *calls) find(p callPiece, id string) *call {
	for i := len(*c) - 1; i >= 0; i-- {
		known := (*c)[i]
		other := id != "" && known.id != "" && id != known.id
		switch {
		case p.Index != nil:
			// some give every call the index 0; what has another id and a name is another call
			if known.index == *p.Index && (!other || p.Function.Name == "") {
				return known
			}
		case id == "" || id == known.id:
			return known
		}
	}
	return nil
}

// done gives the whole calls. Where the answer was cut off, the last one may be half: it is left out.
func (c *calls) done(cut bool) ([]ToolUse, error) {
	var out []ToolUse
	for i, k := range *c {
		args := k.whole
		if args == nil {
			args = argsOf(k.args.String())
		}
		if args == nil || k.name == "" {
			if cut {
				continue
			}
			return nil, chat.Faultf(chat.CodeUnavailable, fmt.Sprintf("the model called the tool %.40q with what is no object: try again", k.name))
		}
		if k.id == "" {
			k.id = fmt.Sprintf("call_%d", i)
		}
		out = append(out, ToolUse{k.id, k.name, args})
	}
	return out, nil
}

// argsOf reads arguments: nothing is the empty object, and some write the text of an object as a text again.
func argsOf(text string) json.RawMessage {
	text = strings.TrimSpace(text)
	var inner string
	if json.Unmarshal([]byte(text), &inner) == nil {
		text = inner
	}
	if text == "" || text == "null" {
		return json.RawMessage("{}")
	}
	if !isObject(json.RawMessage(text)) {
		return nil
	}
	return json.RawMessage(text)
}
