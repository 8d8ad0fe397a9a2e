//go:build unix

package bench

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

const (
	chats     = 5000 // that write, all known before it counts
	rounds    = 5    // of each server, in turns; the median counts
	roundTime = 1500 * time.Millisecond
)

// contender is a server that takes the same updates as the others.
type contender struct {
	name     string
	server   *remote
	load     load
	postgres int // the server process of its database
}

// contend starts a server and lets every chat write once.
func contend(b *testing.B, name string, sp spec) *contender {
	b.Helper()
	c := &contender{name: name, postgres: postmaster(b, sp.DSN)}
	c.server = start(b, sp)
	path := "/"
	if len(c.server.Channels) > 0 {
		path = inPath(c.server.Channels[0])
	}
	c.load = load{addr: c.server.Addr, conns: 64, request: updates{chats, path}.append, next: new(atomic.Int64)}
	c.load.run(b, chats, 0)
	return c
}

// contenders are the bare server and the hub on both databases. No station runs: this is the way in alone.
func contenders(b *testing.B) []*contender {
	b.Helper()
	list := []*contender{contend(b, "bare net/http", spec{Bare: true})}
	for _, d := range databases {
		list = append(list, contend(b, d, spec{DSN: dsn(b, d), Channels: []channelSpec{telegramChannel()}}))
	}
	return list
}

// sample is one round of one server, all figures per message but the rate.
type sample struct {
	rate, p50, p99                             float64 // messages/s, ms
	cpu, databaseCPU, generator, allocs, bytes float64 // µs, number, bytes
	rss                                        float64 // MB
}

func (c *contender) round(b *testing.B, conns int) sample {
	b.Helper()
	l := c.load
	l.conns = conns
	before, db := c.server.do("usage", ""), databaseCPU(c.postgres)
	o := l.run(b, 0, roundTime)
	after, dbAfter := c.server.do("usage", ""), databaseCPU(c.postgres)
	n := float64(o.n)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / n }
	return sample{
		rate: o.perSecond(), p50: millis(o.quantile(.5)), p99: millis(o.quantile(.99)),
		cpu: us(after.CPU - before.CPU), databaseCPU: us(dbAfter - db), generator: us(o.own),
		allocs: float64(after.Mallocs-before.Mallocs) / n, bytes: float64(after.Bytes-before.Bytes) / n, rss: float64(after.RSS) / (1 << 20),
	}
}

// BenchmarkIngest measures durable ingest over HTTP against a server that only decodes the same JSON. The servers take turns,
// so that whatever else the machine does hits all of them.
func BenchmarkIngest(b *testing.B) {
	list := contenders(b)
	t := newTable("connections", "server", "messages/s", "ratio", "p50 ms", "p99 ms", "CPU µs/message", "database's CPU µs",
		"allocations", "kB allocated", "resident MB", "generator µs")
	for _, conns := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("connections=%d", conns), func(b *testing.B) {
			samples := map[string][]sample{}
			for range rounds {
				for _, c := range list {
					samples[c.name] = append(samples[c.name], c.round(b, conns))
				}
			}
			quiet(b)
			bare := medians(samples[list[0].name])
			for _, c := range list {
				m := medians(samples[c.name])
				b.ReportMetric(m.rate, metric(c.name, "msg/s"))
				b.ReportMetric(m.rate/bare.rate, metric(c.name, "ratio"))
				b.ReportMetric(m.cpu, metric(c.name, "µs-CPU/msg"))
				t.row(conns, c.name, whole(m.rate), fmt.Sprintf("%.2f", m.rate/bare.rate), tenth(m.p50), tenth(m.p99), whole(m.cpu), whole(m.databaseCPU),
					whole(m.allocs), tenth(m.bytes/1e3), whole(m.rss), whole(m.generator))
			}
		})
	}
	t.print("durable ingest over HTTP; " + machine())
}

func medians(list []sample) sample {
	at := func(f func(s sample) float64) float64 { return median(list, f) }
	return sample{
		rate: at(func(s sample) float64 { return s.rate }), p50: at(func(s sample) float64 { return s.p50 }),
		p99: at(func(s sample) float64 { return s.p99 }), cpu: at(func(s sample) float64 { return s.cpu }),
		databaseCPU: at(func(s sample) float64 { return s.databaseCPU }), generator: at(func(s sample) float64 { return s.generator }),
		allocs: at(func(s sample) float64 { return s.allocs }), bytes: at(func(s sample) float64 { return s.bytes }),
		rss: at(func(s sample) float64 { return s.rss }),
	}
}
