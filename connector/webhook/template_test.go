package webhook

import (
	"strings"
	"testing"

	"github.com/itchyny/gojq"
	"pgregory.net/rapid"
)

func TestTemplate(t *testing.T) {
	input := map[string]any{"a": "x", "n": 3, "list": []any{1, "b"}, "none": nil}
	tests := []struct{ source, want string }{
		{``, ``},
		{`plain } }} {`, `plain } }} {`},
		{`{{ .a }}`, `x`},
		{`<{{ .a }}{{ .n }}>`, `<x3>`},
		{`{{ .none }}|{{ empty }}|{{ .list }}`, `||[1,"b"]`},
		{`{{ {a:{b:.n}}}}`, `{"a":{"b":3}}`},
		{`{{ "}}" }} {{ "{{" }}`, `}} {{`},
		{`{{ "\("}}")" }}{{ .a }}`, `}}x`},
	}
	for _, tt := range tests {
		parsed, err := parseText("x", tt.source, nil)
		if err != nil {
			t.Errorf("%q: %v", tt.source, err)
			continue
		}
		got, err := parsed.fill(t.Context(), input, nil, nil)
		if err != nil || got != tt.want {
			t.Errorf("%q gives %q, %v; want %q", tt.source, got, err, tt.want)
		}
	}
	for _, bad := range []string{`{{`, `{{ }}`, `{{ .a`, `{{ .a | }}`, `{{ now }}`, strings.Repeat(`{{ .a }}`, 65)} {
		if _, err := parseText("x", bad, nil); err == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
}

func TestShape(t *testing.T) {
	tests := []struct{ source, want string }{
		{`{"a":"{{ .n }}","b":"n {{ .n }}","c":[1,"{{ .list[] }}","{{ empty }}"],"d":"{{ empty }}","e":null,"f":{}}`, `{"a":3,"b":"n 3","c":[1,1,2],"e":null,"f":{}}`},
		{`"{{ {x: .n} }}"`, `{"x":3}`},
		{`12345678901234567890`, `12345678901234567890`},
	}
	for _, tt := range tests {
		v, err := decodeTemplate("x", []byte(tt.source))
		if err != nil {
			t.Fatal(err)
		}
		s, err := parseShape("x", v, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.fill(t.Context(), map[string]any{"n": 3, "list": []any{1, 2}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := gojq.Marshal(out[0]); string(got) != tt.want || err != nil {
			t.Errorf("%s gives %s, %v", tt.source, got, err)
		}
	}
}

// TestPlainTextStays: a text without {{ is itself, and a value put into a text comes out unchanged.
func TestPlainTextStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, value, after := rapid.String().Draw(t, "before"), rapid.String().Draw(t, "value"), rapid.String().Draw(t, "after")
		before, after = strings.ReplaceAll(before, "{", "("), strings.ReplaceAll(after, "{", "(")
		parsed, err := parseText("x", before+"{{ .v }}"+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parsed.fill(t.Context(), map[string]any{"v": value}, nil, nil)
		if err != nil || got != before+value+after {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

// FuzzTemplate: whatever the text, there is an answer or an error, in bounds.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`a {{ .b }} c`, `{{ {a:{b:1}}}}`, `{{ "}}" }}`, `{{`, `}}`, `{{{{}}}}`, `{{ .a | # }}` + "\n}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		parsed, err := parseText("x", source, requestVars)
		if err != nil {
			return
		}
		out, err := parsed.fill(t.Context(), map[string]any{"b": "v"}, map[string]any{"$secret": "s"}, escape)
		if err == nil && parsed.isPlain() && out != source {
			t.Errorf("plain text %q becomes %q", source, out)
		}
	})
}
