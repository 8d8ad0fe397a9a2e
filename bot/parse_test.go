package bot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

func mustParse(t testing.TB, text string) *Flow {
	t.Helper()
	flow, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

func TestFlowDescribesItself(t *testing.T) {
	flow := mustParse(t, `{"transitions": [{"dest": "b", "unless": ["w", {"expr": "true"}]}, {"source": "b", "dest": "a", "conditions": ["c"]}],
		"states": [{"name": "a", "initial": true, "events": ["e"]}, {"name": "b"}], "vars": {"n": 1.0, "x": "<"}}`)
	want := `{"states":[{"events":["e"],"initial":true,"name":"a"},{"name":"b"}],` +
		`"transitions":[{"dest":"b","unless":["w",{"expr":"true"}]},{"conditions":["c"],"dest":"a","source":"b"}],"vars":{"n":1.0,"x":"<"}}`
	if got := string(flow.Definition()); got != want {
		t.Errorf("definition %s\nwant %s", got, want)
	}
	if got := flow.Workers(); !reflect.DeepEqual(got, []string{"c", "e", "w"}) {
		t.Errorf("workers %v", got)
	}
	if got := flow.States(); !reflect.DeepEqual(got, []string{"a", "b"}) || flow.Initial() != "a" {
		t.Errorf("states %v, initial %s", got, flow.Initial())
	}
	if got := flow.Transitions(); !reflect.DeepEqual(got, []Transition{{"", "b", 0, 2}, {"b", "a", 1, 0}}) {
		t.Errorf("transitions %v", got)
	}
	flow.Definition()[0] = 'x'
	flow.Vars()["n"] = 5
	if flow.Definition()[0] != '{' || flow.Vars()["n"] != 1 {
		t.Error("a caller changed the flow")
	}
}

func TestParseLimits(t *testing.T) {
	start := `{"states":[{"name":"a","initial":true}]`
	for name, c := range map[string]struct{ text, want string }{
		"size":        {start + `,"error":"` + strings.Repeat("x", maxDefinition) + `"}`, "too large"},
		"depth":       {start + `,"vars":{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}`, "nested deeper"},
		"states":      {`{"states":[` + strings.Repeat(`{"name":"a"},`, maxStates) + `{}]}`, "1001 states"},
		"transitions": {start + `,"transitions":[` + strings.Repeat(`{"dest":"a"},`, maxTransitions) + `{"dest":"a"}]}`, "10001 transitions"},
		"expression":  {start + `,"fallback":[{"say":"{{` + strings.Repeat("(", maxExpression+1) + `}}"}]}`, "longer than"},
		"nodes":       {start + `,"fallback":[{"say":"{{` + strings.Repeat("1+", 600) + `1}}"}]}`, "maximum allowed nodes"},
		"vars":        {start + `,"vars":{"a":"` + strings.Repeat("x", maxVars) + `"}}`, "at most 65536"},
		"encoding":    {start + ",\"error\":\"\xff\"}", "UTF-8"},
		"tail":        {start + `}{}`, "not JSON"},
		"problems":    {`{"states":[` + strings.Repeat(`5,`, 500) + `5]}`, "must be an object"},
	} {
		_, err := Parse([]byte(c.text))
		invalid, ok := errors.AsType[*InvalidError](err)
		if !ok || len(invalid.Problems) > maxProblems || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v, want %q", name, err, c.want)
		}
	}
}

