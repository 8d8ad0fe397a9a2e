//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// components are the parts of the program, by the prefix of a function's name. A sample belongs to the first function, from the
// innermost one outwards, that has a part; so the memory that JSON takes counts for JSON.
var components = []struct{ prefix, name string }{
	{"modernc.org/libc.___syscall", ""}, // its caller tells what for
	{"modernc.org/libc.Xfsync", "fsync"},
	{"modernc.org/libc.Xfdatasync", "fsync"},
	{"modernc.org/libc.Xpwrite", "database files: write"},
	{"modernc.org/libc.Xpread", "database files: read"},
	{"modernc.org/", "SQLite"},
	{"database/sql", "database/sql"},
	{"github.com/jackc/", "pgx"},
	{"encoding/json", "JSON"},
	{"github.com/dragoman-hub/dragoman/store.", "store: rules and bookkeeping"},
	{"github.com/dragoman-hub/dragoman/connector", "connector"},
	{"github.com/dragoman-hub/dragoman/hub", "hub"},
	{"github.com/dragoman-hub/dragoman/telemetry", "metrics and log"},
	{"github.com/dragoman-hub/dragoman/bot", "bot"},
	{"github.com/expr-lang/", "bot"},
	{"github.com/itchyny/gojq", "jq"},
	{"github.com/prometheus/", "metrics and log"},
	{"log/slog", "metrics and log"},
	{"github.com/dragoman-hub/dragoman/api", "API"},
	{"net/http", "HTTP and sockets"},
	{"net/textproto", "HTTP and sockets"},
	{"runtime.gcBgMarkWorker", "garbage collector"},
	{"runtime.bgsweep", "garbage collector"},
	{"runtime.bgscavenge", "garbage collector"},
	{"runtime.schedule", "scheduler"},
	{"runtime.mcall", "scheduler"},
	{"runtime.mstart", "scheduler"},
}

// componentOf names the part that a stack belongs to, the innermost function first.
func componentOf(stack []string) string {
	for _, f := range stack {
		for _, c := range components {
			if !strings.HasPrefix(f, c.prefix) {
				continue
			}
			if c.name != "" {
				return c.name
			}
			break
		}
	}
	return "rest"
}

// byComponent adds up a CPU profile. It asks `go tool pprof`, which comes with the compiler.
func byComponent(tb testing.TB, path string) (parts map[string]time.Duration, total time.Duration) {
	tb.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-traces", path).Output()
	if err != nil {
		tb.Fatalf("go tool pprof: %v", err)
	}
	parts = map[string]time.Duration{}
	var value time.Duration
	var stack []string
	end := func() {
		if len(stack) > 0 {
			parts[componentOf(stack)] += value
			total += value
		}
		value, stack = 0, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "-----------+") {
			end()
			continue
		}
		f := strings.Fields(lines.Text())
		if len(f) > 1 && stack == nil {
			if d, err := time.ParseDuration(f[0]); err == nil {
				value, stack = d, []string{f[1]}
			}
			continue
		}
		if len(f) > 0 && stack != nil {
			stack = append(stack, f[0])
		}
	}
	end()
	return parts, total
}

// printParts prints a profile by component, per message, and answers the sum in µs.
func printParts(tb testing.TB, title, path string, messages int) float64 {
	tb.Helper()
	parts, total := byComponent(tb, path)
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(messages) }
	t := newTable("component", "CPU µs/message", "share")
	for _, name := range slices.SortedFunc(maps.Keys(parts), func(x, y string) int { return cmp.Compare(parts[y], parts[x]) }) {
		t.row(name, tenth(each(parts[name])), whole(100*float64(parts[name])/float64(total))+" %")
	}
	t.row("together", tenth(each(total)), "")
	t.print(title + "; " + machine())
	return each(total)
}

// BenchmarkIngestParts tells where the time of durable ingest goes at 64 connections: the CPU by component, and what the
// committer, of which there is one, spends its time on.
func BenchmarkIngestParts(b *testing.B) {
	list := contenders(b)
	dir := b.TempDir()
	for _, c := range list {
		path := filepath.Join(dir, "cpu")
		c.server.do("cpu", path)
		o := c.load.run(b, 0, 5*time.Second)
		c.server.do("stop", "")
		total := printParts(b, c.name+": CPU of the server at 64 connections", path, o.n)
		keepProfile(b, path, "ingest "+c.name)
		b.ReportMetric(total, metric(c.name, "µs-CPU/msg"))
	}
	for _, c := range list[1:] {
		c.server.do("watch", "")
		c.load.run(b, 0, 6*time.Second)
		seen := c.server.do("unwatch", "").Seen
		sum := 0
		for _, n := range seen {
			sum += n
		}
		t := newTable("the committer", "share of its time")
		for _, name := range slices.SortedFunc(maps.Keys(seen), func(x, y string) int { return cmp.Compare(seen[y], seen[x]) }) {
			t.row(name, whole(100*float64(seen[name])/float64(sum))+" %")
		}
		t.print(c.name + ": the committer at 64 connections")
	}
	quiet(b)
}
