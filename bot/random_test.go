package bot

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

// Random flows and events. words are what contacts write and conditions look for.
var words = []string{"a", "b", "c", "", "1", "stop", "😀"}

var sources = []string{
	"message.text == 'a'", "message.text == 'b' ? 0.5 : 0", "0.25", "-1", "vars.n", "vars.n.deeper", "1 / 0",
	"len(message.text)", "vars.list[7]", "message.text in ['a', 'b']", "conversation.turns % 2 == 0", "nil",
	"message.payload", "data.why == 'x'", "data", "now.Hour()", "1..vars.n", "reduce(1..vars.n, #acc + #acc, 'xx')",
	"any(message.stack, .type == 'text')", "{'a': [vars]}", "message.meta.album", "toJSON(vars)", "0 / 0", "$env",
}

type object = map[string]any

func drawCondition(t *rapid.T) any {
	if rapid.IntRange(0, 3).Draw(t, "worker") == 0 {
		return rapid.SampledFrom([]string{"w1", "w2"}).Draw(t, "name")
	}
	return object{"expr": rapid.SampledFrom(sources[:len(sources)-1]).Draw(t, "expr")}
}

func drawAction(t *rapid.T, states []string, depth int) any {
	text := rapid.SampledFrom([]string{"hello", "{{message.text}}", "n={{vars.n}}", "{{vars.n.x}}", "{{toJSON(vars)}}", "{{contact.name}}", "{{message.text[0:1]}}"}).Draw(t, "text")
	state := object{"state": rapid.SampledFrom(states).Draw(t, "state")}
	switch rapid.IntRange(0, 12).Draw(t, "action") {
	case 0:
		return rapid.SampledFrom([]string{"e1", "e2"}).Draw(t, "event")
	case 1:
		return object{"set": object{"n": "{{(vars.n ?? 0) + 1}}", "big": object{"expr": "(vars.big ?? '') + message.text[0:1] + 'xxxx'"}}}
	case 2:
		ask := object{"text": text, "save_as": "n", "type": rapid.SampledFrom([]string{"text", "number", "date"}).Draw(t, "type")}
		if rapid.Bool().Draw(t, "otherwise") {
			ask["otherwise"], ask["attempts"] = state["state"], 1
		}
		return object{"ask": ask}
	case 3:
		return object{"ask": object{"text": text, "save_as": "list", "type": "choice", "options": []string{"a", "b"}, "validate": "answer == 'a'"}}
	case 4:
		return object{"send": object{"stack": []object{{"type": "text", "payload": object{"content": text}}}}}
	case 5:
		return object{"note": text}
	case 6:
		if depth > 0 {
			return object{"if": object{
				"expr": rapid.SampledFrom(sources[:len(sources)-1]).Draw(t, "expr"),
				"then": drawActions(t, states, depth-1), "else": drawActions(t, states, depth-1),
			}}
		}
		return object{"typing": 1}
	case 7:
		return object{"goto": state}
	case 8:
		return object{"hand_over": object{"queue": text}}
	case 9:
		return object{"close": object{}}
	default:
		return object{"say": text}
	}
}

// drawActions draws a list; after an action that ends it nothing may stand.
func drawActions(t *rapid.T, states []string, depth int) []any {
	list := []any{}
	for range rapid.IntRange(0, 4).Draw(t, "actions") {
		a := drawAction(t, states, depth)
		list = append(list, a)
		if o, ok := a.(object); ok && (o["goto"] != nil || o["hand_over"] != nil || o["close"] != nil) {
			break
		}
	}
	return list
}

