//go:build unix

package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dragoman-hub/dragoman/store/pgtest"
)

func connect(tb testing.TB, dsn string) *pgx.Conn {
	tb.Helper()
	c, err := pgx.Connect(tb.Context(), dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close(context.WithoutCancel(tb.Context())) })
	return c
}

func TestDatabasesAreSeparate(t *testing.T) {
	a, b := connect(t, pgtest.Start(t)), connect(t, pgtest.Start(t))
	for _, c := range []*pgx.Conn{a, b} {
		if _, err := c.Exec(t.Context(), "CREATE TABLE same (id int)"); err != nil {
			t.Fatal(err)
		}
	}
	var fsync string
	var version int
	if err := a.QueryRow(t.Context(), "SELECT current_setting('fsync'), current_setting('server_version_num')::int").
		Scan(&fsync, &version); err != nil {
		t.Fatal(err)
	}
	if fsync != "on" || version < 150000 {
		t.Fatalf("fsync %s on version %d, want on, and 15 or later", fsync, version)
	}
}

func TestDatabaseIsDroppedAfterItsTest(t *testing.T) {
	var dsn string
	t.Run("inner", func(t *testing.T) { dsn = pgtest.Start(t) })
	if c, err := pgx.Connect(t.Context(), dsn); err == nil {
		c.Close(t.Context())
		t.Fatal("the database is still there")
	}
}

func TestGoneAndBack(t *testing.T) {
	s := pgtest.NewServer(t)
	dsn := s.Database(t)
	if _, err := connect(t, dsn).Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	if c, err := pgx.Connect(t.Context(), dsn); err == nil {
		c.Close(t.Context())
		t.Fatal("a stopped server answered")
	}
	s.Start(t)
	var n int
	if err := connect(t, dsn).QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
		t.Fatalf("read %d, %v after the restart, want 7", n, err)
	}
}

// TestKilledProcessLeavesNothing runs this test binary again, kills it, and waits for its server to go.
func TestKilledProcessLeavesNothing(t *testing.T) {
	if os.Getenv("PGTEST_VICTIM") != "" {
		if _, err := fmt.Fprintln(os.Stdout, "dsn "+pgtest.Start(t)); err != nil {
			t.Fatal(err)
		}
		<-t.Context().Done()
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/..", 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "PGTEST_VICTIM=1", "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dsn := ""
	for sc := bufio.NewScanner(out); dsn == "" && sc.Scan(); {
		if found, ok := strings.CutPrefix(sc.Text(), "dsn "); ok {
			dsn = found
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() //nolint:errcheck // it was killed
	if dsn == "" {
		t.Fatal("the other process gave no address")
	}
	deadline := time.After(time.Minute)
	for {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("still there: %v", left)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
