package pages

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	agents     = 200
	atPages    = 3 // of them have a page; the others read the stream
	chats      = 10
	rate       = 200 // messages a second
	screenTime = 60 * time.Second
	toPages    = 7 // each so-manieth message is for one of the pages
)

// BenchmarkScreen measures the time from the webhook call until the message is painted on its agent's screen, with 200 agents online who
// all see everything. The stream's column is the same way up to a client that paints nothing.
func BenchmarkScreen(b *testing.B) {
	p := start(b)
	ids := p.staff()
	of := p.plant(agents*chats, func(i int) string { return ids[i%agents] })
	for i := range atPages {
		p.do("open", map[string]any{"name": name(i), "path": "/desk/c/" + of[person(i)]}, nil)
	}
	var mu sync.Mutex
	var wire []float64
	p.follow(func(data []byte) {
		if d, ok := lateness(data, time.Now()); ok {
			mu.Lock()
			defer mu.Unlock()
			wire = append(wire, d)
		}
	})
	for range agents - atPages - 1 {
		p.follow(func([]byte) {})
	}
	busy := p.busy()
	sent, took := p.rain(screenTime)
	known, painted := p.painted(sent)
	mu.Lock()
	defer mu.Unlock()
	share := (p.busy() - busy) / atPages / took.Seconds() * 100
	table("from the webhook to the screen, 200 agents online, SQLite with synchronous=FULL",
		"messages/s | for the pages | painted | screen p50 ms | p99 ms | document p50 ms | p99 ms | stream p50 ms | p99 ms | page's main thread busy",
		fmt.Sprintf("%.0f | %d | %d | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f %%", float64(sent)/took.Seconds(), sent/toPages, len(painted),
			quantile(painted, .5), quantile(painted, .99), quantile(known, .5), quantile(known, .99), quantile(wire, .5), quantile(wire, .99), share))
	b.ReportMetric(quantile(painted, .5), "p50-ms")
	b.ReportMetric(quantile(painted, .99), "p99-ms")
	quiet(b)
}

func name(i int) string { return fmt.Sprint("Ann", i) }

// staff makes the agents; the first ones are users with pages.
func (p *program) staff() []string {
	p.tb.Helper()
	ids := make([]string, agents)
	for i := range atPages {
		ids[i] = p.person(name(i))
	}
	p.each(agents-atPages, func(i int) error {
		id := fmt.Sprint("agent", i)
		ids[atPages+i] = id
		if err := p.api(http.MethodPut, "/v1/agents/"+id, map[string]any{"name": "Bob", "capacity": 0}, nil); err != nil {
			return err
		}
		return p.api(http.MethodPost, "/v1/agents/"+id+"/state", map[string]string{"state": "active"}, nil)
	})
	return ids
}

// rain lets people write at an even pace, whatever the answers take.
func (p *program) rain(d time.Duration) (sent int, took time.Duration) {
	p.tb.Helper()
	var g errgroup.Group
	g.SetLimit(4 * rate)
	begin := time.Now()
	for ; time.Since(begin) < d; sent++ {
		time.Sleep(time.Until(begin.Add(time.Duration(sent) * time.Second / rate)))
		n := sent / toPages
		from := person(n%atPages + n/atPages%chats*agents)
		if sent%toPages != 0 {
			from = person(atPages + sent%(agents-atPages) + sent/agents%chats*agents)
		}
		g.Go(func() error { return p.say(from, fmt.Sprintf("@%d#%d;", time.Now().UnixMilli(), sent)) })
	}
	if err := g.Wait(); err != nil {
		p.tb.Fatal(err)
	}
	return sent, time.Since(begin)
}

// painted waits until the pages have shown what was for them, or nothing comes any more. A message that is not shown was pushed away by the
// next one of the same conversation before it was painted.
func (p *program) painted(sent int) (known, painted []float64) {
	p.tb.Helper()
	for still := 0; still < 20 && len(painted) < sent/toPages; still++ {
		var got struct {
			Late []struct{ Known, Painted float64 }
		}
		p.do("late", nil, &got)
		if len(got.Late) > 0 {
			still = 0
		}
		for _, l := range got.Late {
			known, painted = append(known, l.Known), append(painted, l.Painted)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return known, painted
}

// busy is how many seconds the pages have worked, together.
func (p *program) busy() float64 {
	p.tb.Helper()
	sum := 0.0
	for i := range atPages {
		var w weight
		p.do("weigh", map[string]any{"name": name(i)}, &w)
		sum += w.Busy
	}
	return sum
}

// lateness reads the mark of a message's text.
func lateness(data []byte, now time.Time) (float64, bool) {
	i := bytes.Index(data, []byte(`"@`))
	if i < 0 {
		return 0, false
	}
	text, _, _ := bytes.Cut(data[i+2:], []byte("#"))
	at, err := strconv.ParseInt(string(text), 10, 64)
	return float64(now.UnixMilli() - at), err == nil
}
