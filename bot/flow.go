package bot

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Flow is a checked and compiled definition. It never changes and may be used by many goroutines.
type Flow struct {
	definition  json.RawMessage
	states      []state
	byName      map[string]*state
	initial     *state
	transitions []transition
	fallback    []action
	evaluate    bool // the message that opened the conversation too
	failure     string
	timeout     time.Duration
	vars        Values
	workers     []string
}

// state is a state with its events as a list of actions in which branches are jumps.
type state struct {
	name    string
	initial bool
	events  []action
}

// transition leads from a state, or from any (nil), to another.
type transition struct {
	index      int
	source     *state
	dest       *state
	conditions []condition
	unless     []condition
}

// condition is a worker's function or, with expr set, an expression.
type condition struct {
	worker string
	expr   *expression
}

// action is one step of a state's events, a question, a jump ...
type action interface {
	// run does it; the position already points to the next action.
	run(s *stepper) verdict
}

// verdict is how to go on after an action.
type verdict int

const (
	proceed verdict = iota // with the next action
	pause                  // the session waits for an event
	finish                 // the turn is over
)

// Transition is a transition as its definition names it; Source is empty for one that leads from any state.
type Transition struct {
	Source     string
	Dest       string
	Conditions int
	Unless     int
}

// Definition gives the definition in canonical form: two definitions mean the same text if and only if these
// bytes are equal.
func (f *Flow) Definition() json.RawMessage { return slices.Clone(f.definition) }

// Workers names the functions that workers have to offer, sorted.
func (f *Flow) Workers() []string { return slices.Clone(f.workers) }

// States names the states in the order of the definition; the initial one is Initial.
func (f *Flow) States() []string {
	names := make([]string, 0, len(f.states))
	for i := range f.states {
		names = append(names, f.states[i].name)
	}
	return names
}

// Initial names the state in which conversations begin.
func (f *Flow) Initial() string { return f.initial.name }

// Transitions lists the transitions in the order of the definition, which is that of Decision.Transition.
func (f *Flow) Transitions() []Transition {
	list := make([]Transition, 0, len(f.transitions))
	for _, t := range f.transitions {
		shown := Transition{Dest: t.dest.name, Conditions: len(t.conditions), Unless: len(t.unless)}
		if t.source != nil {
			shown.Source = t.source.name
		}
		list = append(list, shown)
	}
	return list
}

// Vars gives a copy of the values that variables begin with.
func (f *Flow) Vars() Values { return maps.Clone(f.vars) }
