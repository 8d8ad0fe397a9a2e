package bot

import (
	"maps"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Phase is what a session is waiting for.
type Phase string

// The phases of a session.
const (
	PhaseNew      Phase = ""         // nothing has happened yet
	PhaseIdle     Phase = "idle"     // for the contact's next message
	PhaseAsking   Phase = "asking"   // for the answer to a question
	PhaseDeciding Phase = "deciding" // for a worker's condition
	PhaseActing   Phase = "acting"   // for a worker's event
	PhaseAway     Phase = "away"     // an agent or a queue has the conversation
	PhaseClosed   Phase = "closed"   // for nothing any more
)

// maxQueue and maxQueued bound the messages that wait while a turn is open: their number, and their bytes beside the first one. All of
// them are written with every step.
const (
	maxQueue  = 100
	maxQueued = 256 << 10
)

// Session is all that a flow remembers of one conversation, as JSON: where it is, its variables, what it is
// waiting for and which messages wait. The zero value is a conversation that has not begun. Step never changes
// the session that it is given.
type Session struct {
	State    string           `json:"state,omitempty"`
	Phase    Phase            `json:"phase,omitempty"`
	Vars     Values           `json:"vars,omitempty"`
	Turn     int              `json:"turn,omitempty"` // messages of the contact taken up so far
	Message  *Waiting         `json:"message,omitempty"`
	Position Position         `json:"position,omitzero"`
	Jumps    int              `json:"jumps,omitempty"` // gotos of this turn
	Ran      int              `json:"ran,omitempty"`   // actions of this turn
	Wrong    int              `json:"wrong,omitempty"` // answers to the open question that were refused
	Data     Values           `json:"data,omitempty"`  // under "": the data of the condition that led here
	Scores   map[string]Score `json:"scores,omitempty"`
	Call     *Outstanding     `json:"call,omitempty"`
	Queue    []Waiting        `json:"queue,omitempty"`
	Opening  *Opening         `json:"opening,omitempty"`
}

// Waiting is a message of the contact that a turn is about, or will be.
type Waiting struct {
	Pos     int64         `json:"pos"`
	Message *chat.Message `json:"message"`
}

// weight is roughly how many bytes a message is.
func weight(m *chat.Message) (n int) {
	for _, e := range m.Stack {
		n += len(e.Payload)
	}
	return n
}

// full tells whether one more message cannot wait.
func (s *Session) full(m *chat.Message) bool {
	if len(s.Queue) == 0 {
		return false
	}
	n := weight(m)
	for _, w := range s.Queue {
		n += weight(w.Message)
	}
	return len(s.Queue) >= maxQueue || n > maxQueued
}

// Position is the next action to run.
type Position struct {
	Fallback bool `json:"fallback,omitempty"` // of the flow's fallback, not of the state's events
	Next     int  `json:"next,omitempty"`
}

// Score is a worker's answer to a condition, kept while the message is being decided on.
type Score struct {
	Score float64 `json:"score"`
	Data  Values  `json:"data,omitempty"` // under "": the data, of any form
}

// Outstanding is the one call that the session is waiting for. Whoever makes calls looks here for the deadline
// after each step: a part of an answer moves it.
type Outstanding struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Condition bool      `json:"condition,omitempty"`
	Deadline  time.Time `json:"deadline"`
}

// Opening remembers how the conversation was opened, to tell the message that opened it from the next one.
type Opening struct {
	Seq    int64         `json:"seq,omitempty"`
	Action chat.ActionID `json:"action,omitempty"`
}

// boxed wraps a value of any form, so that its numbers come back from JSON as they went.
func boxed(v any) Values {
	if v == nil {
		return nil
	}
	return Values{"": v}
}

// endTurn forgets all that belongs to one message.
func (s *Session) endTurn(phase Phase) {
	s.Phase, s.Message, s.Position = phase, nil, Position{}
	s.Jumps, s.Ran, s.Wrong = 0, 0, 0
	s.Data, s.Scores, s.Call = nil, nil, nil
}

// with gives a copy of the values with one more; maps of sessions are never changed in place.
func (v Values) with(name string, value any) Values {
	out := make(Values, len(v)+1)
	maps.Copy(out, v)
	out[name] = value
	return out
}
