package bot

import (
	"encoding/json"
	"maps"
	"slices"
)

// tree is a JSON value with templates in its texts. An object with the only key "expr" stands for the value of
// the expression.
type tree struct {
	plain  any // a value without anything to fill in, if nothing below is set
	text   *template
	typed  bool // a text that is one placeholder gives the value itself
	expr   *expression
	list   []tree
	keys   []string // sorted, with fields
	fields []tree
}

// tree compiles; typed is passed on to all texts.
func (p *parser) tree(path string, raw json.RawMessage, typed bool) tree {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		p.addf(path, "missing")
		return tree{}
	}
	return p.branchOut(path, v, typed)
}

func (p *parser) branchOut(path string, v any, typed bool) tree {
	switch x := v.(type) {
	case string:
		t := p.template(path, x)
		if text, ok := t.constant(); ok {
			return tree{plain: text}
		}
		return tree{text: &t, typed: typed}
	case []any:
		t := tree{list: make([]tree, 0, len(x))}
		for i, item := range x {
			t.list = append(t.list, p.branchOut(at(path, i), item, typed))
		}
		return t
	case map[string]any:
		if source, ok := x["expr"].(string); ok && len(x) == 1 {
			return tree{expr: p.expression(join(path, "expr"), source)}
		}
		t := tree{keys: slices.Sorted(maps.Keys(x)), fields: make([]tree, 0, len(x))}
		for _, key := range t.keys {
			t.fields = append(t.fields, p.branchOut(join(path, key), x[key], typed))
		}
		return t
	default:
		return tree{plain: x}
	}
}

// grow fills in a tree. What fails is nil or empty, and stands in the trace.
func (s *stepper) grow(t *tree) any {
	switch {
	case t.expr != nil:
		v, _ := s.eval(t.expr)
		return v
	case t.text != nil && t.typed:
		v, _ := s.value(*t.text)
		return v
	case t.text != nil:
		return s.render(*t.text)
	case t.list != nil:
		out := make([]any, 0, len(t.list))
		for i := range t.list {
			out = append(out, s.grow(&t.list[i]))
		}
		return out
	case t.fields != nil:
		out := make(map[string]any, len(t.fields))
		for i := range t.fields {
			out[t.keys[i]] = s.grow(&t.fields[i])
		}
		return out
	default:
		return t.plain
	}
}
