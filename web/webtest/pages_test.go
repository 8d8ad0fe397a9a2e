// Package webtest runs the tests of the pages: their types, their units, and the real program in a real browser.
package webtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

// TestBrowser runs every file of web/test against the program as it is built now; each of their tests is one of ours. A file waits more than
// it works: as many run at a time as there are processors, each with a hub and a browser of its own.
func TestBrowser(t *testing.T) {
	t.Parallel()
	touch(t)
	run(t, nil, "./build")
	binary := filepath.Join(t.TempDir(), "dragoman")
	run(t, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", binary, "../cmd/dragoman")
	files, err := filepath.Glob(filepath.Join(root, "web", "test", "*.test.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	for _, f := range files {
		file := filepath.Base(f)
		t.Run(strings.TrimSuffix(file, ".test.mjs"), func(t *testing.T) {
			t.Parallel()
			browse(t, binary, file)
		})
	}
}

// TestRelease: an archive has a program that tells its version and shows the pages.
func TestRelease(t *testing.T) {
	t.Parallel()
	touch(t)
	folder := t.TempDir()
	platform := runtime.GOOS + "/" + runtime.GOARCH
	run(t, []string{"PLATFORMS=" + platform, "SOURCE_DATE_EPOCH=1"}, "../.ci/release", "v1.2.3-rc.4", folder)
	name := "dragoman_1.2.3-rc.4_" + strings.ReplaceAll(platform, "/", "_")
	run(t, nil, "sh", "-c", `cd "$1" && sha256sum -c --quiet SHA256SUMS && tar xzf "$2.tar.gz" && test -s "$2/LICENSE"`, "sh", folder, name)
	program := filepath.Join(folder, name, "dragoman")
	said, err := command(t.Context(), nil, program, "version").Output()
	if err != nil || !strings.HasPrefix(string(said), "dragoman 1.2.3-rc.4 ") {
		t.Errorf("it says %q, %v", said, err)
	}
	raw, err := os.ReadFile(program)
	page, pageErr := os.ReadFile(filepath.Join(root, "web", "dist", "pages", "index.html"))
	if err := errors.Join(err, pageErr); err != nil || !bytes.Contains(raw, page) {
		t.Errorf("the pages are not in it: %v", err)
	}
	if out, err := command(t.Context(), nil, "../.ci/release", "1.2").CombinedOutput(); err == nil || !bytes.Contains(out, []byte("usage")) {
		t.Errorf("a bad version: %v, %s", err, out)
	}
}

// browse runs a file. Where a test failed, the whole file runs once more, and that counts: a real browser on a busy machine is late in ways no
// wait covers. What failed at first is kept in unsteady, which make prints: it is a fault all the same, of the page or of the test.
func browse(t *testing.T, binary, file string) {
	lines, err := play(t, binary, file)
	if err != nil && t.Context().Err() == nil {
		note(t, file, failed(lines), err)
		lines, err = play(t, binary, file)
	}
	for _, line := range lines {
		t.Run(line.Name, func(t *testing.T) { judge(t, line) })
	}
	if err != nil && !t.Failed() {
		t.Error(err)
	}
	if len(lines) == 0 {
		t.Error("no test ran")
	}
}

// play gives what a file's tests told, and an error when one of them failed or their process did.
func play(t *testing.T, binary, file string) ([]told, error) {
	cmd := command(t.Context(), []string{"DRAGOMAN_BINARY=" + binary}, "node", "--test", "--test-reporter=./test/reporter.mjs", "test/"+file)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	var lines []told
	for text := range bytes.Lines(out) {
		var line told
		if json.Unmarshal(text, &line) != nil || line.Say != "" {
			t.Log(string(text))
			continue
		}
		lines = append(lines, line)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", file, err, errs.String())
	}
	return lines, err
}

func failed(lines []told) []told {
	return slices.DeleteFunc(slices.Clone(lines), func(l told) bool { return l.Pass })
}

const unsteady = "web/test-unsteady.log"

func note(t *testing.T, file string, bad []told, err error) {
	t.Helper()
	f, cannot := os.OpenFile(filepath.Join(root, unsteady), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if cannot != nil {
		t.Fatal(cannot)
	}
	defer func() { _ = f.Close() }()
	said := fmt.Sprintf("failed at first: %v", err)
	for _, line := range bad {
		said += fmt.Sprintf("%s: %s (%.0f ms)\n%s\n", file, line.Name, line.Ms, line.Error)
	}
	_, _ = f.WriteString(said) // in one go: other files write there, too
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
