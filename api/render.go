package api

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
)

// render gives an event as others see it: stored attachments get a link that is good for a while, and where something lies at its
// platform is left out. The event that comes in is not changed.
func (a *API) render(ws chat.WorkspaceID, e chat.Event) chat.Event {
	if e.Message == nil {
		return e
	}
	var stack []chat.Element
	for i, el := range e.Message.Stack {
		payload, changed := a.renderPayload(ws, el)
		if !changed {
			continue
		}
		if stack == nil {
			stack = append([]chat.Element(nil), e.Message.Stack...)
		}
		stack[i].Payload = payload
	}
	if stack != nil {
		m := *e.Message
		m.Stack = stack
		e.Message = &m
	}
	return e
}

func (a *API) renderAll(ws chat.WorkspaceID, events []chat.Event) []chat.Event {
	out := make([]chat.Event, len(events))
	for i, e := range events {
		out[i] = a.render(ws, e)
	}
	return out
}

func (a *API) renderPayload(ws chat.WorkspaceID, e chat.Element) (json.RawMessage, bool) {
	switch {
	case e.Type.IsMedia():
		return a.withLink(ws, e.Payload, "url")
	case e.Type == chat.Card:
		return a.withLink(ws, e.Payload, "image")
	case e.Type == chat.Carousel:
		return a.withLinks(ws, e.Payload)
	default:
		return nil, false
	}
}

// withLink puts the link of the member file into another member, and takes source out.
func (a *API) withLink(ws chat.WorkspaceID, raw json.RawMessage, into string) (json.RawMessage, bool) {
	var p map[string]json.RawMessage
	if json.Unmarshal(raw, &p) != nil {
		return nil, false
	}
	_, changed := p["source"]
	delete(p, "source")
	var id chat.FileID
	if json.Unmarshal(p["file"], &id) == nil && id != "" {
		link, _ := json.Marshal(a.Public + a.Hub.FileLink(ws, id)) // a text: cannot fail
		p[into], changed = link, true
	}
	if !changed {
		return nil, false
	}
	out, err := json.Marshal(p)
	return out, err == nil
}

func (a *API) withLinks(ws chat.WorkspaceID, raw json.RawMessage) (json.RawMessage, bool) {
	var p struct {
		Cards []json.RawMessage `json:"cards"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return nil, false
	}
	changed := false
	for i, card := range p.Cards {
		if linked, ok := a.withLink(ws, card, "image"); ok {
			p.Cards[i], changed = linked, true
		}
	}
	if !changed {
		return nil, false
	}
	out, err := json.Marshal(p)
	return out, err == nil
}
