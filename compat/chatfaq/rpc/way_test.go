package rpc

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// parcel is the definition of the reference, as the SDK sends it.
const parcel = "{" + parcelRest

const parcelRest = `"states": [
   {"name": "Greeting", "initial": true,  "events": ["send_greeting"]},
   {"name": "Answer",   "initial": false, "events": ["send_answer"]},
   {"name": "Bye",      "initial": false, "events": ["send_bye"]}],
 "transitions": [
   {"dest": "Bye", "conditions": ["says_bye"], "unless": []},
   {"source": "Greeting", "dest": "Answer", "conditions": [], "unless": ["says_bye"]},
   {"source": "Answer",   "dest": "Answer", "conditions": [], "unless": ["says_bye"]}]}`

// parcelWorker runs it.
func (w *world) parcelWorker() *standin {
	return &standin{t: w.t, w: w, name: "parcel_fsm", definition: parcel, functions: map[string][]function{
		"send_greeting": {{event: func(t *sdkTurn) { t.say("Hello!") }}},
		"send_answer": {{event: func(t *sdkTurn) {
			id := chat.NewID()
			for _, delta := range []string{"You said ", t.Context.newest()} {
				t.delta(id, delta, false)
			}
			t.delta(id, ".", true)
		}}},
		"send_bye": {{single: "Bye."}},
		"says_bye": {says("bye")},
	}}
}

// TestWholeWay takes messages through conditions and events to stored answers, and replays the conversation.
func TestWholeWay(t *testing.T) {
	for name, dsn := range map[string]func(*testing.T) string{
		"sqlite": func(t *testing.T) string { return storetest.SQLite(t) }, "postgres": func(t *testing.T) string { return pgtest.Start(t) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, dsn(t))
			s := w.parcelWorker().connect()
			ch := w.channel("parcel_fsm")
			w.write(ch, "ann", "hi")
			w.hears(ch, "ann", "> hi, < Hello!")
			w.write(ch, "ann", "where is it?")
			w.hears(ch, "ann", "> hi, < Hello!, > where is it?, < You said where is it?.")
			w.write(ch, "ann", "bye")
			w.hears(ch, "ann", "> hi, < Hello!, > where is it?, < You said where is it?., > bye, < Bye.")
			id := w.conversation(ch, "ann")
			w.replays(id)
			if got := fmt.Sprint(s.calls()); got != "[send_greeting says_bye send_answer says_bye send_bye]" {
				t.Error(got)
			}
			if errs := s.errors(); len(errs) > 0 {
				t.Error(errs)
			}
			for _, e := range w.events(id) {
				if e.Kind == chat.KindMessage && e.Direction == chat.Out && (e.Message.Meta["stack_id"] == "" || e.Message.Meta["stack_group_id"] == "") {
					t.Errorf("message without ids: %+v", e.Message)
				}
			}
		})
	}
}

// TestContext looks at what a function is told.
func TestContext(t *testing.T) {
	w := newWorld(t)
	s := w.parcelWorker()
	seen := make(chan sdkContext, 10)
	s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
		seen <- t.Context
		t.status = map[string]any{"n": len(t.Context.Messages)}
		t.say("ok")
	}}}
	s.functions["says_bye"] = []function{{condition: func(sdkContext) (float64, any) { return 0, nil }}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	w.write(ch, "ann", "one")
	w.hears(ch, "ann", "> hi, < Hello!, > one, < ok")
	w.write(ch, "ann", "two")
	w.hears(ch, "ann", "> hi, < Hello!, > one, < ok, > two, < ok")
	one, two := <-seen, <-seen
	events := w.events(w.conversation(ch, "ann"))
	if one.Conversation.String() != fmt.Sprint(events[0].Pos) || one.User != "ann" || string(one.Metadata) != `{"lang":"en"}` {
		t.Errorf("%+v", one)
	}
	if one.newest() != "one" || two.newest() != "two" || len(one.Messages) != 3 || len(two.Messages) != 5 {
		t.Errorf("messages %+v, %+v", one.Messages, two.Messages)
	}
	if string(one.Status) != "{}" || string(two.Status) != `{"n":3}` || string(one.State) != "{}" || string(one.TransitionData) != "{}" {
		t.Errorf("status %s, %s, state %s, data %s", one.Status, two.Status, one.State, one.TransitionData)
	}
	if one.Channel == "" || one.Channel != two.Channel || one.CallID == two.CallID {
		t.Errorf("%q %q, %q %q", one.Channel, two.Channel, one.CallID, two.CallID)
	}
	human := one.Messages[2]
	if human.Sender.Type != "human" || human.Sender.ID != "ann" || human.Stack[0].Type != "message" {
		t.Errorf("%+v", human)
	}
}

// TestDrafts: what is still being written is shown, joined, and stored once.
func TestDrafts(t *testing.T) {
	w := newWorld(t)
	s := w.parcelWorker()
	gate := make(chan struct{})
	s.functions["send_answer"] = []function{{event: func(t *sdkTurn) {
		for _, delta := range []string{"a ", "b "} {
			t.delta("s1", delta, false)
			<-gate
		}
		t.delta("s1", "c", true)
		<-gate
		t.say("and more")
	}}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	news := w.bus.Subscribe()
	defer news.Close()
	w.write(ch, "ann", "go")
	for _, want := range []string{"a ", "a b "} {
		draft := ""
		w.until("draft "+want, func() bool {
			for _, d := range news.Take().Drafts {
				draft = d.ID + ": " + d.Message.Text()
			}
			return draft != ""
		})
		if draft != "s1: "+want {
			t.Fatalf("draft %q", draft)
		}
		gate <- struct{}{}
	}
	w.hears(ch, "ann", "> hi, < Hello!, > go, < a b c")
	gate <- struct{}{}
	w.hears(ch, "ann", "> hi, < Hello!, > go, < a b c, < and more")
	id := w.conversation(ch, "ann")
	for _, e := range w.events(id) {
		if e.Kind == chat.KindMessage && e.Message.Text() == "a b c" && !strings.Contains(string(e.Message.Stack[0].Payload), `"references"`) {
			t.Errorf("the last chunk's members are lost: %s", e.Message.Stack[0].Payload)
		}
	}
	w.replays(id)
}

// TestMessagesThatWait: a function is told of the message that its turn is about, not of those that came in meanwhile.
func TestMessagesThatWait(t *testing.T) {
	w := newWorld(t)
	s := w.parcelWorker()
	gate := make(chan struct{})
	s.functions["says_bye"] = []function{{condition: func(c sdkContext) (float64, any) {
		if c.newest() == "one" {
			<-gate
		}
		return 0, json.RawMessage("null")
	}}}
	s.connect()
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.hears(ch, "ann", "> hi, < Hello!")
	w.write(ch, "ann", "one")
	w.until("asked", func() bool { return len(s.calls()) == 2 })
	w.write(ch, "ann", "two")
	w.write(ch, "ann", "three")
	close(gate)
	w.hears(ch, "ann", "> hi, < Hello!, > one, > two, > three, < You said one., < You said two., < You said three.")
	w.replays(w.conversation(ch, "ann"))
}
