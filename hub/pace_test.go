package hub_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// paced is a platform that notes when requests come.
func paced() (*script, *diary[stamp]) {
	calls := newDiary[stamp]()
	return &script{send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
		calls.add(stamp{part.Thread.Address, time.Now()})
		return connector.Sent{ID: part.Key}, nil
	}}, calls
}

// inTurn checks that no request came before its turn: the burst at once, then one after the other at the rate. Delays on the way make
// requests later, never earlier, but one may overtake another on its way into the diary.
func inTurn(t *testing.T, what string, begun time.Time, calls []stamp, r connector.Rate) {
	t.Helper()
	slices.SortFunc(calls, func(a, b stamp) int { return a.at.Compare(b.at) })
	for i, c := range calls {
		if turn := begun.Add(time.Duration(i+1-r.Burst) * r.Per / time.Duration(r.N)); c.at.Before(turn) {
			t.Fatalf("%s: request %d came %s before its turn", what, i, turn.Sub(c.at))
		}
	}
}

func TestRatesHoldUnderLoad(t *testing.T) {
	t.Parallel()
	s, calls := paced()
	channel, thread := connector.Rate{N: 100, Per: time.Second, Burst: 10}, connector.Rate{N: 10, Per: time.Second, Burst: 2}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("paced", connector.Traits{Rate: channel, ThreadRate: thread})}})
	ch := w.channel("paced", map[string]any{"token": "SECRETpacedTOKEN00001"})
	const threads, messages = 20, 8
	convs, last := make([]chat.ConversationID, threads), make([]int64, threads)
	for i := range threads {
		convs[i] = w.meet(ch, fmt.Sprint("t", i))
		for range messages {
			last[i] = w.say(convs[i], "x")
		}
	}
	asked := w.clock.asked.Load()
	begun := time.Now()
	w.run()
	for i := range threads {
		w.awaitStatus(convs[i], last[i], chat.Sent)
	}
	took, looks := time.Since(begun), w.clock.asked.Load()-asked
	list := calls.all()
	if len(list) != threads*messages {
		t.Errorf("%d requests", len(list))
	}
	inTurn(t, "channel", begun, list, channel)
	byThread := map[string][]stamp{}
	for _, c := range list {
		byThread[c.text] = append(byThread[c.text], c)
	}
	for name, c := range byThread {
		inTurn(t, name, begun, c, thread)
	}
	t.Logf("%d requests in %s, the clock was read %d times", len(list), took, looks)
	// every look at a job reads the clock some ten times; a loop that only waits would read it a million times
	if looks > 100*threads*messages {
		t.Errorf("the clock was read %d times: somebody waits in a loop", looks)
	}
}

func TestWaitingCostsNothing(t *testing.T) {
	t.Parallel()
	s := &script{send: func(context.Context, connector.Env, connector.Part) (connector.Sent, error) {
		return connector.Sent{}, &connector.Error{Policy: connector.Throttled, After: time.Hour}
	}}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("strict", connector.Traits{Concurrency: 1})}}).run()
	ch := w.channel("strict", map[string]any{"token": "SECRETstrictTOKEN0001"})
	free := w.meet(w.channel("simulator", map[string]any{}), "bob")
	for i := range 30 {
		w.say(w.meet(ch, fmt.Sprint("t", i)), "x")
	}
	w.await("the refusal", func() bool { return len(w.log.lines("out: not sent")) > 0 })
	refused, asked := len(w.log.lines("out: not sent")), w.clock.asked.Load()
	for range 20 { // meanwhile another channel works
		w.awaitStatus(free, w.say(free, "x"), chat.Sent)
	}
	if n := len(w.log.lines("out: not sent")); n > refused+1 {
		t.Errorf("%d more requests to a channel that was told to wait", n-refused)
	}
	if looks := w.clock.asked.Load() - asked; looks > 3000 {
		t.Errorf("the clock was read %d times while all wait but for 20 messages", looks)
	}
}

func TestConcurrencyHolds(t *testing.T) {
	t.Parallel()
	const limit, n = 3, 30
	var now, most atomic.Int64
	full := make(chan struct{})
	s := &script{send: func(ctx context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
		at := now.Add(1)
		defer now.Add(-1)
		for {
			old := most.Load()
			if old >= at || most.CompareAndSwap(old, at) {
				break
			}
		}
		if at == limit {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		<-full // all places are taken at least once
		return connector.Sent{ID: part.Key}, nil
	}}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("narrow", connector.Traits{Concurrency: limit})}})
	ch := w.channel("narrow", map[string]any{"token": "SECRETnarrowTOKEN0001"})
	convs, seqs := make([]chat.ConversationID, n), make([]int64, n)
	for i := range n {
		convs[i] = w.meet(ch, fmt.Sprint("t", i))
		seqs[i] = w.say(convs[i], "x")
	}
	w.run() // all are there when the hub starts, and it does not know the channel yet
	for i := range n {
		w.awaitStatus(convs[i], seqs[i], chat.Sent)
	}
	if most.Load() != limit {
		t.Errorf("%d requests at once, want %d", most.Load(), limit)
	}
}
