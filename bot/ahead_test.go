package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// calls counts calls by what is called and the first call of the turn.
type calls struct {
	mu   sync.Mutex
	list []string
	made map[string]int
}

func (c *calls) add(r Request) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[string]int{}
	}
	turn, _, _ := strings.Cut(r.ID, ".")
	c.list = append(c.list, r.Name)
	c.made[r.Name+" "+turn]++
	return c.made[r.Name+" "+turn]
}

func (c *calls) once(t testing.TB) {
	t.Helper()
	for id, n := range c.made {
		if n != 1 {
			t.Errorf("%s was called %d times", id, n)
		}
	}
}

// results are the results in the log, in order, as far as they tell of what was done ahead.
func (w *world) results() (out []CallResult) {
	w.t.Helper()
	for _, e := range w.events() {
		var r CallResult
		if e.Kind == chat.KindCallResult && json.Unmarshal(e.Data, &r) == nil {
			out = append(out, r)
		}
	}
	return out
}

// judging asks for three conditions before the event.
const judging = `{"error":"Broken.","call_timeout":5,"states":[{"name":"s","initial":true},{"name":"t","events":["act","more",{"say":"after"}]}],
	"transitions":[{"dest":"t","conditions":["one","two"],"unless":["three"]}]}`

// TestConditionsWaitForNoCommit: what comes of a turn's conditions is stored together with the event's answer.
func TestConditionsWaitForNoCommit(t *testing.T) {
	var made calls
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		made.add(c)
		if c.Name == "three" {
			return CallResult{}, nil
		}
		return works(ctx, c, part)
	}, func(w *world) {
		w.put(judging)
		w.do("@ closed")
		w.do("> hi")
		synctest.Wait()
		w.do("> go")
		synctest.Wait()
		if got := w.said(); !strings.HasSuffix(got, "> go, < from act, < from more, < after") {
			t.Fatal(got)
		}
		if got := fmt.Sprint(made.list); got != "[one two three act more]" {
			t.Fatal(got)
		}
		made.once(t)
		results := w.results()
		for i, r := range results {
			if ahead := i < 3; r.Settled != ahead || ahead && results[i+1].ID != r.Next {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		w.replays()
	})
}

// TestSlowEventIsTakenOver: a condition's result is stored soon, whatever the event does; the event is called once, and its parts come.
func TestSlowEventIsTakenOver(t *testing.T) {
	for name, act := range map[string]func(ctx context.Context, part func(CallResult) error) error{
		"slow": func(ctx context.Context, _ func(CallResult) error) error {
			<-time.After(time.Second)
			return ctx.Err()
		},
		"in parts": func(_ context.Context, part func(CallResult) error) error {
			return part(CallResult{Messages: []chat.Message{chat.TextMessage("part")}})
		},
		"signs of life": func(_ context.Context, part func(CallResult) error) error {
			for range 8 { // longer than the call's time
				<-time.After(time.Second)
				if err := part(CallResult{}); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var made calls
			inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
				made.add(c)
				if !c.Condition {
					if err := act(ctx, part); err != nil {
						return CallResult{}, err
					}
				}
				return works(ctx, c, part)
			}, func(w *world) {
				w.do("> go")
				if name != "in parts" {
					<-time.After(100 * time.Millisecond)
					synctest.Wait()
					if n := len(w.results()); n != 1 {
						t.Fatalf("%d results while the event is under way", n)
					}
				}
				<-time.After(10 * time.Second)
				synctest.Wait()
				said := strings.ReplaceAll(w.said(), "< part, ", "")
				if said != "* opened, > hi, > go, < from act, < after 1" || strings.Contains(w.said(), "part") != (name == "in parts") {
					t.Fatal(w.said())
				}
				made.once(t)
				if r := w.results()[0]; r.Settled || r.Next != w.results()[1].ID {
					t.Fatalf("%+v", r)
				}
				w.replays()
			})
		})
	}
}

// TestAheadInVain: while the event is under way, ahead of the log, the conversation goes elsewhere, or back. Its answer counts for nothing.
func TestAheadInVain(t *testing.T) {
	for name, line := range map[string]string{"closed": "@ closed", "taken over": "@ assigned bob", "answered elsewhere": `= {"id":"c4","error":"no"}`} {
		t.Run(name, func(t *testing.T) {
			inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
				if !c.Condition {
					<-time.After(5 * time.Millisecond)
				}
				return works(ctx, c, part)
			}, func(w *world) {
				w.do("> go")
				<-time.After(time.Millisecond)
				w.do(line)
				<-time.After(10 * time.Second)
				synctest.Wait()
				if got := w.said(); strings.Contains(got, "from act") {
					t.Fatal(got)
				}
				w.replays()
			})
		})
	}
}

