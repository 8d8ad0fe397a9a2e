package report

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Each duration is in a bucket that holds it and is at most an eighth as wide.
func TestBucketsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-5, math.MaxInt64).Draw(t, "d"))
		b := Bucket(d)
		from, to := bounds(b)
		short := min(max(d, 0), longest).Truncate(time.Millisecond)
		if short < from || short >= to {
			t.Fatalf("%v is in bucket %d from %v to %v", d, b, from, to)
		}
		if width := to - from; width > time.Millisecond && width > from/subs {
			t.Fatalf("bucket %d from %v is %v wide", b, from, width)
		}
		if b > 0 {
			if _, end := bounds(b - 1); end != from {
				t.Fatalf("bucket %d ends at %v, the next begins at %v", b-1, end, from)
			}
		}
	})
}

// A percentile lies in the bucket of the exact one, also when histograms were added up.
func TestQuantilesAreNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(40*24*time.Hour)), 1, 200).Draw(t, "all")
		h := Histogram{}
		for _, d := range all {
			h[Bucket(time.Duration(d))]++
		}
		slices.Sort(all)
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		got, ok := h.Quantile(q)
		rank := max(int(math.Ceil(q*float64(len(all)))), 1)
		from, to := bounds(Bucket(time.Duration(all[rank-1])))
		if !ok || got < from || got > to {
			t.Fatalf("%v of %v: %v, want %v to %v", q, all, got, from, to)
		}
	})
	if _, ok := (Histogram{}).Quantile(0.5); ok {
		t.Error("nothing has a median")
	}
}

func TestWithin(t *testing.T) {
	h := Histogram{Bucket(time.Second): 3, Bucket(time.Minute): 1}
	for limit, want := range map[time.Duration]float64{0: 0, 10 * time.Second: 3, time.Hour: 4} {
		if got := h.Within(limit); got != want {
			t.Errorf("within %v: %v, want %v", limit, got, want)
		}
	}
}
