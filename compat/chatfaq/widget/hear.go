package widget

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
)

// maxDepth is how deep a frame may be nested.
const maxDepth = 80

// hear does what a frame says. Whatever that is, the client gets an answer that unlocks its input in the end.
func (k *socket) hear(ctx context.Context, r *room, raw []byte) {
	var fields map[string]json.RawMessage
	if chat.Depth(raw) > maxDepth || json.Unmarshal(raw, &fields) != nil {
		k.wrong(r, map[string]any{"non_field_errors": []string{"Invalid data. Expected a dictionary that is not nested too deep."}})
		return
	}
	switch {
	case fields["heartbeat"] != nil:
	case fields["reset"] != nil:
		if err := k.reset(ctx, r, fields["reset"]); err != nil {
			k.wrong(r, map[string]any{"reset": []string{words(ctx, k.s, err)}})
		}
	default:
		in, faults := k.message(fields)
		if len(faults) > 0 {
			k.wrong(r, faults)
			return
		}
		if err := k.say(ctx, r, in); err != nil {
			k.wrong(r, map[string]any{"stack": []string{words(ctx, k.s, err)}})
		}
	}
}

// wrong tells what is wrong, and ends the turn: the client's own message, which it shows already, has no other answer.
func (k *socket) wrong(r *room, faults any) {
	k.tell(invalid(faults))
	k.s.feed.mu.Lock()
	pos := r.pos
	k.s.feed.mu.Unlock()
	k.tell(k.s.unlock(k.thread.Address, pos))
}

// words are what a client may know of an error.
func words(ctx context.Context, s *Server, err error) string {
	if f, ok := errors.AsType[*chat.Fault](err); ok {
		return f.Detail
	}
	s.Log.WarnContext(ctx, "widget: a frame failed", "err", err)
	return "something went wrong on our side: try again"
}

// say stores a message.
func (k *socket) say(ctx context.Context, r *room, in chat.Incoming) error {
	v := k.s.feed.viewOf(r)
	if err := k.s.uploaded(ctx, v, in.Message); err != nil {
		return err
	}
	return k.s.Hub.Accept(ctx, k.site.channel, []chat.Incoming{in})
}

const required = "This field is required."

// message reads a human message. The faults are in the shape that clients of the protocol know.
func (k *socket) message(fields map[string]json.RawMessage) (chat.Incoming, map[string]any) {
	faults := map[string]any{}
	sender := k.sender(fields["sender"], faults)
	stack := readStack(fields["stack"], faults)
	if len(faults) > 0 {
		return chat.Incoming{}, faults
	}
	m, err := mml.Heard(stack)
	if err != nil {
		faults["stack"] = []string{err.Error()}
		return chat.Incoming{}, faults
	}
	if len(m.Stack) == 0 {
		m = chat.TextMessage("") // the log takes no message without content
	}
	return chat.Incoming{Key: "say:" + chat.NewID(), Kind: chat.KindMessage, Thread: k.thread, Sender: sender, Message: &m}, nil
}

// kinds are the types that a sender may say to be; whoever writes over a socket of the widget is a human.
var kinds = map[string]bool{"human": true, "bot": true, "system": true}

func (k *socket) sender(raw json.RawMessage, faults map[string]any) chat.Person {
	p := chat.Person{Address: k.thread.Address}
	var fields map[string]json.RawMessage
	switch {
	case raw == nil:
		faults["sender"] = []string{required}
		return p
	case json.Unmarshal(raw, &fields) != nil || fields == nil:
		faults["sender"] = map[string]any{"non_field_errors": []string{"Invalid data. Expected a dictionary."}}
		return p
	}
	wrong := map[string]any{}
	switch kind, ok := words255(fields["type"]); {
	case fields["type"] == nil:
		wrong["type"] = []string{required}
	case !ok || !kinds[kind]:
		wrong["type"] = []string{fmt.Sprintf("%q is not a valid choice.", kind)}
	}
	for name, into := range map[string]*string{"id": nil, "platform": nil, "first_name": &p.FirstName, "last_name": &p.LastName} {
		s, ok := words255(fields[name])
		if !ok {
			wrong[name] = []string{"Not a valid string of at most 255 characters."}
		} else if into != nil {
			*into = s
		}
	}
	if len(wrong) > 0 {
		faults["sender"] = wrong
	}
	return p
}

// words255 reads a short text; numbers count as their digits, null and nothing as "".
func words255(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(raw, &s) == nil:
	case json.Unmarshal(raw, &n) == nil:
		s = n.String()
	default:
		return "", false
	}
	return s, len([]rune(s)) <= 255
}

func readStack(raw json.RawMessage, faults map[string]any) []mml.Layer {
	var layers []json.RawMessage
	switch {
	case raw == nil:
		faults["stack"] = []string{required}
		return nil
	case json.Unmarshal(raw, &layers) != nil || layers == nil:
		faults["stack"] = map[string]any{"non_field_errors": []string{"Expected a list of items."}}
		return nil
	case len(layers) > mml.MaxLayers:
		faults["stack"] = []string{fmt.Sprintf("at most %d layers", mml.MaxLayers)}
		return nil
	}
	out, wrong := make([]mml.Layer, len(layers)), map[string]any{}
	for i, raw := range layers {
		if fault := readLayer(raw, &out[i]); fault != nil {
			wrong[strconv.Itoa(i)] = fault
		}
	}
	if len(wrong) > 0 {
		faults["stack"] = wrong
	}
	return out
}

// readLayer reads the members that the protocol knows and drops all others.
func readLayer(raw json.RawMessage, l *mml.Layer) any {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		return map[string]any{"non_field_errors": []string{"Invalid data. Expected a dictionary."}}
	}
	kind, ok := words255(fields["type"])
	switch {
	case fields["type"] == nil:
		return map[string]any{"type": []string{required}}
	case !ok || kind == "":
		return map[string]any{"type": []string{"Not a valid string of 1 to 255 characters."}}
	}
	l.Type, l.Payload = kind, fields["payload"]
	if f := fields["streaming"]; f != nil && json.Unmarshal(f, &l.Streaming) != nil {
		return map[string]any{"streaming": []string{"Must be a valid boolean."}}
	}
	if l.ID, ok = words255(fields["id"]); !ok {
		return map[string]any{"id": []string{"Not a valid string of at most 255 characters."}}
	}
	l.Meta, l.State = fields["meta"], fields["state"]
	return nil
}
