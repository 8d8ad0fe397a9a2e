package bot

import (
	"encoding/json"
	"errors"

	"github.com/dragoman-hub/dragoman/chat"
)

// question is {"ask": {...}}.
type question struct {
	text      template
	retry     *template // nil: the question again
	saveAs    string
	kind      string
	options   []option
	validate  *expression
	attempts  int
	otherwise *state
}

// option is one answer of a choice.
type option struct {
	title string
	value string
}

// defaultAttempts is how many wrong answers a question takes.
const defaultAttempts = 3

// answerKinds are the types of answers; see answer.go for what each accepts.
var answerKinds = []string{"text", "number", "email", "phone", "date", "choice"}

func (q *question) run(s *stepper) verdict {
	s.put(q, q.text)
	s.session.Phase, s.session.Wrong = PhaseAsking, 0
	s.session.Message = nil
	return pause
}

// put says the question, with its options if it has some.
func (s *stepper) put(q *question, text template) {
	if len(q.options) == 0 {
		s.say(s.render(text))
		return
	}
	buttons := make([]any, 0, len(q.options))
	for _, o := range q.options {
		buttons = append(buttons, map[string]any{"title": o.title, "payload": o.value})
	}
	payload := map[string]any{"content": s.render(text), "buttons": buttons}
	s.send([]grown{{kind: chat.QuickReplies, payload: payload}})
}

// question gives the open question; nil if the session is at none.
func (s *stepper) question() *question {
	list, asked := s.actions(), s.session.Position.Next-1
	if asked < 0 || asked >= len(list) {
		return nil
	}
	q, _ := list[asked].(*question)
	return q
}

// hear takes a message as the answer to the open question.
func (s *stepper) hear() {
	q, m := s.question(), s.session.Message
	value, err := q.read(m.Message)
	if err == nil && q.validate != nil {
		err = s.check(q.validate, value)
	}
	answer := Answer{Pos: m.Pos, Name: q.saveAs, Accepted: err == nil}
	if err != nil {
		answer.Why = clip(err.Error())
	}
	s.trace.Answers = traced(s.trace.Answers, answer)
	if err != nil {
		s.refuse(q)
		return
	}
	s.set([]Change{{Name: q.saveAs, Value: value}})
	s.session.Phase, s.session.Wrong = PhaseActing, 0
	s.runActions()
}

var errRefused = errors.New("refused by validate")

func (s *stepper) check(e *expression, value any) error {
	s.environment().Answer = value
	v, err := s.eval(e)
	s.env.Answer = nil
	if err != nil {
		return err
	}
	if yes, err := truth(v); err != nil || !yes {
		return errors.Join(errRefused, err)
	}
	return nil
}

// refuse asks again. After the last attempt the session goes to the state for that; without one the question
// is given up and the message decided on like any other, so that nobody is caught in it.
func (s *stepper) refuse(q *question) {
	if s.session.Wrong++; s.session.Wrong < q.attempts {
		if q.retry != nil {
			s.put(q, *q.retry)
		} else {
			s.put(q, q.text)
		}
		s.session.Message = nil
		return
	}
	s.session.Wrong = 0
	if q.otherwise == nil {
		s.decide()
		return
	}
	s.enter(q.otherwise)
	s.runActions()
}

func (p *parser) ask(path string, raw json.RawMessage, list []action) []action {
	fields := p.object(path, raw, "text", "save_as", "type", "options", "validate", "retry", "attempts", "otherwise")
	if fields == nil {
		return list
	}
	q := &question{
		text: p.spoken(join(path, "text"), fields["text"]), saveAs: p.text(join(path, "save_as"), fields["save_as"]),
		kind: "text", attempts: defaultAttempts,
	}
	p.variable(join(path, "save_as"), q.saveAs)
	if fields["type"] != nil {
		q.kind = p.word(join(path, "type"), fields["type"], answerKinds...)
	}
	if fields["retry"] != nil {
		retry := p.spoken(join(path, "retry"), fields["retry"])
		q.retry = &retry
	}
	if fields["validate"] != nil {
		q.validate = p.source(join(path, "validate"), fields["validate"])
	}
	if fields["attempts"] != nil {
		q.attempts = int(p.number(join(path, "attempts"), fields["attempts"], 1, 100))
	}
	q.options = p.options(join(path, "options"), fields["options"], q.kind == "choice")
	p.otherwise(q, join(path, "otherwise"), fields["otherwise"])
	return append(list, q)
}

func (p *parser) otherwise(q *question, path string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	if q.otherwise = p.state(path, raw); q.otherwise != nil {
		p.edges[p.from] = append(p.edges[p.from], q.otherwise)
	}
}

// options reads the answers of a choice: texts, or a title with the value to store.
func (p *parser) options(path string, raw json.RawMessage, wanted bool) []option {
	list := p.list(path, raw)
	switch {
	case !wanted && raw != nil:
		p.addf(path, "only a question of type choice has options")
	case wanted && (len(list) == 0 || len(list) > maxButtons):
		p.addf(path, "must be a list of 1 to %d options", maxButtons)
	}
	var out []option
	seen := map[string]bool{}
	for i, entry := range list {
		o := p.option(at(path, i), entry)
		if seen[o.value] {
			p.addf(at(path, i), "the value %q is there already", o.value)
		}
		seen[o.value] = true
		out = append(out, o)
	}
	return out
}

func (p *parser) option(path string, raw json.RawMessage) option {
	if isText(raw) {
		title := p.name(path, raw)
		return option{title: title, value: title}
	}
	fields := p.object(path, raw, "title", "value")
	if fields == nil {
		return option{}
	}
	o := option{title: p.name(join(path, "title"), fields["title"])}
	o.value = o.title
	if fields["value"] != nil {
		o.value = p.name(join(path, "value"), fields["value"])
	}
	return o
}
