//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/store"
)

// TestRequests reads back what the load generator writes.
func TestRequests(t *testing.T) {
	p := &platform{connector: "telegram"}
	for i := range int64(2 * len(texts)) {
		for _, raw := range [][]byte{
			updates{5000, "/in/a"}.append(nil, i),
			talk{platform: p, paths: []string{"/in/a"}}.question(7, 3, firstNumber+i),
		} {
			in := bufio.NewReader(bytes.NewReader(raw))
			req, err := http.ReadRequest(in)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(req.Body)
			if err != nil || in.Buffered() > 0 {
				t.Fatalf("the length does not fit: %v, %d bytes left over", err, in.Buffered())
			}
			var u telegramUpdate
			if err := json.Unmarshal(body, &u); err != nil || u.ID != firstNumber+i || u.Message.Text == "" || u.Message.Chat.ID != u.Message.From.ID {
				t.Errorf("%v: %s", err, body)
			}
		}
	}
}

// TestReadAnswer: only a whole 2xx is an answer.
func TestReadAnswer(t *testing.T) {
	for text, good := range map[string]bool{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":                  true,
		"HTTP/1.1 204 No Content\r\n\r\n":                                 true,
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok":                  false,
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno": false,
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n":                    false,
		"HTTP/1.1 200 OK\r\n":                                             false,
		"":                                                                false,
	} {
		if err := readAnswer(bufio.NewReader(strings.NewReader(text))); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFigures(t *testing.T) {
	same := func(v float64) float64 { return v }
	if m := median([]float64{5, 1, 3}, same); m != 3 {
		t.Errorf("median of three: %v", m)
	}
	if m := median([]float64{4, 1, 3, 2}, same); m != 2.5 {
		t.Errorf("median of four: %v", m)
	}
	o := outcome{latencies: []time.Duration{1, 2, 3, 4}}
	if o.quantile(0) != 1 || o.quantile(.5) != 3 || o.quantile(1) != 4 {
		t.Errorf("quantiles: %v %v %v", o.quantile(0), o.quantile(.5), o.quantile(1))
	}
	for want, stack := range map[string][]string{
		"JSON":             {"runtime.mallocgc", "encoding/json.Unmarshal", "net/http.(*conn).serve"},
		"fsync":            {"syscall.Syscall6", "modernc.org/libc.___syscall_cp", "modernc.org/libc.Xfsync", "modernc.org/sqlite/lib._walFrames"},
		"HTTP and sockets": {"syscall.write", "internal/poll.(*FD).Write", "net/http.(*conn).serve"},
		"pgx":              {"syscall.read", "internal/poll.(*FD).Read", "github.com/jackc/pgx/v5/pgconn.(*PgConn).receiveMessage"},
		"rest":             {"main.main"},
	} {
		if got := componentOf(stack); got != want {
			t.Errorf("%v: %q, want %q", stack, got, want)
		}
	}
}

// TestServers runs what the benchmarks measure for a moment: the bare server takes updates, and people get their answers.
func TestServers(t *testing.T) {
	bare := start(t, spec{Bare: true})
	l := load{addr: bare.Addr, conns: 4, next: new(atomic.Int64), request: updates{10, "/"}.append}
	if o := l.run(t, 100, 0); o.n != 100 {
		t.Errorf("%d answers to 100 updates", o.n)
	}
	p := newPlatform(t, "telegram", 4)
	r := start(t, spec{Flow: echoFlow, Bots: true, Out: true, Channels: []channelSpec{p.channel(0, "f")}})
	people := talk{
		platform: p, addr: r.Addr, paths: []string{inPath(r.Channels[0])}, people: 4, threads: 3, next: new(atomic.Int64), silent: new(atomic.Int64),
	}
	if o := people.run(t, 200*time.Millisecond); o.n == 0 || people.silent.Load() > 0 {
		t.Errorf("%d answers, %d messages without one", o.n, people.silent.Load())
	}
	if u := r.do("usage", ""); u.CPU == 0 || u.Mallocs == 0 {
		t.Errorf("nothing was measured: %+v", u)
	}
}

// TestFill examines what BenchmarkRead reads: the log is as gapless as one that the store has written.
func TestFill(t *testing.T) {
	s, ws, ids := fill(t, sqlitePath(t), 1000)
	defer s.Close()
	if len(ids) != 10 {
		t.Fatalf("%d conversations", len(ids))
	}
	events, upTo, err := s.Log(t.Context(), ws, 0, 2000, store.LogFilter{})
	if err != nil || len(events) != 1000 || upTo != 1000 {
		t.Fatalf("%d events up to %d: %v", len(events), upTo, err)
	}
	seqs := map[string]int64{}
	for i, e := range events {
		seqs[string(e.Conversation)]++
		if e.Pos != int64(i+1) || e.Seq != seqs[string(e.Conversation)] || e.Message == nil {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}
