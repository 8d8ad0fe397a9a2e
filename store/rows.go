package store

import (
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// micros and moment turn times into what the tables hold and back; zero stays zero.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// convKey and the like are the inner names of rows.
type (
	convKey   struct{ ws, no int64 }
	uidKey    struct{ uid string }
	threadKey struct {
		ws, channel int64
		thread      string
	}
	addressKey struct {
		ws, channel int64
		address     string
	}
	targetKey struct {
		ws, channel int64
		external    string
	}
	eventKey struct{ ws, conv, seq int64 }
	jobKey   struct {
		ws   int64
		work string
		pos  int64
	}
	stateKey struct {
		ws       int64
		follower string
		conv     int64
	}
)

type workspaceRow struct {
	id, head, lastConversation, lastContact, epoch int64
	uid                                            chat.WorkspaceID
	found                                          int64 // the head when it was locked
	dirty                                          bool
}

type channelRow struct {
	ws, no, lastSeq        int64
	uid                    chat.ChannelID
	connector, flow, queue string
	flowVersion            int
	active, dirty          bool
}

const channelColumns = `ch.workspace, ch.no, ch.uid, ch.connector, ch.flow, ch.queue, ch.last_seq, ch.status,
 (SELECT COALESCE(MAX(f.version), 0) FROM flows f WHERE f.workspace = ch.workspace AND f.name = ch.flow)`

func (r *channelRow) scan(s scanner) error {
	var status string
	err := s.Scan(&r.ws, &r.no, &r.uid, &r.connector, &r.flow, &r.queue, &r.lastSeq, &status, &r.flowVersion)
	r.active = status != string(ChannelOff)
	return err
}

type contactRow struct {
	ws, no         int64
	uid            chat.ContactID
	name, language string
	properties     string
	created        int64
	fresh, dirty   bool
}

const contactColumns = `ct.workspace, ct.no, ct.uid, ct.name, ct.language, ct.properties, ct.created_at`

func (r *contactRow) dest() []any {
	return []any{&r.ws, &r.no, &r.uid, &r.name, &r.language, &r.properties, &r.created}
}

type identityRow struct {
	ws, channel  int64
	address      string
	contact      int64
	person       chat.Person
	blocked      bool
	profileAt    int64
	fresh, dirty bool
}

const identityColumns = `i.workspace, i.channel, i.address, i.contact, i.person, i.blocked, i.profile_at`

func (r *identityRow) scan(s scanner) error {
	var person string
	var blocked int64
	if err := s.Scan(&r.ws, &r.channel, &r.address, &r.contact, &person, &blocked, &r.profileAt); err != nil {
		return err
	}
	r.blocked = blocked != 0
	return json.Unmarshal([]byte(person), &r.person)
}

type conversationRow struct {
	ws, no           int64
	uid              chat.ConversationID
	channel, contact int64
	thread           string
	threadBody       chat.Thread
	state            chat.State
	flow             string
	flowVersion      int
	assignee, queue  string
	previous         chat.ConversationID
	lastSeq          int64
	unread           int
	preview          string
	opened, updated  int64
	closed, lastIn   int64
	lastOut          int64
	firstReply       int64 // of a person
	waiting          int64 // since when the contact waits for us
	snoozed          int64 // until when; 0: it does not rest
	closeReason      string
	placed           int64 // since when it is where it is, or has ended its rest
	priority         int
	tags, fields     string // JSON
	fresh, dirty     bool
	moved            bool // more has changed than a new event changes
}

// untilWritten is the end of a rest that only the contact ends.
const untilWritten int64 = 1 << 62

const conversationColumns = `c.workspace, c.no, c.uid, c.channel, c.contact, c.thread, c.thread_body, c.state, c.flow, c.flow_version,
 c.assignee, c.queue, c.previous, c.last_seq, c.unread, c.preview, c.opened_at, c.updated_at, c.closed_at, c.last_in_at,
 c.last_out_at, c.first_reply_at, c.waiting_since, c.snoozed_until, c.close_reason, c.priority, c.tags, c.fields, c.placed_at`

func (r *conversationRow) dest(body *string) []any {
	return []any{
		&r.ws, &r.no, &r.uid, &r.channel, &r.contact, &r.thread, body, &r.state, &r.flow, &r.flowVersion,
		&r.assignee, &r.queue, &r.previous, &r.lastSeq, &r.unread, &r.preview, &r.opened, &r.updated, &r.closed, &r.lastIn,
		&r.lastOut, &r.firstReply, &r.waiting, &r.snoozed, &r.closeReason, &r.priority, &r.tags, &r.fields, &r.placed,
	}
}

func (r *conversationRow) scan(s scanner, more ...any) error {
	var body string
	if err := s.Scan(append(r.dest(&body), more...)...); err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), &r.threadBody)
}

