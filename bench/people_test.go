//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
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

// platform stands for Telegram, or for a platform behind the generic webhook connector: it takes our messages at once and without
// limits, and tells the person who is meant. It is as lean as the load generator.
type platform struct {
	connector string
	listener  net.Listener
	answers   []chan int64 // per person: the number that was answered
	taken     atomic.Int64
}

// newPlatform serves until the end of the benchmark.
func newPlatform(tb testing.TB, connector string, people int) *platform {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	p := &platform{connector: connector, listener: l}
	for range people {
		p.answers = append(p.answers, make(chan int64, 64))
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *platform) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReaderSize(c, 8192)
	var body []byte
	for {
		length, err := readRequestHead(in)
		if err != nil {
			return
		}
		body = slices.Grow(body[:0], length)[:length]
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		p.tell(body)
		answer := p.answer(p.taken.Add(1))
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer); err != nil {
			return
		}
	}
}

// answer is what the platform says to any request; n names the message. For Telegram it is a message and a chat at once, so that
// it fits every call.
func (p *platform) answer(n int64) []byte {
	if p.connector == "telegram" {
		return fmt.Appendf(nil, `{"ok":true,"result":{"message_id":%d,"date":1763697600,"id":1,"type":"private","first_name":"Robin",`+
			`"chat":{"id":1,"type":"private"},"total_count":0,"photos":[]}}`, n)
	}
	return fmt.Appendf(nil, `{"id":"m%d"}`, n)
}

// readRequestHead reads up to the body and answers its length.
func readRequestHead(in *bufio.Reader) (length int, err error) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return length, nil
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
	}
}

// mark stands before the number of a message (ten digits) and the person who waits for the answer (four digits).
const mark = "question "

func (p *platform) tell(body []byte) {
	at := bytes.Index(body, []byte(mark))
	if at < 0 || len(body) < at+len(mark)+15 {
		return
	}
	rest := body[at+len(mark):]
	number, err := strconv.ParseInt(string(rest[:10]), 10, 64)
	person, perr := strconv.Atoi(string(rest[11:15]))
	if err != nil || perr != nil || person >= len(p.answers) {
		return
	}
	select {
	case p.answers[person] <- number:
	default: // nobody waits any more
	}
}

// channel is the i-th channel that talks to this platform.
func (p *platform) channel(i int, flow string) channelSpec {
	address := "http://" + p.listener.Addr().String()
	settings := map[string]any{"secret": botSecret, "url": address, "receive": map[string]any{"verify": map[string]any{"type": "bearer"}}}
	if p.connector == "telegram" {
		settings = map[string]any{"token": fmt.Sprintf("%d%s", 1000+i, botToken), "secret_token": botSecret, "api_base": address}
	}
	raw, _ := json.Marshal(settings) // plain data: cannot fail
	return channelSpec{Connector: p.connector, Settings: raw, Flow: flow}
}

// talk is people who each write, wait for the answer, and write again.
type talk struct {
	platform *platform
	addr     string
	paths    []string // of the channels; a person keeps to one
	people   int
	threads  int // conversations of each person
	next     *atomic.Int64
	pause    time.Duration // between two messages of one person; 0: none
	silent   *atomic.Int64 // messages that were not answered
}

// patience is how long a person waits for an answer before the message counts as unanswered.
const patience = 10 * time.Second

// run lets people talk for a while; an answer's latency is from the webhook call's first byte to the platform's having it.
func (t talk) run(tb testing.TB, d time.Duration) outcome {
	tb.Helper()
	results, errs := make([][]time.Duration, t.people), make([]error, t.people)
	own, begin := cpuTime(), time.Now()
	var wg sync.WaitGroup
	for i := range t.people {
		wg.Go(func() { results[i], errs[i] = t.person(i, begin.Add(d)) })
	}
	wg.Wait()
	o := outcome{took: time.Since(begin), own: cpuTime() - own}
	for _, err := range errs {
		if err != nil {
			tb.Fatal(err) // one of them tells enough
		}
	}
	o.latencies = slices.Concat(results...)
	o.n = len(o.latencies)
	slices.Sort(o.latencies)
	return o
}

func (t talk) person(person int, deadline time.Time) ([]time.Duration, error) {
	c, err := net.Dial("tcp", t.addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	var latencies []time.Duration
	due := time.Now().Add(t.pause * time.Duration(person) / time.Duration(t.people)) // not all at once
	for n := 0; ; n++ {
		if wait := time.Until(due); t.pause > 0 && wait > 0 {
			time.Sleep(wait)
		}
		due = due.Add(t.pause)
		begin := time.Now()
		if n > 0 && !begin.Before(deadline) { // everybody writes once, however late they come to it
			return latencies, nil
		}
		number := firstNumber + t.next.Add(1)
		if _, err := c.Write(t.question(person, n%t.threads, number)); err != nil {
			return nil, err
		}
		if err := readAnswer(in); err != nil {
			return nil, err
		}
		silence.Reset(patience)
		heard := int64(0)
		for ended := false; heard != number && !ended; {
			select {
			case heard = <-t.platform.answers[person]:
			case <-silence.C:
				ended = true
			}
		}
		if heard != number {
			t.silent.Add(1)
			continue
		}
		latencies = append(latencies, time.Since(begin))
	}
}

// question is a webhook call.
func (t talk) question(person, thread int, number int64) []byte {
	text := fmt.Sprintf("%s%d %04d, if you please", mark, number, person)
	id := person*1000 + thread + 1
	var body []byte
	if t.platform.connector == "telegram" {
		body = fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Robin","language_code":"en"},`+
			`"chat":{"id":%d,"first_name":"Robin","type":"private"},"date":1763697600,"text":%q}}`, number, number, id, id, text)
	} else {
		body = fmt.Appendf(nil, `{"id":"q%d","timestamp":1763697600,"from":{"id":"u%d","name":"Robin"},"text":%q}`, number, id, text)
	}
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: hub.example.com\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"+
		"X-Telegram-Bot-Api-Secret-Token: %s\r\nContent-Length: %d\r\n\r\n%s", t.paths[person%len(t.paths)], botSecret, botSecret, len(body), body)
}
