package chat

import (
	"encoding/json"
	"time"
)

// Kind says what happened.
type Kind string

// The kinds of events in the log. The comment names the type of Data.
const (
	KindMessage       Kind = "message"        // Event.Message
	KindOpened        Kind = "opened"         // OpenedData
	KindQueued        Kind = "queued"         // PlaceData: now waiting in a queue
	KindAssigned      Kind = "assigned"       // PlaceData: an agent has it
	KindBot           Kind = "bot"            // PlaceData: a flow has it (again)
	KindClosed        Kind = "closed"         // PlaceData
	KindReceipt       Kind = "receipt"        // ReceiptData: the status of a message moved on
	KindEdited        Kind = "edited"         // TargetData; Event.Message has the new content
	KindDeleted       Kind = "deleted"        // TargetData
	KindReaction      Kind = "reaction"       // ReactionData
	KindFlowStep      Kind = "flow_step"      // the bot's own data
	KindCall          Kind = "call"           // the bot asks a worker
	KindCallResult    Kind = "call_result"    // a worker answered, or its time ran out
	KindRead          Kind = "read"           // TargetData: we have read the contact's messages up to it
	KindNote          Kind = "note"           // Event.Message, seen by agents only
	KindProfile       Kind = "profile"        // Profile
	KindBlocked       Kind = "blocked"        // the contact stopped us from writing
	KindUnblocked     Kind = "unblocked"      // and lets us again
	KindFile          Kind = "file"           // FileData: an attachment was fetched, or never will be
	KindJoined        Kind = "joined"         // PersonData: somebody came into a group
	KindLeft          Kind = "left"           // PersonData
	KindMoved         Kind = "moved"          // MovedData: the contact has a new address
	KindSnoozed       Kind = "snoozed"        // SnoozeData: it rests with its agent
	KindAwoken        Kind = "awoken"         // SnoozeData: and does not any more
	KindOffered       Kind = "offered"        // OfferData: agents may accept the waiting conversation
	KindOfferEnded    Kind = "offer_ended"    // OfferData: these agents may not any more
	KindOfferExtended Kind = "offer_extended" // OfferData: they have until then
	KindRewound       Kind = "rewound"        // RewoundData: the contact took back what came after a message
	KindRepeated      Kind = "repeated"       // TargetData: a dead letter is tried again
	KindErased        Kind = "erased"         // personal data of the contact was rewritten
	KindAgentChanged  Kind = "agent_changed"  // of the workspace: how an agent is now
	KindQueueChanged  Kind = "queue_changed"  // of the workspace: how a queue is now
	KindTeamChanged   Kind = "team_changed"   // of the workspace: who is in a team now
	KindHoursChanged  Kind = "hours_changed"  // of the workspace: business hours as they are now
	KindRouteAsk      Kind = "route_ask"      // RouteAskData: a rule outside is asked who fits
	KindRouteAnswer   Kind = "route_answer"   // RouteAnswerData: it answered, or its time ran out
	KindUnsupported   Kind = "unsupported"    // UnsupportedPayload: an event that the hub cannot read
	KindChanged       Kind = "changed"        // ChangedData: fields, priority or tags
	KindAction        Kind = "action"         // ActionData: an agent had another system do something
	KindTyping        Kind = "typing"         // never stored
	KindPresence      Kind = "presence"       // never stored: who of us looks at it
	KindIgnored       Kind = "ignored"        // never stored: read, and of no use to us
)

// Direction is in (from the contact) or out (to the contact).
type Direction string

// The two directions of a message.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Status of a message. An outgoing one never moves backwards, and failed is final: of a message in parts one may arrive and the
// next one fail. (To try it again makes it queued again.)
type Status string

// The statuses, in the order of a message's life.
const (
	Received  Status = "received"
	Queued    Status = "queued"
	Sending   Status = "sending"
	Unsure    Status = "unsure" // the request left, no answer was read
	Sent      Status = "sent"
	Delivered Status = "delivered"
	Read      Status = "read"
	Failed    Status = "failed"
)

// statusRank orders the statuses of outgoing messages.
var statusRank = map[Status]int{Queued: 1, Sending: 2, Unsure: 3, Failed: 4, Sent: 5, Delivered: 6, Read: 7}

