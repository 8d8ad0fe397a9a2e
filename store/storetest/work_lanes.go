package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

func laneOrder(t *testing.T, db Database) {
	s := newSite(t, db)
	const lanes, each = 6, 12
	var convs []chat.ConversationID
	var want []string
	for l := range lanes {
		convs = append(convs, s.talk(fmt.Sprint("p", l)))
	}
	for i := range each {
		want = append(want, fmt.Sprint(i))
		for _, conv := range convs {
			s.do(s.post(conv, fmt.Sprint(i)))
		}
	}
	done := newTexts()
	s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if err := j.Begin(ctx); err != nil {
			t.Errorf("begin: %v", err)
		}
		if (j.Event.Pos+int64(j.Attempts))%3 == 0 && j.Attempts < 3 {
			return store.Again(time.Duration(j.Event.Pos%5)*time.Millisecond, &chat.Failure{Class: "planted"})
		}
		done.add(j)
		return s.delivered(j)
	})
	done.reach(t, lanes*each)
	for _, conv := range convs {
		equal(t, "order in "+string(conv), done.of(conv), fmt.Sprint(want))
	}
	s.idle()
	for _, conv := range convs {
		order := []string{}
		for _, e := range readAll(t, s.Store, s.ws) {
			if e.Conversation == conv && e.Kind == chat.KindReceipt {
				var d chat.ReceiptData
				must(t, json.Unmarshal(e.Data, &d))
				order = append(order, s.event(conv, d.Seq).Message.Text())
			}
		}
		equal(t, "receipts in order", fmt.Sprint(order), fmt.Sprint(want))
	}
	audit(t, s.Store)
}

func groupLimit(t *testing.T, db Database) {
	s := newSite(t, db)
	const limit, lanes = 3, 10
	other := s.channel(s.ws)
	for l := range lanes {
		s.do(s.post(s.talk(fmt.Sprint("p", l)), "x"))
	}
	in := s.in("q", "x")
	free := s.do(&store.Receive{Channel: other, In: in}).Events[0].Conversation
	s.do(s.post(free, "free"))
	started, gate := make(chan string, lanes+1), make(chan struct{})
	var mu sync.Mutex
	running, most := 0, 0
	background(t, func(ctx context.Context) error {
		return s.Work(ctx, store.Worker{Work: "out", Concurrency: func(string) int { return limit }, Do: func(_ context.Context, j *store.Job) store.Verdict {
			if j.Group == string(s.ch) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				defer func() {
					mu.Lock()
					running--
					mu.Unlock()
				}()
			}
			started <- j.Group
			<-gate
			return s.delivered(j)
		}})
	})
	seen := map[string]int{}
	for range limit + 1 {
		seen[await(t, "jobs to start", started)]++
	}
	equal(t, "side by side in the full group", seen[string(s.ch)], limit)
	equal(t, "in the other", seen[string(other)], 1)
	close(gate)
	for range lanes - limit {
		await(t, "the rest", started)
	}
	s.idle()
	mu.Lock()
	defer mu.Unlock()
	equal(t, "at once", most, limit)
}

func holdGroup(t *testing.T, db Database) {
	s := newSite(t, db)
	for i := range 5 {
		s.do(s.post(s.talk(fmt.Sprint("p", i)), "x"))
	}
	var mu sync.Mutex
	var until time.Time
	early := 0
	done := newTexts()
	background(t, func(ctx context.Context) error {
		return s.Work(ctx, store.Worker{Work: "out", Concurrency: func(string) int { return 1 }, Do: func(_ context.Context, j *store.Job) store.Verdict {
			mu.Lock()
			defer mu.Unlock()
			if until.IsZero() {
				until = time.Now().Add(200 * time.Millisecond)
				return store.Hold(200*time.Millisecond, &chat.Failure{Class: "throttled"})
			}
			if time.Now().Before(until.Add(-20 * time.Millisecond)) { // the verdict came a little later than the note
				early++
			}
			done.add(j)
			return s.delivered(j)
		}})
	})
	done.reach(t, 5)
	mu.Lock()
	defer mu.Unlock()
	equal(t, "jobs that did not wait", early, 0)
}

// longLane: more jobs wait in one lane than a node holds in memory; another channel's job behind them is done at once.
func longLane(t *testing.T, db Database) {
	s := newSite(t, db)
	many := 5000
	if raced {
		many = 1300
	}
	conv := s.talk("a")
	cmds := make([]store.Command, many)
	want := make([]string, many)
	for i := range cmds {
		want[i] = fmt.Sprint(i)
		cmds[i] = s.post(conv, want[i])
	}
	_, errs := s.AppendAll(t.Context(), cmds)
	for _, err := range errs {
		must(t, err)
	}
	other := s.channel(s.ws)
	free := s.do(&store.Receive{Channel: other, In: s.in("b", "x")}).Events[0].Conversation
	s.do(s.post(free, "free"))
	done, first, gate := newTexts(), make(chan struct{}), make(chan struct{})
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		if j.Event.Conversation == free {
			close(first)
			return s.delivered(j)
		}
		<-gate
		done.add(j)
		return store.Done()
	})
	await(t, "the other channel's job", first)
	equal(t, "jobs before it", done.count(), 0)
	close(gate)
	done.reach(t, many)
	equal(t, "order", done.of(conv), fmt.Sprint(want))
}
