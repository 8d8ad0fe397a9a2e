package bot

import (
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Effect is something to be done for a step: Say, Call, HandOver, Close, Typing or Note, in the order given.
type Effect interface {
	// line describes the effect for the trace.
	line() string
}

// Say sends a message to the contact.
type Say struct {
	Message chat.Message
}

// Call asks a worker to run a function. Its answer comes back as a call_result event with the same ID; if none
// has come at the deadline, the caller adds one with the error "timeout".
type Call struct {
	ID        string    `json:"id"` // derived from the event's position: the same at a replay
	Name      string    `json:"name"`
	Condition bool      `json:"condition,omitempty"` // a condition, not an event
	State     string    `json:"state"`               // where the session is
	Data      any       `json:"data,omitempty"`      // transition_data: of the condition that led here; events only
	Vars      Values    `json:"vars,omitempty"`
	Deadline  time.Time `json:"deadline"`
}

// HandOver gives the conversation to a queue; empty: the channel's own.
type HandOver struct {
	Queue string
	Note  string // for the agents
}

// Close ends the conversation.
type Close struct {
	Reason string
}

// Typing shows the contact that an answer is on its way.
type Typing struct {
	For time.Duration
}

// Note is a text for agents only.
type Note struct {
	Text string
}

func (e Say) line() string { return "say " + e.Message.Text() }

func (e Call) line() string { return "call " + e.Name + " " + e.ID }

func (e HandOver) line() string { return "hand_over " + e.Queue }

func (e Close) line() string { return "close " + e.Reason }

func (e Typing) line() string { return "typing " + e.For.String() }

func (e Note) line() string { return "note " + e.Text }
