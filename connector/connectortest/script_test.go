package connectortest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesThatAreNoTranscripts(t *testing.T) {
	cases := []struct{ name, file, want string }{
		{"nothing", "", "no act"},
		{"no act", "-- settings --\n{}\n", "no act"},
		{"an unknown section", "-- send --\n{}\n-- sendt --\n", `section "sendt": unknown`},
		{"an unknown section at the top", "-- clock --\n", `section "clock": unknown, or before the first act`},
		{"an expectation before the act", "-- sent --\n{}\n", "before the first act"},
		{"a body without a place", "-- send --\n{}\n-- sent --\n{}\n-- body --\n", "a body must follow"},
		{"two bodies", "-- receive --\nPOST /\n-- body --\n-- json --\n", "a body must follow"},
		{"an expectation twice", "-- send --\n{}\n-- sent --\n-- sent --\n", "twice in one act"},
		{"events before an answer", "-- listen --\n-- events --\n[]\n", "must follow an answer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parse([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error with %q, got %v", c.want, err)
			}
		})
	}
}

func TestBodiesKeepTheirBytes(t *testing.T) {
	tr, err := parse([]byte("-- receive --\nPOST /\n-- body --\n {\"a\": 1}\r\n\n\n-- receive --\nPOST /\n-- body base64 --\nAAEC\n/w==\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{" {\"a\": 1}\r\n\n", "\x00\x01\x02\xff"} {
		if got, err := tr.acts[i].body.content(); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestPretty(t *testing.T) {
	long := strings.Repeat("x", 80)
	in := `{"a":"` + long + `","b\"c":[1,{"d":"` + long + `"},[]],"e":{}}`
	want := "{\n  \"a\": \"" + long + "\",\n  \"b\\\"c\": [1,{\"d\":\"" + long + "\"},[]],\n  \"e\": {}\n}\n"
	if got := string(pretty([]byte(in))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d := diffJSON([]byte(in), pretty([]byte(in))); d != "" {
		t.Error(d)
	}
}

func TestDiffJSON(t *testing.T) {
	cases := []struct{ want, got, diff string }{
		{`{"a":[1,2.0,null]}`, `{"a":[1,2.00,null]}`, ""},
		{`{"a":"<any>"}`, `{"a":[{}]}`, ""},
		{`12345678901234567890`, `12345678901234567891`, ": want 12345678901234567890, got 12345678901234567891"},
		{`[1,2]`, `[1]`, ": want [1,2], got [1]"},
		{`[]`, `null`, ": want [], got null"},
		{`{}`, `[]`, ": want {}, got []"},
		{`{"a":true}`, `{"a":"true"}`, `.a: want true, got "true"`},
		{`{"a":1`, `{}`, "the transcript's JSON"},
		{`{}`, `<html>`, "not JSON"},
		{`{}`, `{}{}`, "more than one value"},
	}
	for _, c := range cases {
		got := diffJSON([]byte(c.want), []byte(c.got))
		if (c.diff == "") != (got == "") || !strings.Contains(got, c.diff) {
			t.Errorf("%s against %s: %q, want %q", c.want, c.got, got, c.diff)
		}
	}
}

// FuzzTranscript: what can be read is written so that it reads the same.
func FuzzTranscript(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := parse(data)
		if err != nil {
			return
		}
		once := tr.format()
		again, err := parse(once)
		if err != nil {
			t.Fatalf("written so that it does not read: %v\n%q", err, once)
		}
		if !bytes.Equal(again.format(), once) {
			t.Errorf("written differently:\n%q\n%q", once, again.format())
		}
	})
}
