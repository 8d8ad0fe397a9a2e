package whatsapp

import (
	"context"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// panel is an interactive message before its form is chosen.
type panel struct {
	header  any // a picture; nil: none
	text    string
	tail    string // lines below the text that must not be cut
	buttons []chat.Button
	notice  string
}

// buttons turns a text with buttons, or with quick replies, into the nearest form that WhatsApp has.
func (n *number) buttons(p chat.ButtonsPayload) (statement, error) {
	words, notice := formatted(p.Content, p.Spans, maxBody)
	return n.panel(panel{text: words, buttons: p.Buttons, notice: notice})
}

// panel chooses the form: one link alone is a link button, up to three replies are buttons, up to ten are rows of
// a list. Links and telephone numbers that cannot be buttons move into the text.
func (n *number) panel(p panel) (statement, error) {
	if one := len(p.buttons) == 1 && p.buttons[0].URL != ""; one && p.text != "" && p.tail == "" && runes(p.text) <= maxBody {
		return p.link(p.buttons[0]), nil
	}
	p = p.withoutLinks()
	if p.text == "" || runes(p.text) > maxText || (len(p.buttons) > 0 || p.header != nil) && runes(p.text) > maxBody {
		return statement{}, rejected("buttons need a text above them, and links beside them have to fit into it")
	}
	switch replies := len(p.buttons); {
	case replies == 0:
		return p.plain()
	case replies <= maxButtons:
		return p.replies(), nil
	case replies <= maxRows:
		return p.list(n.set.ListLabel), nil
	default:
		return statement{}, rejected("%d buttons: WhatsApp takes at most %d", replies, maxRows)
	}
}

// withoutLinks moves what is not a reply into the text, which gives way as far as it must.
func (p panel) withoutLinks() panel {
	lines := []string{p.tail}
	var replies []chat.Button
	for _, b := range p.buttons {
		if target := either(loose(b.URL), loose(b.Phone)); target != "" {
			lines = append(lines, b.Title+": "+string(target))
		} else {
			replies = append(replies, b)
		}
	}
	if len(replies) < len(p.buttons) {
		p.notice = join("; ", p.notice, "links moved into the text")
	}
	p.tail, p.buttons = join("\n", lines...), replies
	limit := maxBody
	if p.header == nil && len(replies) == 0 {
		limit = maxText // it will be a text
	}
	room := limit - runes(p.tail)
	if p.tail != "" {
		room-- // the end of a line
	}
	if short := shorten(p.text, room); short != p.text {
		p.text, p.notice = short, join("; ", p.notice, "text shortened")
	}
	p.text = join("\n", p.text, p.tail)
	return p
}

// interactive is the frame of all forms.
func (p panel) interactive(form string, action any) statement {
	body := map[string]any{"type": form, "body": map[string]string{"text": p.text}, "action": action}
	if p.header != nil {
		body["header"] = p.header
	}
	return statement{kind: "interactive", body: body, notice: p.notice}
}

func (p panel) link(b chat.Button) statement {
	return p.interactive("cta_url", map[string]any{
		"name": "cta_url", "parameters": map[string]string{"display_text": b.Title, "url": b.URL},
	})
}

func (p panel) replies() statement {
	list := make([]map[string]any, 0, len(p.buttons))
	for _, b := range p.buttons {
		list = append(list, map[string]any{"type": "reply", "reply": map[string]string{"id": b.Value(), "title": b.Title}})
	}
	return p.interactive("button", map[string]any{"buttons": list})
}

// list makes rows. A list has no room for a picture.
func (p panel) list(label string) statement {
	if p.header != nil {
		p.header, p.notice = nil, join("; ", p.notice, "picture left out: a list has none")
	}
	rows := make([]map[string]string, 0, len(p.buttons))
	for _, b := range p.buttons {
		row := map[string]string{"id": b.Value(), "title": b.Title}
		if short := shorten(b.Description, maxRowText); short != "" {
			row["description"] = short
			if short != b.Description {
				p.notice = join("; ", p.notice, "description shortened")
			}
		}
		rows = append(rows, row)
	}
	section := map[string]any{"title": shorten(label, maxButtonTitle), "rows": rows}
	return p.interactive("list", map[string]any{"button": label, "sections": []any{section}})
}

// plain is what is left when no button is: a text, or a picture with a caption.
func (p panel) plain() (statement, error) {
	if h, ok := p.header.(map[string]any); ok {
		picture := map[string]any{"caption": p.text}
		for k, v := range h["image"].(map[string]any) {
			picture[k] = v
		}
		return statement{kind: "image", body: picture, notice: p.notice}, nil
	}
	said, err := text(chat.TextPayload{Content: p.text}) // its marks are in it
	said.notice = p.notice
	return said, err
}

// shorten cuts a text to a number of characters, the last one an ellipsis.
func shorten(s string, limit int) string {
	if limit <= 0 {
		return ""
	}
	if runes(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// card is a picture above a text with buttons.
func (n *number) card(ctx context.Context, e chat.Element, files map[chat.FileID]connector.Media) (statement, error) {
	var c chat.CardPayload
	if err := e.Into(&c); err != nil {
		return statement{}, rejected("the payload of the card cannot be read")
	}
	p := panel{text: cardText(c), tail: c.URL, buttons: c.Buttons}
	if join("", p.text, p.tail) == "" || len(c.Buttons) > maxRows {
		return statement{}, rejected("a card needs a text and at most %d buttons", maxRows)
	}
	if c.File != "" || c.Image != "" {
		picture, _, err := n.object(ctx, chat.Media{File: c.File, URL: c.Image}, files)
		if err != nil {
			return statement{}, err
		}
		p.header = map[string]any{"type": "image", "image": picture}
	}
	return n.panel(p)
}

// cardText joins the words of a card; the title is bold if the marks still fit.
func cardText(c chat.CardPayload) string {
	title := strings.TrimSpace(c.Title)
	text := join("\n", title, c.Subtitle)
	if title == "" || runes(text)+2 > maxBody || strings.ContainsAny(title, "*\n") {
		return text
	}
	return "*" + title + "*" + strings.TrimPrefix(text, title) // WhatsApp's mark for bold
}
