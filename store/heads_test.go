package store

import "testing"

// Who does work hears of jobs of its kind, and of everything that nobody here knows the jobs of.
func TestHeadsAreHeardByWhomTheyConcern(t *testing.T) {
	b := &headBoard{}
	b.init()
	out, media, all := b.listen("out"), b.listen("media"), b.listen("")
	moved := func(found, head int64, works ...string) {
		made := map[string]handover{}
		for _, w := range works {
			made[w] = handover{}
		}
		b.moved(&workspaceRow{id: 1, found: found, head: head}, made)
	}
	check := func(what string, want ...bool) {
		t.Helper()
		for i, l := range []*headListener{out, media, all} {
			if got := len(l.take()) == 1; got != want[i] {
				t.Errorf("%s: listener %d heard it: %v", what, i, got)
			}
		}
	}
	moved(0, 2, "out")
	check("jobs of one kind", true, false, true)
	moved(2, 3)
	check("no jobs", false, false, true)
	b.heard(1, 5)
	check("another node", true, true, true)
	b.heard(1, 5)
	check("no news", false, false, false)
	moved(6, 7)
	check("after another node of which nothing was heard", true, true, true)
	moved(4, 5, "out")
	check("old news", false, false, false)
}
