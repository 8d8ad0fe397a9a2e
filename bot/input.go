package bot

import (
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Input is one event of a conversation, and what expressions may know beside it.
//
// Step looks at these kinds: opened, message (incoming), call_result (Data is a CallResult), rewound,
// queued, assigned, bot and closed. All others change nothing.
type Input struct {
	Event        chat.Event
	Conversation Facts
	// Now is the time of the step. For a replay to decide the same it is the event's At, which is also taken
	// when Now is zero.
	Now time.Time
}

// Facts are what a flow may know about its conversation.
type Facts struct {
	ID       chat.ConversationID
	Channel  chat.ChannelID
	Contact  chat.ContactRef
	Language string // of the contact, BCP 47
	Start    string // payload of the deep link that opened the conversation
	Override string `json:",omitempty"` // the state into which every message leads, as the client wished
	OpenedAt time.Time
}

// CallResult is the data of a call_result event: what a worker answered to a Call, or that its time ran out.
type CallResult struct {
	ID    string `json:"id"`              // of the Call; any other is stale and changes nothing
	Error string `json:"error,omitempty"` // it failed, or "timeout": ends the turn

	// Of a condition.
	Score float64         `json:"score,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`

	// Of an event. Each result may carry finished messages; the last one has Last.
	Messages []chat.Message `json:"messages,omitempty"`
	Vars     Values         `json:"vars,omitempty"` // to be set
	Last     bool           `json:"last,omitempty"`
}
