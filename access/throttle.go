package access

import (
	"sync"
	"time"
)

// throttle slows guessing down. Three things are counted: a name at an address, a name from anywhere, and an address whatever the
// name. After some failures each further one doubles the time until the next try, up to a bound. Who has signed in from an address
// before is not held up by what strangers do elsewhere, so nobody can lock a user out.
//
// Names that do not exist are counted as those that do. The counts are this node's own and are lost with it.
type throttle struct {
	mu  sync.Mutex
	all map[string]*attempts
}

type attempts struct {
	failures int
	last     time.Time
}

// pace says how many failures are free and how long the longest wait is.
type pace struct {
	free    int
	longest time.Duration
}

var (
	pacePair    = pace{5, time.Minute}
	paceName    = pace{30, time.Minute}
	paceAddress = pace{50, 5 * time.Minute}
)

// forgetAfter is how long failures are remembered, and maxCounted how many names and addresses; when there are more, those that were
// quiet are forgotten, and in a flood all.
const (
	forgetAfter = time.Hour
	maxCounted  = 100_000
)

func newThrottle() *throttle { return &throttle{all: map[string]*attempts{}} }

// until is when the next try may be.
func (a *attempts) until(p pace) time.Time {
	if a == nil || a.failures < p.free {
		return time.Time{}
	}
	d := p.longest
	if n := a.failures - p.free; n < 10 {
		d = min(d, time.Second<<n)
	}
	return a.last.Add(d)
}

// try is one attempt that has been counted as a failure until it is known to be none: of many at once only the free ones get in.
type try struct {
	t    *throttle
	keys []string
}

// begin counts an attempt, or says how long to wait.
func (t *throttle) begin(name, address string, known bool, now time.Time) (try, time.Duration) {
	paces := map[string]pace{"both/" + name + "/" + address: pacePair}
	if !known {
		paces["name/"+name], paces["address/"+address] = paceName, paceAddress
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for key, p := range paces {
		wait = max(wait, t.all[key].until(p).Sub(now))
	}
	if wait > 0 {
		return try{}, wait
	}
	out := try{t: t}
	for key := range paces {
		t.count(key, now)
		out.keys = append(out.keys, key)
	}
	return out, 0
}

// count adds a failure. t.mu is held.
func (t *throttle) count(key string, now time.Time) {
	a := t.all[key]
	if a == nil {
		t.makeRoom(now)
		a = &attempts{}
		t.all[key] = a
	}
	if now.Sub(a.last) > forgetAfter {
		a.failures = 0
	}
	a.failures++
	a.last = now
}

func (t *throttle) makeRoom(now time.Time) {
	if len(t.all) < maxCounted {
		return
	}
	for key, a := range t.all {
		if now.Sub(a.last) > forgetAfter/4 {
			delete(t.all, key)
		}
	}
	if len(t.all) >= maxCounted {
		clear(t.all)
	}
}

// undo takes the attempt back: it was no guess.
func (x try) undo() {
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	for _, key := range x.keys {
		if a := x.t.all[key]; a != nil && a.failures > 0 {
			a.failures--
		}
	}
}

// forgive takes the attempt back and forgets the failures of this name at this address.
func (x try) forgive() {
	x.undo()
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	for _, key := range x.keys {
		if key[:5] == "both/" {
			delete(x.t.all, key)
		}
	}
}
