package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// greeter says hello, orders, hands over and closes.
const greeter = `{"states":[
	{"name":"start","initial":true,"events":[{"say":"Hello {{contact.name}}"}]},
	{"name":"order","events":[{"ask":{"text":"How many?","save_as":"n","type":"number","retry":"A number!","attempts":3}},{"say":"{{vars.n}} it is"}]},
	{"name":"person","events":[{"say":"Wait"},{"hand_over":{"note":"wants a person"}}]},
	{"name":"bye","events":[{"close":{"reason":"done"}}]}],
	"transitions":[
	{"dest":"order","conditions":[{"expr":"message.text == 'order'"}]},
	{"dest":"person","conditions":[{"expr":"message.text == 'person'"}]},
	{"dest":"bye","conditions":[{"expr":"message.text == 'bye'"}]}],
	"fallback":[{"say":"What?"}]}`

// silent has no words of its own for what it does not know.
const silent = `{"first_message":"evaluate","states":[{"name":"s","initial":true},{"name":"t","events":[{"set":{"x":1}}]}],
	"transitions":[{"dest":"t","conditions":[{"expr":"message.text == 'set'"}]},{"dest":"t","conditions":["asked"]}]}`

func TestConversations(t *testing.T) {
	evaluating := strings.Replace(greeter, `{"states"`, `{"first_message":"evaluate","states"`, 1)
	for name, c := range map[string]struct{ flow, script string }{
		"the greeting comes once": {greeter, `
			* opened
			> order
			< Hello Ann
			> order
			< How many?`},
		"the first message is taken up": {evaluating, `
			* opened
			> order
			< Hello Ann
			< How many?`},
		"the flow's own fallback": {greeter, `
			* opened
			> hi
			< Hello Ann
			> hm
			< What?`},
		"a question is repeated": {greeter, `
			* opened
			> hi
			< Hello Ann
			> order
			< How many?
			> x
			< A number!
			> y
			< A number!
			> 3
			< 3 it is`},
		"a person has it, the flow is silent, and it goes on where it was": {greeter, `
			* opened
			> hi
			< Hello Ann
			> order
			< How many?
			> 2
			< 2 it is
			> person
			< Wait
			* queued desk: wants a person
			> order
			@ assigned bob
			> order
			@ bot
			> order
			< How many?`},
		"given back to another flow's version": {greeter, `
			* opened
			> hi
			< Hello Ann
			@ queued desk
			@ bot f@1
			> hm
			< What?`},
		"what comes after the end begins anew": {greeter, `
			* opened
			> hi
			< Hello Ann
			> bye
			* closed done
			* opened
			> order
			< Hello Ann`},
		"an agent ends it": {greeter, `
			* opened
			> hi
			< Hello Ann
			> order
			< How many?
			@ closed
			* opened
			> 5
			< Hello Ann`},
		"nobody works": {strings.Replace(silent, `"states"`, `"error":"Broken.","states"`, 1), `
			* opened
			> hi
			? asked
			= {"id":"c2","error":"no worker offers asked","last":true}
			< Broken.`},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, c.flow, func(w *world) {
				w.talk(c.script)
				w.replays()
			})
		})
	}
}

// TestRunnersFallback is about messages that the flow has no answer for, nor words: then the hub's are said.
func TestRunnersFallback(t *testing.T) {
	inWorld(t, silent, func(w *world) {
		w.stop()
		w.hub, w.call = "Sorry?", func(context.Context, Request, func(CallResult) error) (CallResult, error) { return CallResult{}, nil }
		w.start()
		w.talk(`
			* opened
			> hi
			? asked
			= {"id":"c2","last":true}
			< Sorry?
			> set
			? asked
			= {"id":"c9","last":true}`)
		w.replays()
	})
	mute := strings.Replace(silent, `"states"`, `"fallback":[{"set":{"y":1}}],"states"`, 1)
	inWorld(t, mute, func(w *world) {
		w.stop()
		w.hub, w.call = "Sorry?", func(context.Context, Request, func(CallResult) error) (CallResult, error) { return CallResult{}, nil }
		w.start()
		w.talk(`
			* opened
			> hi
			? asked
			= {"id":"c2","last":true}`)
	})
}

// TestLinkedConversations: the one that follows knows the one that went before.
func TestLinkedConversations(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		w.do("> hi")
		synctest.Wait()
		first := w.conv()
		w.do("@ closed")
		w.do("> hi")
		synctest.Wait()
		if second := w.conv(); second.ID == first.ID || second.Previous != first.ID || second.State != chat.StateBot {
			t.Fatalf("%+v after %s", second, first.ID)
		}
	})
}

// TestRestarts stops the program after everything that happens.
func TestRestarts(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		for _, line := range []string{"> hi", "> order", "> x", "> y", "> 3", "> order", "> 1", "> person", "@ bot", "> bye"} {
			w.do(line)
			w.reopen() // some of it may be done by now, or nothing
			synctest.Wait()
			w.reopen()
		}
		synctest.Wait()
		w.is(`
			* opened
			> hi
			< Hello Ann
			> order
			< How many?
			> x
			< A number!
			> y
			< A number!
			> 3
			< 3 it is
			> order
			< How many?
			> 1
			< 1 it is
			> person
			< Wait
			* queued desk: wants a person
			@ bot
			> bye
			* closed done`)
		w.replays()
	})
}

