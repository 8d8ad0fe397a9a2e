package telemetry_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/telemetry"
)

func TestDailyFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	var clock atomic.Int64
	start := time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)
	now := func() time.Time { return start.Add(time.Duration(clock.Load())) }
	d, err := telemetry.Daily(dir, 3, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other.log", "dragoman-notes.log"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for w := range 8 { // writers and a clock that runs on
		wg.Go(func() {
			for i := range 100 {
				if _, err := fmt.Fprintf(d, "writer %d line %d\n", w, i); err != nil {
					t.Error(err)
				}
				clock.Add(int64(5 * time.Minute)) // 800 times: almost three days
			}
		})
	}
	wg.Wait()
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("wrote after the end: %v", err)
	}
	want := "dragoman-2026-11-21.log dragoman-2026-11-22.log dragoman-2026-11-23.log dragoman-notes.log other.log"
	if got := names(t, dir); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	whole(t, dir)
}

// whole checks that no line was torn.
func whole(t *testing.T, dir string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "dragoman-2*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			var w, i int
			if n, err := fmt.Sscanf(line, "writer %d line %d\n", &w, &i); n != 2 || err != nil {
				t.Errorf("%s: torn line %q", name, line)
			}
		}
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range list {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestClockJumpsLoseNoLog(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	d, err := telemetry.Daily(dir, 3, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	for _, jump := range []int{0, 400, -399} { // days
		at = at.AddDate(0, 0, jump)
		if _, err := fmt.Fprintln(d, "line", jump); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != "dragoman-2026-01-01.log dragoman-2026-01-02.log dragoman-2027-02-05.log" {
		t.Errorf("got %s", got)
	}
}

func TestDailyNeedsAFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := telemetry.Daily(file, 1, time.Now); err == nil {
		t.Error("a file was taken for a folder")
	}
}
