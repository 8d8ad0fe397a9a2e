package webhook

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/connector"
)

func TestProgramIsBounded(t *testing.T) {
	tests := map[string]string{
		"endless loop":    `[range(infinite)] | length`,
		"endless output":  `repeat(1)`,
		"recursion":       `def f: f; f`,
		"long string":     `"x" * 2000000000`,
		"number string":   `2000000000 * "x"`,
		"doubled string":  `reduce range(60) as $i ("x"; . + .)`,
		"doubled list":    `reduce range(60) as $i ([1]; . + .) | length`,
		"huge number":     `reduce range(64) as $i (3; . * .) | tostring | length`,
		"deep value":      `reduce range(10000) as $i (0; [.])`,
		"too many values": `range(1001)`,
		"jq error":        `error("no")`,
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := compile("setting.path", source, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			defer cancel()
			if name == "endless loop" || name == "recursion" { // these end with their time; that it is ours is seen by TestSlowProgram
				ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
			}
			out, err := p.run(ctx, nil, nil)
			if err == nil {
				t.Fatalf("no error, %d values", len(out))
			}
			if !strings.HasPrefix(err.Error(), "setting.path: ") {
				t.Errorf("the error does not name the setting: %v", err)
			}
		})
	}
}

func TestProgramSeesNothing(t *testing.T) {
	t.Setenv("DRAGOMAN_SECRET", "s3cret-s3cret")
	refused := []string{
		`$ENV`, `env`, `$ENV.DRAGOMAN_SECRET`, `env.DRAGOMAN_SECRET`, `now`, `input`, `inputs`, `debug`, `stderr`, `halt`, `halt_error`,
		`import "a" as a; .`, `include "a"; .`, `setpath([1000000000]; 1)`, `.[1000000000] = 1`, `.a |= 1`, `pick(.[100000000])`, `_multiply("x"; 1000000000)`,
		`def f: {a: [env]}; f`, `"\(now)"`, `if . then now else . end`, `{(env | tostring): 1}`, `try now catch .`, `.[now]`, `$__prog_args`,
		`reduce now as $x (0; .)`, `. as [$a, {b: $c}] | now`, `label $f | now`, ``, `.a |`, strings.Repeat("(", 9000),
	}
	for _, source := range refused {
		p, err := compile("setting.path", source, nil)
		if err == nil {
			out, err := p.run(t.Context(), nil, nil)
			t.Errorf("%q is compiled, and gives %v, %v", source, out, err)
			continue
		}
		if e := connector.AsError(err); e.Policy != connector.Malformed || !strings.HasPrefix(e.Detail, "setting.path: ") {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func TestProgramStillComputes(t *testing.T) {
	tests := map[string]string{
		`1 + 2 * 3`: "7", `"a" + "b"`: "ab", `"ab" * 3`: "ababab", `{a: {b: 1}} * {a: {c: 2}}`: `{"a":{"b":1,"c":2}}`,
		`[1] + [2]`: "[1,2]", `null + 1`: "1", `9007199254740993 + 0`: "9007199254740993", `1.5 * 2`: "3",
		`[1, 2] | map(. * 10) | add`: "30", `.now`: "5", `{now}`: `{"now":5}`, `{a: "\(.now + 1)"}`: `{"a":"6"}`,
		`"2026-01-02T03:04:05Z" | fromdateiso8601`: "1767323045",
	}
	for source, want := range tests {
		p, err := compile("x", source, nil)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		v, err := p.one(t.Context(), map[string]any{"now": 5}, nil)
		if got := words(v); err != nil || got != want {
			t.Errorf("%s = %s, %v; want %s", source, got, err, want)
		}
	}
}

// TestProgramEndsInsideOfAFunction: no limit of time stops a function of jq that is at work, so its input is bounded.
func TestProgramEndsInsideOfAFunction(t *testing.T) {
	const long = 1 << 20
	for _, source := range []string{
		`gsub(""; "b")`, `sub("9"; "b"; "g")`, `[match(""; "g")]`, `test("9*9*9*9*b")`, `[scan(".")]`, `[splits("")]`, `split(""; null)`,
		`capture("(?<a>9*)b")`, `tonumber`, `[.] | map(tonumber)`, `{a: .} | {b: .a | gsub(""; "b")}`, `def f: tonumber; f`, `try tonumber catch error`,
	} {
		p, err := compile("setting.path", source, nil)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if _, err := p.run(context.WithoutCancel(t.Context()), strings.Repeat("9", long), nil); err == nil || !strings.Contains(err.Error(), "text above") {
			t.Errorf("%s: %v", source, err)
		}
	}
	for source, want := range map[string]string{
		`"1 2  3" | gsub("\\s+"; "-")`: "1-2-3", `"42" | tonumber + 1`: "43", `"a1" | capture("(?<n>[0-9])").n`: "1", `"a,b" | split(",") | last`: "b",
		`[.text, "b"] | map(test("^a"))`: "[true,false]", `"a-b" | [splits("-")] | length`: "2",
	} {
		p, err := compile("x", source, nil)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if v, err := p.one(t.Context(), map[string]any{"text": "ab"}, nil); err != nil || words(v) != want {
			t.Errorf("%s = %s, %v; want %s", source, words(v), err, want)
		}
	}
}
