package desk

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/store"
)

// TestLines: who has no line any more becomes inactive after a while; who never had one does not.
func TestLines(t *testing.T) {
	onBoth(t, func(w *world) {
		w.queue(LeastBusy, Settings{}, "ann")
		for _, id := range []string{"ann", "eve"} {
			w.agent(id, 3)
		}
		l := NewLines(w.Store, time.Now, slog.New(slog.DiscardHandler), 200*time.Millisecond)
		w.wg.Go(func() { _ = l.Run(w.Context()) })
		for _, user := range []string{"ann", "ann", "a user who is no agent"} {
			l.Open(w.ws, user)()
		}
		state := func(id string) string {
			a, err := w.Agent(t.Context(), w.ws, id)
			w.must(err)
			return a.State
		}
		w.until(func() (bool, string) { return state("ann") == store.AgentInactive, "ann is away" })
		if got := state("eve"); got != store.AgentActive {
			t.Errorf("eve, who never had a line, is %s", got)
		}
		w.isOffered(w.customer("a"))
	})
}

// TestLinesCount: an agent is there as long as one line is open.
func TestLinesCount(t *testing.T) {
	l := NewLines(nil, nil, nil, time.Hour)
	ann := store.AgentLine{Workspace: "w", Agent: "ann"}
	first, second := l.Open("w", "ann"), l.Open("w", "ann")
	first()
	if got := l.there(); !slices.Equal(got, []store.AgentLine{ann}) {
		t.Errorf("there: %v", got)
	}
	second()
	if got := l.there(); len(got) != 0 {
		t.Errorf("there: %v", got)
	}
	if got := l.takeNews(); !slices.Equal(got, []store.AgentLine{ann}) || len(l.takeNews()) != 0 {
		t.Errorf("news: %v", got)
	}
	(*Lines)(nil).Open("w", "ann")()
}

// TestLinesGap: after a gap in the notes, as when the database hung, the whole time begins again: other nodes could not note either.
func TestLinesGap(t *testing.T) {
	const every = 15 * time.Second
	now := time.Now()
	w := begun(now, every)
	for _, c := range []struct{ later, want time.Duration }{
		{every, every}, {every, 2 * every}, {2 * every, 4 * every}, {every, 5 * every}, // one tick was late
		{2*every + 1, 0}, {every, every}, {time.Hour, 0}, {every, every},
	} {
		now = now.Add(c.later)
		if got := w.noted(now); got != c.want {
			t.Fatalf("%v later: %v, want %v", c.later, got, c.want)
		}
	}
}
