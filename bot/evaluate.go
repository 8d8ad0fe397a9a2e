package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// environment fills in what expressions see, once per message.
func (s *stepper) environment() *environment {
	if s.ready {
		return &s.env
	}
	c := s.in.Conversation
	s.env = environment{
		Contact: contactFacts{ID: string(c.Contact.ID), Name: c.Contact.Name, Language: c.Language},
		Conversation: conversationFacts{
			ID: string(c.ID), Channel: string(c.Channel), Start: c.Start, OpenedAt: c.OpenedAt.UTC(),
		},
		Now:   s.in.Now.UTC(),
		Meter: &s.meter,
	}
	if s.session.Message != nil {
		s.env.Message = factsOfMessage(s.session.Message.Message)
	}
	s.ready = true
	return &s.env
}

// eval runs an expression; a failure stands in the trace.
func (s *stepper) eval(e *expression) (any, error) {
	env := s.environment()
	env.Vars, env.Data = s.session.Vars, s.session.Data[""]
	env.Conversation.Turns, env.Conversation.State = s.session.Turn, s.session.State
	v, err := e.eval(&s.machine, env)
	if err != nil {
		s.problem(e.source, err)
	}
	return v, err
}

// set changes variables, all or none, within their bounds.
func (s *stepper) set(changes []Change) {
	vars := s.session.Vars
	for i, change := range changes {
		clean, _, err := tidy(change.Value, maxValueDepth)
		if err != nil {
			s.problem("vars."+change.Name, err)
			return
		}
		vars, changes[i].Value = vars.with(change.Name, clean), clean
	}
	if size := sizeOf(vars); size > maxVars {
		s.problem("vars", fmt.Errorf("%d bytes of variables, at most %d", size, maxVars))
		return
	}
	s.session.Vars = vars
	for _, change := range changes {
		s.trace.Set = traced(s.trace.Set, Change{Name: change.Name, Value: small(change.Value)})
	}
}

// small cuts a value that is too large for a trace.
func small(v any) any {
	if _, size, err := tidy(v, maxValueDepth+1); err == nil && size <= maxTracedText {
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return clip(string(raw))
}

// clip cuts a text for the trace at a whole character.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxTracedText {
		return text
	}
	end := maxTracedText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
