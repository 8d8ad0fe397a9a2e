package connectortest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// recorder is a T that keeps the failures, so that an examination which fails can be looked at.
type recorder struct {
	ctx      context.Context
	mu       sync.Mutex
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// planted says which laws must catch which flaw. Others may catch it too.
var planted = []struct {
	flaw flaw
	law  string
}{
	{acceptsUnsigned, lawUnsigned},
	{ignoresBody, lawUnsigned},
	{readsFirst, lawUnsigned},
	{panicsOnCut, lawMutated},
	{halfEvents, lawMutated},
	{emptyKeys, lawMutated},
	{firstValueOnly, lawMutated},
	{anyBytes, lawMutated},
	{randomKeys, lawSame},
	{remembers, lawSame},
	{asksInReceive, lawPure},
	{retriesItself, lawOneRequest},
	{throttledAsRetry, lawPolicy},
	{lostAsRetry, lawPolicy},
	{leaksInError, lawSecrets},
	{leaksInLog, lawSecrets},
	{leaksLink, lawSecrets},
	{cursorTooEarly, lawCursor},
	{cursorAnyway, lawCursor},
	{ignoresContext, lawEnds},
	{endsEarly, lawEnds},
	{claimsTyping, lawTraits},
	{claimsLocation, lawCovered},
	{callsElsewhere, lawHosts},
	{opensAnything, lawSettings},
	{opensWithout, lawSettings},
	{openToken, lawSettings},
	{panicsOnEmpty, lawEmpty},
	{forgetsKey, lawKey},
	{sharesState, lawParallel},
}

func TestPlantedFaults(t *testing.T) {
	for _, p := range planted {
		t.Run(string(p.flaw), func(t *testing.T) {
			t.Parallel()
			x := parrotExam(t, p.flaw)
			for _, l := range laws {
				if l.name == p.law && len(x.failures(t, l)) == 0 {
					t.Errorf("not caught by the law %q", p.law)
				}
			}
		})
	}
}

// TestEveryLawCatches proves that no law is there for show.
func TestEveryLawCatches(t *testing.T) {
	for _, l := range laws {
		found := false
		for _, p := range planted {
			found = found || p.law == l.name
		}
		if !found {
			t.Errorf("no planted fault proves the law %q", l.name)
		}
	}
}

// TestSoundParrotBreaksNoLaw looks at the same recorder that the planted faults are judged by.
func TestSoundParrotBreaksNoLaw(t *testing.T) {
	x := parrotExam(t, sound)
	for _, l := range laws {
		if failures := x.failures(t, l); len(failures) > 0 {
			t.Errorf("%s: %s", l.name, strings.Join(failures, "\n"))
		}
	}
}

func parrotExam(t *testing.T, f flaw) *exam {
	t.Helper()
	x, err := newExam(parrotPlatform(f), "testdata/parrot", []Option{WithProof("X-Parrot-Signature"), WithSigner(parrotSigner(f)), WithBodySigned()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.standin.server.Close)
	if f == ignoresContext {
		x.bound = 100 * time.Millisecond
	}
	return x
}

// failures are what a law finds.
func (x *exam) failures(t *testing.T, l law) []string {
	t.Helper()
	r := &recorder{ctx: t.Context()}
	l.check(x, r)
	return r.failures
}
