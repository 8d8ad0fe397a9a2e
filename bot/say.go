package bot

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// sayText is {"say": "text"}.
type sayText struct {
	text template
}

func (a sayText) run(s *stepper) verdict {
	s.say(s.render(a.text))
	return proceed
}

// say speaks a plain text. A blank one is not sent: no platform takes it.
func (s *stepper) say(text string) {
	if strings.TrimSpace(text) == "" {
		s.problem("say", errors.New("nothing to say: the text is blank"))
		return
	}
	s.did(Say{Message: chat.TextMessage(text)}, "say "+text) // the message is JSON already: to read it for its line would be waste
}

// sayButtons is {"say": {"text": ..., "buttons": [...]}}, or quick_replies.
type sayButtons struct {
	kind    chat.ElementType
	text    template
	buttons tree
}

func (a *sayButtons) run(s *stepper) verdict {
	payload := map[string]any{"content": s.render(a.text), "buttons": s.grow(&a.buttons)}
	s.send([]grown{{kind: a.kind, payload: payload}})
	return proceed
}

func (p *parser) say(path string, raw json.RawMessage, list []action) []action {
	if isText(raw) {
		return append(list, sayText{text: p.spoken(path, raw)})
	}
	fields := p.object(path, raw, "text", "buttons", "quick_replies")
	if fields == nil {
		return list
	}
	text := p.spoken(join(path, "text"), fields["text"])
	buttons, quick := fields["buttons"], fields["quick_replies"]
	switch {
	case buttons != nil && quick != nil:
		p.addf(path, "buttons or quick_replies, not both")
	case buttons != nil:
		return append(list, p.sayButtons(chat.Buttons, join(path, "buttons"), buttons, text))
	case quick != nil:
		return append(list, p.sayButtons(chat.QuickReplies, join(path, "quick_replies"), quick, text))
	}
	return append(list, sayText{text: text})
}

// spoken reads a template that is not blank from the start.
func (p *parser) spoken(path string, raw json.RawMessage) template {
	before := len(p.problems)
	t := p.words(path, raw)
	if text, ok := t.constant(); ok && strings.TrimSpace(text) == "" && len(p.problems) == before {
		p.addf(path, "must not be blank")
	}
	return t
}

// maxButtons bounds the buttons of one message, and the options of a question.
const maxButtons = 50

// sayButtons reads buttons; a text stands for a button with that title.
func (p *parser) sayButtons(kind chat.ElementType, path string, raw json.RawMessage, text template) action {
	a := &sayButtons{kind: kind, text: text, buttons: tree{list: []tree{}}}
	list := p.list(path, raw)
	if len(list) == 0 || len(list) > maxButtons {
		p.addf(path, "must be a list of 1 to %d buttons", maxButtons)
		return a
	}
	for i, entry := range list {
		here := at(path, i)
		if isText(entry) {
			a.buttons.list = append(a.buttons.list, tree{
				keys: []string{"title"}, fields: []tree{p.tree(here, entry, false)},
			})
			continue
		}
		fields := p.object(here, entry, "title", "payload", "url", "phone", "description", "image", "request", "row")
		if fields == nil {
			continue
		}
		p.name(join(here, "title"), fields["title"])
		if err := json.Unmarshal(entry, new(chat.Button)); err != nil {
			p.addf(here, "not a button: %v", err)
		}
		a.buttons.list = append(a.buttons.list, p.tree(here, entry, false))
	}
	return a
}
