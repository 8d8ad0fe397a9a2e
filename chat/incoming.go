package chat

import (
	"encoding/json"
	"time"
)

// Incoming is one thing that a platform told us, translated by its connector and not yet stored.
//
// Key is what makes it stored once: unique within the channel for one occurrence at the platform, the same for every
// redelivery. ID and Target name messages; they are unique within the channel too (a platform whose message ids
// are unique within a chat only gets the chat's id put before them).
type Incoming struct {
	Key    string    // never empty, at most 200 bytes
	Kind   Kind      // opened, message, edited, deleted, reaction, receipt, blocked, unblocked, joined, left, moved, unsupported, typing, ignored
	Thread Thread    // where; empty Address: an event of the channel itself
	Sender Person    // who; for an echo, who of us
	At     time.Time // the platform's time; zero: it gives none

	ID      string   // of the message
	Target  string   // of the message that an edit, deletion, reaction or receipt is about
	Message *Message // message, edited

	Reaction *ReactionData   // reaction
	Status   Status          // receipt: sent, delivered, read, failed
	UpTo     time.Time       // receipt without Target: all messages until then
	Failure  *Failure        // receipt: failed
	People   []Person        // joined, left
	MovedTo  string          // moved: the new address
	Echo     bool            // a message that we sent from elsewhere
	Start    string          // payload of a deep link or a referral
	Metadata json.RawMessage // what the client says of itself when it opens a conversation, at most 16 KiB
	Override string          // the state of the flow into which every message of a new conversation leads
	Ack      string          // what Acknowledge needs, e.g. the id of a callback query
	Raw      json.RawMessage
}
