package webhook

import (
	"context"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/dragoman-hub/dragoman/connector"
)

// maxPlaceholders is how many placeholders one text may hold.
const maxPlaceholders = 64

// text is a template: pieces of plain text and {{ jq }} placeholders in turn.
type text struct {
	pieces []piece
}

// piece is plain text, or a program.
type piece struct {
	plain   string
	program *program
}

// parseText reads a template. A placeholder ends at the first }} up to which it is a whole jq program, so
// that }} may stand inside of one. A text that shall show {{ says {{ "{{" }}.
func parseText(path, source string, vars []string) (text, error) {
	var t text
	if len(source) > maxBodyTemplate {
		return t, connector.Malformedf("%s: above %d bytes", path, maxBodyTemplate)
	}
	for n := 0; ; n++ {
		before, rest, found := strings.Cut(source, "{{")
		if before != "" {
			t.pieces = append(t.pieces, piece{plain: before})
		}
		if !found {
			return t, nil
		}
		if n == maxPlaceholders {
			return t, connector.Malformedf("%s: more than %d placeholders", path, maxPlaceholders)
		}
		end, err := placeholderEnd(path, rest)
		if err != nil {
			return t, err
		}
		p, err := compile(path, rest[:end], vars)
		if err != nil {
			return t, err
		}
		t.pieces = append(t.pieces, piece{program: p})
		source = rest[end+2:]
	}
}

// placeholderEnd finds the }} that ends a program; the first one's error is the most telling if none does.
func placeholderEnd(path, source string) (int, error) {
	var first error
	for from, n := 0, 0; n < maxPlaceholders; n++ {
		i := strings.Index(source[from:], "}}")
		if i < 0 || from+i > maxProgram {
			break
		}
		end := from + i
		_, err := gojq.Parse(source[:end])
		if err == nil {
			return end, nil
		}
		if first == nil {
			first = err
		}
		from = end + 1
	}
	if first == nil {
		return 0, connector.Malformedf("%s: {{ without }}", path)
	}
	return 0, connector.Malformedf("%s: %s", path, first)
}

// isPlain tells whether the text has no placeholder.
func (t text) isPlain() bool {
	return len(t.pieces) == 0 || len(t.pieces) == 1 && t.pieces[0].program == nil
}

// whole is the program of a text that is nothing but one placeholder.
func (t text) whole() *program {
	if len(t.pieces) != 1 {
		return nil
	}
	return t.pieces[0].program
}

// fill puts the values in, each changed by escape.
func (t text) fill(ctx context.Context, input any, vars map[string]any, escape func(string) (string, error)) (string, error) {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.program == nil {
			b.WriteString(p.plain)
			continue
		}
		v, err := p.program.one(ctx, input, vars)
		if err != nil {
			return "", err
		}
		s := words(v)
		if escape != nil {
			if s, err = escape(s); err != nil {
				return "", err
			}
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// shape is a JSON template: a value whose texts are templates.
type shape struct {
	fixed   any // what is neither text nor list nor object
	text    *text
	list    []*shape
	members map[string]*shape
}

// parseShape reads a decoded JSON value as a template.
func parseShape(path string, v any, vars []string) (*shape, error) {
	if !fits(v) {
		return nil, connector.Malformedf("%s: too large or too deep", path)
	}
	switch v := v.(type) {
	case string:
		t, err := parseText(path, v, vars)
		return &shape{text: &t}, err
	case []any:
		s := &shape{list: make([]*shape, len(v))}
		for i, x := range v {
			item, err := parseShape(path+"."+strconv.Itoa(i), x, vars)
			if err != nil {
				return nil, err
			}
			s.list[i] = item
		}
		return s, nil
	case map[string]any:
		s := &shape{members: make(map[string]*shape, len(v))}
		for k, x := range v {
			member, err := parseShape(path+"."+k, x, vars)
			if err != nil {
				return nil, err
			}
			s.members[k] = member
		}
		return s, nil
	default:
		return &shape{fixed: v}, nil
	}
}

// fill gives the values that the template stands for. A text that is one placeholder becomes the program's values as
// they are: none leaves the member or the list's item out, several stand side by side in a list.
func (s *shape) fill(ctx context.Context, input any, vars map[string]any) ([]any, error) {
	switch {
	case s.text != nil:
		if p := s.text.whole(); p != nil {
			return p.run(ctx, input, vars)
		}
		t, err := s.text.fill(ctx, input, vars, nil)
		return []any{t}, err
	case s.list != nil:
		list := []any{}
		for _, item := range s.list {
			out, err := item.fill(ctx, input, vars)
			if err != nil {
				return nil, err
			}
			list = append(list, out...)
		}
		return []any{list}, nil
	case s.members != nil:
		return s.fillMembers(ctx, input, vars)
	default:
		return []any{s.fixed}, nil
	}
}

func (s *shape) fillMembers(ctx context.Context, input any, vars map[string]any) ([]any, error) {
	m := make(map[string]any, len(s.members))
	for k, member := range s.members {
		out, err := member.fill(ctx, input, vars)
		if err != nil {
			return nil, err
		}
		if len(out) > 0 {
			m[k] = out[0]
		}
	}
	return []any{m}, nil
}
