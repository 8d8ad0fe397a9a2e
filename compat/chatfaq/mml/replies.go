package mml

import (
	"encoding/json"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// reply is something to press, as workers write it: in our words (title, payload), or in the protocol's (text, id).
type reply struct {
	chat.Button
	ID   replyID `json:"id"`
	Text string  `json:"text"`
}

// replyID is a text or a number.
type replyID string

// UnmarshalJSON takes both, and null for none.
func (id *replyID) UnmarshalJSON(raw []byte) error {
	var s *string
	if json.Unmarshal(raw, &s) == nil {
		if s != nil {
			*id = replyID(*s)
		}
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	*id = replyID(n)
	return nil
}

// button says the same in our words.
func (r reply) button() chat.Button {
	b := r.Button
	for _, title := range []string{r.Text, string(r.ID)} {
		if b.Title == "" {
			b.Title = title
		}
	}
	if b.Payload == "" && b.URL == "" && b.Phone == "" && b.Request == "" {
		b.Payload = string(r.ID)
	}
	return b
}

func buttonsOf(list []reply) []chat.Button {
	out := make([]chat.Button, len(list))
	for i, r := range list {
		out[i] = r.button()
	}
	return out
}

// asButtons reads what there is to press: a list, as the protocol has it, or a text with a list below it.
func asButtons(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	kind := chat.ElementType(l.Type)
	var list []reply
	if json.Unmarshal(l.Payload, &list) == nil && len(list) > 0 {
		return kind, chat.ButtonsPayload{Buttons: buttonsOf(list)}
	}
	var p chat.ButtonsPayload
	var in struct {
		Buttons []reply `json:"buttons"`
	}
	if fields == nil || json.Unmarshal(l.Payload, &p) != nil || json.Unmarshal(l.Payload, &in) != nil {
		return asItIs(l, fields)
	}
	if ours := buttonsOf(in.Buttons); !slices.Equal(ours, p.Buttons) {
		p.Buttons = ours
		return kind, p
	}
	return kind, nil
}

// pressed is a press for a worker: its title as a text, for functions that read no more than that, and the id of the reply.
func pressed(e chat.Element) []Layer {
	var p chat.ChoicePayload
	if e.Into(&p) != nil {
		return nil
	}
	title, id := p.Title, p.Payload
	if title == "" {
		title = id
	}
	if id == "" {
		id = title
	}
	answer := map[string]any{"id": id}
	if len(p.Data) > 0 {
		answer["meta"] = p.Data
	}
	return []Layer{said(title), {Type: typeReplies, Payload: encoded([]any{answer})}}
}

// asPress makes a choice of an element that was made of replies; the layer stays in its note.
func asPress(e chat.Element, l Layer) chat.Element {
	var list []reply
	if l.Type != typeReplies || json.Unmarshal(l.Payload, &list) != nil || len(list) == 0 {
		return e
	}
	b := list[0].button()
	fields, _ := object(encoded(chat.ChoicePayload{Title: b.Title, Payload: b.Payload}))
	own, _ := object(e.Payload)
	fields[noteMember] = own[noteMember]
	return chat.Element{Type: chat.Choice, Payload: encoded(fields)}
}
