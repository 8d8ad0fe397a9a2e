package bot

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/dragoman-hub/dragoman/chat"
)

// Step takes a session through one event. It gives the next session, what is to be done, in order, and what was
// decided. It changes nothing that it is given, and the same input has the same outcome.
//
// The caller stores session, effects and trace in one transaction, and hands in the events of a conversation in
// their order, each once.
func Step(f *Flow, session Session, in Input) (Session, []Effect, Trace) {
	if in.Now.IsZero() {
		in.Now = in.Event.At
	}
	s := &stepper{flow: f, session: session, in: in}
	s.trace = Trace{Kind: in.Event.Kind, Pos: in.Event.Pos}
	s.mend()
	s.take()
	s.drain()
	s.trace.Turn, s.trace.State, s.trace.Phase = s.session.Turn, s.session.State, s.session.Phase
	s.trace.Waiting = len(s.session.Queue)
	return s.session, s.effects, s.trace
}

// stepper is one step while it runs.
type stepper struct {
	flow    *Flow
	session Session
	in      Input
	effects []Effect
	trace   Trace
	machine vm.VM
	meter   meter
	env     environment
	ready   bool // env is filled for the current message
}

// take dispatches the event.
func (s *stepper) take() {
	switch s.in.Event.Kind {
	case chat.KindOpened:
		s.opened()
	case chat.KindMessage:
		s.received()
	case chat.KindCallResult:
		s.answered()
	case chat.KindRewound:
		s.rewound()
	case chat.KindBot:
		s.back()
	case chat.KindQueued, chat.KindAssigned:
		s.leave(PhaseAway)
	case chat.KindClosed:
		s.leave(PhaseClosed)
	default: // receipts, notes, reactions ...: nothing that a flow looks at
		s.ignore("not an event that a flow looks at")
	}
}

// opened begins the conversation.
func (s *stepper) opened() {
	if s.session.Phase != PhaseNew {
		s.ignore("already open")
		return
	}
	s.session.Opening = &Opening{Seq: s.in.Event.Seq, Action: s.in.Event.Action}
	s.begin()
}

// begin enters the initial state and runs its events.
func (s *stepper) begin() {
	if len(s.flow.vars) > 0 {
		s.session.Vars = s.flow.Vars()
	}
	s.enter(s.flow.initial)
	s.runActions()
}

// received puts a message of the contact into the queue, from which drain takes it.
func (s *stepper) received() {
	event := s.in.Event
	switch {
	case event.Direction != chat.In || event.Message == nil:
		s.ignore("not a message of the contact")
		return
	case s.session.Phase == PhaseAway || s.session.Phase == PhaseClosed:
		s.ignore("the flow does not have the conversation")
		return
	case s.session.full(event.Message):
		s.ignore(fmt.Sprintf("%d messages wait already", len(s.session.Queue)))
		return
	}
	if s.opens(event) && !s.flow.evaluate {
		s.session.Opening = nil
		if s.session.Phase == PhaseNew {
			s.begin()
			return
		}
		s.ignore("the message that opened the conversation is answered by the greeting")
		return
	}
	if s.session.Phase == PhaseNew {
		s.begin()
	}
	s.session.Opening = nil
	if s.session.Phase == PhaseAway || s.session.Phase == PhaseClosed {
		return // the greeting gave the conversation away
	}
	queue := make([]Waiting, 0, len(s.session.Queue)+1)
	s.session.Queue = append(append(queue, s.session.Queue...), Waiting{Pos: event.Pos, Message: event.Message})
}

// opens tells whether the message is the one that opened the conversation: it stands right behind the opening
// and has the same cause.
func (s *stepper) opens(event chat.Event) bool {
	if s.session.Phase == PhaseNew {
		return true
	}
	o := s.session.Opening
	return o != nil && event.Seq == o.Seq+1 && event.Action == o.Action
}

