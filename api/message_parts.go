package api

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

func (c *messageCheck) buttonsElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.ButtonsPayload](c, path, raw)
	if !ok {
		return p
	}
	c.text(path+".content", p.Content, maxText)
	c.spans(path+".spans", p.Content, p.Spans)
	if len(p.Buttons) == 0 {
		c.addf(path+".buttons", "needs at least one")
	}
	c.buttons(path+".buttons", p.Buttons)
	return p
}

// requests are what a button may ask the platform for.
var requests = map[string]bool{"": true, "phone": true, "email": true, "location": true}

func (c *messageCheck) buttons(path string, list []chat.Button) {
	if len(list) > maxButtons {
		c.addf(path, "%d buttons, at most %d", len(list), maxButtons)
		return
	}
	for i, b := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.required(at+".title", b.Title, maxTitle)
		c.text(at+".payload", b.Payload, maxText)
		c.link(at+".url", b.URL)
		c.text(at+".phone", b.Phone, maxTitle)
		c.text(at+".description", b.Description, maxTitle)
		c.link(at+".image", b.Image)
		if !requests[b.Request] {
			c.addf(at+".request", "is phone, email or location")
		}
		if b.Row < 0 || b.Row > maxButtons {
			c.addf(at+".row", "is between 0 and %d", maxButtons)
		}
	}
}

func (c *messageCheck) cardElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.CardPayload](c, path, raw)
	if ok {
		c.card(path, p)
	}
	return p
}

func (c *messageCheck) card(path string, p chat.CardPayload) {
	c.required(path+".title", p.Title, maxTitle)
	c.text(path+".subtitle", p.Subtitle, maxText)
	c.link(path+".image", p.Image)
	c.link(path+".url", p.URL)
	c.file(path+".file", p.File)
	c.buttons(path+".buttons", p.Buttons)
}

func (c *messageCheck) carouselElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.CarouselPayload](c, path, raw)
	if !ok {
		return p
	}
	if n := len(p.Cards); n < 1 || n > maxCards {
		c.addf(path+".cards", "%d cards, 1 to %d", n, maxCards)
		return p
	}
	for i, card := range p.Cards {
		c.card(fmt.Sprintf("%s.cards[%d]", path, i), card)
	}
	return p
}

func (c *messageCheck) templateElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.TemplatePayload](c, path, raw)
	if !ok {
		return p
	}
	c.required(path+".name", p.Name, maxTitle)
	c.required(path+".language", p.Language, maxTitle)
	if len(p.Parameters) > maxOptions {
		c.addf(path+".parameters", "%d parameters, at most %d", len(p.Parameters), maxOptions)
	}
	for i, s := range p.Parameters {
		c.text(fmt.Sprintf("%s.parameters[%d]", path, i), s, maxText)
	}
	if len(p.Components) > maxOpen {
		c.addf(path+".components", "%d bytes, at most %d", len(p.Components), maxOpen)
	}
	return p
}

func (c *messageCheck) pollElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.PollPayload](c, path, raw)
	if !ok {
		return p
	}
	c.required(path+".question", p.Question, maxText)
	c.text(path+".id", p.ID, maxTitle)
	if len(p.Options) < 2 {
		c.addf(path+".options", "needs at least two")
	}
	c.words(path+".options", p.Options)
	return p
}

func (c *messageCheck) ratingElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.RatingPayload](c, path, raw)
	if !ok {
		return p
	}
	c.text(path+".content", p.Content, maxText)
	c.text(path+".comment", p.Comment, maxText)
	if p.Max < 0 || p.Max > 100 || p.Value < 0 || p.Value > 100 {
		c.addf(path, "max and value are between 0 and 100")
	}
	return p
}

// openElement is a payload whose form is the client's own: any object, bounded.
func (c *messageCheck) openElement(path string, raw json.RawMessage) any {
	trimmed := bytes.TrimSpace(raw)
	switch {
	case len(trimmed) > maxOpen:
		c.addf(path, "%d bytes, at most %d", len(trimmed), maxOpen)
	case len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(trimmed):
		c.addf(path, "must be an object")
	default:
		return json.RawMessage(trimmed)
	}
	return struct{}{}
}
