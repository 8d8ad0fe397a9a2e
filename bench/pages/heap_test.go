package pages

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	heapMine   = 300 // conversations of the agent whose page is weighed
	heapWriter = 6   // messages under way at once
)

// weight is what a page holds after a collection of garbage.
type weight struct {
	Heap, Nodes, Listeners float64
	Busy                   float64 // seconds of work since the page was opened
}

// BenchmarkHeap weighs a desk that sees a long day: its open conversation, the agent's others, and people who come, are answered by
// nobody and are sent away.
func BenchmarkHeap(b *testing.B) {
	p := start(b)
	ann := p.person("Ann")
	mine := p.plant(heapMine, func(int) string { return ann })
	p.do("open", map[string]any{"name": "Ann", "path": "/desk/c/" + mine[person(0)]}, nil)
	d := &day{p: p}
	p.follow(func([]byte) { d.seen.Add(1) })
	var rows []string
	for _, events := range []int{0, 10_000, 50_000, 100_000} {
		begun, from := time.Now(), d.seen.Load()
		d.until(int64(events))
		rate := float64(d.seen.Load()-from) / time.Since(begun).Seconds()
		mark := fmt.Sprintf("end of %d", events)
		if err := p.say(person(0), mark); err != nil {
			b.Fatal(err)
		}
		p.do("sees", map[string]any{"name": "Ann", "text": mark}, nil)
		time.Sleep(2 * time.Second) // what it reads again has come
		var w weight
		p.do("weigh", map[string]any{"name": "Ann"}, &w)
		rows = append(rows, fmt.Sprintf("%d | %.1f | %.0f | %.0f | %.0f | %.0f", events, w.Heap/1e6, w.Nodes, w.Listeners, w.Busy, rate))
		b.ReportMetric(w.Heap/1e6, fmt.Sprintf("MB-after-%d", events))
	}
	table("heap of a desk's page", "events | heap MB | nodes | listeners | page's work, s | events/s", rows...)
	quiet(b)
}

// day is what happens at a desk.
type day struct {
	p    *program
	n    int
	seen atomic.Int64 // events
}

// until lets things happen until there were so many events.
func (d *day) until(events int64) {
	d.p.tb.Helper()
	for d.seen.Load() < events {
		var g errgroup.Group
		g.SetLimit(heapWriter)
		for range 200 {
			i := d.n
			d.n++
			g.Go(func() error { return d.happens(i) })
		}
		if err := g.Wait(); err != nil {
			d.p.tb.Fatal(err)
		}
		d.leave()
	}
}

// happens is one message: one in ten comes from somebody new, three are in the open conversation.
func (d *day) happens(i int) error {
	from := person(0)
	switch {
	case i%10 == 0:
		from = fmt.Sprintf("new%06d", i)
	case i%10 > 3:
		from = person(i % heapMine)
	}
	return d.p.say(from, fmt.Sprintf("message %d of a long day, with as many words as people use when they write to somebody", i))
}

// leave closes what is not the agent's.
func (d *day) leave() {
	d.p.tb.Helper()
	var page struct{ Items []struct{ ID string } }
	if err := d.p.api(http.MethodGet, "/v1/conversations?state=queued&limit=200", nil, &page); err != nil {
		d.p.tb.Fatal(err)
	}
	d.p.each(len(page.Items), func(i int) error {
		return d.p.api(http.MethodPost, "/v1/conversations/"+page.Items[i].ID+"/close", map[string]string{}, nil)
	})
}
