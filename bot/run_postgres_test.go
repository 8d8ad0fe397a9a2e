//go:build unix

package bot

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// patience bounds a wait on a real server; it is never what a test measures.
const patience = time.Minute

// until waits for the log to become as wanted.
func (w *world) until(news *wake.Subscription, as func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for !as() {
		select {
		case <-news.Ready():
			news.Take()
		case <-ctx.Done():
			w.t.Fatal("it never became so:", w.said())
		}
	}
}

// TestTwoRunners lets two nodes run the flows of one workspace, one of which goes and comes back: each event is stepped once.
func TestTwoRunners(t *testing.T) {
	const contacts, messages = 3, 12
	first := newWorld(t, storetest.Postgres(t), working)
	first.opts.Lease, first.opts.Sweep = 500*time.Millisecond, 100*time.Millisecond
	first.close()
	first.open()
	first.call = works
	second := &world{t: t, opts: first.opts, ws: first.ws, ch: first.ch, call: works}
	second.open()
	t.Cleanup(second.close)
	news := first.opts.Wake.Subscribe()
	defer news.Close()
	first.start()
	second.start()
	for i := range messages {
		for c := range contacts {
			first.to = fmt.Sprint("contact", c)
			first.do(fmt.Sprint("> ", i))
		}
		switch i % 4 {
		case 1:
			second.stop()
		case 3:
			second.start()
		}
	}
	answered := contacts * (messages - 1) // the greeting is silent
	first.until(news, func() bool { return first.says("after 1") == answered })
	seen := map[int64]bool{}
	for _, e := range first.events() {
		if e.Kind != chat.KindFlowStep {
			continue
		}
		pos := recordOf(first, e).Trace.Pos
		if seen[pos] {
			t.Fatalf("event %d was stepped twice", pos)
		}
		seen[pos] = true
	}
	if said := first.says("from act"); said != answered {
		t.Fatalf("%d answers, want %d", said, answered)
	}
	first.replays()
}

// TestOnPostgres is one conversation with all that can become of it, with a restart after each line.
func TestOnPostgres(t *testing.T) {
	w := newWorld(t, storetest.Postgres(t), greeter)
	news := w.opts.Wake.Subscribe()
	defer news.Close()
	w.start()
	for _, c := range []struct {
		line, last string
	}{
		{"> hi", "< Hello Ann"},
		{"> order", "< How many?"},
		{"> é", "< A number!"},
		{"> 3", "< 3 it is"},
		{"> person", "* queued desk: wants a person"},
		{"@ bot", "@ bot"},
		{"> hm", "< What?"},
		{"> bye", "* closed done"},
		{"> hi", "< Hello Ann"},
	} {
		w.do(c.line)
		w.until(news, func() bool { return w.last() == c.last })
		w.reopen()
	}
	w.until(news, func() bool { return w.says("Hello Ann") == 2 })
	w.replays()
	w.nothingAfterClose()
}

// last is the newest line of the log.
func (w *world) last() (last string) {
	w.t.Helper()
	for _, e := range w.events() {
		if line := lineOf(e); line != "" {
			last = line
		}
	}
	return last
}

// says counts the messages of ours with a text.
func (w *world) says(text string) (n int) {
	w.t.Helper()
	for _, e := range w.events() {
		if e.Kind == chat.KindMessage && e.Direction == chat.Out && e.Message.Text() == text {
			n++
		}
	}
	return n
}

// TestUnavailable: a runner whose database went away goes on when it is back, and nothing is parked.
func TestUnavailable(t *testing.T) {
	server := pgtest.NewServer(t)
	w := newWorld(t, server.Database(t), greeter)
	news := w.opts.Wake.Subscribe()
	defer news.Close()
	w.start()
	w.do("> hi")
	w.until(news, func() bool { return w.says("Hello Ann") == 1 })
	server.Stop(t)
	server.Start(t)
	for err := w.try("> hm"); err != nil; err = w.try("> hm") { // connections of before have to be found dead first
		if chat.CodeOf(err) != chat.CodeUnavailable {
			t.Fatal(err)
		}
	}
	w.until(news, func() bool { return w.says("What?") > 0 })
	letters, _, err := w.s.DeadLetters(t.Context(), w.ws, "", 10)
	w.must(err)
	if len(letters) > 0 {
		t.Fatalf("parked: %+v", letters)
	}
	w.replays()
}
