//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// stream is one client of /v1/events on a raw connection.
type stream struct {
	net.Conn
	in *bufio.Reader
}

// follow opens a stream and reads until it is live. room is the client's receive buffer; 0: the system's.
func follow(addr, proof, query string, room int) (*stream, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok && room > 0 {
		_ = tcp.SetReadBuffer(room)
	}
	s := &stream{c, bufio.NewReaderSize(c, 2048)}
	if _, err := fmt.Fprintf(c, "GET /v1/events%s HTTP/1.1\r\nHost: example.com\r\n%s\r\n\r\n", query, proof); err != nil {
		return nil, err
	}
	status, err := s.in.ReadString('\n')
	for line := status; err == nil && line != "\r\n"; {
		line, err = s.in.ReadString('\n')
	}
	if err != nil || !strings.Contains(status, " 200 ") {
		return nil, fmt.Errorf("an event stream: %s %w", strings.TrimSpace(status), err)
	}
	s.in = bufio.NewReaderSize(httputil.NewChunkedReader(s.in), 2048)
	for {
		line, err := s.in.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "id: ") {
			return s, err
		}
	}
}

// followAll opens so many streams.
func followAll(b *testing.B, n int, open func(i int) (*stream, error)) []*stream {
	b.Helper()
	out := make([]*stream, n)
	var g errgroup.Group
	g.SetLimit(dialing)
	for i := range out {
		g.Go(func() (err error) {
			out[i], err = open(i)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for _, s := range out {
			_ = s.Close()
		}
	})
	return out
}

// arrivals are when messages went out and when their offers came in.
type arrivals struct {
	mu   sync.Mutex
	sent map[string]time.Time // by person
	who  map[string]string    // conversation to person
	late []time.Duration
}

// read takes the events of one stream in until it ends.
func (a *arrivals) read(s *stream) {
	for {
		line, err := s.in.ReadBytes('\n')
		if err != nil {
			return
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if ok && (bytes.Contains(data, []byte(`"kind":"offered"`)) || bytes.Contains(data, []byte(`"kind":"message"`))) {
			a.event(data, time.Now())
		}
	}
}

func (a *arrivals) event(data []byte, now time.Time) {
	var e struct {
		Kind, Conversation string
		Sender             struct{ ID string }
	}
	if json.Unmarshal(data, &e) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Kind == "message" {
		a.who[e.Conversation] = e.Sender.ID
		return
	}
	if sent, ok := a.sent[a.who[e.Conversation]]; ok {
		a.late = append(a.late, now.Sub(sent))
	}
}

const (
	deskAgents = 200
	deskRate   = 200 // messages a second, each from somebody new
	deskTime   = 20 * time.Second
)

// BenchmarkOffers measures the time from the webhook call to the offer's event on an agent's stream.
func BenchmarkOffers(b *testing.B) {
	t := newTable("database", "agents see", "messages/s", "offers", "webhook to offer p50 ms", "p99 ms", "server's CPU µs a message")
	for _, database := range databases {
		for _, own := range []bool{false, true} {
			offers(b, t, database, own)
		}
	}
	quiet(b)
	t.print("offers to 200 agents who follow the log; " + machine())
}

func offers(b *testing.B, t *table, database string, own bool) {
	ch := telegramChannel()
	ch.Queue = "support"
	r := start(b, spec{DSN: dsn(b, database), Desk: deskAgents, Own: own, Channels: []channelSpec{ch}})
	streams := followAll(b, deskAgents, func(i int) (*stream, error) { return follow(r.Addr, r.Agents[i], "", 0) })
	probe, err := follow(r.Addr, "Authorization: Bearer "+r.Token, "", 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = probe.Close() })
	a := &arrivals{sent: map[string]time.Time{}, who: map[string]string{}}
	go a.read(probe)
	for _, s := range streams {
		go func() { _, _ = io.Copy(io.Discard, s.in) }()
	}
	up := updates{people: 1 << 40, path: inPath(r.Channels[0])}
	var next atomic.Int64
	before := r.do("usage", "")
	l := load{addr: r.Addr, conns: 20, next: &next, pause: time.Second * 20 / deskRate, request: func(buf []byte, i int64) []byte {
		a.mu.Lock()
		a.sent[fmt.Sprint(firstNumber+i)] = time.Now()
		a.mu.Unlock()
		return up.append(buf, i)
	}}
	o := l.run(b, 0, deskTime)
	a.settle(o.n)
	used := r.do("usage", "")
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.late)
	at := outcome{latencies: a.late}
	see := "everything"
	if own {
		see = "what is theirs"
	}
	t.row(database, see, whole(o.perSecond()), len(a.late), tenth(millis(at.quantile(0.5))), tenth(millis(at.quantile(0.99))),
		whole(float64((used.CPU-before.CPU).Microseconds())/float64(o.n)))
	b.ReportMetric(millis(at.quantile(0.99)), metric(database+see, "p99-ms"))
}

