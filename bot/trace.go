package bot

import (
	"github.com/dragoman-hub/dragoman/chat"
)

// Trace tells what a step decided and why. It is the data of a flow_step event, and what a replay compares.
type Trace struct {
	Kind      chat.Kind  `json:"kind"` // of the event
	Pos       int64      `json:"pos"`
	Turn      int        `json:"turn"`              // after the step
	State     string     `json:"state"`             // after the step
	Phase     Phase      `json:"phase"`             // after the step
	Ignored   string     `json:"ignored,omitempty"` // why the event changed nothing
	Decisions []Decision `json:"decisions,omitempty"`
	Answers   []Answer   `json:"answers,omitempty"`
	Entered   []string   `json:"entered,omitempty"` // states, in order
	Set       []Change   `json:"set,omitempty"`
	Effects   []string   `json:"effects,omitempty"` // in words, cut
	Problems  []Problem  `json:"problems,omitempty"`
	Waiting   int        `json:"waiting,omitempty"` // messages in the queue after the step
}

// Decision is the choice of a transition for one message.
type Decision struct {
	Pos        int64       `json:"pos"` // of the message
	From       string      `json:"from"`
	To         string      `json:"to,omitempty"` // empty: nothing fired
	Transition int         `json:"transition"`   // index in the definition; -1: nothing fired
	Candidates []Candidate `json:"candidates,omitempty"`
}

// Candidate is a transition that could have fired; it needs more points for than against.
type Candidate struct {
	Transition int     `json:"transition"`
	Dest       string  `json:"dest"`
	For        float64 `json:"for"`
	Against    float64 `json:"against"`
}

// Answer is what became of the answer to a question.
type Answer struct {
	Pos      int64  `json:"pos"` // of the message
	Name     string `json:"name"`
	Accepted bool   `json:"accepted"`
	Why      string `json:"why,omitempty"` // it was refused
}

// Change is a variable's new value.
type Change struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Bounds of a trace: it is stored with every step.
const (
	maxCandidates = 50
	maxTraced     = 100 // entries of any other list
	maxTracedText = 200 // bytes of an effect or a changed value
)

// traced appends as long as there is room.
func traced[T any](list []T, item T) []T {
	if len(list) >= maxTraced {
		return list
	}
	return append(list, item)
}
