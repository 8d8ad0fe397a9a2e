package fit

import (
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// keepCard fits the buttons of a card. A card with too many of them, or too much text, is taken apart.
func (f *fitting) keepCard(e chat.Element) ([]chat.Element, bool) {
	var c chat.CardPayload
	if !f.read(e, &c) {
		return nil, true
	}
	trait, limited := f.traits.Controls[chat.Card]
	fitted, ok := f.card(c, trait, limited)
	if !ok {
		return nil, false
	}
	if slices.Equal(fitted.Buttons, c.Buttons) {
		return []chat.Element{e}, true
	}
	return []chat.Element{chat.NewElement(chat.Card, fitted)}, true
}

// keepCarousel fits each card of a carousel, or none.
func (f *fitting) keepCarousel(e chat.Element) ([]chat.Element, bool) {
	var p chat.CarouselPayload
	if !f.read(e, &p) {
		return nil, true
	}
	trait, limited := f.traits.Controls[chat.Carousel]
	if !limited {
		trait, limited = f.traits.Controls[chat.Card]
	}
	if len(p.Cards) == 0 {
		return nil, false
	}
	changed := false
	cards := slices.Clone(p.Cards)
	for i, c := range p.Cards {
		fitted, ok := f.card(c, trait, limited)
		if !ok {
			return nil, false
		}
		changed = changed || !slices.Equal(fitted.Buttons, c.Buttons)
		cards[i] = fitted
	}
	if !changed {
		return []chat.Element{e}, true
	}
	return []chat.Element{chat.NewElement(chat.Carousel, chat.CarouselPayload{Cards: cards})}, true
}

func (f *fitting) card(c chat.CardPayload, t connector.ControlsTrait, limited bool) (chat.CardPayload, bool) {
	limit := f.text()
	if t.TextLimit > 0 {
		limit.limit = t.TextLimit
	}
	if c.Title == "" || !limit.holds(below(c.Title, c.Subtitle)) {
		return c, false
	}
	if !limited {
		return c, true
	}
	buttons, lines, ok := f.buttons(c.Buttons, t)
	if !ok || len(lines) > 0 {
		return c, false
	}
	c.Buttons = buttons
	return c, true
}

// cardNear takes a card apart: its image, and its words with the buttons below them.
func cardNear(f *fitting, e chat.Element) []near {
	var c chat.CardPayload
	if !f.read(e, &c) {
		return nil
	}
	var out []near
	if c.Image != "" || c.File != "" {
		out = append(out, near{Element: chat.NewElement(chat.Image, chat.Media{File: c.File, URL: c.Image})})
	}
	words := c.Title
	for _, s := range []string{c.Subtitle, c.URL} {
		if s != "" {
			words = below(words, s)
		}
	}
	switch {
	case len(c.Buttons) > 0:
		p := chat.ButtonsPayload{Content: words, Buttons: c.Buttons}
		out = append(out, near{Element: chat.NewElement(chat.Buttons, p)})
	case words != "":
		out = append(out, near{Element: chat.Plain(words)})
	}
	return out
}

func carouselCards(f *fitting, e chat.Element) []near {
	var p chat.CarouselPayload
	if !f.read(e, &p) {
		return nil
	}
	out := make([]near, len(p.Cards))
	for i, c := range p.Cards {
		out[i] = near{Element: chat.NewElement(chat.Card, c)}
	}
	return out
}
