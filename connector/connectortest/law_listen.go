package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// endsLaw: Listen ends soon after its context and not before it: with one that has ended already, and while the request
// after the last answer of the script waits.
func endsLaw(x *exam, t T) {
	t.Helper()
	x.each(t, "listen", func(w *world, tr *transcript, a *act) {
		t.Helper()
		if w.can.Listen == nil {
			return
		}
		before, cancel := context.WithCancel(t.Context())
		cancel()
		w.out.next = func(int) answer { return answer{fault: over} }
		if problem := x.runUntil(t, w, before, func() {}); problem != "" {
			t.Errorf("%s: with a context that has ended: %s", tr.name, problem)
		}
		w.out.next = scripted(a.answers(), len(w.out.requests()), true)
		during, cancel := context.WithCancel(t.Context())
		defer cancel()
		if problem := x.runUntil(t, w, during, cancel); problem != "" {
			t.Errorf("%s: while a request is under way: %s", tr.name, problem)
		}
	})
}

// runUntil runs Listen; end is called when a request waits for its answer.
func (x *exam) runUntil(t T, w *world, ctx context.Context, end func()) string {
	t.Helper()
	asked := make(chan struct{}, 1)
	w.out.over = func() {
		select {
		case asked <- struct{}{}:
		default:
		}
	}
	done := make(chan error, 1)
	go func() {
		done <- guard(func() error {
			return w.can.Listen.Listen(ctx, func(context.Context, []chat.Incoming) error { return nil })
		})
	}()
	bound := time.NewTimer(x.bound)
	defer bound.Stop()
	for {
		select {
		case <-asked:
			end()
		case err := <-done:
			return endedWell(ctx, err)
		case <-bound.C:
			w.leave() // lets the request go, so that the goroutine can end
			return fmt.Sprintf("Listen has not ended after %v", x.bound)
		}
	}
}

func endedWell(ctx context.Context, err error) string {
	switch {
	case ctx.Err() == nil:
		return fmt.Sprintf("Listen ended before its context: %v", err)
	case err != nil && !endedBy(err, ctx):
		return fmt.Sprintf("want nil or the context's error, got %v", err)
	default:
		return ""
	}
}

// errStore is what emit answers when the store does not take the events.
var errStore = errors.New("connectortest: the events were not stored")

// cursorLaw: nothing is saved before emit has answered, and after a failed emit the connector still stands where it
// stood: it saves nothing, and either ends or asks the same again.
func cursorLaw(x *exam, t T) {
	t.Helper()
	x.each(t, "listen", func(w *world, tr *transcript, a *act) {
		t.Helper()
		if w.can.Listen == nil {
			return
		}
		script := a.answers()
		for n := range script {
			if a.steps[n].events == nil {
				continue
			}
			if again := x.world(t, tr, 0); again != nil {
				again.failAt(t, tr.name, script, n)
				again.leave()
			}
		}
	})
}

// failAt lets the first emit after the n-th answer fail.
func (w *world) failAt(t T, name string, script []answer, n int) {
	t.Helper()
	savesAt := 0
	play := scripted(script[:n+1], 0, true)
	w.out.next = func(i int) answer {
		_, savesAt = w.notes.state()
		return play(i)
	}
	var before map[string][]byte
	failed := false
	err := w.listen(t.Context(), func(context.Context, []chat.Incoming) error {
		notes, saves := w.notes.state()
		if !failed && saves != savesAt {
			t.Errorf("%s: notes were saved between answer %d and emit", name, len(w.out.requests()))
		}
		savesAt = saves
		if len(w.out.requests()) <= n {
			return nil
		}
		if !failed {
			before = notes
		}
		failed = true
		return errStore
	})
	after, _ := w.notes.state()
	if failed && !maps.EqualFunc(before, after, bytes.Equal) {
		t.Errorf("%s: emit failed after answer %d, and the notes changed all the same", name, n+1)
	}
	if got := w.out.requests(); failed && len(got) > n+1 && !sameRequest(got[n], got[n+1]) {
		t.Errorf("%s: emit failed, and the next request is another: %s, then %s", name, got[n].url, got[n+1].url)
	}
	if _, ok := errors.AsType[*connector.Error](err); failed && err != nil && !ok && !errors.Is(err, errStore) {
		t.Errorf("%s: emit failed; want its error or an *Error from Listen, got %v", name, err)
	}
}

func sameRequest(a, b seen) bool {
	return a.method == b.method && a.url.String() == b.url.String() && bytes.Equal(a.body, b.body)
}
