package assist_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/store"
)

func TestCheckValue(t *testing.T) {
	for _, c := range []struct{ kind, good, bad string }{
		{assist.TypeText, `"" "a b" "é" null`, `1 true ["a"] {} x`},
		{assist.TypeNumber, `0 -1.5 1e3 null`, `"1" true [1] 1111111111111111111111111111111 x`},
		{assist.TypeChoice, `"red" "deep_blue" null`, `"green" "" 1 "Red"`},
		{assist.TypeDate, `"2026-12-31" "2024-02-29" null`, `"2026-02-29" "31.12.2026" "2026-12-31T00:00:00Z" 20261231`},
		{assist.TypeYesNo, `true false null`, `"yes" 1 0`},
	} {
		f := store.Field{Type: c.kind, Choices: []string{"red", "deep_blue"}}
		for _, v := range strings.Fields(strings.ReplaceAll(c.good, `"a b"`, `"a\u0020b"`)) {
			if err := assist.CheckValue(f, json.RawMessage(v)); err != nil {
				t.Errorf("%s %s: %v", c.kind, v, err)
			}
		}
		for _, v := range strings.Fields(c.bad) {
			if assist.CheckValue(f, json.RawMessage(v)) == nil {
				t.Errorf("%s takes %s", c.kind, v)
			}
		}
	}
	long := json.RawMessage(`"` + strings.Repeat("é", 2001) + `"`)
	if assist.CheckValue(store.Field{Type: assist.TypeText}, long) == nil {
		t.Error("a text may be as long as it likes")
	}
}

func FuzzCheckValue(f *testing.F) {
	f.Add("text", `"a"`)
	f.Add("number", `1e99`)
	f.Add("date", `"2026-01-01"`)
	f.Fuzz(func(t *testing.T, kind, value string) {
		err := assist.CheckValue(store.Field{Type: kind, Choices: []string{"a"}}, json.RawMessage(value))
		if err == nil && !assist.IsNull(json.RawMessage(value)) && !json.Valid([]byte(value)) {
			t.Errorf("%q was taken", value)
		}
	})
}
