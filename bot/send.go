package bot

import (
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// sendStack is {"send": {"stack": [...]}}.
type sendStack struct {
	elements []elementTree
}

// elementTree is an element whose payload has to be filled in.
type elementTree struct {
	kind    chat.ElementType
	payload tree
}

// grown is an element filled in, before it is written as JSON.
type grown struct {
	kind    chat.ElementType
	payload any
}

func (a *sendStack) run(s *stepper) verdict {
	elements := make([]grown, 0, len(a.elements))
	for i := range a.elements {
		elements = append(elements, grown{kind: a.elements[i].kind, payload: s.grow(&a.elements[i].payload)})
	}
	s.send(elements)
	return proceed
}

// send speaks a stack. An element that cannot be written is left out and stands in the trace.
func (s *stepper) send(elements []grown) {
	var m chat.Message
	for _, e := range elements {
		clean, _, err := tidy(e.payload, maxDepth)
		if err != nil {
			s.problem("send "+string(e.kind), err)
			continue
		}
		m.Stack = append(m.Stack, chat.NewElement(e.kind, clean))
	}
	if len(m.Stack) > 0 {
		s.do(Say{Message: m})
	}
}

// maxElements bounds a stack.
const maxElements = 20

func (p *parser) send(path string, raw json.RawMessage, list []action) []action {
	fields := p.object(path, raw, "stack")
	if fields == nil {
		return list
	}
	path = join(path, "stack")
	stack := p.list(path, fields["stack"])
	if len(stack) == 0 || len(stack) > maxElements {
		p.addf(path, "must be a list of 1 to %d elements", maxElements)
	}
	a := &sendStack{elements: make([]elementTree, 0, len(stack))}
	for i, entry := range stack {
		a.elements = append(a.elements, p.element(at(path, i), entry))
	}
	return append(list, a)
}

func (p *parser) element(path string, raw json.RawMessage) elementTree {
	fields := p.object(path, raw, "type", "payload")
	if fields == nil {
		return elementTree{}
	}
	kind := chat.ElementType(p.name(join(path, "type"), fields["type"]))
	payload := p.tree(join(path, "payload"), fields["payload"], false)
	if !payload.computed() {
		if err := checkPayload(kind, fields["payload"]); err != nil {
			p.addf(join(path, "payload"), "not the payload of %s: %v", kind, err)
		}
	}
	return elementTree{kind: kind, payload: payload}
}

// checkPayload decodes a payload as its type has it; types with an open payload pass.
func checkPayload(kind chat.ElementType, raw json.RawMessage) error {
	var into any
	switch kind {
	case chat.Text, chat.HTML:
		into = new(chat.TextPayload)
	case chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker:
		into = new(chat.Media)
	case chat.Location:
		into = new(chat.LocationPayload)
	case chat.Contact:
		into = new(chat.ContactCard)
	case chat.Buttons, chat.QuickReplies:
		into = new(chat.ButtonsPayload)
	case chat.Card:
		into = new(chat.CardPayload)
	case chat.Carousel:
		into = new(chat.CarouselPayload)
	case chat.Template:
		into = new(chat.TemplatePayload)
	case chat.Poll:
		into = new(chat.PollPayload)
	case chat.Rating, chat.Feedback:
		into = new(chat.RatingPayload)
	default:
		return nil
	}
	if len(raw) == 0 || raw[0] != '{' {
		return fmt.Errorf("must be an object")
	}
	return json.Unmarshal(raw, into)
}

// computed tells whether an expression stands for a part of the tree, which then may be of any type.
func (t *tree) computed() bool {
	if t.expr != nil {
		return true
	}
	for i := range t.list {
		if t.list[i].computed() {
			return true
		}
	}
	for i := range t.fields {
		if t.fields[i].computed() {
			return true
		}
	}
	return false
}