// TestCrashes lets each step fail once after it has done everything: nothing is done twice.
func TestCrashes(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		w.stop()
		failed := map[int64]bool{}
		w.step = func(tx *store.Tx, e chat.Event) error {
			err := w.r.step(tx, e)
			if !failed[e.Pos] {
				failed[e.Pos] = true
				panic("crash")
			}
			return err
		}
		w.start()
		for _, line := range []string{"> hi", "> order", "> x", "> 3", "> person"} {
			w.do(line)
			<-time.After(time.Minute)
		}
		w.is(`
			* opened
			> hi
			< Hello Ann
			> order
			< How many?
			> x
			< A number!
			> 3
			< 3 it is
			> person
			< Wait
			* queued desk: wants a person`)
		w.replays()
	})
}

// TestPinned: an open conversation stays with its version, a new one takes the newest, and who is given another begins anew.
func TestPinned(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		w.do("> hi")
		synctest.Wait()
		w.do("> order")
		synctest.Wait()
		w.put(strings.Replace(greeter, "Hello", "Welcome", 1))
		w.put(`{"states":[{"name":"only","initial":true,"events":[{"say":"Good day"}]}]}`)
		w.reopen()
		for _, line := range []string{"> 7", "> bye", "> hi", "> order", "@ bot f@2", "> order", "@ bot f", "> 1", "@ bot g"} {
			w.do(line)
			synctest.Wait()
		}
		w.is(`
			* opened
			> hi
			< Hello Ann
			> order
			< How many?
			> 7
			< 7 it is
			> bye
			* closed done
			* opened
			> hi
			< Good day
			> order
			@ bot f@2
			< Welcome Ann
			> order
			< How many?
			@ bot f@0
			> 1
			< 1 it is
			@ bot g@0
			* queued desk: flow g version 0 cannot run`)
		w.replays()
	})
}

// TestNewestIsPinned: who is given a flow without a version has the newest of that moment, for good.
func TestNewestIsPinned(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		_, err := w.s.PutFlow(w.t.Context(), w.ws, "g", json.RawMessage(silent))
		w.must(err)
		w.do("> hi")
		synctest.Wait()
		w.do("@ bot g")
		synctest.Wait()
		_, err = w.s.PutFlow(w.t.Context(), w.ws, "g", json.RawMessage(greeter))
		w.must(err)
		w.reopen()
		w.do("> bye")
		synctest.Wait()
		if steps := w.replay(""); steps[len(steps)-1].Version != 1 {
			t.Fatalf("version %d", steps[len(steps)-1].Version)
		}
		w.replays()
	})
}

// TestFlowThatCannotRun: people get the conversation, with the reason.
func TestFlowThatCannotRun(t *testing.T) {
	inWorld(t, `{"states":"none"}`, func(w *world) {
		w.talk(`
			* opened
			> hi
			* queued desk: flow f version 1 cannot run
			> hallo
			@ bot f@1
			* queued desk: flow f version 1 cannot run`)
		if steps := w.replay(""); len(steps) != 0 {
			t.Fatalf("%d steps without a flow", len(steps))
		}
	})
}

// TestParked: a conversation whose step breaks down does not hold up the others.
func TestParked(t *testing.T) {
	for name, breakDown := range map[string]func() error{
		"panic": func() error { panic("broken") },
		"error": func() error { return errors.New("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, greeter, func(w *world) {
				w.stop()
				w.step = func(tx *store.Tx, e chat.Event) error {
					if e.Kind == chat.KindMessage && e.Message.Text() == "break" {
						return breakDown()
					}
					return w.r.step(tx, e)
				}
				w.start()
				w.do("> hi")
				synctest.Wait()
				w.do("> break")
				w.to = "bea"
				w.do("> hi")
				<-time.After(time.Minute)
				w.do("> hm")
				synctest.Wait()
				w.to = "ann"
				w.do("> order")
				synctest.Wait()
				w.is(`
					* opened
					> hi
					< Hello Ann
					> break
					* opened
					> hi
					< Hello Ann
					> hm
					< What?
					> order
					< How many?`)
				letters, _, err := w.s.DeadLetters(w.t.Context(), w.ws, "", 10)
				w.must(err)
				if len(letters) != 1 || letters[0].Event.Message.Text() != "break" || letters[0].Work != Name {
					t.Fatalf("dead letters %+v", letters)
				}
			})
		})
	}
}

// TestActions: everything that follows from one message carries its action.
func TestActions(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		w.talk("* opened\n> hi\n< Hello Ann\n> person\n< Wait\n* queued desk: wants a person")
		for _, e := range w.events() {
			if want := map[bool]chat.ActionID{true: "a1", false: "a2"}[e.Pos <= 4]; e.Action != want {
				t.Errorf("%s at %d has action %s, want %s", e.Kind, e.Pos, e.Action, want)
			}
		}
	})
}

// TestRecords looks at what a flow step carries: the facts when they are new, and nothing that was known before.
func TestRecords(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		w.do("> hi")
		synctest.Wait()
		w.do("> hm")
		synctest.Wait()
		w.name = "Ann Lee"
		w.do("> order")
		synctest.Wait()
		var names []string
		for _, e := range w.events() {
			if e.Kind != chat.KindFlowStep {
				continue
			}
			var rec Record
			w.must(json.Unmarshal(e.Data, &rec))
			name := ""
			if rec.Facts != nil {
				name = rec.Facts.Contact.Name
			}
			names = append(names, fmt.Sprintf("%s@%d %s %d %s", rec.Flow, rec.Version, rec.Trace.Kind, rec.Trace.Pos, name))
			if e.Sender == nil || e.Sender.Type != chat.PartyBot {
				t.Errorf("sender %v", e.Sender)
			}
		}
		want := "f@1 opened 1 Ann,f@1 message 5 ,f@1 message 8 Ann Lee"
		if got := strings.Join(names, ","); got != want {
			t.Fatalf("steps %s, want %s", got, want)
		}
		w.replays()
	})
}
