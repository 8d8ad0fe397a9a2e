package bot

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// A script is a conversation in lines:
//
//	open [start]          the conversation opens without a message
//	> text                the contact writes; the first > of a script opens the conversation too
//	>> value              the contact presses a button with that value
//	+ {"stack":[...]}     the contact sends that message
//	event kind            an event of that kind: queued, assigned, bot, closed ...
//	result {...}          a worker's answer to the open call, as CallResult without id
//	late {...}            the same with the id of no open call
//	time 2006-01-02T...   from here on it is that time
//
// After each of them follow all its effects, in order:
//
//	< text [A] [B]        a message, with its buttons
//	= {"stack":[...]}     a message, in full
//	! effect              as in the trace: call NAME ID, hand_over QUEUE, close REASON, note TEXT, typing 3s
//
// and then, as wanted, what is true of the session and the trace:
//
//	? state NAME   ? phase NAME   ? vars.NAME JSON   ? trace PART   ? waiting N   ? deadline TIME
//
// Lines that begin with # are comments, ␤ stands for a line break.
type script struct {
	t       *testing.T
	flow    *Flow
	session Session
	in      Input
	effects []Effect
	trace   Trace
	line    int
	call    string
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/flows/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			parts := sections(t, name)
			flow, err := Parse([]byte(parts[0].text))
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range parts[1:] {
				t.Run(part.name, func(t *testing.T) { runScript(t, flow, part.text) })
			}
		})
	}
}

func runScript(t *testing.T, flow *Flow, text string) {
	t.Helper()
	s := &script{t: t, flow: flow}
	s.in.Event = chat.Event{At: time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC), Action: "a0"}
	s.in.Conversation = Facts{
		ID: "conv-1", Channel: "chan-1", Contact: chat.ContactRef{ID: "contact-1", Name: "Ann"}, Language: "en",
		OpenedAt: s.in.Event.At,
	}
	for i, line := range strings.Split(text, "\n") {
		s.line = i + 1
		line = strings.ReplaceAll(strings.TrimSpace(line), "␤", "\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			verb, rest, _ := strings.Cut(line, " ")
			s.do(verb, rest)
		}
	}
	s.quiet()
}

func (s *script) do(verb, rest string) {
	s.t.Helper()
	switch verb {
	case "<", "=", "!":
		s.effect(verb, rest)
		return
	case "?":
		s.quiet()
		s.check(rest)
		return
	}
	s.quiet()
	switch verb {
	case "open":
		s.in.Conversation.Start = rest
		s.step(chat.Event{Kind: chat.KindOpened})
	case ">":
		s.message(chat.TextMessage(rest))
	case ">>":
		s.message(chat.Message{Stack: []chat.Element{chat.NewElement(chat.Choice, chat.ChoicePayload{Payload: rest})}})
	case "+":
		s.message(decode[chat.Message](s, rest))
	case "event":
		s.step(chat.Event{Kind: chat.Kind(rest)})
	case "result", "late":
		result := decode[CallResult](s, rest)
		if result.ID = s.call; verb == "late" {
			result.ID = "c0"
		}
		raw, _ := json.Marshal(result)
		s.step(chat.Event{Kind: chat.KindCallResult, Data: raw})
	case "time":
		at, err := time.Parse(time.RFC3339, rest)
		if err != nil {
			s.failf("%v", err)
		}
		s.in.Event.At = at
	default:
		s.failf("unknown line %q", verb)
	}
}

// message opens the conversation first, if need be, as the hub does: in one go, with one action.
func (s *script) message(m chat.Message) {
	s.t.Helper()
	if s.session.Phase == PhaseNew {
		s.step(chat.Event{Kind: chat.KindOpened})
		before, trace := s.effects, s.trace
		s.step(chat.Event{Kind: chat.KindMessage, Direction: chat.In, Message: &m})
		s.effects = append(before, s.effects...)
		s.trace.Problems = append(trace.Problems, s.trace.Problems...)
		return
	}
	s.in.Event.Action = chat.ActionID(fmt.Sprint("a", s.in.Event.Pos))
	s.step(chat.Event{Kind: chat.KindMessage, Direction: chat.In, Message: &m})
}

func (s *script) step(e chat.Event) {
	s.t.Helper()
	e.Pos, e.Seq, e.At, e.Action = s.in.Event.Pos+1, s.in.Event.Seq+1, s.in.Event.At, s.in.Event.Action
	s.in.Event = e
	s.session, s.effects, s.trace = Step(s.flow, restored(s.t, s.session), s.in)
	if s.session.Call != nil {
		s.call = s.session.Call.ID
	}
}