// TestStopAhead: the program stops while the event is under way. It is called again with the same ID, and the condition is not asked again
// when its result was stored.
func TestStopAhead(t *testing.T) {
	for name, after := range map[string]time.Duration{"before the condition is stored": time.Millisecond, "behind": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			var made calls
			inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
				if made.add(c) == 1 && !c.Condition {
					<-ctx.Done()
					return CallResult{}, ctx.Err()
				}
				return works(ctx, c, part)
			}, func(w *world) {
				w.do("> go")
				<-time.After(after)
				w.reopen()
				<-time.After(time.Minute)
				if got := w.said(); got != "* opened, > hi, > go, < from act, < after 1" {
					t.Fatal(got)
				}
				if len(made.made) != 2 || len(made.list) != 3 {
					t.Fatal(made.list, made.made)
				}
				w.replays()
			})
		})
	}
}

// TestUnforeseen: when it comes to the step and it decides otherwise than foreseen, what it decides is done, and the other answer is dropped.
func TestUnforeseen(t *testing.T) {
	var made calls
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		made.add(c)
		return works(ctx, c, part)
	}, func(w *world) {
		w.stop()
		w.step = func(tx *store.Tx, e chat.Event) error {
			if e.Kind != chat.KindCallResult || len(w.results()) > 2 {
				return w.r.step(tx, e)
			}
			e.Data = json.RawMessage(strings.Replace(string(e.Data), `"score":1`, `"score":0`, 1))
			return w.r.step(tx, e)
		}
		w.start()
		w.do("> go")
		synctest.Wait()
		if got := w.said(); got != "* opened, > hi, > go, < What?" {
			t.Fatal(got)
		}
	})
}

// inWorldAlong runs a test with a worker where the flow's steps are part of the transactions that append, in a conversation whose calls are
// made here.
func inWorldAlong(t *testing.T, call Caller, test func(w *world)) {
	t.Helper()
	inWorld(t, working, func(w *world) {
		w.stop()
		w.call, w.along = call, true
		w.start()
		for _, line := range []string{"> hi", "> first"} {
			synctest.Wait()
			w.do(line)
		}
		<-time.After(time.Second)
		synctest.Wait()
		test(w)
	})
}

// TestAskedWhileItIsCommitted: a condition is asked once, with the message at hand; who cannot take it so early is asked again.
func TestAskedWhileItIsCommitted(t *testing.T) {
	for _, able := range []bool{true, false} {
		t.Run(fmt.Sprint("able ", able), func(t *testing.T) {
			var made calls
			var early atomic.Int64
			inWorldAlong(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
				if c.Fresh != nil {
					early.Add(1)
					if c.Fresh.Message.Text() != "go" || c.Fresh.Conversation != c.Conversation.ID || !strings.HasPrefix(c.ID, fmt.Sprint("c", c.Fresh.Pos, ".")) {
						t.Errorf("asked %s early about %+v", c.ID, c.Fresh)
					}
					if !able {
						return CallResult{}, ErrTooEarly
					}
				}
				made.add(c)
				return works(ctx, c, part)
			}, func(w *world) {
				w.do("> go")
				synctest.Wait()
				if got := w.said(); got != "* opened, > hi, > first, < from act, < after 1, > go, < from act, < after 1" || early.Load() != 1 {
					t.Fatal(got, early.Load())
				}
				made.once(t)
				w.replays()
			})
		})
	}
}

// TestAskedForNothing: the transaction in which a condition was asked is undone, and done again in another way. No answer goes astray.
func TestAskedForNothing(t *testing.T) {
	inWorldAlong(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		<-time.After(5 * time.Millisecond)
		if c.Condition {
			return CallResult{Score: 1}, nil
		}
		return CallResult{Messages: []chat.Message{chat.TextMessage("from act")}, Vars: Values{"n": 1}}, nil
	}, func(w *world) {
		ctx, cancel := context.WithCancel(w.t.Context())
		w.wg.Go(func() {
			_ = w.s.FollowAlong(ctx, "sour", func(tx *store.Tx, e chat.Event) error {
				if tx.Along() && e.Message != nil && e.Message.Text() == "go" {
					return errors.New("planted")
				}
				return nil
			})
		})
		for range 3 {
			synctest.Wait()
			<-time.After(time.Second)
			w.do("> go")
		}
		<-time.After(time.Minute)
		cancel()
		if got := w.said(); got != "* opened, > hi, > first"+strings.Repeat(", < from act, < after 1, > go", 3)+", < from act, < after 1" {
			t.Fatal(got)
		}
		w.replays()
	})
}