// back gives the conversation to the flow again; it goes on in the state where it was.
func (s *stepper) back() {
	switch s.session.Phase {
	case PhaseNew:
		s.begin()
	case PhaseAway, PhaseClosed: // a close can be taken back
		s.session.endTurn(PhaseIdle)
	default:
		s.ignore("the flow has the conversation already")
	}
}

// rewound takes the session back: what is under way or waits came of words that do not count any more.
func (s *stepper) rewound() {
	var d chat.RewoundData
	if err := json.Unmarshal(s.in.Event.Data, &d); err != nil {
		s.ignore("how far it was taken back cannot be read")
		return
	}
	if s.session.Phase == PhaseNew || s.session.Phase == PhaseAway || s.session.Phase == PhaseClosed {
		s.ignore("the flow does not have the conversation")
		return
	}
	if s.flow.byName[d.State] != nil {
		s.session.State = d.State
	}
	s.session.endTurn(PhaseIdle)
	s.session.Queue, s.session.Opening = nil, nil
	s.setAgain(d.Vars)
}

// leave ends whatever goes on: somebody else has the conversation, or nobody.
func (s *stepper) leave(phase Phase) {
	if s.session.Phase == phase || s.session.Phase == PhaseClosed {
		s.ignore("known already")
		return
	}
	if s.session.Phase == PhaseNew { // taken away before it began: it goes on without the greeting, from the same beginnings
		s.session.State, s.session.Vars = s.flow.initial.name, s.flow.Vars()
	}
	s.session.endTurn(phase)
	s.session.Queue, s.session.Opening = nil, nil
}

// drain takes up waiting messages, one after the other, until one has to wait for a worker.
func (s *stepper) drain() {
	for len(s.session.Queue) > 0 {
		if s.session.Phase != PhaseIdle && s.session.Phase != PhaseAsking {
			return
		}
		next := s.session.Queue[0]
		s.session.Queue = s.session.Queue[1:]
		if len(s.session.Queue) == 0 {
			s.session.Queue = nil
		}
		s.session.Message, s.ready = &next, false
		s.session.Turn++
		s.session.Jumps, s.session.Ran = 0, 0
		if s.session.Phase == PhaseAsking {
			s.hear()
		} else {
			s.decide()
		}
	}
}

// mend makes a session usable that does not fit the flow: such a one comes from another version.
func (s *stepper) mend() {
	if s.fits() {
		return
	}
	s.problem("session", fmt.Errorf("state %q, phase %q do not fit the flow", s.session.State, s.session.Phase))
	if s.flow.byName[s.session.State] == nil {
		s.session.State = s.flow.initial.name
	}
	phase := s.session.Phase
	if phase != PhaseAway && phase != PhaseClosed {
		phase = PhaseIdle
	}
	s.session.endTurn(phase)
}

func (s *stepper) fits() bool {
	if s.session.Phase == PhaseNew {
		return s.session.State == "" && s.session.Call == nil
	}
	if s.flow.byName[s.session.State] == nil || s.session.Position.Next < 0 {
		return false
	}
	switch s.session.Phase {
	case PhaseDeciding, PhaseActing:
		return s.session.Call != nil && (s.session.Message != nil || !s.session.Call.Condition)
	case PhaseAsking:
		return s.session.Call == nil && s.question() != nil
	case PhaseIdle, PhaseAway, PhaseClosed:
		return s.session.Call == nil
	default:
		return false
	}
}

func (s *stepper) ignore(why string) { s.trace.Ignored = why }

func (s *stepper) problem(path string, err error) {
	s.trace.Problems = traced(s.trace.Problems, Problem{Path: clip(path), Detail: clip(err.Error())})
}

func (s *stepper) do(e Effect) { s.did(e, e.line()) }

func (s *stepper) did(e Effect, line string) {
	s.effects = append(s.effects, e)
	s.trace.Effects = traced(s.trace.Effects, clip(line))
}

// deadline is when a call made, or answered in part, now runs out of time.
func (s *stepper) deadline() time.Time { return s.in.Now.Add(s.flow.timeout) }
