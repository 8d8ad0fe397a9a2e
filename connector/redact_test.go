package connector_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRedact(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"plain secrets", `{"token":"abc","mode":"polling"}`, `{"mode":"polling","token":"***"}`},
		{"a secret object", `{"keys":{"a":"b"}}`, `{"keys":"***"}`},
		{
			"nested", `{"out":{"auth":{"user":"u","password":"p"},"headers":[{"name":"a","value":"b"},{"name":"c"}]}}`,
			`{"out":{"auth":{"password":"***","user":"u"},"headers":[{"name":"a","value":"***"},{"name":"c"}]}}`,
		},
		{"unknown members", `{"old_token":"abc"}`, `{"old_token":"***"}`},
		{"large numbers", `{"out":{"id":12345678901234567890}}`, `{"out":{"id":12345678901234567890}}`},
		{"a name twice", `{"out":{"auth":{"password":"one","password":"two"}}}`, `{"out":{"auth":{"password":"***"}}}`},
		{"no JSON", `{"token":"abc"`, `{}`},
		{"no object", `"abc"`, `{}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := shop().Redact(json.RawMessage(c.in)); string(got) != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestMergeSettings(t *testing.T) {
	const old = `{"token":"abc","mode":"polling","out":{"auth":{"password":"p"},"headers":[{"value":"v1"},{"value":"v2"}]}}`
	cases := []struct{ name, patch, want, fails string }{
		{"nothing", ``, old, ""},
		{"a new value", `{"mode":"webhook","token":"xyz"}`, strings.NewReplacer("abc", "xyz", "polling", "webhook").Replace(old), ""},
		{"null removes", `{"mode":null,"token":null,"hosts":null}`, `{"out":{"auth":{"password":"p"},"headers":[{"value":"v1"},{"value":"v2"}]}}`, ""},
		{"hidden keeps", `{"token":"***","out":{"auth":{"user":"u","password":"***"}}}`, `{"token":"abc","mode":"polling","out":{"auth":{"user":"u","password":"p"}}}`, ""},
		{"hidden in a list keeps the same place", `{"out":{"headers":[{"value":"new"},{"value":"***"}]}}`, `{"token":"abc","mode":"polling","out":{"headers":[{"value":"new"},{"value":"v2"}]}}`, ""},
		{"hidden in a list of another length", `{"out":{"headers":[{"value":"***"}]}}`, "", "malformed: settings: out.headers.*.value: there is no old secret to keep"},
		{"hidden without an old one", `{"hook_secret":"***"}`, "", "malformed: settings: hook_secret: there is no old secret to keep"},
		{"hidden text that is no secret", `{"mode":"***"}`, strings.Replace(old, "polling", "***", 1), ""},
		{"no object", `[]`, "", "malformed: settings: not a JSON object"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := shop().MergeSettings(json.RawMessage(old), json.RawMessage(c.patch))
			if c.fails != "" {
				if err == nil || err.Error() != c.fails || got != nil {
					t.Fatalf("got %s, %v, want error %q", got, err, c.fails)
				}
				return
			}
			if err != nil || !sameJSON(t, got, []byte(c.want)) {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func sameJSON(t interface{ Fatalf(string, ...any) }, a, b []byte) bool {
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return reflect.DeepEqual(x, y)
}

// drawSettings makes stored settings; every secret in them begins with the word SECRET.
func drawSettings(t *rapid.T) json.RawMessage {
	secret := func(label string) any { return "SECRET" + rapid.String().Draw(t, label) }
	word := rapid.StringMatching(`[a-z<>"\\ ]{0,6}`)
	all := map[string]any{"mode": word.Draw(t, "mode")}
	if rapid.Bool().Draw(t, "has token") {
		all["token"] = secret("token")
	}
	if rapid.Bool().Draw(t, "has keys") {
		all["keys"] = map[string]any{word.Draw(t, "key"): secret("keys"), "list": []any{secret("more keys")}}
	}
	if rapid.Bool().Draw(t, "is unknown") {
		all["later"] = map[string]any{"x": secret("unknown")}
	}
	out := map[string]any{"n": rapid.Int64().Draw(t, "n"), "odd": []any{nil, "***", word.Draw(t, "odd")}}
	switch rapid.IntRange(0, 4).Draw(t, "auth") {
	case 0:
		out["auth"] = map[string]any{"user": word.Draw(t, "user"), "password": secret("password")}
	case 1:
		out["auth"] = map[string]any{"password": []any{secret("odd password"), nil}}
	case 2:
		out["auth"] = map[string]any{"password": nil}
	case 3:
		out["auth"] = word.Draw(t, "no object")
	}
	headers := []any{}
	for i := range rapid.IntRange(0, 4).Draw(t, "headers") {
		headers = append(headers, map[string]any{"name": word.Draw(t, "name"), "value": secret(fmt.Sprint("value", i))})
	}
	out["headers"] = headers
	all["out"] = out
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRedactHidesEverySecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := drawSettings(t)
		shown := shop().Redact(raw)
		if strings.Contains(string(shown), "SECRET") || !json.Valid(shown) {
			t.Fatalf("%s is shown as %s", raw, shown)
		}
	})
}

func TestMergeOfWhatWasShownChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := drawSettings(t)
		got, err := shop().MergeSettings(old, shop().Redact(old))
		if err != nil || !sameJSON(t, got, old) {
			t.Fatalf("%s became %s, %v", old, got, err)
		}
	})
}

// FuzzSettings: whatever the bytes, nothing panics, what is accepted stays accepted, and what is shown is JSON.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"token":"abc","out":{"auth":{"password":"p"},"headers":[{"value":"v"}]}}`), []byte(`{"token":"***","out":null}`))
	f.Add([]byte(`{"token":"abc"}`), []byte(`{"out":{"headers":[{"value":"***"}]}}`))
	f.Add([]byte(`[[[[`), []byte(`{"":`))
	f.Fuzz(func(t *testing.T, old, patch []byte) {
		p := shop()
		zeros := strings.NewReader(strings.Repeat("\x00", 64))
		if out, problems := p.CheckSettings(old, zeros); problems == nil {
			if _, problems = p.CheckSettings(out, zeros); problems != nil {
				t.Errorf("accepted as %q, then refused: %v", out, problems)
			}
		}
		if shown := p.Redact(old); !json.Valid(shown) {
			t.Errorf("shown as %q", shown)
		}
		if merged, err := p.MergeSettings(old, patch); err == nil && !json.Valid(merged) {
			t.Errorf("merged to %q", merged)
		}
	})
}
