package rpc

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// frail is parcel with words for a turn that fails; its worker has all the time.
const frail = `{"call_timeout":600,"error":"Broken.",` + parcelRest

// TestSticky: a conversation stays with its worker, others go to others, and all move on when a worker leaves.
func TestSticky(t *testing.T) {
	w := newWorld(t)
	workers := []*standin{w.parcelWorker(), w.parcelWorker(), w.parcelWorker()}
	for _, s := range workers {
		s.connect()
	}
	ch := w.channel("parcel_fsm")
	const people = 6
	talk := func(round int) {
		for i := range people {
			who := fmt.Sprint("p", i)
			w.write(ch, who, fmt.Sprint("m", round))
			w.until("answered", func() bool { return strings.Count(w.said(ch, who), "< ") == round })
		}
	}
	talk(1) // the greeting
	talk(2)
	talk(3)
	for i, s := range workers {
		if n := len(s.calls()); n != people/len(workers)*5 {
			t.Errorf("worker %d had %d calls: %v", i, n, s.calls())
		}
	}
	workers[0].die()
	w.until("it left", func() bool { return len(w.server.pool.list(w.ws)) == 2 })
	talk(4)
	talk(5)
}

// TestVersions: conversations go to workers of their version while there are such, and to any other of the flow when not.
func TestVersions(t *testing.T) {
	w := newWorld(t)
	before := w.parcelWorker().connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	after := w.parcelWorker()
	after.overwrite, after.definition = true, frail
	after.functions["send_greeting"] = []function{{single: "Hi!"}}
	after.connect()
	w.write(ch, "bob", "hi")
	w.hears(ch, "bob", "> hi, < Hi!")
	w.write(ch, "ann", "one")
	w.hears(ch, "ann", "> hi, < Hello!, > one, < You said one.")
	if n := len(before.calls()); n != 3 {
		t.Error(before.calls())
	}
	before.die()
	w.until("it left", func() bool { return len(w.server.pool.list(w.ws)) == 1 })
	w.write(ch, "ann", "two")
	w.hears(ch, "ann", "> hi, < Hello!, > one, < You said one., > two, < You said two.")
	w.replays(w.conversation(ch, "ann"))
}

// TestGrace: a call waits for a worker to come, and ends when none does.
func TestGrace(t *testing.T) {
	t.Parallel() // it waits for the end of a second
	w := newWorld(t)
	s := w.parcelWorker()
	s.definition = frail
	s.connect()
	ch := w.channel("parcel_fsm")
	s.die()
	w.until("it left", func() bool { return !w.server.Connected(w.ws, "parcel_fsm") })
	w.write(ch, "ann", "hi")
	w.until("called", func() bool {
		return w.conversation(ch, "ann") != "" && slices.ContainsFunc(w.events(w.conversation(ch, "ann")), func(e chat.Event) bool { return e.Kind == chat.KindCall })
	})
	s = w.parcelWorker()
	s.definition = frail
	s.connect()
	w.hears(ch, "ann", "> hi, < Hello!")

	hasty := w.parcelWorker()
	hasty.name, hasty.definition = "hasty", `{"call_timeout":1,"error":"Broken.",`+parcelRest
	hasty.connect().die()
	w.until("it left too", func() bool { return !w.server.Connected(w.ws, "hasty") })
	ch = w.channel("hasty")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Broken.")
	if got := w.failure(ch, "ann"); got != "flow hasty: no worker is connected" {
		t.Error(got)
	}
	w.replays(w.conversation(ch, "ann"))
}

// failure is the error of the newest call.
func (w *world) failure(ch chat.ChannelID, from string) string {
	w.t.Helper()
	var r struct{ Error string }
	for _, e := range w.events(w.conversation(ch, from)) {
		if e.Kind == chat.KindCallResult {
			w.must(json.Unmarshal(e.Data, &r))
		}
	}
	return r.Error
}

// TestKilledWorker: a worker dies while it works. Before anything was seen of its answer another one does the work; afterwards what
// was seen stays, and the turn ends with the flow's words.
func TestKilledWorker(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(s *standin, die func())
		want  string
		calls int // of the other worker
	}{
		{"in a condition", func(s *standin, die func()) {
			s.functions["says_bye"] = []function{{condition: func(sdkContext) (float64, any) { die(); return 1, nil }}}
		}, "< You said one.", 2},
		{"before the first delta", func(s *standin, die func()) {
			s.functions["send_answer"] = []function{{event: func(t *sdkTurn) { die(); t.fail() }}}
		}, "< You said one.", 1},
		{"after the first delta", func(s *standin, die func()) {
			s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
				t.delta("x", "You sa", false)
				s.w.untilDraft("You sa")
				die()
				t.fail()
			}}}
		}, "< You sa, < Broken.", 0},
		{"after the first message", func(s *standin, die func()) {
			s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
				t.say("First.")
				s.w.until("stored", func() bool { return strings.Contains(s.w.said(s.w.channel("parcel_fsm"), "ann"), "First.") })
				die()
				t.fail()
			}}}
		}, "< First., < Broken.", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			first := w.parcelWorker()
			first.definition = frail
			first.connect()
			ch := w.channel("parcel_fsm")
			w.write(ch, "ann", "hi")
			w.hears(ch, "ann", "> hi, < Hello!")
			c.spoil(first, func() {
				first.cancel()
				first.breakOff()
			})
			second := w.parcelWorker()
			second.definition = frail
			second.connect()
			w.write(ch, "ann", "one")
			w.hears(ch, "ann", "> hi, < Hello!, > one, "+c.want)
			if n := len(second.calls()); n != c.calls {
				t.Errorf("the other one was called for %v", second.calls())
			}
			w.write(ch, "ann", "two") // the conversation goes on
			w.until("answered", func() bool { return strings.HasSuffix(w.said(ch, "ann"), "< You said two.") })
			w.replays(w.conversation(ch, "ann"))
		})
	}
}

