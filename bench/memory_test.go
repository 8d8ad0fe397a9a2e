//go:build unix

package bench

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// manyConversations are those of BenchmarkMemory.
const manyConversations = 100_000

// simulated is a channel without a platform: nobody is asked for a hundred thousand profiles.
func simulated() channelSpec {
	settings, _ := json.Marshal(map[string]string{"key": botSecret}) // strings: cannot fail
	return channelSpec{Connector: "simulator", Settings: settings}
}

// BenchmarkMemory measures the hub's resident memory with all stations running: idle, and after so many new conversations, each with
// one message, when the followers have caught up and the garbage collector has run. PostgreSQL's own memory is not in it.
func BenchmarkMemory(b *testing.B) {
	t := newTable("database", "idle MB", "at the end of the ingest MB", "at rest MB", "heap at rest MB", "new conversations/s", "CPU µs each")
	for _, d := range databases {
		b.Run(d, func(b *testing.B) {
			r := start(b, spec{DSN: dsn(b, d), Bots: true, Out: true, Channels: []channelSpec{simulated()}})
			r.settle()
			idle := r.do("gc", "")
			l := load{addr: r.Addr, conns: 64, next: new(atomic.Int64), request: func(buf []byte, i int64) []byte {
				body := fmt.Sprintf(`{"from":"u%d","name":"Robin Sample","text":"hello there, is my order on its way?","id":"m%d"}`, i, i)
				return fmt.Appendf(buf, "POST %s HTTP/1.1\r\nHost: hub.example.com\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"+
					"Content-Length: %d\r\n\r\n%s", inPath(r.Channels[0]), botSecret, len(body), body)
			}}
			o := l.run(b, manyConversations, 0)
			full := r.do("usage", "")
			r.settle()
			rest := r.do("gc", "")
			time.Sleep(time.Second) // until the system has taken the pages
			rest = r.do("gc", "")
			mb := func(n uint64) string { return whole(float64(n) / (1 << 20)) }
			t.row(d, mb(idle.RSS), mb(full.RSS), mb(rest.RSS), mb(rest.Heap), whole(o.perSecond()), whole(float64((rest.CPU-idle.CPU).Microseconds())/float64(o.n)))
			b.ReportMetric(float64(idle.RSS)/(1<<20), "idle-MB")
			b.ReportMetric(float64(rest.RSS)/(1<<20), "rest-MB")
			quiet(b)
		})
	}
	t.print("resident memory; " + machine())
}
