package api_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOpenAPI: the document is OpenAPI 3.1 in form, has every route and nothing else, and every reference in it leads somewhere.
func TestOpenAPI(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]any
		}
		Tags []struct{ Name string }
	}
	got := w.ok("GET", "/openapi.json", "", "")
	if err := json.Unmarshal([]byte(got.body), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Info.Title == "" || doc.Info.Version != "1.2.3" || doc.Components.SecuritySchemes["token"] == nil {
		t.Errorf("%+v", doc)
	}
	var told []string
	ids := map[string]bool{}
	tags := map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
	}
	for path, item := range doc.Paths {
		for method, raw := range item {
			told = append(told, strings.ToUpper(method)+" "+path)
			var op struct {
				OperationID, Summary string
				Tags                 []string
				Security             []map[string][]string
				Parameters           []struct{ Name, In string }
				Responses            map[string]struct {
					Description string
					Content     map[string]any
				}
			}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(path, method, err)
			}
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 || !tags[op.Tags[0]] {
				t.Errorf("%s %s: id, summary or tag is missing or twice: %+v", method, path, op)
			}
			ids[op.OperationID] = true
			if closed := strings.HasPrefix(path, "/v1/"); closed != (len(op.Security) > 0) {
				t.Errorf("%s %s: security %v", method, path, op.Security)
			}
			if _, ok := op.Responses["default"].Content["application/problem+json"]; !ok || len(op.Responses) < 2 {
				t.Errorf("%s %s: answers %v", method, path, op.Responses)
			}
			checkPathParameters(t, method, path, raw)
		}
	}
	for _, pattern := range w.api.Patterns() {
		method, path, found := strings.Cut(pattern, " ")
		if !found { // any method
			if doc.Paths[method] == nil {
				t.Errorf("%s is not in the document", method)
			}
			told = slices.DeleteFunc(told, func(s string) bool { return strings.HasSuffix(s, " "+method) })
			continue
		}
		if !slices.Contains(told, method+" "+path) {
			t.Errorf("%s is not in the document", pattern)
		}
		told = slices.DeleteFunc(told, func(s string) bool { return s == pattern })
	}
	if len(told) > 0 {
		t.Errorf("in the document, and not there: %v", told)
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]+)"`).FindAllStringSubmatch(got.body, -1) {
		if name, ok := strings.CutPrefix(ref[1], "#/components/schemas/"); !ok || doc.Components.Schemas[name] == nil {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	if doc.Components.Schemas["Problem"] == nil || doc.Components.Schemas["ErrorModel"] != nil {
		t.Error("errors are described as they are not")
	}
	etag := got.header.Get("ETag")
	if again := w.call("GET", "/openapi.json", "", "", "If-None-Match: "+etag); etag == "" || again.status != 304 {
		t.Errorf("etag %q, then %d", etag, again.status)
	}
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func checkPathParameters(t *testing.T, method, path string, raw json.RawMessage) {
	t.Helper()
	var op struct {
		Parameters []struct {
			Name, In string
			Required bool
			Schema   map[string]any
		}
	}
	if err := json.Unmarshal(raw, &op); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range placeholder.FindAllStringSubmatch(path, -1) {
		want = append(want, m[1])
	}
	seen := map[string]bool{}
	for _, p := range op.Parameters {
		if seen[p.In+p.Name] || p.Schema == nil {
			t.Errorf("%s %s: parameter %s is twice, or has no schema", method, path, p.Name)
		}
		seen[p.In+p.Name] = true
		if p.In == "path" {
			if !p.Required {
				t.Errorf("%s %s: %s is not required", method, path, p.Name)
			}
			got = append(got, p.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%s %s: path parameters %v, want %v", method, path, got, want)
	}
}