// public gives the row as others see it; contact and channel are the outer names.
func (r *conversationRow) public(contact chat.ContactRef, channel chat.ChannelID) chat.Conversation {
	c := chat.Conversation{
		ID: r.uid, Channel: channel, Contact: contact, State: r.state, Flow: r.flow, Version: r.flowVersion, Assignee: r.assignee,
		Queue: r.queue, Previous: r.previous, LastSeq: r.lastSeq, Unread: r.unread, Preview: r.preview, Thread: r.threadBody,
		OpenedAt: moment(r.opened), Updated: moment(r.updated), ClosedAt: moment(r.closed), LastIn: moment(r.lastIn),
		LastOut: moment(r.lastOut), CloseReason: r.closeReason, FirstReply: moment(r.firstReply), Waiting: moment(r.waiting),
		Snoozed: r.snoozed != 0, Priority: r.priority, Tags: []string{}, Placed: moment(r.placed),
	}
	if r.snoozed != untilWritten {
		c.SnoozedTill = moment(r.snoozed)
	}
	c.Turn = chat.TurnOf(c.State, c.FirstReply, c.Waiting)
	_ = json.Unmarshal([]byte(r.tags), &c.Tags) // ours, as the fields
	_ = json.Unmarshal([]byte(r.fields), &c.Fields)
	return c
}

// targetRow is what an external id stands for: a message, or a receipt that came before its message was known.
type targetRow struct {
	conv    convKey
	seq     int64
	status  chat.Status // of the message now
	early   chat.Status
	failure string
	fresh   bool
	dirty   bool
}

// eventBody is what the body column holds: everything that is not a column.
type eventBody struct {
	Channel   chat.ChannelID  `json:"channel,omitempty"`
	Direction chat.Direction  `json:"direction,omitempty"`
	Sender    *chat.Party     `json:"sender,omitempty"`
	Message   *chat.Message   `json:"message,omitempty"`
	Mentions  []string        `json:"mentions,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Action    chat.ActionID   `json:"action,omitempty"`
	Sent      time.Time       `json:"sent_at,omitzero"`
}

func bodyOf(e *chat.Event) (string, error) {
	raw, err := json.Marshal(eventBody{
		Channel: e.Channel, Direction: e.Direction, Sender: e.Sender, Message: e.Message, Mentions: e.Mentions, Data: e.Data,
		Action: e.Action, Sent: e.Sent,
	})
	return string(raw), err
}

const eventColumns = `e.pos, e.seq, e.kind, e.at, e.status, e.external_id, e.failure, e.body`

// scanEvent reads eventColumns and then what more asks for.
func scanEvent(s scanner, more ...any) (chat.Event, error) {
	var e chat.Event
	var at int64
	var failure string
	var body []byte
	if err := s.Scan(append([]any{&e.Pos, &e.Seq, &e.Kind, &at, &e.Status, &e.ExternalID, &failure, &body}, more...)...); err != nil {
		return e, err
	}
	e.At = moment(at)
	e.Error = failureOf(failure)
	return e, readBody(&e, body)
}

// readBody fills in what bodyOf keeps.
func readBody(e *chat.Event, body []byte) error {
	var b eventBody
	if err := json.Unmarshal(body, &b); err != nil {
		return err
	}
	e.Channel, e.Direction, e.Sender, e.Message, e.Mentions, e.Data = b.Channel, b.Direction, b.Sender, b.Message, b.Mentions, b.Data
	e.Action, e.Sent = b.Action, b.Sent
	return nil
}

// failureText and failureOf keep a failure in a column.
func failureText(f *chat.Failure) string {
	if f == nil {
		return ""
	}
	raw, _ := json.Marshal(f) // strings only: cannot fail
	return string(raw)
}

func failureOf(text string) *chat.Failure {
	if text == "" {
		return nil
	}
	f := &chat.Failure{}
	if json.Unmarshal([]byte(text), f) != nil {
		return &chat.Failure{Detail: text}
	}
	return f
}
