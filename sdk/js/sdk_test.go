// Package js_test runs the JavaScript SDK's own tests with the others.
package js_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
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
	path, flags := node(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := append(append(flags, "--test", "--test-reporter=spec"), files...)
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// node finds a Node that is new enough. Debian 12 brings version 18, which the tests can do with: it has Web Crypto,
// behind a flag.
func node(t *testing.T) (path string, flags []string) {
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
	if _, err := fmt.Sscanf(string(out), "v%d.", &major); err != nil || major < 18 {
		t.Fatalf("%s is %swant v20 or newer", path, out)
	}
	if major == 18 {
		flags = []string{"--experimental-global-webcrypto"}
	}
	return path, flags
}
