package dragoman_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dragoman-hub/dragoman"

// floors gives every folder its floor; an import goes only downward. A folder that ends in "/*" stands for
// each of its subfolders, one station each; the longest match counts. Inside one station imports are free.
var floors = map[string]int{
	"chat": 0,

	"blob": 1, "outbound": 1, "sdk": 1, "secret": 1, "telemetry": 1, "wake": 1, "web": 1,

	"connector": 2, "connector/connectortest": 2,
	"store": 2,

	"connector/*":   3,
	"connector/all": 4, // a list of floor 3, for floor 4 and above

	"hub": 5, "bot": 5, "desk": 5, "report": 5, "hook": 5, "contacts": 5, "access": 5, "knowledge": 5, "llm": 5, "assist": 5, "search": 5,

	"api": 6, "compat/*": 6, "visitor": 6,

	"cmd":   7,
	"bench": 8,
}

// kin are folders that have a floor of their own and yet belong to another folder's station.
var kin = map[string]string{"connector/connectortest": "connector"}

// never are arrows that go downward and are still wrong.
var never = []struct{ from, to, why string }{
	{"connector", "store", "a connector parses and formats; it never stores"},
	{"wake", "store", "a wake-up is never the truth"},
}

// place is where a package stands: its floor and its station.
type place struct {
	floor   int
	station string
}

// placeOf finds a package's place by its folder, "" being the root.
func placeOf(folder string) (place, bool) {
	for at := folder; at != "." && at != ""; at = path.Dir(at) {
		if floor, ok := floors[at]; ok {
			station := at
			if k, ok := kin[at]; ok {
				station = k
			}
			return place{floor, station}, true
		}
		if floor, ok := floors[path.Dir(at)+"/*"]; ok {
			return place{floor, at}, true
		}
	}
	return place{}, false
}

// wrong tells why a file in folder from must not import the package in folder to; empty if it may.
func wrong(from, to string, isTest bool) string {
	a, ok := placeOf(from)
	if !ok {
		return "folder " + from + " has no floor: give it one in floors_test.go"
	}
	b, ok := placeOf(to)
	if !ok {
		return "folder " + to + " has no floor: give it one in floors_test.go"
	}
	for _, n := range never {
		if within(from, n.from) && within(to, n.to) {
			return n.why
		}
	}
	if isKit(to) && !isKit(from) && !isTest && a.station != "bench" {
		return "a kit for tests is imported by tests only"
	}
	if a.station != b.station && a.floor <= b.floor {
		return "an import goes only downward: " + a.station + " is on floor " + strconv.Itoa(a.floor) +
			", " + b.station + " on floor " + strconv.Itoa(b.floor)
	}
	return ""
}

func within(folder, root string) bool { return folder == root || strings.HasPrefix(folder, root+"/") }

// isKit tells packages like connectortest and storetest.
func isKit(folder string) bool { return strings.HasSuffix(path.Base(folder), "test") }

// source is one parsed Go file of the module.
type source struct {
	path   string // slashes, from the root
	folder string
	file   *ast.File
	lines  int
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources parses every Go file of the module, without the root's own and without nested modules.
func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(name, d.Name())
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		all = append(all, source{slashed, path.Dir(slashed), file, strings.Count(string(text), "\n")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fset, all
}

func skip(name, base string) error {
	if name == "." {
		return nil
	}
	switch base {
	case "testdata", "node_modules", "vendor", "data", "docs":
		return fs.SkipDir
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func TestFloors(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		if s.folder == "." {
			continue
		}
		if _, ok := placeOf(s.folder); !ok {
			t.Errorf("%s: folder %s has no floor: give it one in floors_test.go", s.path, s.folder)
			continue
		}
		for _, imp := range s.file.Imports {
			to, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			ours, ok := strings.CutPrefix(to, module+"/")
			if !ok {
				continue
			}
			if why := wrong(s.folder, ours, s.isTest()); why != "" {
				t.Errorf("%s imports %s: %s", fset.Position(imp.Pos()), ours, why)
			}
		}
	}
}

// TestFloorsCatch plants arrows, so that nobody has to take TestFloors on trust.
func TestFloorsCatch(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"wake", "chat", false, true},
		{"hub", "store", false, true},
		{"hub", "hub/fit", false, true},
		{"hub/fit", "connector", false, true},
		{"hub", "connector/all", false, true},
		{"connector/telegram", "connector", false, true},
		{"connector/telegram", "connector/connectortest", true, true},
		{"connector/all", "connector/telegram", false, true},
		{"connector/connectortest", "connector", false, true},
		{"connector/connectortest", "outbound", false, true},
		{"store/storetest", "store", false, true},
		{"store/storetest", "store/pgtest", false, true},
		{"api", "bot", false, true},
		{"cmd/dragoman", "api", false, true},
		{"bench", "cmd/dragoman", false, true},
		{"bench/load", "store/pgtest", false, true},

		{"chat", "wake", false, false},
		{"sdk/worker", "wake", false, false},
		{"wake", "secret", false, false},
		{"store", "connector", false, false},
		{"connector", "store", false, false},
		{"connector/telegram", "store", false, false},
		{"connector/telegram", "connector/whatsapp", false, false},
		{"connector/telegram", "connector/all", false, false},
		{"connector/connectortest", "connector/telegram", true, false},
		{"hub", "bot", false, false},
		{"desk", "hub/fit", true, false},
		{"bot", "api", false, false},
		{"api", "compat/chatfaq", false, false},
		{"compat/chatfaq", "compat/botmatic", false, false},
		{"api", "cmd/dragoman", true, false},
		{"cmd/dragoman", "bench", false, false},
		{"store", "store/pgtest", false, false},
		{"hub", "connector/connectortest", false, false},
		{"util", "chat", false, false},
		{"hub", "helpers", false, false},
	} {
		why := wrong(c.from, c.to, c.test)
		if (why == "") != c.ok {
			t.Errorf("%s imports %s (test: %v): got %q, want allowed: %v", c.from, c.to, c.test, why, c.ok)
		}
	}
}