// untilDraft waits for a draft; it has to be shown after the call.
func (w *world) untilDraft(text string) {
	news := w.bus.Subscribe()
	defer news.Close()
	w.until("draft", func() bool {
		for _, d := range news.Take().Drafts {
			if d.Message.Text() == text {
				return true
			}
		}
		for _, c := range w.underWay() {
			c.mu.Lock()
			shown := c.answer.open != nil && !c.grown
			c.mu.Unlock()
			if shown {
				return true
			}
		}
		return false
	})
}

// underWay are all calls that workers have.
func (w *world) underWay() (calls []*call) {
	p := w.server.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		for _, c := range m.calls {
			calls = append(calls, c)
		}
	}
	return calls
}

// TestPoison: a call that kills every worker that takes it ends.
func TestPoison(t *testing.T) {
	w := newWorld(t)
	for range maxAttempts + 1 {
		s := w.parcelWorker()
		s.definition = frail
		s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
			s.cancel()
			s.breakOff()
			t.fail()
		}}}
		s.connect()
	}
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	w.write(ch, "ann", "one")
	w.hears(ch, "ann", "> hi, < Hello!, > one, < Broken.")
	if n := len(w.server.pool.list(w.ws)); n != 1 {
		t.Errorf("%d workers are left", n)
	}
}

// TestSilence: a function that fails says nothing, as in the SDK. The turn ends, what was seen of it stays, and what comes
// later changes nothing.
func TestSilence(t *testing.T) {
	t.Parallel() // its time is so long that a busy machine gives its sign of life within it
	w := newWorld(t)
	s := w.parcelWorker()
	s.definition = `{"call_timeout":6,"error":"Broken.",` + parcelRest
	turns := make(chan *sdkTurn, 1)
	s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
		t.delta("x", "Hm", false)
		t.fail()
		turns <- t
	}}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	w.write(ch, "ann", "one")
	w.hears(ch, "ann", "> hi, < Hello!, > one, < Hm, < Broken.")
	if got := w.failure(ch, "ann"); got != "timeout" {
		t.Error(got)
	}
	late := <-turns
	late.delta("x", "late", true)
	w.until("dropped", func() bool { return w.server.Dropped() == 1 })
	w.hears(ch, "ann", "> hi, < Hello!, > one, < Hm, < Broken.")
	w.replays(w.conversation(ch, "ann"))
}

// TestSlowStream: a worker may take longer than its time as long as it gives signs of life.
func TestSlowStream(t *testing.T) {
	t.Parallel() // its time is so long that a busy machine gives the next sign of life within it
	w := newWorld(t)
	s := w.parcelWorker()
	const limit = 5
	s.definition = fmt.Sprintf(`{"call_timeout":%d,`, limit) + parcelRest
	s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
		for begun := time.Now(); time.Since(begun) < limit*time.Second; w.pause(300) {
			t.delta("x", ".", false)
		}
		t.delta("x", "!", true)
	}}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	w.write(ch, "ann", "one")
	w.until("it was written to its end", func() bool {
		return regexp.MustCompile(`^> hi, < Hello!, > one, < \.+!$`).MatchString(w.said(ch, "ann"))
	})
}