// restored takes the session through its stored form.
func restored(t interface{ Fatal(args ...any) }, session Session) Session {
	raw, err := json.Marshal(session)
	if err != nil {
		t.Fatal(err)
	}
	var back Session
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func (s *script) effect(verb, want string) {
	s.t.Helper()
	if len(s.effects) == 0 {
		s.failf("nothing more happened, want %s %s; problems: %v", verb, want, s.trace.Problems)
	}
	next := s.effects[0]
	s.effects = s.effects[1:]
	say, said := next.(Say)
	switch {
	case said != (verb != "!"):
		s.failf("got %s, want %s %s", next.line(), verb, want)
	case verb == "<":
		if got := shown(say.Message); got != want {
			s.failf("said %q, want %q; problems: %v", got, want, s.trace.Problems)
		}
	case verb == "=":
		got, _ := json.Marshal(say.Message)
		if !sameJSON(got, []byte(want)) {
			s.failf("said %s, want %s", got, want)
		}
	default:
		got := next.line()
		if h, ok := next.(HandOver); ok && h.Note != "" {
			got += ": " + h.Note
		}
		if strings.TrimSpace(got) != want {
			s.failf("got %q, want %q", got, want)
		}
	}
}

// shown writes a message as scripts do.
func shown(m chat.Message) string {
	text := m.Text()
	var p chat.ButtonsPayload
	if m.Stack[0].Into(&p) == nil {
		for _, b := range p.Buttons {
			text += " [" + b.Title + "]"
		}
	}
	return text
}

func (s *script) check(claim string) {
	s.t.Helper()
	what, want, _ := strings.Cut(claim, " ")
	got := ""
	switch {
	case what == "state":
		got = s.session.State
	case what == "phase":
		got = string(s.session.Phase)
	case what == "waiting":
		got = fmt.Sprint(len(s.session.Queue))
	case what == "deadline":
		got = s.session.Call.Deadline.Format(time.RFC3339)
	case what == "trace":
		raw, _ := json.Marshal(s.trace)
		if got = string(raw); strings.Contains(got, want) {
			return
		}
	case strings.HasPrefix(what, "vars."):
		raw, _ := json.Marshal(s.session.Vars[strings.TrimPrefix(what, "vars.")])
		if got = string(raw); sameJSON(raw, []byte(want)) {
			return
		}
	default:
		s.failf("unknown claim %q", what)
	}
	if got != want {
		s.failf("%s is %s, want %s", what, got, want)
	}
}

// quiet fails if the last step had effects that the script does not name.
func (s *script) quiet() {
	s.t.Helper()
	if len(s.effects) > 0 {
		s.failf("beyond the script: %s", s.effects[0].line())
	}
}

func (s *script) failf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("line %d: %s", s.line, fmt.Sprintf(format, args...))
}

func decode[T any](s *script, text string) (v T) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		s.failf("%v", err)
	}
	return v
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// TestInvalid reads definitions with faults; each line behind them is "path: part of the detail".
func TestInvalid(t *testing.T) {
	files, err := filepath.Glob("testdata/invalid/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range files {
		parts := sections(t, name)
		for i := 0; i+1 < len(parts); i += 2 {
			t.Run(parts[i].name, func(t *testing.T) {
				checkInvalid(t, []byte(parts[i].text), strings.TrimSpace(parts[i+1].text))
			})
		}
	}
}

func checkInvalid(t *testing.T, definition []byte, want string) {
	t.Helper()
	_, err := Parse(definition)
	invalid, ok := err.(*InvalidError)
	if !ok {
		t.Fatalf("got %v, want *InvalidError", err)
	}
	lines := strings.Split(want, "\n")
	if len(lines) != len(invalid.Problems) {
		t.Fatalf("%d problems, want %d: %v", len(invalid.Problems), len(lines), invalid.Problems)
	}
	for i, line := range lines {
		path, detail, _ := strings.Cut(line, ": ")
		p := invalid.Problems[i]
		if path == "-" {
			path = ""
		}
		if p.Path != path || !strings.Contains(p.Detail, detail) {
			t.Errorf("problem %d is %q: %q, want %q: %q", i, p.Path, p.Detail, path, detail)
		}
	}
}