func drawFlow(t *rapid.T) *Flow {
	states := []string{"s0", "s1", "s2", "s3"}[:rapid.IntRange(1, 4).Draw(t, "states")]
	d := object{"vars": object{"n": rapid.SampledFrom([]any{0, 3, "x", nil, 1.5, 100000}).Draw(t, "n"), "list": []int{1}}}
	var list, transitions []object
	for i, name := range states {
		list = append(list, object{"name": name, "initial": i == 0, "events": drawActions(t, states, 2)})
		// Every state has a way in, so that the flow is valid; it may score nothing.
		transitions = append(transitions, object{"dest": name, "conditions": []any{drawCondition(t)}, "unless": []any{drawCondition(t)}})
	}
	for range rapid.IntRange(0, 5).Draw(t, "transitions") {
		transitions = append(transitions, object{
			"source":     rapid.SampledFrom(states).Draw(t, "source"),
			"dest":       rapid.SampledFrom(states).Draw(t, "dest"),
			"conditions": rapid.SliceOfN(rapid.Custom(drawCondition), 0, 3).Draw(t, "conditions"),
			"unless":     rapid.SliceOfN(rapid.Custom(drawCondition), 0, 2).Draw(t, "unless"),
		})
	}
	d["states"], d["transitions"] = list, transitions
	d["first_message"] = rapid.SampledFrom([]string{"greet", "evaluate"}).Draw(t, "first")
	if rapid.Bool().Draw(t, "fallback") {
		d["fallback"] = drawActions(t, states, 1)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := Parse(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return flow
}

// drawEvent draws the next event; results mostly fit the open call.
func drawEvent(t *rapid.T, s Session, pos int64) chat.Event {
	e := chat.Event{Pos: pos, Seq: pos, At: time.Unix(1_700_000_000+pos*7, 0), Action: "a"}
	switch kind := rapid.IntRange(0, 20).Draw(t, "kind"); {
	case s.Call != nil && kind < 10:
		e.Kind, e.Data = chat.KindCallResult, drawResult(t, s.Call.ID)
	case kind < 15:
		e.Kind, e.Direction = chat.KindMessage, chat.In
		m := chat.TextMessage(rapid.SampledFrom(words).Draw(t, "text"))
		if kind == 14 {
			m = chat.Message{Stack: []chat.Element{{Type: "choice", Payload: json.RawMessage(`{"payload":"b"}`)}, {Type: "odd"}}}
		}
		e.Message = &m
	default:
		e.Kind = rapid.SampledFrom([]chat.Kind{
			chat.KindOpened, chat.KindBot, chat.KindAssigned, chat.KindClosed, chat.KindReceipt, chat.KindMessage, chat.KindCallResult,
		}).Draw(t, "other")
		e.Data = json.RawMessage(rapid.SampledFrom([]string{"", "{}", "[1", `{"id":"c1"}`, `{"id":5}`}).Draw(t, "data"))
	}
	return e
}

func drawResult(t *rapid.T, id string) json.RawMessage {
	r := CallResult{
		ID: id, Score: rapid.SampledFrom([]float64{0, 0.5, 1, -3}).Draw(t, "score"), Last: rapid.Bool().Draw(t, "last"),
		Error: rapid.SampledFrom([]string{"", "", "", "timeout"}).Draw(t, "error"),
		Data:  json.RawMessage(rapid.SampledFrom([]string{"null", `{"why":"x","n":3.0}`, "[1,2.5]", `"text"`}).Draw(t, "data")),
		Vars:  Values{"n": rapid.SampledFrom([]any{1, "y", 2.5}).Draw(t, "n")},
	}
	if rapid.Bool().Draw(t, "speaks") {
		r.Messages = []chat.Message{chat.TextMessage("from the worker"), {}}
	}
	raw, _ := json.Marshal(r)
	return raw
}

// TestStepProperties runs random flows over random events and checks after each step what always holds: the same
// outcome again and from the stored session, nothing given is changed, the phases mean what they say.
func TestStepProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flow := drawFlow(t)
		var s Session
		for pos := range rapid.IntRange(1, 25).Draw(t, "events") {
			in := Input{Event: drawEvent(t, s, int64(pos+1))}
			before := written(t, s)
			next, effects, trace := Step(flow, s, in)
			if written(t, s) != before {
				t.Fatalf("the session given was changed: %s, was %s", written(t, s), before)
			}
			again, effects2, trace2 := Step(flow, restored(t, s), in)
			if !reflect.DeepEqual(effects, effects2) || written(t, trace) != written(t, trace2) || written(t, next) != written(t, again) {
				t.Fatalf("from the stored session:\n%s\n%s\n%v\n%v", written(t, next), written(t, again), effects, effects2)
			}
			sound(t, next, effects)
			s = next
		}
	})
}

