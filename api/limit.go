package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiterCount bounds how many names a set of limiters knows. When it is full all are forgotten: a flood of names lets some
// callers be faster for a moment and never costs more memory.
const limiterCount = 50_000

// Paced bounds how often one address may call a handler that needs no token. Behind a proxy that is not trusted all callers have one address.
func (a *API) Paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := a.visits.take(a.remoteIP(r), a.Now()); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			http.Error(w, "too many requests from your address", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Address is where a request comes from; behind a trusted proxy, what that proxy saw.
func (a *API) Address(r *http.Request) string { return a.remoteIP(r) }

// limiters hold one bucket per name: a token or an address.
type limiters struct {
	rate  rate.Limit
	burst int

	mu  sync.Mutex
	all map[string]*rate.Limiter
}

func newLimiters(perSecond float64, burst int) *limiters {
	return &limiters{rate: rate.Limit(perSecond), burst: burst, all: map[string]*rate.Limiter{}}
}

func (l *limiters) bucket(name string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.all[name]
	if b == nil {
		if len(l.all) >= limiterCount {
			clear(l.all)
		}
		b = rate.NewLimiter(l.rate, l.burst)
		l.all[name] = b
	}
	return b
}

// take takes one from the bucket; the answer is how long to wait, zero if it was there.
func (l *limiters) take(name string, now time.Time) time.Duration {
	r := l.bucket(name).ReserveN(now, 1)
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait
	}
	return 0
}

// waits looks without taking.
func (l *limiters) waits(name string, now time.Time) time.Duration {
	b := l.bucket(name)
	missing := 1 - b.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(l.rate) * float64(time.Second))
}
