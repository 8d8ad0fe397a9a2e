package bot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// working asks a worker what to do and what to say.
const working = `{"error":"Broken.","call_timeout":5,"states":[{"name":"s","initial":true},{"name":"t","events":["act",{"say":"after {{vars.n}}"}]}],
	"transitions":[{"dest":"t","conditions":["ask"]}],"fallback":[{"say":"What?"}]}`

// works says yes to every condition and "from WORKER n" for every event.
func works(_ context.Context, c Request, _ func(CallResult) error) (CallResult, error) {
	if c.Condition {
		return CallResult{Score: 1}, nil
	}
	return CallResult{Messages: []chat.Message{chat.TextMessage("from " + c.Name)}, Vars: Values{"n": 1}}, nil
}

// inWorkingWorld runs a test with a worker, in a conversation that has begun.
func inWorkingWorld(t *testing.T, call Caller, test func(w *world)) {
	t.Helper()
	inWorld(t, working, func(w *world) {
		w.stop()
		w.call = call
		w.start()
		w.do("> hi")
		synctest.Wait()
		test(w)
	})
}

// said is the log without calls and their results.
func (w *world) said() string {
	w.t.Helper()
	var lines []string
	for _, e := range w.events() {
		if line := lineOf(e); line != "" && e.Kind != chat.KindCall && e.Kind != chat.KindCallResult {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, ", ")
}

// count is how many events of a kind the log has.
func (w *world) count(kind chat.Kind) (n int) {
	w.t.Helper()
	for _, e := range w.events() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func TestWorkerIsAsked(t *testing.T) {
	inWorkingWorld(t, works, func(w *world) {
		w.do("> go")
		synctest.Wait()
		w.is(`
			* opened
			> hi
			> go
			? ask
			= {"id":"c4","score":1,"last":true}
			? act
			= {"id":"c7","messages":[{"stack":[{"type":"text","payload":{"content":"from act"}}]}],"vars":{"n":1},"last":true}
			< from act
			< after 1`)
		w.replays()
	})
}

// TestAnswersThatAreNone: whatever a worker does, the turn ends with the flow's words and the next message is heard.
func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		call Caller
		want string // of the error
	}{
		"nobody": {nil, "no worker offers ask"},
		"failing": {func(context.Context, Request, func(CallResult) error) (CallResult, error) {
			return CallResult{}, errors.New("no idea")
		}, "no idea"},
		"panic": {func(context.Context, Request, func(CallResult) error) (CallResult, error) { panic("ouch") }, "panic: ouch"},
		"reported": {func(context.Context, Request, func(CallResult) error) (CallResult, error) {
			return CallResult{Error: "sorry"}, nil
		}, "sorry"},
		"slow": {func(ctx context.Context, _ Request, _ func(CallResult) error) (CallResult, error) {
			<-ctx.Done()
			return CallResult{Score: 1}, nil
		}, "timeout"},
		"slow and failing": {func(ctx context.Context, _ Request, _ func(CallResult) error) (CallResult, error) {
			<-ctx.Done()
			return CallResult{}, ctx.Err()
		}, "timeout"},
		"slow, and it knows why": {func(ctx context.Context, _ Request, _ func(CallResult) error) (CallResult, error) {
			<-ctx.Done()
			return CallResult{}, errors.New("no worker is connected")
		}, "no worker is connected"},
		"no JSON": {func(context.Context, Request, func(CallResult) error) (CallResult, error) {
			return CallResult{Score: 1, Data: json.RawMessage("{")}, nil
		}, "json: error"},
		"huge": {func(context.Context, Request, func(CallResult) error) (CallResult, error) {
			return CallResult{Score: 1, Data: json.RawMessage(`"` + strings.Repeat("x", maxResult) + `"`)}, nil
		}, "at most 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorkingWorld(t, c.call, func(w *world) {
				for range 2 {
					w.do("> go")
					<-time.After(6 * time.Second)
				}
				if got := w.said(); got != "* opened, > hi, > go, < Broken., > go, < Broken." {
					t.Fatal(got)
				}
				for _, e := range w.events() {
					var r CallResult
					if e.Kind == chat.KindCallResult && (json.Unmarshal(e.Data, &r) != nil || !strings.Contains(r.Error, c.want)) {
						t.Errorf("result %s, want %q", e.Data, c.want)
					}
				}
				w.replays()
			})
		})
	}
}

// TestMessagesWaitForTheWorker: what is written while a worker is busy is answered afterwards, in order.
func TestMessagesWaitForTheWorker(t *testing.T) {
	var names []string
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		if c.Condition {
			names = append(names, c.ID)
			<-time.After(time.Second)
		}
		return works(ctx, c, part)
	}, func(w *world) {
		for _, line := range []string{"> one", "> two", "> three"} {
			w.do(line)
			synctest.Wait()
		}
		<-time.After(10 * time.Second)
		if got := w.said(); got != "* opened, > hi, > one, > two, > three"+strings.Repeat(", < from act, < after 1", 3) || len(names) != 3 {
			t.Fatal(got, names)
		}
		w.replays()
	})
}

