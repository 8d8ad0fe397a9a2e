package bot

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// assign is {"set": {...}}. All values are worked out before the first is set, so their order does not matter.
type assign struct {
	names  []string
	values []tree
}

func (a *assign) run(s *stepper) verdict {
	changes := make([]Change, 0, len(a.names))
	for i, name := range a.names {
		changes = append(changes, Change{Name: name, Value: s.grow(&a.values[i])})
	}
	s.set(changes)
	return proceed
}

// setAgain gives variables values that they had before.
func (s *stepper) setAgain(values map[string]json.RawMessage) {
	changes := make([]Change, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var v any
		if err := json.Unmarshal(values[name], &v); err != nil {
			s.problem(name, err)
			continue
		}
		changes = append(changes, Change{Name: name, Value: v})
	}
	s.set(changes)
}

func (p *parser) assign(path string, raw json.RawMessage, list []action) []action {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || len(fields) == 0 {
		p.addf(path, "must be an object of variables")
		return list
	}
	a := &assign{names: slices.Sorted(maps.Keys(fields))}
	for _, name := range a.names {
		p.variable(join(path, name), name)
		a.values = append(a.values, p.tree(join(path, name), fields[name], true))
	}
	return append(list, a)
}

// noteAction is {"note": "text"}.
type noteAction struct {
	text template
}

func (a noteAction) run(s *stepper) verdict {
	if text := s.render(a.text); text != "" {
		s.do(Note{Text: text})
	}
	return proceed
}

func (p *parser) note(path string, raw json.RawMessage, list []action) []action {
	return append(list, noteAction{text: p.spoken(path, raw)})
}

// typingAction is {"typing": seconds}.
type typingAction struct {
	length time.Duration
}

func (a typingAction) run(s *stepper) verdict {
	s.do(Typing{For: a.length})
	return proceed
}

func (p *parser) typing(path string, raw json.RawMessage, list []action) []action {
	seconds := p.number(path, raw, 1, 60)
	return append(list, typingAction{length: time.Duration(seconds * float64(time.Second))})
}
