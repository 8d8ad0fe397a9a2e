package chat

import (
	"testing"

	"pgregory.net/rapid"
)

var outgoing = []Status{Queued, Sending, Unsure, Failed, Sent, Delivered, Read}

// Whatever receipts come, in whatever order: a message that was delivered or read stays so, and one that failed stays failed.
func TestStatusNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Queued
		for _, next := range rapid.SliceOf(rapid.SampledFrom(outgoing)).Draw(t, "receipts") {
			before := s
			if s.Advances(next) {
				s = next
			}
			final := before == Failed || before == Read
			if final && s != before || before == Delivered && s != Delivered && s != Read {
				t.Fatalf("%s became %s", before, s)
			}
		}
	})
}

func TestAdvances(t *testing.T) {
	for _, c := range []struct {
		from, to Status
		want     bool
	}{
		{Queued, Sending, true},
		{Sending, Queued, true}, // a retry
		{Sending, Sent, true},
		{Sent, Sending, false},
		{Unsure, Sent, true}, // a receipt tells that it had arrived
		{Unsure, Delivered, true},
		{Sent, Failed, true},
		{Delivered, Failed, false},
		{Failed, Delivered, false},
		{Queued, Read, true}, // read may come without delivered
		{Read, Delivered, false},
		{Sent, Sent, false},
	} {
		if got := c.from.Advances(c.to); got != c.want {
			t.Errorf("%s to %s: %t", c.from, c.to, got)
		}
	}
}
