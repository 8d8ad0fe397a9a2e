package bot

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxText bounds a rendered text in bytes.
const maxText = 64 << 10

// template is a text with {{ expression }} placeholders.
type template struct {
	parts []part
}

// part is a literal, or a placeholder if value is set.
type part struct {
	literal string
	value   *expression
}

// compiler turns sources into expressions and counts them.
type compiler struct {
	faults
	expressions int
}

// expression compiles, or notes the fault and gives nil.
func (c *compiler) expression(path, source string) *expression {
	if c.expressions++; c.expressions > maxExpressions {
		if c.expressions == maxExpressions+1 {
			c.addf(path, "more than %d expressions", maxExpressions)
		}
		return nil
	}
	e, err := compileExpression(source)
	if err != nil {
		c.addf(path, "bad expression: %v", err)
	}
	return e
}

// template compiles; faults are noted.
func (c *compiler) template(path, source string) template {
	var t template
	for source != "" {
		literal, rest, found := strings.Cut(source, "{{")
		if literal != "" {
			t.parts = append(t.parts, part{literal: literal})
		}
		if !found {
			break
		}
		end, err := placeholderEnd(rest)
		if err != nil {
			c.addf(path, "bad template: %v", err)
			break
		}
		if e := c.expression(path, rest[:end]); e != nil {
			t.parts = append(t.parts, part{value: e})
		}
		source = rest[end+len("}}"):]
	}
	return t
}

// placeholderEnd finds the closing braces: not those inside a text or of a map in the expression.
func placeholderEnd(s string) (int, error) {
	depth := 0
	var quote byte
	for i := 0; i < len(s); i++ {
		b := s[i]
		switch {
		case quote != 0:
			if b == '\\' && quote != '`' {
				i++
			} else if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'' || b == '`':
			quote = b
		case b == '{':
			depth++
		case b == '}' && depth > 0:
			depth--
		case b == '}' && strings.HasPrefix(s[i:], "}}"):
			return i, nil
		}
	}
	return 0, errors.New("{{ without }}")
}

// constant tells whether nothing has to be filled in, and the text.
func (t template) constant() (string, bool) {
	if len(t.parts) == 0 {
		return "", true
	}
	return t.parts[0].literal, len(t.parts) == 1 && t.parts[0].value == nil
}

// render fills in the placeholders. One that fails gives nothing, and a line in the trace.
func (s *stepper) render(t template) string {
	if text, ok := t.constant(); ok {
		return text
	}
	var out strings.Builder
	for _, p := range t.parts {
		if p.value == nil {
			out.WriteString(p.literal)
			continue
		}
		v, err := s.eval(p.value)
		if err != nil {
			continue
		}
		text, err := textOf(v)
		if err != nil {
			s.problem(p.value.source, err)
		}
		out.WriteString(text)
	}
	return s.cut(out.String())
}

// cut shortens a text that grew beyond all bounds, at a whole character.
func (s *stepper) cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	s.problem("text", fmt.Errorf("cut at %d bytes", maxText))
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// value gives a lone placeholder's value with its type, anything else as text.
func (s *stepper) value(t template) (any, error) {
	if len(t.parts) == 1 && t.parts[0].value != nil {
		return s.eval(t.parts[0].value)
	}
	return s.render(t), nil
}
