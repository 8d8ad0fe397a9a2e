// Package js_test runs the JavaScript SDK's own tests with the others.
package js_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestJavaScript(t *testing.T) {
	// What node reads, the go tool does not see; so that no stale result is taken from its cache, we look ourselves.
	for _, folder := range []string{".", "test", "test/support", "../worker/testdata"} {
		if _, err := os.ReadDir(folder); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat("../../docs/sdk.md"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("test/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	args := append([]string{"--test", "--test-reporter=spec"}, files...)
	if out, err := exec.CommandContext(t.Context(), node(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// node finds a Node that is new enough.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node (20 or newer) is not in PATH: `make needs` installs it on Debian and its relatives")
	}
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var major int
	if _, err := fmt.Sscanf(string(out), "v%d.", &major); err != nil || major < 20 {
		t.Fatalf("%s is %swant v20 or newer", path, out)
	}
	return path
}
