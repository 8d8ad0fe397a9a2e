//go:build unix

package bench

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// echoFlow answers every message, the first one too, with one message.
const echoFlow = `{"first_message":"evaluate",
 "states":[{"name":"Idle","initial":true},{"name":"Answer","events":[{"say":"You asked: {{message.text}}"}]}],
 "transitions":[{"dest":"Answer","conditions":[{"expr":"len(message.text) > 0"}]}]}`

const (
	manyPeople = 256 // saturate the hub
	fewPeople  = 40  // with fewPause, 200 messages a second
	fewPause   = 200 * time.Millisecond
	threads    = 10  // of each person: Telegram allows one message a second to each
	lines      = 128 // channels: Telegram allows 30 messages a second to each, and the hub has 8 requests of each under way
)

// BenchmarkAnswer measures the whole way: webhook, log, flow, log, request to the platform, on the channels of two connectors. The
// latency ends when the platform has the request. Each person waits for the answer before the next message.
func BenchmarkAnswer(b *testing.B) {
	t := newTable("connector", "database", "load", "messages/s", "p50 ms", "p99 ms", "CPU µs/message", "database's CPU µs", "allocations",
		"generator µs", "unanswered")
	for _, c := range []string{"telegram", "webhook"} {
		for _, d := range databases {
			b.Run(c+"/"+d, func(b *testing.B) { answer(b, c, d, t) })
		}
	}
	t.print("webhook to platform answer; " + machine())
}

func answer(b *testing.B, connector, database string, t *table) {
	p := newPlatform(b, connector, manyPeople)
	sp := spec{DSN: dsn(b, database), Flow: echoFlow, Bots: true, Out: true}
	for i := range lines {
		sp.Channels = append(sp.Channels, p.channel(i, "f"))
	}
	pg := postmaster(b, sp.DSN)
	r := start(b, sp)
	people := talk{platform: p, addr: r.Addr, people: manyPeople, threads: threads, next: new(atomic.Int64), silent: new(atomic.Int64)}
	for _, ch := range r.Channels {
		people.paths = append(people.paths, inPath(ch))
	}
	people.run(b, 5*time.Second) // everybody is known then
	few := people
	few.people, few.pause = fewPeople, fewPause
	for _, c := range []struct {
		name string
		talk talk
	}{{"200/s", few}, {"saturated, 256 people", people}} {
		r.settle()
		before := people.silent.Load()
		var list []sample
		for range rounds {
			list = append(list, answered(b, r, pg, c.talk))
		}
		m := medians(list)
		t.row(connector, database, c.name, whole(m.rate), tenth(m.p50), tenth(m.p99), whole(m.cpu), whole(m.databaseCPU), whole(m.allocs),
			whole(m.generator), people.silent.Load()-before)
		b.ReportMetric(m.rate, metric(c.name, "msg/s"))
		b.ReportMetric(m.p50, metric(c.name, "p50-ms"))
		b.ReportMetric(m.p99, metric(c.name, "p99-ms"))
	}
	answerParts(b, connector+", "+database, r, people)
	quiet(b)
}

// answerParts tells where the CPU of the whole way goes.
func answerParts(b *testing.B, title string, r *remote, people talk) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "cpu")
	r.do("cpu", path)
	o := people.run(b, 4*time.Second)
	r.do("stop", "")
	printParts(b, title+": CPU of the server, the whole way, saturated", path, o.n)
	keepProfile(b, path, "answer "+title)
}

// keepProfile copies a profile into the folder BENCH_PROFILES, if that is set.
func keepProfile(tb testing.TB, path, name string) {
	tb.Helper()
	dir := os.Getenv("BENCH_PROFILES")
	if dir == "" {
		return
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(name)+".cpu"), text, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// answered is one round.
func answered(b *testing.B, r *remote, postgres int, t talk) sample {
	b.Helper()
	before, db := r.do("usage", ""), databaseCPU(postgres)
	o := t.run(b, 2*roundTime)
	after, dbAfter := r.do("usage", ""), databaseCPU(postgres)
	n := float64(o.n)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / n }
	return sample{
		rate: o.perSecond(), p50: millis(o.quantile(.5)), p99: millis(o.quantile(.99)), cpu: us(after.CPU - before.CPU),
		databaseCPU: us(dbAfter - db), generator: us(o.own), allocs: float64(after.Mallocs-before.Mallocs) / n,
	}
}
