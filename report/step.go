package report

import (
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// What is counted. Those with a duration have a bucket.
const (
	Opened      = "opened"
	Queued      = "queued"      // came into a queue
	Closed      = "closed"      //
	Abandoned   = "abandoned"   // closed after a person was asked for, and none has answered
	Transferred = "transferred" // from an agent to another one, or back into a queue
	MessagesIn  = "messages_in"
	MessagesOut = "messages_out"
	MessagesBot = "messages_bot" // of those that went out
	FirstReply  = "first_reply"  // duration: how long the contact waited for the first word of a person
	NextReply   = "next_reply"   // duration: and for each further one
	Wait        = "wait"         // duration: in a queue, until an agent had it
	Duration    = "duration"     // duration: from the opening to the close
	Taken       = "taken"        // by an agent
	Missed      = "missed"       // an agent let the time of an offer pass
	Declined    = "declined"     // an agent declined an offer
)

// kinds are the events that are counted.
var kinds = []chat.Kind{
	chat.KindOpened, chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed, chat.KindMessage, chat.KindOfferEnded,
}

// memory is what has to be known of a conversation to count its next event. Times are microseconds; 0 is none.
type memory struct {
	Opened   int64      `json:"o,omitempty"`
	Fresh    bool       `json:"f,omitempty"` // its opening is not counted yet: the next event tells of the queue
	State    chat.State `json:"s,omitempty"`
	Queue    string     `json:"q,omitempty"`
	Agent    string     `json:"a,omitempty"`
	InLine   int64      `json:"l,omitempty"` // since when it waits in a queue
	Waits    int64      `json:"w,omitempty"` // since when the contact waits for a person
	Asked    bool       `json:"p,omitempty"` // a person was asked for
	Answered bool       `json:"r,omitempty"` // a person has answered

	Undo *undo `json:"u,omitempty"` // how to take back the last move; nil when something was said since
}

type undo struct {
	Was    memory        `json:"m"`
	Counts []store.Count `json:"c,omitempty"`
}

// step counts an event. Events whose content was erased are counted as far as the rest of them tells.
func (m memory) step(e chat.Event) (memory, []store.Count) {
	var out []store.Count
	at := e.At.UnixMicro()
	if e.Kind == chat.KindOpened {
		return memory{Opened: at, Fresh: true}, nil
	}
	count := func(c store.Count) { out = append(out, c) }
	switch e.Kind {
	case chat.KindMessage:
		m = m.message(e, at, count)
	case chat.KindOfferEnded:
		m.offer(e, count)
	default:
		return m.place(e, at)
	}
	return m, out
}

// opening counts the opening, now that it is known where the conversation is.
func (m memory) opening(count func(store.Count)) memory {
	if m.Fresh {
		m.Fresh = false
		count(store.Count{At: time.UnixMicro(m.Opened), Queue: m.Queue, Measure: Opened, N: 1})
	}
	return m
}

func (m memory) message(e chat.Event, at int64, count func(store.Count)) memory {
	m = m.opening(count)
	m.Undo = nil
	if e.Direction == chat.In || e.Direction == "" && e.Status == chat.Received {
		count(m.one(e, MessagesIn))
		if m.Waits == 0 && (m.State == chat.StateQueued || m.State == chat.StateAssigned) {
			m.Waits, m.Asked = at, true
		}
		return m
	}
	count(m.one(e, MessagesOut))
	if e.Sender == nil {
		return m
	}
	switch e.Sender.Type {
	case chat.PartyBot:
		count(m.one(e, MessagesBot))
	case chat.PartyAgent:
		return m.answer(e, at, count)
	default:
	}
	return m
}

// answer counts what a person says.
func (m memory) answer(e chat.Event, at int64, count func(store.Count)) memory {
	by := e.Sender.ID
	count(m.by(e, by, MessagesOut))
	if m.Waits != 0 {
		what := FirstReply
		if m.Answered {
			what = NextReply
		}
		took := Bucket(time.Duration(at-m.Waits) * time.Microsecond)
		for _, c := range []store.Count{m.one(e, what), m.by(e, by, what)} {
			c.Bucket = took
			count(c)
		}
	}
	m.Waits, m.Answered = 0, true
	return m
}

// offer counts offers that were not taken.
func (m memory) offer(e chat.Event, count func(store.Count)) {
	var d chat.OfferData
	_ = json.Unmarshal(e.Data, &d) // erased: nobody is known
	what := Missed
	if d.Reason == store.OfferDeclined {
		what = Declined
	}
	for _, agent := range d.Agents {
		count(m.by(e, agent, what))
	}
}

func (m memory) one(e chat.Event, what string) store.Count {
	return store.Count{At: e.At, Queue: m.Queue, Measure: what, N: 1}
}

func (m memory) by(e chat.Event, agent, what string) store.Count {
	c := m.one(e, what)
	c.Agent = agent
	return c
}
