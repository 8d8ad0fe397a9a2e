//go:build unix

package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// databases are what the hub runs on: SQLite with synchronous=FULL, as always, and PostgreSQL with fsync, as it comes.
var databases = []string{"SQLite", "PostgreSQL"}

// dsn makes an empty database; "" is SQLite in the server's own folder.
func dsn(tb testing.TB, database string) string {
	tb.Helper()
	if database == "SQLite" {
		return ""
	}
	return pgtest.Start(tb)
}

// clockTick is what Linux counts the CPU of a process in; every port uses 100 a second.
const clockTick = 10 * time.Millisecond

// postmaster finds the server process of PostgreSQL; 0 for SQLite.
func postmaster(tb testing.TB, dsn string) int {
	tb.Helper()
	if dsn == "" {
		return 0
	}
	c, err := pgx.Connect(tb.Context(), dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(tb.Context()) //nolint:errcheck // it has answered
	var pid int
	if err := c.QueryRow(tb.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		tb.Fatal(err)
	}
	parent, _, _ := processStat(strconv.Itoa(pid))
	return parent
}

// databaseCPU is what PostgreSQL has used: its server process, what that has waited for, and its children.
func databaseCPU(postmaster int) time.Duration {
	if postmaster == 0 {
		return 0
	}
	_, own, waited := processStat(strconv.Itoa(postmaster))
	sum := own + waited
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, f := range folders {
		if parent, used, _ := processStat(filepath.Base(f)); parent == postmaster {
			sum += used
		}
	}
	return sum
}

// processStat reads /proc/PID/stat (proc(5)): the parent, and user and system time of the process and of its children that are over.
func processStat(pid string) (parent int, own, waited time.Duration) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, 0, 0
	}
	_, rest, _ := bytes.Cut(text, []byte(") ")) // the name may hold spaces
	f := bytes.Fields(rest)
	if len(f) < 15 {
		return 0, 0, 0
	}
	n := func(i int) int {
		v, _ := strconv.Atoi(string(f[i]))
		return v
	}
	return n(1), time.Duration(n(11)+n(12)) * clockTick, time.Duration(n(13)+n(14)) * clockTick
}

// machine tells what a result depends on.
func machine() string {
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("load average %s", bytes.TrimSpace(load))
}
