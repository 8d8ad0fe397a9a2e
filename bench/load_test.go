//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is a run of requests over raw keep-alive connections. It does not use net/http: on two cores the generator's own work
// counts, and this one needs a fifth of it.
type load struct {
	addr  string
	conns int
	// request appends the i-th request to buf; it is called by many goroutines.
	request func(buf []byte, i int64) []byte
	next    *atomic.Int64
	pause   time.Duration // between two requests of one connection; 0: as fast as it goes
}

// outcome is what a run came to.
type outcome struct {
	n         int
	took      time.Duration
	latencies []time.Duration // sorted
	own       time.Duration   // CPU of the load generator
}

func (o outcome) perSecond() float64 { return float64(o.n) / o.took.Seconds() }

// quantile is a latency; q from 0 to 1.
func (o outcome) quantile(q float64) time.Duration {
	if len(o.latencies) == 0 {
		return 0
	}
	return o.latencies[min(int(q*float64(len(o.latencies))), len(o.latencies)-1)]
}

// run sends until both bounds that are given are reached: count requests, or a time.
func (l load) run(tb testing.TB, count int, d time.Duration) outcome {
	tb.Helper()
	first := l.next.Load()
	limit := int64(1 << 62)
	if count > 0 {
		limit = first + int64(count)
	}
	results := make([][]time.Duration, l.conns)
	errs := make([]error, l.conns)
	conns := make([]net.Conn, l.conns)
	for i := range conns {
		c, err := net.Dial("tcp", l.addr)
		if err != nil {
			tb.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
	}
	own, begin := cpuTime(), time.Now()
	deadline := begin.Add(24 * time.Hour)
	if d > 0 {
		deadline = begin.Add(d)
	}
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() { results[i], errs[i] = l.drive(c, limit, deadline) })
	}
	wg.Wait()
	o := outcome{took: time.Since(begin), own: cpuTime() - own}
	for i := range conns {
		if errs[i] != nil {
			tb.Fatal(errs[i])
		}
		o.latencies = append(o.latencies, results[i]...)
	}
	o.n = len(o.latencies)
	slices.Sort(o.latencies)
	return o
}

// drive is one connection: a request, its whole answer, the next request.
func (l load) drive(c net.Conn, limit int64, deadline time.Time) ([]time.Duration, error) {
	in := bufio.NewReaderSize(c, 4096)
	latencies := make([]time.Duration, 0, 4096)
	buf := make([]byte, 0, 4096)
	due := time.Now()
	for {
		begin := time.Now()
		if !begin.Before(deadline) {
			return latencies, nil
		}
		if l.pause > 0 {
			due = due.Add(l.pause)
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			}
			begin = time.Now()
		}
		i := l.next.Add(1) - 1
		if i >= limit {
			return latencies, nil
		}
		buf = l.request(buf[:0], i)
		if _, err := c.Write(buf); err != nil {
			return nil, err
		}
		if err := readAnswer(in); err != nil {
			return nil, err
		}
		latencies = append(latencies, time.Since(begin))
	}
}

// readAnswer reads one HTTP/1.1 response with a Content-Length; any status but 2xx is an error.
func readAnswer(in *bufio.Reader) error {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	good := len(status) > 12 && status[9] == '2'
	text := string(status)
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if !good {
		body := make([]byte, length)
		_, _ = io.ReadFull(in, body)
		return fmt.Errorf("the server answered %s: %s", bytes.TrimSpace([]byte(text)), body)
	}
	_, err = in.Discard(length)
	return err
}
