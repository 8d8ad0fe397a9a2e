// Package door bounds how often one address may show wrong tokens to the endpoints of ChatFAQ's protocols, by the rule that the API has
// for its own. It keeps hashes of tokens, never tokens, and looks nothing up itself.
package door

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Wrong tokens of an address: so many at once, and one more after each pause.
const (
	burst = 30
	pause = 2 * time.Second
)

// mostKnown bounds how many addresses and how many good tokens are remembered. When it is full all are forgotten: a flood lets some
// guess a little more and never costs more memory.
const mostKnown = 50_000

// ErrWrong is a token that does not exist, or does not any more.
var ErrWrong = errors.New("the token is missing, wrong, revoked or expired")

// CodeThrottled is the code of a TooManyError.
const CodeThrottled chat.Code = "throttled"

// TooManyError says when to come again.
type TooManyError struct{ After time.Duration }

// Error is for the error interface.
func (e *TooManyError) Error() string {
	return "too many wrong tokens from your address: try again later"
}

// Unwrap makes it a fault.
func (e *TooManyError) Unwrap() error { return &chat.Fault{Code: CodeThrottled, Detail: e.Error()} }

// Door is what stands before tokens are looked up. It is this node's own, and safe for concurrent use.
type Door struct {
	address func(*http.Request) string
	now     func() time.Time

	mu      sync.Mutex
	guests  map[string]*bucket       // by address
	known   map[string]struct{}      // hashes of tokens that were good
	looking map[string]chan struct{} // by hash, looks that count as wrong; closed at their end
}

// New makes a door. address tells where a request comes from; nil: from where its connection does.
func New(address func(*http.Request) string, now func() time.Time) *Door {
	if address == nil {
		address = peer
	}
	return &Door{address: address, now: now, guests: map[string]*bucket{}, known: map[string]struct{}{}, looking: map[string]chan struct{}{}}
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// Address is where a request comes from.
func (d *Door) Address(r *http.Request) string { return d.address(r) }

// Look looks a token up, unless too many from this address were wrong; then only tokens that were good before are, for all callers may
// share an address: a proxy's. find answers ErrWrong for a wrong one. A look counts as wrong while it is under way, so that of many at
// once no more get through. Looks for the same token wait for one another until it is known to be good: after a restart all come at once.
func (d *Door) Look(address, hash string, find func() error) (err error) {
	counted, wait := d.enter(address, hash)
	if wait > 0 {
		return &TooManyError{wait}
	}
	err = errUnknown
	defer func() { d.leave(address, hash, counted, err) }()
	err = find()
	return err
}

// errUnknown is what came of a look that did not end.
var errUnknown = errors.New("nobody knows the token yet")

func (d *Door) enter(address, hash string) (counted bool, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if _, good := d.known[hash]; good {
			return false, 0
		}
		other := d.looking[hash]
		if other == nil {
			break
		}
		d.mu.Unlock()
		<-other
		d.mu.Lock()
	}
	b := d.guests[address]
	if b == nil {
		if len(d.guests) >= mostKnown {
			clear(d.guests)
		}
		b = &bucket{left: burst, at: d.now()}
		d.guests[address] = b
	}
	if wait = b.take(d.now()); wait > 0 {
		return false, wait
	}
	d.looking[hash] = make(chan struct{})
	return true, 0
}

func (d *Door) leave(address, hash string, counted bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if counted {
		close(d.looking[hash])
		delete(d.looking, hash)
	}
	switch b := d.guests[address]; {
	case errors.Is(err, ErrWrong):
		delete(d.known, hash)
		if b != nil && !counted {
			b.left = max(0, b.left-1) // it was good before
		}
		return
	case b != nil && counted:
		b.left = min(burst, b.left+1)
	}
	if err != nil {
		return // nobody knows
	}
	if len(d.known) >= mostKnown {
		clear(d.known)
	}
	d.known[hash] = struct{}{}
}

// bucket has what an address may still get wrong.
type bucket struct {
	left float64
	at   time.Time
}

// take takes one out, or says how long to wait.
func (b *bucket) take(now time.Time) time.Duration {
	if d := now.Sub(b.at); d > 0 {
		b.left = min(burst, b.left+d.Seconds()/pause.Seconds())
		b.at = now
	}
	if b.left < 1 {
		return max(time.Millisecond, time.Duration((1-b.left)*float64(pause)))
	}
	b.left--
	return 0
}