// TestOddWorkers: what clients do that are not the SDK of today.
func TestOddWorkers(t *testing.T) {
	t.Run("no echo", func(t *testing.T) {
		w := newWorld(t)
		s := w.parcelWorker()
		s.mute = true
		s.connect()
		ch := w.channel("parcel_fsm")
		w.write(ch, "ann", "hi")
		w.hears(ch, "ann", "> hi, < Hello!")
		w.write(ch, "ann", "one")
		w.hears(ch, "ann", "> hi, < Hello!, > one, < You said one.")
	})
	t.Run("several functions of one name", func(t *testing.T) {
		w := newWorld(t)
		s := w.parcelWorker()
		s.functions["send_greeting"] = []function{{single: "One."}, {event: func(t *sdkTurn) { t.say("Two."); t.say("Three.") }}, {single: "Four."}}
		s.connect()
		ch := w.channel("parcel_fsm")
		w.write(ch, "ann", "hi")
		w.hears(ch, "ann", "> hi, < One., < Two., < Three., < Four.")
	})
	t.Run("a stream that is cut after its first chunk", func(t *testing.T) {
		t.Parallel() // the hub waits for more
		w := newWorld(t)
		s := w.parcelWorker()
		s.functions["send_greeting"] = []function{{event: func(t *sdkTurn) {
			t.send("action", "x", []any{s.layer("message_chunk", true, map[string]any{"content": "He"})}, false, true)
			t.fail()
		}}}
		s.connect()
		ch := w.channel("parcel_fsm")
		w.write(ch, "ann", "hi")
		w.hears(ch, "ann", "> hi, < He")
	})
	t.Run("every chunk of the last bubble is the last frame", func(t *testing.T) {
		w := newWorld(t)
		s := w.parcelWorker()
		s.functions["send_greeting"] = []function{{event: func(t *sdkTurn) {
			for i, text := range []string{"He", "ll", "o!"} {
				t.send("action", "x", []any{s.layer("message_chunk", true, map[string]any{"content": text})}, i == 2, true)
				w.pause(50)
			}
			t.fail()
		}}}
		s.connect()
		ch := w.channel("parcel_fsm")
		w.write(ch, "ann", "hi")
		w.hears(ch, "ann", "> hi, < Hello!")
		w.replays(w.conversation(ch, "ann"))
	})
	t.Run("malformed", func(t *testing.T) {
		w := newWorld(t)
		s := w.parcelWorker()
		s.definition = frail
		s.functions["send_greeting"] = []function{{event: func(t *sdkTurn) { t.send("condition", 0, []any{}, true, true); t.fail() }}}
		s.functions["says_bye"] = []function{{event: func(t *sdkTurn) { t.send("condition", 0, []any{map[string]any{"score": "high"}}, true, true); t.fail() }}}
		s.connect()
		ch := w.channel("parcel_fsm")
		w.write(ch, "ann", "hi")
		w.hears(ch, "ann", "> hi, < Broken.")
		w.write(ch, "ann", "one")
		w.hears(ch, "ann", "> hi, < Broken., > one, < Broken.")
		w.until("complaints", func() bool { return len(s.errors()) == 2 })
		if errs := s.errors(); !strings.Contains(errs[0], `"payload":{"node_type":["The call is for an event."]}`) || !strings.Contains(errs[1], "A valid number is required.") {
			t.Error(errs)
		}
		if got := w.failure(ch, "ann"); !strings.Contains(got, errWrong.Error()) {
			t.Error(got)
		}
	})
}

// TestLongConversation: a conversation that is too large for a frame is cut in its middle.
func TestLongConversation(t *testing.T) {
	w := newWorld(t)
	s := w.parcelWorker()
	s.mute = true // what it sends back is not looked at
	var cut atomic.Int64
	said := make(chan struct{}, 10)
	s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
		m := t.Context.Messages
		if len(m) > 1 && m[1].ID > m[0].ID+10 {
			cut.Add(1)
		}
		if first := string(m[0].Stack[0].Payload); !strings.Contains(first, `"start"`) {
			w.t.Errorf("the first message is %s", first)
		}
		t.say("ok")
		said <- struct{}{}
	}}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "start")
	for i := range 7 {
		w.write(ch, "ann", fmt.Sprint(i)+strings.Repeat("é", 100_000))
		w.until("answered", func() bool { return len(said) > i })
	}
	w.until("all is over", func() bool { return strings.Count(w.said(ch, "ann"), "< ok") == 7 && len(w.underWay()) == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.largest > 1_000_000 || s.largest < 800_000 || cut.Load() == 0 || len(s.frames) > 0 {
		t.Errorf("frames of up to %d bytes, %d cut, complaints %v", s.largest, cut.Load(), s.frames)
	}
}

// TestManyCalls has more calls under way at the same time than one worker may have, at four of them.
func TestManyCalls(t *testing.T) {
	w := newWorld(t)
	const people = 400
	if people <= w.server.Limits.Calls {
		t.Fatal("one worker would do")
	}
	gate, waiting := make(chan struct{}), make(chan struct{}, people)
	for range 4 {
		s := w.parcelWorker()
		s.definition = `{"call_timeout":600,` + parcelRest
		s.functions["send_greeting"] = []function{{event: func(t *sdkTurn) {
			waiting <- struct{}{}
			<-gate
			t.say("Hello " + t.Context.User)
		}}}
		s.connect()
	}
	channels := []chat.ChannelID{w.channel("parcel_fsm"), w.addChannel("parcel_fsm")}
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() { w.write(channels[i%len(channels)], fmt.Sprint("p", i), "hi") })
	}
	wg.Wait()
	w.until("all are called", func() bool { return len(waiting) == people })
	if n := len(w.underWay()); n != people {
		t.Errorf("%d calls under way", n)
	}
	close(gate)
	for i := range people {
		who := fmt.Sprint("p", i)
		w.hears(channels[i%len(channels)], who, "> hi, < Hello "+who)
	}
	w.until("all are over", func() bool { return len(w.underWay()) == 0 })
	if n := w.server.Dropped(); n != 0 {
		t.Errorf("%d results dropped", n)
	}
}