// TestBudget: no expression may take memory or time without bound, whatever it says.
func TestBudget(t *testing.T) {
	for _, source := range []string{
		"count(1..1000, count(1..1000, count(1..1000, true) > 0) > 0)",
		"count(1..200, count(vars.list, count(vars.list, # == 2) > 0) > 0)",
		"reduce(1..100, #acc + #acc, 'xx')",
		"reduce(1..100, [#acc, #acc], 'x')",
		"reduce(1..100, ({'a': #acc, 'b': #acc}), 'x')",
		"let a = vars.text + vars.text; let b = a + a; let c = b + b; c + c",
		"repeat(vars.text, 100000)", "repeat('', 1000000000)",
		"replace(vars.text, '', vars.text)",
		"join(map(1..1000, vars.text), vars.text)",
		"map(1..1000, vars.text)", "toJSON(map(1..1000, vars.text))", "1..10000000",
		"len(concat(map(1..1000, vars.list), 1..10000))",
	} {
		e, err := compileExpression(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		s := &stepper{flow: &Flow{}, session: Session{Vars: Values{"text": strings.Repeat("x", 30_000), "list": make([]any, 5000)}}}
		began := time.Now()
		v, err := s.eval(e)
		if err == nil || !strings.Contains(err.Error(), "budget") && !strings.Contains(err.Error(), "deeper") {
			t.Errorf("%s: %.50v, %v", source, v, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %v", source, took)
		}
	}
}

// TestDeterministicFunctions: what would differ between two runs of the same input is not there.
func TestDeterministicFunctions(t *testing.T) {
	for _, source := range []string{"now()", "now.Local()", "now['Local']()", "toPairs(vars)", "$env", "$meter", "$weigh($meter, 1)"} {
		if _, err := compileExpression(source); err == nil {
			t.Errorf("%s was compiled", source)
		}
	}
	vars := Values{}
	for i := range 50 {
		vars[fmt.Sprintf("k%02d", i)] = i
	}
	e, err := compileExpression("[keys(vars)[0], values(vars)[49], toJSON(vars), string(vars), now]")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 1, 1, 12, 0, 0, 0, time.FixedZone("X", 3600))
	s := &stepper{flow: &Flow{}, session: Session{Vars: vars}, in: Input{Now: at}}
	first, err := s.eval(e)
	if err != nil || first.([]any)[0] != "k00" || first.([]any)[1] != 49 || first.([]any)[4] != at.UTC() {
		t.Fatalf("%v, %v", first, err)
	}
	for range 20 {
		if again, _ := s.eval(e); !reflect.DeepEqual(first, again) {
			t.Fatalf("%v, then %v", first, again)
		}
	}
}

// TestEnvironment reads every name that docs/flows.md promises.
func TestEnvironment(t *testing.T) {
	m := chat.Message{
		Stack: []chat.Element{
			chat.NewElement(chat.Image, chat.Media{URL: "https://files.example/a", Name: "a", MIME: "image/png", Size: 5, Caption: "cap"}),
			chat.NewElement(chat.Location, chat.LocationPayload{Latitude: 40.5}),
			chat.NewElement(chat.Choice, chat.ChoicePayload{Payload: "p", Title: "P"}),
		},
		ReplyTo: &chat.Reply{Seq: 3, Quote: "q"}, Meta: map[string]string{"album": "7"},
	}
	opened := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
	s := &stepper{
		flow: &Flow{},
		in: Input{
			Now: opened.Add(time.Hour),
			Conversation: Facts{
				ID: "c", Channel: "ch", Contact: chat.ContactRef{ID: "ct", Name: "Ann"}, Language: "es", Start: "promo", OpenedAt: opened,
			},
		},
		session: Session{State: "s", Turn: 4, Message: &Waiting{Message: &m}, Data: boxed("d"), Vars: Values{"n": 2}},
	}
	for source, want := range map[string]string{
		"message.text": "cap\nP", "message.payload": "p", "message.type": "image", "join(message.types, ',')": "image,location,choice",
		"message.stack[1].payload.latitude": "40.5", "message.attachments[0].mime": "image/png", "message.attachments[0].size * 2": "10",
		"message.reply_to.quote": "q", "message.meta.album": "7", "message.meta.none": "", "vars.n + 1": "3", "vars.none ?? 'x'": "x",
		"contact.id + contact.name + contact.language": "ctAnnes", "conversation.id": "c", "conversation.channel": "ch",
		"conversation.start": "promo", "conversation.turns": "4", "conversation.state": "s", "conversation.opened_at": "2025-02-03T04:05:06Z",
		"now - conversation.opened_at": "1h0m0s", "now.Hour()": "5", "data": "d", "answer": "", "message.text matches '(?i)CAP'": "true",
		"any(message.types, # == 'location')": "true", "[1, 'a', {'b': nil}]": `[1,"a",{"b":null}]`, "0.1 + 0.2": "0.30000000000000004",
	} {
		e, err := compileExpression(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		v, err := s.eval(e)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if got, err := textOf(v); got != want || err != nil {
			t.Errorf("%s gives %q, %v, want %q", source, got, err, want)
		}
	}
}

func TestVarsAreBounded(t *testing.T) {
	flow := mustParse(t, `{"first_message":"evaluate","vars":{"a":""},"states":[{"name":"s","initial":true}],"transitions":[{"dest":"s"}],
		"fallback":[]}`)
	s := &stepper{flow: flow, session: Session{Vars: Values{"a": "x"}}}
	s.set([]Change{{Name: "b", Value: 1}, {Name: "a", Value: strings.Repeat("x", maxVars)}})
	if len(s.session.Vars) != 1 || len(s.trace.Problems) != 1 || len(s.trace.Set) != 0 {
		t.Errorf("vars %v, problems %v", len(s.session.Vars), s.trace.Problems)
	}
	s.set([]Change{{Name: "b", Value: func() {}}})
	if len(s.session.Vars) != 1 || len(s.trace.Problems) != 2 {
		t.Errorf("a function was kept: %v", s.trace.Problems)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"scoring", "workers", "ask", "actions"} {
		raw, err := os.ReadFile("testdata/flows/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		_, raw, _ = bytes.Cut(raw, []byte("-- flow.json --\n"))
		raw, _, _ = bytes.Cut(raw, []byte("\n-- "))
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		flow, err := Parse(raw)
		if err != nil {
			if invalid, ok := errors.AsType[*InvalidError](err); !ok || len(invalid.Problems) == 0 {
				t.Fatalf("%v is no list of problems", err)
			}
			return
		}
		again, err := Parse(flow.Definition())
		if err != nil || !bytes.Equal(again.Definition(), flow.Definition()) {
			t.Fatalf("the canonical form %s: %v", flow.Definition(), err)
		}
		m := chat.TextMessage("a")
		s, _, _ := Step(flow, Session{}, Input{Event: chat.Event{Kind: chat.KindOpened, Action: "a"}})
		Step(flow, s, Input{Event: chat.Event{Kind: chat.KindMessage, Direction: chat.In, Message: &m}})
	})
}

func FuzzTemplate(f *testing.F) {
	for _, source := range []string{"{{vars.a}}", "a{{ {'a': {'b': '}}'}}.a.b }}b", "{{`}}`}}", "{{", "}}{{'", "{{'\\'}}'}}", "{{vars.a + vars.a}}"} {
		f.Add(source, "x")
	}
	f.Fuzz(func(t *testing.T, source, value string) {
		var c compiler
		parsed := c.template("", source)
		if len(c.problems) > 0 {
			return
		}
		m := chat.TextMessage(value)
		s := &stepper{flow: &Flow{}, session: Session{Vars: Values{"a": value}, Message: &Waiting{Message: &m}}}
		text := s.render(parsed)
		if !strings.Contains(source, "{{") && len(source) <= maxText && text != source {
			t.Fatalf("%q became %q", source, text)
		}
		if len(text) > maxText {
			t.Fatalf("%d bytes", len(text))
		}
	})
}

func BenchmarkStep(b *testing.B) {
	flow := mustParse(b, `{"states":[{"name":"start","initial":true,"events":[{"say":"Hello"}]},{"name":"help","events":[{"say":"You said {{message.text}}"}]}],
		"transitions":[{"dest":"help","conditions":[{"expr":"lower(message.text) contains 'help'"}]},{"source":"help","dest":"start","conditions":[{"expr":"message.text == 'back'"}]}],
		"fallback":[{"say":"Write help."}]}`)
	s, _, _ := Step(flow, Session{}, Input{Event: chat.Event{Pos: 1, Kind: chat.KindOpened}})
	for name, text := range map[string]string{"fires": "Help me", "fallback": "hello"} {
		b.Run(name, func(b *testing.B) {
			m := chat.TextMessage(text)
			in := Input{Event: chat.Event{Pos: 9, Seq: 9, Kind: chat.KindMessage, Direction: chat.In, Message: &m}}
			b.ReportAllocs()
			for b.Loop() {
				Step(flow, s, in)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	raw, err := os.ReadFile("testdata/flows/ask.txtar")
	if err != nil {
		b.Fatal(err)
	}
	_, raw, _ = bytes.Cut(raw, []byte("-- flow.json --\n"))
	raw, _, _ = bytes.Cut(raw, []byte("\n-- "))
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
