package bot

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Reading of JSON values with a path for each fault. A null counts as left out.

// at appends an index to a path.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func isText(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '"' }

func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// object reads an object and refuses unknown keys; nil after a fault.
func (p *parser) object(path string, raw json.RawMessage, keys ...string) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if isNull(raw) || json.Unmarshal(raw, &fields) != nil {
		p.addf(path, "must be an object")
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(keys, key) {
			p.addf(join(path, key), "unknown key; known are: %s", strings.Join(keys, ", "))
		}
		if isNull(fields[key]) {
			delete(fields, key)
		}
	}
	return fields
}

// list reads a list; left out it is empty.
func (p *parser) list(path string, raw json.RawMessage) []json.RawMessage {
	if isNull(raw) {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		p.addf(path, "must be a list")
	}
	return list
}

// text reads a text, which may be empty.
func (p *parser) text(path string, raw json.RawMessage) string {
	var s string
	if isNull(raw) {
		p.addf(path, "missing")
	} else if json.Unmarshal(raw, &s) != nil {
		p.addf(path, "must be a text")
	}
	return s
}

// name reads a text that is neither blank nor very long.
func (p *parser) name(path string, raw json.RawMessage) string {
	before := len(p.problems)
	s := p.text(path, raw)
	switch {
	case len(p.problems) > before:
	case strings.TrimSpace(s) == "":
		p.addf(path, "must not be blank")
	case len(s) > maxName:
		p.addf(path, "longer than %d bytes", maxName)
	}
	return s
}

// word reads one of the words given.
func (p *parser) word(path string, raw json.RawMessage, words ...string) string {
	s := p.text(path, raw)
	if !slices.Contains(words, s) {
		p.addf(path, "must be one of: %s", strings.Join(words, ", "))
	}
	return s
}

func (p *parser) flag(path string, raw json.RawMessage) bool {
	var b bool
	if !isNull(raw) && json.Unmarshal(raw, &b) != nil {
		p.addf(path, "must be true or false")
	}
	return b
}

func (p *parser) number(path string, raw json.RawMessage, least, most float64) float64 {
	var n float64
	if json.Unmarshal(raw, &n) != nil || n < least || n > most {
		p.addf(path, "must be a number from %v to %v", least, most)
		return least
	}
	return n
}

// worker reads the name of a worker's function.
func (p *parser) worker(path string, raw json.RawMessage) string {
	name := p.name(path, raw)
	p.workers[name] = true
	return name
}

// state reads the name of a state that there is.
func (p *parser) state(path string, raw json.RawMessage) *state {
	before := len(p.problems)
	name := p.name(path, raw)
	if len(p.problems) > before {
		return nil
	}
	found := p.flow.byName[name]
	if found == nil {
		p.addf(path, "there is no state %q", name)
	}
	return found
}

// variable checks a variable's name.
func (p *parser) variable(path, name string) {
	if !variableName.MatchString(name) {
		p.addf(path, "a variable's name is made of letters, digits and _, at most 64")
	}
}

// source reads and compiles an expression.
func (p *parser) source(path string, raw json.RawMessage) *expression {
	before := len(p.problems)
	s := p.text(path, raw)
	if len(p.problems) > before {
		return nil
	}
	return p.expression(path, s)
}

// words reads and compiles a template.
func (p *parser) words(path string, raw json.RawMessage) template {
	return p.template(path, p.text(path, raw))
}