func written(t *rapid.T, v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func sound(t *rapid.T, s Session, effects []Effect) {
	calls := 0
	for _, e := range effects {
		if c, ok := e.(Call); ok {
			calls++
			if s.Call == nil || s.Call.ID != c.ID || !s.Call.Deadline.Equal(c.Deadline) {
				t.Fatalf("call %v is not the one that the session waits for: %v", c, s.Call)
			}
		}
		if say, ok := e.(Say); ok && len(say.Message.Stack) == 0 {
			t.Fatal("an empty message")
		}
	}
	waits := s.Phase == PhaseDeciding || s.Phase == PhaseActing
	switch {
	case calls > 1:
		t.Fatalf("%d calls at once", calls)
	case waits != (s.Call != nil):
		t.Fatalf("phase %s with call %v: it would hang", s.Phase, s.Call)
	case !waits && len(s.Queue) > 0:
		t.Fatalf("%d messages wait for nothing in phase %s", len(s.Queue), s.Phase)
	case len(s.Queue) > maxQueue || sizeOf(s.Vars) > maxVars:
		t.Fatal("out of bounds")
	}
}

// TestScoringModel compares the choice with the rule of points written down a second time, without care for
// anything else.
func TestScoringModel(t *testing.T) {
	type rule struct {
		source, dest       string
		conditions, unless []float64
	}
	scores := rapid.SliceOfN(rapid.SampledFrom([]float64{-1, 0, 0.3, 0.5, 0.7, 1, 2}), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		states := []string{"s0", "s1", "s2"}
		var rules []rule
		transitions := []object{{"dest": "s1", "conditions": []object{{"expr": "0"}}}, {"dest": "s2", "conditions": []object{{"expr": "0"}}}}
		asked := func(list []float64) (out []object) {
			for _, n := range list {
				out = append(out, object{"expr": fmt.Sprint(n)})
			}
			return out
		}
		for range rapid.IntRange(0, 8).Draw(t, "rules") {
			r := rule{rapid.SampledFrom(append(states, "")).Draw(t, "source"), rapid.SampledFrom(states).Draw(t, "dest"), scores.Draw(t, "c"), scores.Draw(t, "u")}
			rules = append(rules, r)
			one := object{"dest": r.dest, "conditions": asked(r.conditions), "unless": asked(r.unless)}
			if r.source != "" {
				one["source"] = r.source
			}
			transitions = append(transitions, one)
		}
		raw, _ := json.Marshal(object{
			"states":      []object{{"name": "s0", "initial": true}, {"name": "s1"}, {"name": "s2"}},
			"transitions": transitions, "first_message": "evaluate",
		})
		flow, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		from := rapid.SampledFrom(states).Draw(t, "from")
		want, best := from, 0.0
		for _, r := range rules {
			if r.source != "" && r.source != from {
				continue
			}
			pos, neg := 0.0, 0.0
			if len(r.conditions) == 0 {
				pos = 1
			}
			for _, n := range r.conditions {
				pos = max(pos, n)
			}
			for _, n := range r.unless {
				neg = max(neg, n)
			}
			if pos-neg > best {
				best, want = pos-neg, r.dest
			}
		}
		m := chat.TextMessage("x")
		got, _, trace := Step(flow, Session{State: from, Phase: PhaseIdle}, Input{Event: chat.Event{Kind: chat.KindMessage, Direction: chat.In, Message: &m}})
		if got.State != want {
			t.Fatalf("from %s to %s, want %s; %s", from, got.State, want, written(t, trace))
		}
	})
}

