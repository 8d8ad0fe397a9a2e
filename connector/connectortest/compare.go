package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// anything in an expectation matches any value.
const anything = "<any>"

// diffJSON compares two JSON texts and names the places where they differ; empty if they do not.
func diffJSON(want, got []byte) string {
	w, err := decode(want)
	if err != nil {
		return "the transcript's JSON: " + err.Error()
	}
	g, err := decode(got)
	if err != nil {
		return fmt.Sprintf("not JSON: %v: %.200q", err, got)
	}
	var out []string
	diff("", w, g, &out)
	return strings.Join(out, "\n")
}

func decode(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func diff(path string, want, got any, out *[]string) {
	if want == anything {
		return
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		names := slices.Sorted(maps.Keys(w))
		for _, name := range names {
			if v, ok := g[name]; ok {
				diff(path+"."+name, w[name], v, out)
			} else {
				*out = append(*out, fmt.Sprintf("%s.%s: missing, want %s", path, name, show(w[name])))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[name]; !ok {
				*out = append(*out, fmt.Sprintf("%s.%s: not expected: %s", path, name, show(g[name])))
			}
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			diff(fmt.Sprintf("%s[%d]", path, i), w[i], g[i], out)
		}
		return
	case json.Number:
		g, ok := got.(json.Number)
		if ok && sameNumber(w, g) {
			return
		}
	default:
		if want == got {
			return
		}
	}
	*out = append(*out, fmt.Sprintf("%s: want %s, got %s", path, show(want), show(got)))
}

func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	whole := !strings.ContainsAny(string(a)+string(b), ".eE")
	return err1 == nil && err2 == nil && x == y && !whole
}

func show(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// diffRequest compares a request with its sections.
func diffRequest(st *step, s seen) string {
	first, header, err := head(st.request)
	if err != nil {
		return err.Error()
	}
	method, target, _ := strings.Cut(first, " ")
	want, err := url.Parse(strings.TrimSpace(target))
	if err != nil {
		return err.Error()
	}
	var out []string
	if method != s.method || !sameURL(want, s.url) {
		out = append(out, fmt.Sprintf("want %s %s, got %s %s", method, want, s.method, s.url))
	}
	for name, values := range header {
		if !sameHeader(values, s.header.Values(name)) {
			out = append(out, fmt.Sprintf("header %s: want %q, got %q", name, values, s.header.Values(name)))
		}
	}
	if d := diffBody(st.body, s); d != "" {
		out = append(out, d)
	}
	return strings.Join(out, "\n")
}

func sameURL(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host && a.EscapedPath() == b.EscapedPath() &&
		maps.EqualFunc(a.Query(), b.Query(), slices.Equal[[]string])
}

func sameHeader(want, got []string) bool {
	switch {
	case len(want) == 1 && want[0] == "*":
		return len(got) > 0
	case len(want) == 1 && want[0] == "(none)":
		return len(got) == 0
	default:
		return slices.Equal(want, got)
	}
}

func diffBody(want *section, s seen) string {
	data, err := want.content()
	if err != nil {
		return err.Error()
	}
	if want == nil || strings.HasPrefix(want.name, "body") {
		if !bytes.Equal(data, s.body) {
			return fmt.Sprintf("body: want %.500q, got %.500q", data, s.body)
		}
		return ""
	}
	if want.name == "json" {
		return diffJSON(data, s.body)
	}
	fields, err := formFields(s)
	if err != nil {
		return err.Error()
	}
	got, err := json.Marshal(pair(data, fields))
	if err != nil {
		return err.Error()
	}
	return diffJSON(data, got)
}

// pair shows the fields as the transcript does: those that it has as {"json":...} are read as JSON.
func pair(want []byte, fields map[string][]any) map[string]any {
	var expected map[string]any
	_ = json.Unmarshal(want, &expected) // what is wrong with it, diffJSON says
	out := map[string]any{}
	for name, values := range fields {
		if e, ok := expected[name].(map[string]any); ok && e["json"] != nil && len(values) == 1 {
			if text, ok := values[0].(string); ok && json.Valid([]byte(text)) {
				out[name] = map[string]any{"json": json.RawMessage(text)}
				continue
			}
		}
		if out[name] = values; len(values) == 1 {
			out[name] = values[0]
		}
	}
	return out
}

// formFields reads a form of either sort.
func formFields(s seen) (map[string][]any, error) {
	kind, params, err := mime.ParseMediaType(s.header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("Content-Type %q: %w", s.header.Get("Content-Type"), err)
	}
	fields := map[string][]any{}
	switch kind {
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(s.body))
		for name, list := range values {
			for _, v := range list {
				fields[name] = append(fields[name], v)
			}
		}
		return fields, err
	case "multipart/form-data":
		return fields, parts(multipart.NewReader(bytes.NewReader(s.body), params["boundary"]), fields)
	default:
		return nil, fmt.Errorf("not a form: %s", kind)
	}
}

func parts(r *multipart.Reader, fields map[string][]any) error {
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return err
		}
		fields[p.FormName()] = append(fields[p.FormName()], partField(p, data))
	}
}

func partField(p *multipart.Part, data []byte) any {
	if p.FileName() == "" {
		return string(data)
	}
	file := map[string]any{"filename": p.FileName(), "type": p.Header.Get("Content-Type")}
	if isText(data) {
		file["text"] = string(data)
	} else {
		file["base64"] = data
	}
	return file
}

// isText tells whether bytes can stand in a transcript as they are.
func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' })
}

// endedBy tells whether err is how a call ends when its context does.
func endedBy(err error, ctx context.Context) bool {
	return errors.Is(err, ctx.Err()) || errors.Is(err, context.Canceled)
}
