package fit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// placeholder stands above buttons where the platform wants a text and there is none.
const placeholder = "…"

// join takes the last text into buttons that have none of their own.
func (f *fitting) join(e chat.Element) chat.Element {
	n := len(f.out) - 1
	if e.Type != chat.Buttons && e.Type != chat.QuickReplies || n < 0 || f.out[n].Type != chat.Text {
		return e
	}
	var b chat.ButtonsPayload
	var t chat.TextPayload
	if e.Into(&b) != nil || b.Content != "" || len(b.Buttons) == 0 || f.out[n].Into(&t) != nil {
		return e
	}
	f.out = f.out[:n]
	f.note(string(e.Type) + " joined to the text before")
	b.Content, b.Spans = t.Content, t.Spans
	return chat.NewElement(e.Type, b)
}

// keepControls fits buttons or quick replies: their number, titles, payloads, and the text above them.
func (f *fitting) keepControls(e chat.Element) ([]chat.Element, bool) {
	var p chat.ButtonsPayload
	if !f.read(e, &p) {
		return nil, true
	}
	trait, limited := f.traits.Controls[e.Type]
	buttons, lines, ok := p.Buttons, []string(nil), true
	if limited {
		buttons, lines, ok = f.buttons(p.Buttons, trait)
	}
	if !ok || len(buttons) == 0 {
		return nil, false
	}
	content, spans, changed := f.spans(p.Content, p.Spans)
	if len(lines) > 0 {
		content = below(content, strings.Join(lines, "\n"))
	}
	if strings.TrimSpace(content) == "" && trait.NeedsText {
		content = placeholder
		f.note("text added above " + string(e.Type))
	}
	above := f.above(content, spans, trait)
	last := above[len(above)-1]
	if !changed && len(above) == 1 && last.text == p.Content && slices.Equal(buttons, p.Buttons) {
		return []chat.Element{e}, true
	}
	p.Content, p.Spans, p.Buttons = last.text, last.spans, buttons
	return append(texts(above[:len(above)-1]), chat.NewElement(e.Type, p)), true
}

// above splits the text above buttons; the last piece stays with them.
func (f *fitting) above(content string, spans []chat.Span, t connector.ControlsTrait) []piece {
	limit := f.text()
	if t.TextLimit > 0 && (limit.limit <= 0 || t.TextLimit < limit.limit) {
		limit.limit = t.TextLimit
	}
	pieces := f.split(content, spans, limit)
	if len(pieces) == 0 { // nothing but white space
		return []piece{{}}
	}
	return pieces
}

// buttons fits each button. Links, numbers and requests that the platform has no buttons for come back as lines
// of text. It answers false if there are too many, or a payload is too long and cannot be kept.
func (f *fitting) buttons(all []chat.Button, t connector.ControlsTrait) (fitted []chat.Button, lines []string, ok bool) {
	for _, b := range all {
		switch {
		case label(b) == "":
			f.note("button without a title dropped")
		case b.URL != "" && !t.URL || b.Phone != "" && !t.Phone || b.Request != "" && !t.Request:
			f.note("button to text")
			lines = append(lines, buttonLine(b))
		default:
			fitted = append(fitted, b)
		}
	}
	if t.Max > 0 && len(fitted) > t.Max {
		return nil, nil, false
	}
	for i, b := range fitted {
		if fitted[i], ok = f.button(b, t); !ok {
			return nil, nil, false
		}
	}
	return fitted, lines, true
}

// button fits one button. It answers false if its payload is too long and cannot be kept.
func (f *fitting) button(b chat.Button, t connector.ControlsTrait) (chat.Button, bool) {
	if b.Title == "" {
		b.Title = label(b)
	}
	answers := b.URL == "" && b.Phone == "" && b.Request == ""
	if title := cutTitle(b.Title, t.TitleLimit); title != b.Title {
		if answers {
			b.Payload = b.Value() // what comes back is the whole title
		}
		b.Title = title
		f.note("button title cut")
	}
	if !answers || t.PayloadLimit <= 0 || len(b.Value()) <= t.PayloadLimit {
		return b, true
	}
	if f.options.ShortPayload == nil {
		return b, false
	}
	short := f.options.ShortPayload(b.Value())
	if short == "" || len(short) > t.PayloadLimit {
		return b, false
	}
	b.Payload = short
	f.note("button payload shortened")
	return b, true
}

// label is what can be read on a button.
func label(b chat.Button) string {
	for _, s := range []string{b.Title, b.Payload, b.URL, b.Phone} {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// buttonLine is a button in words.
func buttonLine(b chat.Button) string {
	s := label(b)
	if b.Description != "" {
		s += " – " + b.Description
	}
	for _, more := range []string{b.URL, b.Phone} {
		if more != "" && more != label(b) {
			s += ": " + more
		}
	}
	return s
}

// controlsText makes a numbered list of buttons, below their text.
func controlsText(f *fitting, e chat.Element) []near {
	var p chat.ButtonsPayload
	if !f.read(e, &p) {
		return nil
	}
	var titles []string
	for _, b := range p.Buttons {
		if label(b) != "" {
			titles = append(titles, buttonLine(b))
		}
	}
	if len(titles) > 0 {
		content := below(p.Content, numbered(titles))
		return []near{{Element: formatted(content, p.Spans)}}
	}
	return []near{{Element: formatted(p.Content, p.Spans)}}
}

// numbered makes a list, one line each.
func numbered(lines []string) string {
	var b strings.Builder
	for i, s := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strconv.Itoa(i+1) + ". " + s)
	}
	return b.String()
}