// Advances tells whether a message in status s may move to next. Queued and sending may fall back from one another (a retry);
// nothing follows failed.
func (s Status) Advances(next Status) bool {
	if s == Failed {
		return false
	}
	if next == Failed {
		return statusRank[s] < statusRank[Delivered]
	}
	if s == Sending && next == Queued {
		return true
	}
	return statusRank[next] > statusRank[s]
}

// PartyType says who acts.
type PartyType string

// Who can act in a conversation.
const (
	PartyContact PartyType = "contact"
	PartyBot     PartyType = "bot"
	PartyAgent   PartyType = "agent"
	PartySystem  PartyType = "system"
)

// Party is who caused an event.
type Party struct {
	Type PartyType `json:"type"`
	ID   string    `json:"id,omitempty"`
	Name string    `json:"name,omitempty"`
}

// Event is one entry of the log. Pos is gapless in the workspace, Seq gapless in the conversation.
// Status, ExternalID and Error of a message are kept up to date as receipts come in; everything else never
// changes (but for erasure).
type Event struct {
	Pos          int64           `json:"pos"`
	Seq          int64           `json:"seq"`
	Kind         Kind            `json:"kind"`
	At           time.Time       `json:"at"`
	Conversation ConversationID  `json:"conversation,omitempty"` // empty: an event of the channel itself
	Channel      ChannelID       `json:"channel,omitempty"`
	Direction    Direction       `json:"direction,omitempty"`
	Sender       *Party          `json:"sender,omitempty"`
	Message      *Message        `json:"message,omitempty"`
	Mentions     []string        `json:"mentions,omitempty"` // of a note: the ids of those whom it is for
	Data         json.RawMessage `json:"data,omitempty"`
	Status       Status          `json:"status,omitempty"`
	ExternalID   string          `json:"external_id,omitempty"`
	Error        *Failure        `json:"error,omitempty"`
	Action       ActionID        `json:"action,omitempty"`
	Sent         time.Time       `json:"sent_at,omitzero"` // the platform's own time, where it differs from At
}

// Failure is why a message did not reach its platform, in the platform's words.
type Failure struct {
	Class  string `json:"class"`          // the policy: rejected, gone, window_closed, ...
	Code   string `json:"code,omitempty"` // the platform's
	Detail string `json:"detail,omitempty"`
}

// OpenedData tells how a conversation began.
type OpenedData struct {
	Contact  ContactID      `json:"contact"`
	Previous ConversationID `json:"previous,omitempty"` // the conversation that it continues
	Flow     string         `json:"flow,omitempty"`
	Version  int            `json:"version,omitempty"`
	Start    string         `json:"start,omitempty"` // payload of a deep link

	Metadata json.RawMessage `json:"metadata,omitempty"` // what the client said of itself
	Override string          `json:"override,omitempty"` // every message leads into this state of the flow
}

// OfferData tells whom a waiting conversation is offered to, or whom no more.
type OfferData struct {
	Agents   []string        `json:"agents,omitempty"`
	Queue    string          `json:"queue,omitempty"`
	Until    time.Time       `json:"until,omitzero"`     // they have to accept until then; zero: as long as it waits
	Longest  time.Time       `json:"longest,omitzero"`   // and can have it extended until then
	Reason   string          `json:"reason,omitempty"`   // of an end: declined, timeout
	Decision json.RawMessage `json:"decision,omitempty"` // of routing: the rule, the candidates and the reasons
}

// RouteAskData asks a rule outside of the hub who should have a waiting conversation.
type RouteAskData struct {
	Queue      string          `json:"queue"`
	Candidates json.RawMessage `json:"candidates,omitempty"` // routing's own
	Considered int             `json:"considered,omitempty"` // how many could have it, when not all are told
	Until      time.Time       `json:"until"`
}

// RouteAnswerData is what such a rule said to the question at Ask (a position in the log).
type RouteAnswerData struct {
	Ask    int64  `json:"ask"`
	Agent  string `json:"agent,omitempty"` // whom it chose; empty without an error: nobody
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"` // why there is no answer

	Candidates []string `json:"candidates,omitempty"` // ids of the agents whom it was asked about
}

// RewoundData tells how far a conversation was taken back: what stands behind Seq does not count any more, for the flow as for readers.
type RewoundData struct {
	Seq   int64                      `json:"seq"`
	State string                     `json:"state,omitempty"` // of the flow; empty: the state stays
	Vars  map[string]json.RawMessage `json:"vars,omitempty"`  // variables of the flow to be set again
}

