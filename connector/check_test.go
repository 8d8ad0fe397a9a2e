package connector_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/connector"
)

// shop is a platform with settings of every sort.
func shop() connector.Platform {
	return connector.Platform{Name: "shop", Title: "Shop", Settings: []connector.Setting{
		{Name: "token", Type: connector.String, Secret: true, Required: true, Pattern: `^[a-z0-9]+$`},
		{Name: "hook_secret", Type: connector.String, Secret: true, Required: true, Generate: true},
		{Name: "mode", Type: connector.String, Enum: []string{"webhook", "polling"}, Default: "webhook"},
		{Name: "limit", Type: connector.Integer, Default: 20},
		{Name: "groups", Type: connector.Boolean},
		{Name: "out", Type: connector.Object, Secrets: []string{"auth.password", "headers.*.value"}},
		{Name: "keys", Type: connector.Object, Secret: true},
		{Name: "hosts", Type: connector.Array},
	}}
}

func TestCheckSettings(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"all that is needed", `{"token":"abc"}`, ""},
		{"every sort", `{"token":"abc","mode":"polling","limit":-3,"groups":true,"out":{"auth":{}},"hosts":["a"]}`, ""},
		{"null is left out", `{"token":"abc","groups":null,"no_such":null}`, ""},
		{"nothing", ``, "token: is needed"},
		{"empty required", `{"token":""}`, "token: is needed"},
		{"pattern", `{"token":"A B"}`, "token: must match ^[a-z0-9]+$"},
		{"enum", `{"token":"abc","mode":"smoke"}`, `mode: must be one of ["webhook" "polling"]`},
		{"text for integer", `{"token":"abc","limit":"3"}`, "limit: must be of type integer"},
		{"fraction", `{"token":"abc","limit":3.5}`, "limit: must be of type integer"},
		{"too large an integer", `{"token":"abc","limit":1e99}`, "limit: must be of type integer"},
		{"number for boolean", `{"token":"abc","groups":1}`, "groups: must be of type boolean"},
		{"list for object", `{"token":"abc","out":[]}`, "out: must be of type object"},
		{"object for list", `{"token":"abc","hosts":{}}`, "hosts: must be of type array"},
		{"number for text", `{"token":5}`, "token: must be of type string"},
		{"unknown", `{"token":"abc","tokn":"x"}`, "tokn: no such setting"},
		{"two problems", `{"token":5,"x":1}`, "token: must be of type string; x: no such setting"},
		{"no object", `[1]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"not JSON", `{"token"`, "not a JSON object"},
		{"two values", `{"token":"abc"} {}`, "not a JSON object"},
		{"not UTF-8", "{\"token\":\"\xff\"}", "not UTF-8"},
		{"too large", `{"token":"` + strings.Repeat("a", connector.SettingsLimit) + `"}`, "more than 65536 bytes"},
		{"too deep", `{"out":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "more than 32 levels deep"},
		{"as deep as may be", `{"token":"abc","out":{"a":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}}`, ""},
		{"brackets in text are not depth", `{"token":"abc","mode":"` + strings.Repeat(`[\"`, 40) + `"}`, `mode: must be one of ["webhook" "polling"]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, problems := shop().CheckSettings(json.RawMessage(c.in), bytes.NewReader(make([]byte, 64)))
			words := make([]string, 0, len(problems))
			for _, p := range problems {
				words = append(words, p.String())
			}
			if got := strings.Join(words, "; "); got != c.want {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			if (out == nil) != (c.want != "") {
				t.Errorf("settings %s with problems %q", out, c.want)
			}
		})
	}
}

func TestCheckSettingsCompletes(t *testing.T) {
	for _, in := range []string{`{"token":"abc"}`, `{"token":"abc","hook_secret":""}`, `{"token":"abc","hook_secret":null}`} {
		out, problems := shop().CheckSettings(json.RawMessage(in), bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
		want := `{"hook_secret":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","limit":20,"mode":"webhook","token":"abc"}`
		if problems != nil || string(out) != want {
			t.Errorf("%s: got %s, %v", in, out, problems)
		}
		again, problems := shop().CheckSettings(out, strings.NewReader(""))
		if problems != nil || string(again) != want {
			t.Errorf("checked again: got %s, %v", again, problems)
		}
	}
}

func TestCheckSettingsWithoutRandomness(t *testing.T) {
	out, problems := shop().CheckSettings(json.RawMessage(`{"token":"abc"}`), strings.NewReader("short"))
	if out != nil || len(problems) != 1 || problems[0].Setting != "hook_secret" {
		t.Errorf("got %s, %v", out, problems)
	}
}
