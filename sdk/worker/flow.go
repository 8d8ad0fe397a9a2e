package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// Condition scores the newest message of a conversation, by convention from 0 (no) to 1 (surely). Data goes
// along to the events of the state that it leads to. An error counts as 0 and is logged.
type Condition func(ctx context.Context, c *Conversation) (score float64, data any, err error)

// Event answers. It yields as many layers as it likes, one bubble each; the turn ends when it returns. An
// error (or a panic) is logged, and the person reads Flow.ErrorText.
type Event func(ctx context.Context, c *Conversation, yield Yield) error

// Yield sends a layer at once. Its error means that the hub is gone: return it. It is not for several
// goroutines, and not for use after the event has returned.
type Yield func(Layer) error

// Flow is a finite state machine and its functions. It is read only while a worker runs it.
type Flow struct {
	Name        string // letters, digits, "_" and "-"
	States      []State
	Transitions []Transition
	Conditions  map[string]Condition
	Events      map[string][]Event // several under one name run in turn, as one turn of the bot

	Overwrite              bool   // replace a different flow of this name; else the hub refuses this one
	AuthenticationRequired bool   // people need a token
	ErrorText              string // what a person reads when an event fails; there is a default in English
}

// State runs the named events when it is entered.
type State struct {
	Name    string
	Initial bool     // exactly one is; its events greet
	Events  []string // keys of Flow.Events
}

// Transition leads to Dest when the best score of Conditions (1 if there are none) minus the best of Unless
// is above 0 and above that of every earlier transition.
type Transition struct {
	Source     string // empty: from any state
	Dest       string
	Conditions []string // keys of Flow.Conditions
	Unless     []string
}

// flowName is what the hub's URLs can carry.
var flowName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

const defaultErrorText = "Something went wrong. Please try again."

// Check tells all that is wrong with a flow: unknown states, missing functions, no initial state ...
func (f *Flow) Check() error {
	var wrong []error
	report := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !flowName.MatchString(f.Name) {
		report("flow name %q: want letters, digits, _ and -, at most 255", f.Name)
	}
	for name := range f.Events {
		if _, both := f.Conditions[name]; both {
			report("function %q is a condition and an event", name)
		}
	}
	known := f.checkStates(report)
	f.checkTransitions(known, report)
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("worker: flow %q: %w", f.Name, err)
	}
	return nil
}

func (f *Flow) checkStates(report func(string, ...any)) map[string]bool {
	known, initial := map[string]bool{}, 0
	for _, s := range f.States {
		if s.Name == "" || known[s.Name] {
			report("state %q: a name must be there and be unique", s.Name)
		}
		known[s.Name] = true
		if s.Initial {
			initial++
		}
		for _, name := range s.Events {
			if len(f.Events[name]) == 0 {
				report("state %q: no event %q", s.Name, name)
			}
		}
	}
	if initial != 1 {
		report("%d initial states, want 1", initial)
	}
	return known
}

func (f *Flow) checkTransitions(known map[string]bool, report func(string, ...any)) {
	for i, t := range f.Transitions {
		if !known[t.Dest] {
			report("transition %d: no state %q", i, t.Dest)
		}
		if t.Source != "" && !known[t.Source] {
			report("transition %d: no state %q", i, t.Source)
		}
		for _, name := range append(append([]string(nil), t.Conditions...), t.Unless...) {
			if f.Conditions[name] == nil {
				report("transition %d: no condition %q", i, name)
			}
		}
	}
}

func (f *Flow) errorText() string {
	if f.ErrorText == "" {
		return defaultErrorText
	}
	return f.ErrorText
}

// The wire form of a definition: exactly these keys, lists never null.
type (
	wireState struct {
		Name    string   `json:"name"`
		Initial bool     `json:"initial"`
		Events  []string `json:"events"`
	}
	wireTransition struct {
		Source     string   `json:"source,omitempty"`
		Dest       string   `json:"dest"`
		Conditions []string `json:"conditions"`
		Unless     []string `json:"unless"`
	}
	wireDefinition struct {
		States      []wireState      `json:"states"`
		Transitions []wireTransition `json:"transitions"`
	}
	wireFlow struct {
		Name       string         `json:"name"`
		Definition wireDefinition `json:"definition"`
		Overwrite  bool           `json:"overwrite"`
		Auth       bool           `json:"authentication_required"`
	}
)

// registration is the first frame on the rpc socket.
func (f *Flow) registration() ([]byte, error) {
	d := wireDefinition{[]wireState{}, []wireTransition{}}
	for _, s := range f.States {
		d.States = append(d.States, wireState{s.Name, s.Initial, list(s.Events)})
	}
	for _, t := range f.Transitions {
		d.Transitions = append(d.Transitions, wireTransition{t.Source, t.Dest, list(t.Conditions), list(t.Unless)})
	}
	return json.Marshal(outgoing{"fsm_def", wireFlow{f.Name, d, f.Overwrite, f.AuthenticationRequired}})
}

func list(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}