// PlaceData tells where a conversation is now and why it moved.
type PlaceData struct {
	State    State  `json:"state"`
	Queue    string `json:"queue,omitempty"`
	Assignee string `json:"assignee,omitempty"`
	Flow     string `json:"flow,omitempty"`
	Version  int    `json:"version,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Note     string `json:"note,omitempty"`   // of who passed it on, for who gets it
	From     *Stand `json:"from,omitempty"`   // where it was
	Undoes   int64  `json:"undoes,omitempty"` // the seq of the event that this one takes back

	Passed []string `json:"passed,omitempty"` // the queues that passed it on, in order
}

// Stand is where a conversation was and how it stood there.
type Stand struct {
	State       State     `json:"state"`
	Queue       string    `json:"queue,omitempty"`
	Assignee    string    `json:"assignee,omitempty"`
	Flow        string    `json:"flow,omitempty"`
	Version     int       `json:"version,omitempty"`
	Unread      int       `json:"unread,omitempty"`
	Waiting     time.Time `json:"waiting_since,omitzero"`
	Snoozed     bool      `json:"snoozed,omitempty"`
	SnoozedTill time.Time `json:"snoozed_until,omitzero"`
}

// The reasons of moves that nobody asks for.
const (
	ReasonNew      = "new conversation"
	ReasonReopened = "reopened" // the contact, or an agent, goes on in what was closed
	ReasonSilence  = "silence"  // the clock closed it
	ReasonUndone   = "undone"

	ReasonQueueClosed = "queue_closed" // outside of the queue's hours
	ReasonQueueFull   = "queue_full"
	ReasonMaxWait     = "max_wait" // nobody came in time
)

// SnoozeData tells of a rest and its end.
type SnoozeData struct {
	Until  time.Time `json:"until,omitzero"`   // absent: until the contact writes
	Reason string    `json:"reason,omitempty"` // of an end: time, contact, agent, undone
	From   *Stand    `json:"from,omitempty"`   // how it was before a rest
	Undoes int64     `json:"undoes,omitempty"`
}

// ReceiptData moves the status of the message at Seq.
type ReceiptData struct {
	Seq         int64    `json:"seq,omitempty"` // of the message; 0: not known to us
	Status      Status   `json:"status"`
	ExternalIDs []string `json:"external_ids,omitempty"`
	Part        int      `json:"part,omitempty"` // parts sent so far, when the message is split
	Parts       int      `json:"parts,omitempty"`
	Error       *Failure `json:"error,omitempty"`
	Fitted      []string `json:"fitted,omitempty"` // what was turned into something nearer, e.g. "buttons to text"
}

// TargetData names the message that an event is about.
type TargetData struct {
	Seq        int64  `json:"seq,omitempty"` // 0: not known to us
	ExternalID string `json:"external_id,omitempty"`
}

// ReactionData is an added or removed reaction.
type ReactionData struct {
	TargetData
	Added   []string `json:"added,omitempty"` // emoji
	Removed []string `json:"removed,omitempty"`
	All     bool     `json:"all,omitempty"` // Added is the sender's whole set now
}

// PersonData names people who came or went.
type PersonData struct {
	People []Person `json:"people"`
}

// MovedData is a change of the contact's address on the channel.
type MovedData struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// ChangedData tells what people made of a conversation; what did not change is left out.
type ChangedData struct {
	Fields   map[string]json.RawMessage `json:"fields,omitempty"` // as they are now; null: taken away
	Priority *int                       `json:"priority,omitempty"`
	Tags     *TagsData                  `json:"tags,omitempty"`
}

// TagsData are the tags that were put to a conversation, and those that were taken away.
type TagsData struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// ActionData tells what an agent had another system do, and what that answered.
type ActionData struct {
	Name    string                     `json:"action"`
	Title   string                     `json:"title,omitempty"`
	Inputs  map[string]json.RawMessage `json:"inputs,omitempty"`
	URL     string                     `json:"url,omitempty"`
	Text    string                     `json:"text,omitempty"`
	Fields  map[string]json.RawMessage `json:"fields,omitempty"`  // that the answer set
	Refused map[string]string          `json:"refused,omitempty"` // those that could not be set, and why
	Request string                     `json:"request"`           // the id under which the other system knows the call
}

// FileData tells what became of an attachment of the message at Seq.
type FileData struct {
	Seq    int64  `json:"seq"`
	File   FileID `json:"file"`
	Status string `json:"status"` // stored, failed
	Detail string `json:"detail,omitempty"`
}