// TestAskedAboutAnother: a message about which a condition was asked is never stored, and another one gets its position. The answer is not its.
func TestAskedAboutAnother(t *testing.T) {
	inWorldAlong(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		if c.Fresh != nil && c.Fresh.Message.Text() == "lost" {
			return CallResult{}, nil // a score of 0
		}
		return works(ctx, c, part)
	}, func(w *world) {
		w.stop()
		w.step = func(tx *store.Tx, e chat.Event) error {
			if !tx.Along() || e.Message == nil || e.Message.Text() != "other" {
				return w.r.step(tx, e)
			}
			lost, m := e, chat.TextMessage("lost")
			lost.Message, lost.At = &m, e.At.Add(-time.Second)
			return errors.Join(w.r.step(tx, lost), errors.New("the connection broke"))
		}
		w.start()
		for _, line := range []string{"> again", "> other"} {
			synctest.Wait()
			w.do(line)
		}
		<-time.After(time.Second)
		synctest.Wait()
		if got := w.said(); got != "* opened, > hi, > first, < from act, < after 1, > again, < from act, < after 1, > other, < from act, < after 1" {
			t.Fatal(got)
		}
		w.replays()
	})
}

// pace is how a worker and a writer behave.
type pace struct {
	took    []time.Duration // by calls
	fails   int             // every so many calls; 3 or less: never
	pauses  []time.Duration // behind messages
	restart int             // before this message
	along   bool
}

func drawPace(t *rapid.T) pace {
	took := []time.Duration{0, 0, 0, time.Millisecond, 9 * time.Millisecond, 11 * time.Millisecond, time.Second}
	pauses := []time.Duration{0, time.Millisecond, 10 * time.Millisecond, 3 * time.Second}
	return pace{
		took: rapid.SliceOfN(rapid.SampledFrom(took), 1, 10).Draw(t, "took"), fails: rapid.IntRange(1, 12).Draw(t, "fails"),
		pauses:  rapid.SliceOfN(rapid.SampledFrom(pauses), 1, 6).Draw(t, "pauses"),
		restart: rapid.IntRange(0, 8).Draw(t, "restart"), along: rapid.Bool().Draw(t, "along"),
	}
}

// TestAheadAtAnyPace lets somebody write at any time while the worker takes any time and fails now and then: each message is answered once,
// without a restart by one call of each function, and the log replays.
func TestAheadAtAnyPace(t *testing.T) {
	for seed := range 25 {
		p := rapid.Custom(drawPace).Example(seed)
		inWorld(t, judging, func(w *world) { p.run(w) })
	}
}

func (p pace) run(w *world) {
	w.stop()
	w.along = p.along
	var made calls
	w.call = p.worker(&made)
	w.start()
	w.do("> hi")
	synctest.Wait()
	for i, pause := range p.pauses {
		if i == p.restart {
			w.reopen()
		}
		w.do(fmt.Sprint("> ", i))
		<-time.After(pause)
	}
	<-time.After(5 * time.Minute)
	synctest.Wait()
	if n := strings.Count(w.said(), "< after") + strings.Count(w.said(), "< Broken."); n != len(p.pauses) {
		w.t.Fatalf("%+v: %d answers to %d messages: %s", p, n, len(p.pauses), w.said())
	}
	if p.restart >= len(p.pauses) {
		made.once(w.t)
	}
	w.replays()
}

func (p pace) worker(made *calls) Caller {
	var n atomic.Int64
	return func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		i := int(n.Add(1))
		select {
		case <-time.After(p.took[i%len(p.took)]):
		case <-ctx.Done():
			return CallResult{}, ctx.Err()
		}
		made.add(c)
		switch {
		case p.fails > 3 && i%p.fails == 0:
			return CallResult{}, errors.New("planted")
		case c.Name == "three":
			return CallResult{}, nil
		default:
			return works(ctx, c, part)
		}
	}
}