// settle waits until all offers have come, or none does any more.
func (a *arrivals) settle(want int) {
	for last, still := -1, 0; still < 20; {
		a.mu.Lock()
		n := len(a.late)
		a.mu.Unlock()
		if n >= want {
			return
		}
		if still++; n != last {
			last, still = n, 0
		}
		time.Sleep(100 * time.Millisecond)
	}
}

const (
	idleStreams = 10_000
	slowStreams = 1000
)

// BenchmarkIdleStreams measures what a client of /v1/events costs that nothing is for, and what many of them, and many that are slow, do
// to those who write.
func BenchmarkIdleStreams(b *testing.B) {
	t := newTable("streams", "resident KB each", "messages/s", "p50 ms", "p99 ms", "CPU µs/message")
	r := start(b, spec{Channels: []channelSpec{telegramChannel()}})
	up := updates{people: 5000, path: inPath(r.Channels[0])}
	var next atomic.Int64
	drive := load{addr: r.Addr, conns: 64, next: &next, request: up.append}
	drive.run(b, 5000, 0) // all are known
	quietOne := r.conversation(b)
	row := func(name, each string) {
		before := r.do("usage", "")
		o := drive.run(b, 0, 5*time.Second)
		used := r.do("usage", "")
		t.row(name, each, whole(o.perSecond()), tenth(millis(o.quantile(0.5))), tenth(millis(o.quantile(0.99))),
			whole(float64((used.CPU-before.CPU).Microseconds())/float64(o.n)))
		b.ReportMetric(o.perSecond(), metric(name, "messages/s"))
	}
	row("none", "")
	r.settle()
	before := r.do("gc", "")
	proof := "Authorization: Bearer " + r.Token
	followAll(b, idleStreams, func(int) (*stream, error) { return follow(r.Addr, proof, "?conversation="+quietOne, 0) })
	r.settle()
	now := r.do("gc", "")
	row(fmt.Sprint(idleStreams, " idle"), tenth((float64(now.RSS)-float64(before.RSS))/idleStreams/1024))
	slow := followAll(b, slowStreams, func(int) (*stream, error) { return follow(r.Addr, proof, "", 4096) })
	for _, s := range slow {
		go s.crawl(r.Addr, proof)
	}
	row(fmt.Sprint("and ", slowStreams, " slow"), "")
	quiet(b)
	t.print("streams beside ingest, SQLite; " + machine())
}

// crawl reads a kilobyte twice a second, and comes back when it was cut off.
func (s *stream) crawl(addr, proof string) {
	buf := make([]byte, 1024)
	for {
		if _, err := s.in.Read(buf); err != nil {
			next, err := follow(addr, proof, "", 4096)
			if err != nil {
				return
			}
			s.Conn, s.in = next.Conn, next.in
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// conversation begins one in which nobody writes again.
func (r *remote) conversation(b *testing.B) string {
	b.Helper()
	last := updates{people: 1 << 40, path: inPath(r.Channels[0])}
	var next atomic.Int64
	next.Store(5_000_000)
	load{addr: r.Addr, conns: 1, next: &next, request: last.append}.run(b, 1, 0)
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+r.Addr+"/v1/conversations?limit=1", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct {
		Items []struct{ ID string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || len(page.Items) == 0 {
		b.Fatal("no conversation: ", err)
	}
	return page.Items[0].ID
}