// TestLateAnswer: an answer to a call that is over changes nothing, nor does one that cannot be read.
func TestLateAnswer(t *testing.T) {
	inWorkingWorld(t, func(ctx context.Context, _ Request, _ func(CallResult) error) (CallResult, error) {
		<-ctx.Done()
		return CallResult{}, ctx.Err()
	}, func(w *world) {
		w.do("> go")
		<-time.After(6 * time.Second)
		before := w.count(chat.KindFlowStep)
		for _, line := range []string{`= {"id":"c4","score":1}`, `= {"id":"c4","score":1}`, `= {"id":"c99"}`, `= [1]`, `= {"id":7}`} {
			w.do(line)
		}
		synctest.Wait()
		if got := w.said(); got != "* opened, > hi, > go, < Broken." || w.count(chat.KindFlowStep) != before {
			t.Fatal(got)
		}
		w.replays()
	})
}

// TestTwoAnswers: of two answers to one call the first counts.
func TestTwoAnswers(t *testing.T) {
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		<-time.After(time.Second)
		return CallResult{Score: 0}, nil
	}, func(w *world) {
		w.do("> go")
		synctest.Wait()
		w.do(`= {"id":"c4","error":"from elsewhere"}`)
		<-time.After(time.Minute)
		if got := w.said(); got != "* opened, > hi, > go, < Broken." {
			t.Fatal(got)
		}
		w.replays()
	})
}

// TestStopWhileTheWorkerIsBusy: the program stops and cuts the call off; the next one makes it again, and the contact notices nothing.
func TestStopWhileTheWorkerIsBusy(t *testing.T) {
	calls := map[string]int{}
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		if calls[c.ID]++; c.Condition && calls[c.ID] == 1 {
			<-ctx.Done()
			return CallResult{}, ctx.Err()
		}
		return works(ctx, c, part)
	}, func(w *world) {
		w.put(strings.Replace(working, `"call_timeout":5`, `"call_timeout":600`, 1))
		w.do("@ closed")
		w.do("> hi")
		synctest.Wait()
		w.do("> go")
		synctest.Wait()
		w.reopen()
		<-time.After(time.Minute)
		if got := w.said(); !strings.HasSuffix(got, "> hi, > go, < from act, < after 1") {
			t.Fatal(got)
		}
		if n := w.count(chat.KindCallResult); n != 2 || len(calls) != 2 {
			t.Fatalf("%d results, calls %v", n, calls)
		}
		w.replays()
	})
}

// TestStopAfterTheAnswer stops the follower between a call and its result: the result is taken once.
func TestStopAfterTheAnswer(t *testing.T) {
	n := 0
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		n++
		return works(ctx, c, part)
	}, func(w *world) {
		w.stop()
		w.step = func(tx *store.Tx, e chat.Event) error {
			if e.Kind == chat.KindCallResult {
				return errors.New("stopped")
			}
			return w.r.step(tx, e)
		}
		w.start()
		w.do("> go")
		synctest.Wait()
		w.step = nil
		w.reopen()
		synctest.Wait()
		if got := w.said(); got != "* opened, > hi, > go, < from act, < after 1" || n != 2 {
			t.Fatal(got, n)
		}
		w.replays()
	})
}

// TestNobodyWaitsForTheAnswer: a conversation that was closed or taken over is not answered for, and its worker is not asked.
func TestNobodyWaitsForTheAnswer(t *testing.T) {
	for name, move := range map[string]string{"closed": "@ closed", "taken over": "@ assigned bob"} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			inWorld(t, working, func(w *world) {
				w.do("> hi")
				synctest.Wait()
				w.stop()
				ctx, cancel := context.WithCancel(w.t.Context())
				w.r = &Runner{Store: w.s}
				w.wg.Go(func() { _ = w.r.Run(ctx) }) // without calls
				w.do("> go")
				synctest.Wait()
				w.do(move)
				synctest.Wait()
				cancel()
				w.wg.Wait()
				w.call = func(context.Context, Request, func(CallResult) error) (CallResult, error) {
					asked++
					return CallResult{Score: 1}, nil
				}
				w.start()
				synctest.Wait()
				if asked > 0 || w.said() != "* opened, > hi, > go, "+move {
					t.Fatal(asked, w.said())
				}
				w.nothingAfterClose()
				w.replays()
			})
		})
	}
}

// TestConditionsSayNothing: what a worker says while it judges a condition is no answer; its score is.
func TestConditionsSayNothing(t *testing.T) {
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		if c.Condition {
			if err := part(CallResult{Messages: []chat.Message{chat.TextMessage("let me see")}}); err != nil {
				return CallResult{}, err
			}
		}
		return works(ctx, c, part)
	}, func(w *world) {
		w.do("> go")
		synctest.Wait()
		if got := w.said(); got != "* opened, > hi, > go, < from act, < after 1" {
			t.Fatal(got)
		}
		w.replays()
	})
}
