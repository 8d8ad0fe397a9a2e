package visitor_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape is as much of a JSON schema as the document uses.
type shape struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]shape
	Required   []string
	Items      *shape
}

type described struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID, Summary string
		Security             []map[string][]string
		Responses            map[string]struct {
			Content map[string]struct{ Schema shape }
		}
	}
	Components struct{ Schemas map[string]shape }
}

// unlike tells where a value has what its schema does not name, or lacks what it wants.
func (d described) unlike(at string, s shape, v any) string {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		s = d.Components.Schemas[name]
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, there := v[name]; !there {
				return at + " lacks " + name
			}
		}
		for name, x := range v {
			of, known := s.Properties[name]
			if !known && len(s.Properties) > 0 {
				return at + " has " + name
			}
			if wrong := d.unlike(at+"."+name, of, x); wrong != "" {
				return wrong
			}
		}
	case []any:
		for _, x := range v {
			if s.Items == nil {
				return at + " is a list"
			}
			if wrong := d.unlike(at+"[]", *s.Items, x); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// TestOpenAPI: the document has every call that docs/widget.md names, its references lead somewhere, and answers are as it says.
func TestOpenAPI(t *testing.T) {
	w := newWorld(t, lite(t), parcel, `{"form":[{"name":"email","label":"E-mail"}],"color":"#0f5f5c"}`, nil)
	got := w.at("openapi.json", "GET", "", nil)
	var doc described
	got.into(t, 200, &doc)
	if doc.OpenAPI != "3.1.0" || got.header.Get("Content-Type") != "application/openapi+json" {
		t.Errorf("%s, %v", doc.OpenAPI, got.header)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(string(got.body), -1) {
		if _, ok := doc.Components.Schemas[ref[1]]; !ok {
			t.Errorf("%s leads nowhere", ref[0])
		}
	}
	var told []string
	for path, item := range doc.Paths {
		for method, op := range item {
			name := strings.TrimPrefix(path, "/visitor/{channel}/")
			told = append(told, strings.ToUpper(method)+" "+name)
			open := slices.Contains([]string{"config", "sessions", "identify"}, name)
			if op.OperationID == "" || op.Summary == "" || open == (len(op.Security) > 0) || len(op.Responses) < 2 {
				t.Errorf("%s %s: %+v", method, path, op)
			}
			if status := w.call(strings.ToUpper(method), "/"+name, m{}).status; !open && status != 401 {
				t.Errorf("%s %s without a token: %d", method, path, status)
			}
		}
	}
	if len(told) != 13 {
		t.Errorf("described: %v", told)
	}
	k := w.tab()
	id := newID()
	k.call("POST", "/files?name=a.txt", []byte("abc"), "Content-Type", "text/plain").into(t, 201, nil)
	for _, x := range []struct {
		method, name string
		body         any
		status       string
	}{
		{"post", "messages", m{"id": id, "text": "hi"}, "201"},
		{"post", "sessions", m{}, "200"},
		{"get", "config", nil, "200"},
		{"get", "snapshot", nil, "200"},
		{"post", "rating", m{"value": 9}, "default"},
		{"post", "files", []byte("abc"), "201"},
	} {
		r := k.call(strings.ToUpper(x.method), "/"+x.name, x.body)
		var v any
		if err := json.Unmarshal(r.body, &v); err != nil {
			t.Fatalf("%s: %v: %s", x.name, err, r.body)
		}
		for _, media := range doc.Paths["/visitor/{channel}/"+x.name][x.method].Responses[x.status].Content {
			if wrong := doc.unlike(x.name, media.Schema, v); wrong != "" {
				t.Errorf("%s: %s", wrong, r.body)
			}
		}
	}
	s := k.stream(0)
	e := s.until("message", func(string) bool { return true })
	var v any
	if err := json.Unmarshal([]byte(e.data), &v); err != nil || doc.unlike("message", doc.Components.Schemas["Message"], v) != "" {
		t.Errorf("%v: %s", err, e.data)
	}
}
