package desk

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEstimate(t *testing.T) {
	minutes := func(every, n int) []int {
		out := make([]int, estimateWindow)
		for i := 0; i < n; i += every {
			out[i] = 1
		}
		return out
	}
	for name, c := range map[string]struct {
		position, free int
		accepts        []int
		want           time.Duration
		known          bool
	}{
		"somebody is free":      {1, 1, nil, 0, true},
		"no limit":              {500, -1, nil, 0, true},
		"nobody knows":          {1, 0, minutes(60, 60), 0, false},
		"one a minute":          {3, 0, minutes(1, 60), 3 * time.Minute, true},
		"one in two minutes":    {3, 1, minutes(2, 60), 4 * time.Minute, true},
		"busy lately":           {4, 0, minutes(1, 10), 4 * time.Minute, true},
		"at most a day":         {100_000, 0, minutes(30, 60), longestEstimate, true},
		"two in the whole hour": {1, 0, minutes(59, 60), 30 * time.Minute, true},
	} {
		if got, known := Estimate(c.position, c.free, c.accepts); got != c.want || known != c.known {
			t.Errorf("%s: %s, %v; want %s, %v", name, got, known, c.want, c.known)
		}
	}
}

// TestEstimateLaws: who stands further behind waits no shorter, with more free nobody waits longer, and what was accepted lately makes
// nothing slower.
func TestEstimateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accepts := rapid.SliceOfN(rapid.IntRange(0, 5), estimateWindow, estimateWindow).Draw(t, "accepts")
		position, free := rapid.IntRange(1, 50).Draw(t, "position"), rapid.IntRange(0, 20).Draw(t, "free")
		wait, known := Estimate(position, free, accepts)
		if wait < 0 || wait > longestEstimate {
			t.Fatal(wait)
		}
		if behind, ok := Estimate(position+1, free, accepts); ok && (!known || behind < wait) {
			t.Fatalf("behind waits %s, before %s", behind, wait)
		}
		if more, ok := Estimate(position, free+1, accepts); known && (!ok || more > wait) {
			t.Fatalf("with one more free %s instead of %s", more, wait)
		}
		accepts[rapid.IntRange(0, 59).Draw(t, "minute")]++
		if faster, ok := Estimate(position, free, accepts); known && (!ok || faster > wait) {
			t.Fatalf("with one more accepted %s instead of %s", faster, wait)
		}
	})
}

func TestTellText(t *testing.T) {
	const text = "You are number {{position}}; about {{minutes}} min."
	for want, got := range map[string]string{
		"You are number 3; about 2 min.": tellText(text, 3, 61*time.Second, true),
		"You are number 1; about 1 min.": tellText(text, 1, 0, true),
		"":                               tellText(text, 3, 0, false),
		"Number 4":                       tellText("Number {{position}}", 4, 0, false),
		"{{name}}":                       badTemplate("Dear {{name}}, {{minutes}}"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if badTemplate(text) != "" {
		t.Error(badTemplate(text))
	}
}
