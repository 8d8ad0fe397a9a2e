package visitor

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// paces bound how often an address, and a visitor, may do things.
type paces struct {
	calls    *pace // all calls, by address
	arrivals *pace // new visitors, by address
	messages *pace // by visitor
	signals  *pace // typing and receipts, by visitor
	uploads  *pace // by visitor
	traffic  *pace // MiB of uploads, by address: new visitors cost nothing
}

func newPaces(l Limits) paces {
	return paces{
		calls:    newPace(rate.Limit(l.Calls), 5*l.Calls),
		arrivals: newPace(1, 100),
		messages: newPace(rate.Limit(float64(l.Messages)/60), max(1, l.Messages/3)),
		signals:  newPace(2, 20),
		uploads:  newPace(rate.Limit(float64(l.Uploads)/3600), max(1, l.Uploads/3)),
		traffic:  newPace(rate.Limit(float64(l.Traffic)/3600), max(1, l.Traffic/4)),
	}
}

// maxNames bounds how many names a pace knows. When it is full all are forgotten: a flood of names lets some callers be faster for a
// moment and never costs more memory.
const maxNames = 50_000

// pace has one bucket for each name.
type pace struct {
	limit rate.Limit
	burst int

	mu  sync.Mutex
	all map[string]*rate.Limiter
}

func newPace(limit rate.Limit, burst int) *pace {
	return &pace{limit: limit, burst: burst, all: map[string]*rate.Limiter{}}
}

// take takes one from the bucket of a name, or says how long to wait.
func (p *pace) take(name string, now time.Time) error { return p.takeN(name, 1, now) }

// takeN takes n; more than the bucket holds is all that it holds.
func (p *pace) takeN(name string, n int, now time.Time) error {
	p.mu.Lock()
	b := p.all[name]
	if b == nil {
		if len(p.all) >= maxNames {
			clear(p.all)
		}
		b = rate.NewLimiter(p.limit, p.burst)
		p.all[name] = b
	}
	p.mu.Unlock()
	r := b.ReserveN(now, min(n, p.burst))
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return paceError{wait}
	}
	return nil
}
