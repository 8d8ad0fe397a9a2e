package door

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

var errAway = errors.New("the database is away")

// place is a door with a clock of its own and one good token.
type place struct {
	*Door
	now    time.Time
	looked int
	answer map[string]error
}

func newPlace() *place {
	p := &place{now: time.Unix(1_700_000_000, 0), answer: map[string]error{"good": nil, "other": nil, "away": errAway}}
	p.Door = New(nil, func() time.Time { return p.now })
	return p
}

func (p *place) show(address, token string) error {
	return p.Look(address, token, func() error {
		p.looked++
		if err, ok := p.answer[token]; ok {
			return err
		}
		return ErrWrong
	})
}

func isThrottled(err error) bool { return chat.CodeOf(err) == CodeThrottled }

func TestBoundsWrongTokens(t *testing.T) {
	p := newPlace()
	if err := p.show("a", "good"); err != nil {
		t.Fatal(err)
	}
	for i := range burst {
		if err := p.show("a", fmt.Sprint("guess", i)); !errors.Is(err, ErrWrong) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	looked := p.looked
	err := p.show("a", "guess")
	if many, ok := errors.AsType[*TooManyError](err); !ok || many.After <= 0 || many.After > pause || !isThrottled(err) || p.looked != looked {
		t.Errorf("one too many: %v, %d looked up", err, p.looked-looked)
	}
	if err := p.show("a", "other"); !isThrottled(err) {
		t.Errorf("a token that was not seen before: %v", err)
	}
	if err := p.show("a", "good"); err != nil {
		t.Errorf("a token that was good before: %v", err)
	}
	if err := p.show("b", "other"); err != nil {
		t.Errorf("another address: %v", err)
	}
	p.now = p.now.Add(pause)
	if err := p.show("a", "other"); err != nil {
		t.Errorf("after a pause: %v", err)
	}
}

// TestOnlyWrongOnesCount: neither good tokens nor a database that is away use anything up; a token that was revoked does, and is unknown.
func TestOnlyWrongOnesCount(t *testing.T) {
	p := newPlace()
	for range 3 * burst {
		if err := p.show("a", "good"); err != nil {
			t.Fatal(err)
		}
		if err := p.show("a", "away"); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
	}
	p.answer["good"] = ErrWrong
	for range burst {
		if err := p.show("a", "good"); !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	if err := p.show("a", "good"); !isThrottled(err) {
		t.Error(err)
	}
}

// TestManyAtOnce: of many guesses side by side no more are looked up than one after the other.
func TestManyAtOnce(t *testing.T) {
	d := New(nil, func() time.Time { return time.Unix(1_700_000_000, 0) })
	gate := make(chan struct{})
	var looked sync.Map
	var wg sync.WaitGroup
	refused := make(chan struct{}, 10*burst)
	for i := range 10 * burst {
		wg.Go(func() {
			err := d.Look("a", fmt.Sprint(i), func() error {
				looked.Store(i, true)
				<-gate
				return ErrWrong
			})
			if isThrottled(err) {
				refused <- struct{}{}
			}
		})
	}
	for range 9 * burst {
		<-refused
	}
	close(gate)
	wg.Wait()
	n := 0
	looked.Range(func(any, any) bool { n++; return true })
	if n != burst {
		t.Errorf("%d looked up", n)
	}
}

// TestSameTokenAtOnce: when all come back after a restart, with one good token and from one proxy, nobody is refused.
func TestSameTokenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(nil, time.Now)
		gate := make(chan struct{})
		for range 3 * burst {
			go func() {
				if err := d.Look("a", "good", func() error { <-gate; return nil }); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
	})
	d := New(nil, time.Now)
	func() {
		defer func() { _ = recover() }()
		_ = d.Look("a", "good", func() error { panic("broken") })
	}()
	if err := d.Look("a", "good", func() error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	p := newPlace()
	for i := range mostKnown + 10 {
		p.answer[fmt.Sprint(i)] = nil
		if err := p.show(fmt.Sprint("address", i), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.guests) > mostKnown || len(p.known) > mostKnown {
		t.Errorf("%d addresses, %d tokens", len(p.guests), len(p.known))
	}
}

func TestAddress(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	if got := New(nil, time.Now).Address(r); got != "192.0.2.7" {
		t.Error(got)
	}
	r.RemoteAddr = "pipe"
	if got := New(nil, time.Now).Address(r); got != "pipe" {
		t.Error(got)
	}
}
