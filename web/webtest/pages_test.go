// Package webtest runs the tests of the pages: their types, their units, and the real program in a real browser.
package webtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// run is a command in the folder of the pages; it fails the test with what was printed.
func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := command(t.Context(), env, name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.Join(root, "web")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// touch looks at every file that the program and its tests are made of, so that go test does not repeat an answer of before a change.
func touch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "dist" || strings.HasPrefix(d.Name(), ".") && name != root):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		if slices.Contains([]string{".go", ".ts", ".tsx", ".css", ".mjs", ".json", ".sql", ".html"}, filepath.Ext(name)) {
			_, err = os.Stat(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTypes(t *testing.T) {
	touch(t)
	run(t, nil, "./build")
	run(t, nil, "node", "node_modules/typescript/bin/tsc", "-p", ".")
}

func TestUnits(t *testing.T) {
	touch(t)
	run(t, nil, "./build")
	run(t, nil, "node", "node_modules/vitest/vitest.mjs", "run")
}

// told is one line of test/reporter.mjs.
type told struct {
	Say     string  `json:"say"`
	Name    string  `json:"name"`
	File    string  `json:"file"`
	Nesting int     `json:"nesting"`
	Pass    bool    `json:"pass"`
	Skip    bool    `json:"skip"`
	Ms      float64 `json:"ms"`
	Error   string  `json:"error"`
}

// TestBrowser runs every file of web/test against the program as it is built now; each of their tests is one of ours.
func TestBrowser(t *testing.T) {
	touch(t)
	run(t, nil, "./build")
	binary := filepath.Join(t.TempDir(), "dragoman")
	run(t, []string{"CGO_ENABLED=0"}, "go", "build", "-o", binary, "../cmd/dragoman")
	files, err := filepath.Glob(filepath.Join(root, "web", "test", "*.test.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, f := range files {
		file := filepath.Base(f)
		t.Run(strings.TrimSuffix(file, ".test.mjs"), func(t *testing.T) { browse(t, binary, file) })
	}
}

func browse(t *testing.T, binary, file string) {
	cmd := command(t.Context(), []string{"DRAGOMAN_BINARY=" + binary}, "node", "--test", "--test-reporter=./test/reporter.mjs", "test/"+file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	heard := 0
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line told
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Say != "" {
			t.Log(lines.Text())
			continue
		}
		heard++
		t.Run(line.Name, func(t *testing.T) { judge(t, line) })
	}
	if err := cmd.Wait(); err != nil && !t.Failed() {
		t.Errorf("%v\n%s", err, errs.String())
	}
	if heard == 0 {
		t.Error("no test ran")
	}
}

func judge(t *testing.T, line told) {
	t.Logf("%.0f ms", line.Ms)
	switch {
	case line.Skip:
		t.Error("a test is left out")
	case !line.Pass:
		t.Error(line.Error)
	}
}
