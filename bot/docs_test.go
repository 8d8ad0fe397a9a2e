package bot

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDocs runs the example of docs/flows.md and looks for every word that an author can use.
func TestDocs(t *testing.T) {
	raw, err := os.ReadFile("../docs/flows.md")
	if err != nil {
		t.Fatal(err)
	}
	definition := fenced(string(raw), "json")
	conversations := fenced(string(raw), "conversation")
	if len(definition) != 1 || len(conversations) < 2 {
		t.Fatalf("%d definitions, %d conversations", len(definition), len(conversations))
	}
	for _, text := range conversations {
		runScript(t, mustParse(t, definition[0]), text)
	}
	for name := range (&parser{}).builtIn() {
		if !strings.Contains(string(raw), "| `"+name+"` |") {
			t.Errorf("action %s is not described", name)
		}
	}
	for _, name := range names(reflect.TypeFor[environment](), "") {
		if !strings.Contains(string(raw), "`"+name+"`") && !strings.HasPrefix(name, "$") {
			t.Errorf("%s is not described", name)
		}
	}
}

// fenced gives the blocks of a language.
func fenced(text, language string) []string {
	var blocks []string
	for _, rest := range strings.Split(text, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(rest, "\n```")
		blocks = append(blocks, block)
	}
	return blocks
}

// names lists what expressions see, with dots.
func names(t reflect.Type, prefix string) []string {
	var list []string
	for field := range t.Fields() {
		name := prefix + field.Tag.Get("expr")
		if field.Type.PkgPath() == t.PkgPath() {
			list = append(list, names(field.Type, name+".")...)
			continue
		}
		list = append(list, name)
	}
	return list
}
