package api

import (
	"errors"
	"testing"

	"github.com/dragoman-hub/dragoman/access"
)

// TestWhatIfOneAtATime: while one time is played again, another request is told to come back.
func TestWhatIfOneAtATime(t *testing.T) {
	a := &API{again: make(chan struct{}, 1)}
	a.again <- struct{}{}
	ctx := withCaller(t.Context(), caller{who: access.Who{Grant: access.Grant{All: true}}})
	var p *Problem
	if _, err := a.whatIf(ctx, &whatIfPost{}); !errors.As(err, &p) || p.Status != 429 {
		t.Errorf("%v", err)
	}
}
