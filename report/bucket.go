package report

import (
	"math/bits"
	"slices"
	"time"
)

// Durations are counted in fixed buckets, each at most an eighth as wide as what it holds: percentiles come from sums of them, for any
// span of time, queue and channel, and are wrong by less than that.
const (
	subBits = 3
	subs    = 1 << subBits
	longest = 10 * 366 * 24 * time.Hour // longer ones are as long as that
)

// Bucket is the number of the bucket that holds a duration.
func Bucket(d time.Duration) int {
	ms := uint64(min(max(d, 0), longest).Milliseconds())
	if ms < subs {
		return int(ms)
	}
	power := bits.Len64(ms) - 1 - subBits // of the width
	return (power+1)*subs + int(ms>>power)&(subs-1)
}

// bounds are the least duration that a bucket holds and the first that it does not.
func bounds(bucket int) (from, to time.Duration) {
	if bucket < subs {
		return time.Duration(bucket) * time.Millisecond, time.Duration(bucket+1) * time.Millisecond
	}
	power := bucket/subs - 1
	first := int64(subs+bucket%subs) << power
	return time.Duration(first) * time.Millisecond, time.Duration(first+1<<power) * time.Millisecond
}

// Histogram holds how many durations there were by bucket.
type Histogram map[int]int64

// Total is how many durations it holds.
func (h Histogram) Total() (n int64) {
	for _, k := range h {
		n += k
	}
	return n
}

// Quantile is a duration that a share q of all does not exceed, as far as the buckets tell; false if it is empty.
func (h Histogram) Quantile(q float64) (time.Duration, bool) {
	total := h.Total()
	if total <= 0 {
		return 0, false
	}
	rank := q * float64(total)
	for _, b := range h.order() {
		n := float64(h[b])
		if rank <= n {
			from, to := bounds(b)
			return from + time.Duration(float64(to-from)*rank/n), true
		}
		rank -= n
	}
	return 0, false
}

// Within is how many durations were at most as long as a limit; of the bucket in which the limit lies a share.
func (h Histogram) Within(limit time.Duration) (n float64) {
	for b, k := range h {
		from, to := bounds(b)
		switch {
		case to <= limit:
			n += float64(k)
		case from < limit:
			n += float64(k) * float64(limit-from) / float64(to-from)
		}
	}
	return n
}

// order lists the buckets that hold something, the shortest durations first.
func (h Histogram) order() []int {
	out := make([]int, 0, len(h))
	for b, n := range h {
		if n > 0 {
			out = append(out, b)
		}
	}
	slices.Sort(out)
	return out
}