// TestQueueOrder sends messages while a worker is busy: they are all decided on, once, in the order of the log.
func TestQueueOrder(t *testing.T) {
	flow, err := Parse([]byte(`{"states":[{"name":"s","initial":true,"events":["e"]}],"transitions":[{"dest":"s","conditions":["c"],"unless":["u"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var s Session
		var sent, decided []int64
		pos := int64(0)
		run := func(e chat.Event) {
			pos++
			e.Pos, e.Seq = pos, pos
			var trace Trace
			s, _, trace = Step(flow, s, Input{Event: e})
			for _, d := range trace.Decisions {
				decided = append(decided, d.Pos)
			}
			if e.Kind == chat.KindMessage && trace.Ignored == "" {
				sent = append(sent, pos)
			}
		}
		answer := func() {
			raw, _ := json.Marshal(CallResult{ID: s.Call.ID, Last: true, Score: 1})
			run(chat.Event{Kind: chat.KindCallResult, Data: raw})
		}
		run(chat.Event{Kind: chat.KindOpened, Action: "open"})
		for _, speak := range rapid.SliceOfN(rapid.Bool(), 0, 150).Draw(t, "speak") {
			if speak || s.Call == nil {
				m := chat.TextMessage("x")
				run(chat.Event{Kind: chat.KindMessage, Direction: chat.In, Message: &m})
			} else {
				answer()
			}
		}
		for s.Call != nil {
			answer()
		}
		if !reflect.DeepEqual(sent, decided) {
			t.Fatalf("sent %v, decided %v", sent, decided)
		}
	})
}

// TestNoSilence: where the flow has an answer for everything, every message gets one.
func TestNoSilence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cond := rapid.SampledFrom(sources[:len(sources)-1])
		var transitions, states []object
		for i := range 3 {
			name := fmt.Sprint("s", i)
			states = append(states, object{"name": name, "initial": i == 0, "events": []object{{"say": "in " + name + " {{" + cond.Draw(t, "in") + "}}"}}})
			transitions = append(transitions, object{"dest": name, "conditions": []object{{"expr": cond.Draw(t, "c")}}, "unless": []object{{"expr": cond.Draw(t, "u")}}})
		}
		raw, _ := json.Marshal(object{"states": states, "transitions": transitions, "fallback": []object{{"say": "what?"}}})
		flow, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		var s Session
		for i, word := range rapid.SliceOfN(rapid.SampledFrom(words), 1, 10).Draw(t, "texts") {
			m := chat.TextMessage(word)
			var effects []Effect
			s, effects, _ = Step(flow, s, Input{Event: chat.Event{Pos: int64(i), Kind: chat.KindMessage, Direction: chat.In, Message: &m}})
			if len(effects) != 1 || !strings.HasPrefix(effects[0].line(), "say ") {
				t.Fatalf("%v for %q", effects, word)
			}
		}
	})
}

// TestForeignSession: a session that does not fit the flow at all must not bring a step down.
func TestForeignSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		flow := drawFlow(t)
		s := Session{
			State: rapid.SampledFrom([]string{"", "s0", "gone"}).Draw(t, "state"),
			Phase: rapid.SampledFrom([]Phase{PhaseNew, PhaseIdle, PhaseAsking, PhaseDeciding, PhaseActing, PhaseAway, "odd"}).Draw(t, "phase"),
			Position: Position{
				Fallback: rapid.Bool().Draw(t, "fallback"), Next: rapid.IntRange(-2, 9).Draw(t, "next"),
			},
		}
		if rapid.Bool().Draw(t, "calls") {
			s.Call = &Outstanding{ID: "c1", Name: "w1", Condition: rapid.Bool().Draw(t, "condition")}
		}
		next, effects, _ := Step(flow, s, Input{Event: drawEvent(t, s, 5)})
		sound(t, next, effects)
	})
}
