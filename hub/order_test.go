package hub_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// rough is a slow platform that often says no, surely. It checks what it is sent.
type rough struct {
	t     *testing.T
	limit int

	mu    sync.Mutex
	rng   *rand.Rand
	busy  map[string]bool     // threads with a request under way
	took  map[string][]string // texts that were taken, by thread
	tries int
}

func (r *rough) send(ctx context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
	var p chat.TextPayload
	if err := part.Elements[0].Into(&p); err != nil {
		r.t.Error(err)
	}
	fate, delay := r.begin(part.Thread.Address)
	select {
	case <-time.After(delay): // a slow platform
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, part.Thread.Address)
	if e := refusals[fate]; e != nil {
		return connector.Sent{}, e
	}
	r.took[part.Thread.Address] = append(r.took[part.Thread.Address], p.Content)
	return connector.Sent{ID: part.Key}, nil
}

// refusals by fate; any other fate is yes.
var refusals = map[int]*connector.Error{
	0: {Policy: connector.Retry, Code: "500"},
	1: {Policy: connector.Retry, Code: "away"},
	2: {Policy: connector.Throttled, Code: "429", Thread: true, After: 3 * time.Second},
	3: {Policy: connector.Throttled, Code: "429"},
	4: {Policy: connector.Unauthorized, Code: "401"},
}

func (r *rough) begin(thread string) (fate int, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[thread] {
		r.t.Errorf("two requests to %s at once", thread)
	}
	r.busy[thread] = true
	if len(r.busy) > r.limit {
		r.t.Errorf("%d requests at once, at most %d", len(r.busy), r.limit)
	}
	r.tries++
	return r.rng.IntN(15), time.Duration(r.rng.IntN(3000)) * time.Microsecond
}

func TestOrderInsideConversations(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const threads, messages, limit = 8, 10, 5
	r := &rough{t: t, limit: limit, rng: rand.New(rand.NewPCG(seed, 1)), busy: map[string]bool{}, took: map[string][]string{}}
	s := &script{send: r.send}
	w := newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("rough", connector.Traits{Concurrency: limit, TextLimit: 12})}}).run()
	w.clock.hurry(t)
	ch := w.channel("rough", map[string]any{"token": "SECRETroughTOKEN00001"})
	var convs []chat.ConversationID
	for i := range threads {
		convs = append(convs, w.meet(ch, fmt.Sprint("t", i)))
	}
	var wg sync.WaitGroup
	last := make([]int64, threads)
	for i, conv := range convs {
		wg.Go(func() {
			for m := range messages {
				text := fmt.Sprint("m", m)
				if m%4 == 3 {
					text = fmt.Sprintf("m%d-first one\nm%d-then two\nm%d-and three", m, m, m)
				}
				last[i] = w.say(conv, text)
			}
		})
	}
	wg.Wait()
	for i, conv := range convs {
		w.awaitStatus(conv, last[i], chat.Sent)
	}
	want := []string{
		"m0", "m1", "m2", "m3-first one", "m3-then two", "m3-and three", "m4", "m5", "m6", "m7-first one", "m7-then two", "m7-and three", "m8", "m9",
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range threads {
		if got := r.took[fmt.Sprint("t", i)]; !slices.Equal(got, want) {
			t.Errorf("thread %d got %q", i, got)
		}
	}
	t.Logf("%d requests for %d parts", r.tries, threads*len(want))
	if list := w.letters(); len(list) != 0 {
		t.Errorf("dead letters: %v", list)
	}
	if ch, err := w.Channel(t.Context(), w.workspace, ch); err != nil || ch.Status != "active" {
		t.Errorf("the channel works and is shown as %s, %v", ch.Status, err)
	}
}
