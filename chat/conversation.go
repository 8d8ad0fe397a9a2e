package chat

import (
	"encoding/json"
	"time"
)

// State is the one place where an open conversation is.
type State string

// The states of a conversation.
const (
	StateBot      State = "bot"
	StateQueued   State = "queued"
	StateAssigned State = "assigned"
	StateClosed   State = "closed"
)

// Conversation is the summary that lists show.
type Conversation struct {
	ID       ConversationID `json:"id"`
	Channel  ChannelID      `json:"channel"`
	Contact  ContactRef     `json:"contact"`
	State    State          `json:"state"`
	Flow     string         `json:"flow,omitempty"`
	Version  int            `json:"flow_version,omitempty"`
	Assignee string         `json:"assignee,omitempty"`
	Queue    string         `json:"queue,omitempty"`
	Previous ConversationID `json:"previous,omitempty"`
	LastSeq  int64          `json:"last_seq"`
	Unread   int            `json:"unread"`
	Preview  string         `json:"preview"`
	Thread   Thread         `json:"thread"`
	OpenedAt time.Time      `json:"opened_at"`
	Updated  time.Time      `json:"updated_at"`
	ClosedAt time.Time      `json:"closed_at,omitzero"`
	LastIn   time.Time      `json:"last_in_at,omitzero"` // the contact's last message: reply windows count from here
	LastOut  time.Time      `json:"last_out_at,omitzero"`

	Placed      time.Time `json:"placed_at"` // since when it is where it is, or has ended its rest
	CloseReason string    `json:"close_reason,omitempty"`
	FirstReply  time.Time `json:"first_reply_at,omitzero"` // of a person
	Waiting     time.Time `json:"waiting_since,omitzero"`  // since when the contact waits for us; absent: it is the contact's turn
	Turn        Turn      `json:"turn"`
	Due         time.Time `json:"due_at,omitzero"` // our answer is, by what the queue promises
	Snoozed     bool      `json:"snoozed,omitempty"`
	SnoozedTill time.Time `json:"snoozed_until,omitzero"` // absent: until the contact writes

	Priority int                        `json:"priority"`
	Tags     []string                   `json:"tags" nullable:"false"`
	Fields   map[string]json.RawMessage `json:"fields,omitempty"`
}

// Turn says who has to write next.
type Turn string

// Whose turn it can be. What a bot or nobody has is nobody's turn.
const (
	TurnFirstReply Turn = "first_reply" // ours, and no person has answered yet
	TurnNextReply  Turn = "next_reply"  // ours
	TurnContact    Turn = "contact"
	TurnNone       Turn = "none"
)

// TurnOf derives whose turn it is.
func TurnOf(s State, firstReply, waiting time.Time) Turn {
	switch {
	case s != StateQueued && s != StateAssigned:
		return TurnNone
	case waiting.IsZero():
		return TurnContact
	case firstReply.IsZero():
		return TurnFirstReply
	default:
		return TurnNextReply
	}
}

// ContactRef is a contact as others show it.
type ContactRef struct {
	ID   ContactID `json:"id"`
	Name string    `json:"name"`
}

// Person is somebody as a platform describes them.
type Person struct {
	Address   string `json:"address"` // the platform's user id, as text
	Name      string `json:"name,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
	Language  string `json:"language,omitempty"` // BCP 47, as it came
	Phone     string `json:"phone,omitempty"`
	Email     string `json:"email,omitempty"`
	Bot       bool   `json:"bot,omitempty"`
}

// Profile is what a look-up found out about a contact. Photo is a link, or a Source for Download.
type Profile struct {
	Person
	Photo    string  `json:"photo,omitempty"`
	PhotoRef *Source `json:"photo_ref,omitempty"`
	TimeZone string  `json:"time_zone,omitempty"`
}

// Thread is where on the platform a conversation takes place: with one person, or in a group.
type Thread struct {
	Address string `json:"address"`         // the platform's chat id; for a direct chat the person's address
	Topic   string `json:"topic,omitempty"` // a sub-thread of it
	Group   bool   `json:"group,omitempty"`
	Title   string `json:"title,omitempty"` // of a group
}

// Key is the thread's identity inside its channel.
func (t Thread) Key() string {
	if t.Topic == "" {
		return t.Address
	}
	return t.Address + "/" + t.Topic
}
