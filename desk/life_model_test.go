package desk

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The reference for TestLives: the desk as one would play it with cards on a table.

// card is a conversation.
type card struct {
	id       chat.ConversationID
	who      string // the contact
	before   *card
	state    chat.State
	queue    string
	agent    string
	unread   int
	waits    bool
	replied  bool
	resting  bool
	restEnds time.Time // zero: when the contact writes
	placed   time.Time
	lastIn   time.Time
	lastOut  time.Time
	updated  time.Time
	closed   time.Time
	reason   string
	deeds    int // what was done to it, but for what comes by itself
}

// deed is what an agent did last, and how it was before.
type deed struct {
	card  *card
	was   card
	seq   int64
	by    string
	at    time.Time
	deeds int
}

// table is everything.
type table struct {
	now    time.Time
	cards  []*card
	open   map[string]*card // by contact
	last   map[string]*card
	agents map[string]*store.Agent
	queues map[string]tableQueue
}

type tableQueue struct {
	rule    Rule
	members []string
	Settings
}

func newTable() *table {
	return &table{open: map[string]*card{}, last: map[string]*card{}, agents: map[string]*store.Agent{}, queues: map[string]tableQueue{}}
}

// offers are whom the store offers what, which the router decides.
type offers map[chat.ConversationID]store.WaitingConversation

// load counts what an agent works on and has to answer in time, but for one.
func (t *table) load(agent string, o offers, but *card) (n int) {
	for _, c := range t.cards {
		if c == but {
			continue
		}
		if c.state == chat.StateAssigned && c.agent == agent && !c.resting {
			n++
		}
		if x := o[c.id]; c.state == chat.StateQueued && !x.Until.IsZero() && slices.Contains(x.Agents, agent) {
			n++
		}
	}
	return n
}

func (t *table) hasRoom(agent string, o offers, but *card) bool {
	a := t.agents[agent]
	return a != nil && a.Available && (a.Capacity == 0 || t.load(agent, o, but) < a.Capacity)
}

// writes is a message of a contact; bot tells that the channel has a flow.
func (t *table) writes(who string, bot bool, o offers) *card {
	c := t.open[who]
	if c == nil {
		c = t.begin(who, bot, o)
	}
	c.lastIn, c.updated = t.now, t.now
	c.unread++
	c.waits = true
	if c.resting {
		c.resting, c.restEnds, c.placed = false, time.Time{}, t.now
	}
	c.deeds++
	return c
}

// begin is a new conversation: where the last one was, if that was closed a moment ago.
func (t *table) begin(who string, bot bool, o offers) *card {
	c := &card{who: who, before: t.last[who], state: chat.StateQueued, queue: "support", placed: t.now, updated: t.now, waits: true}
	if bot {
		c.state, c.queue, c.waits = chat.StateBot, "", false
	}
	if last := c.before; last != nil && last.queue != "" {
		q := t.queues[last.queue]
		if span := time.Duration(q.ReopenMinutes) * time.Minute; span > 0 && t.now.Sub(last.closed) <= span {
			c.state, c.queue, c.waits = chat.StateQueued, last.queue, true
			if last.agent != "" && t.hasRoom(last.agent, o, nil) {
				c.state, c.agent = chat.StateAssigned, last.agent
			}
		}
	}
	t.lay(c)
	return c
}

func (t *table) lay(c *card) {
	t.cards = append(t.cards, c)
	t.open[c.who], t.last[c.who] = c, c
}

// move puts a card elsewhere.
func (t *table) move(c *card, to chat.PlaceData) {
	from := c.state
	c.state, c.placed, c.updated, c.resting, c.restEnds, c.closed, c.reason = to.State, t.now, t.now, false, time.Time{}, time.Time{}, ""
	c.deeds++
	switch to.State {
	case chat.StateClosed:
		c.unread, c.waits, c.closed, c.reason = 0, false, t.now, to.Reason
		delete(t.open, c.who)
		return
	case chat.StateBot:
		c.queue = ""
	default:
		c.queue = cmp.Or(to.Queue, c.queue)
		c.waits = c.waits || to.State == chat.StateQueued || from == chat.StateBot
	}
	c.agent = to.Assignee
}

// undo puts a card back, if it still may be.
func (t *table) undo(d *deed, by string) bool {
	c := d.card
	if by != d.by || t.now.Sub(d.at) > store.UndoTime || c.deeds != d.deeds || c.state == chat.StateClosed && t.last[c.who] != c {
		return false
	}
	now := d.was
	now.deeds, now.placed, now.updated = c.deeds+1, t.now, t.now
	if now.resting && !now.restEnds.IsZero() && !now.restEnds.After(t.now) {
		now.resting, now.restEnds = false, time.Time{}
	}
	*c = now
	if c.state != chat.StateClosed {
		t.open[c.who] = c
	}
	return true
}

// passes lets time go by: agents who did not answer are away, rests end, silence closes.
func (t *table) passes(d time.Duration, o offers) {
	t.now = t.now.Add(d)
	for _, x := range o {
		if !x.Until.IsZero() && !x.Until.After(t.now) {
			for _, id := range x.Agents {
				t.agents[id].Available = false
			}
		}
	}
	for _, c := range t.cards {
		if c.resting && !c.restEnds.IsZero() && !c.restEnds.After(t.now) {
			c.resting, c.restEnds, c.placed, c.updated = false, time.Time{}, t.now, t.now
			c.deeds++
		}
		if t.silent(c) {
			t.move(c, chat.PlaceData{State: chat.StateClosed, Reason: chat.ReasonSilence})
		}
	}
}

// silent tells whether the clock closes it.
func (t *table) silent(c *card) bool {
	switch {
	case c.state == chat.StateBot:
		return t.now.Sub(c.updated) >= time.Hour
	case c.state != chat.StateAssigned || c.resting:
		return false
	}
	q := t.queues[c.queue]
	since, span := c.placed, time.Duration(q.CloseAfterMinutes)*time.Minute
	if c.lastOut.After(since) {
		since = c.lastOut
	}
	if q.CloseCounts == store.CountAny {
		if c.lastIn.After(since) {
			since = c.lastIn
		}
	} else if c.waits {
		return false
	}
	return span > 0 && t.now.Sub(since) >= span
}

// String is what is compared of a card.
func (c *card) String() string {
	before := chat.ConversationID("")
	if c.before != nil {
		before = c.before.id
	}
	return fmt.Sprint(c.who, " ", c.state, " ", c.queue, " ", c.agent, " unread ", c.unread, " waits ", c.waits, " replied ", c.replied,
		" rests ", c.resting, " ", c.restEnds.UnixMicro(), " ", c.reason, " after ", before)
}

// cardOf is a conversation of the store as a card.
func cardOf(c chat.Conversation) *card {
	x := &card{
		id: c.ID, who: c.Thread.Address, state: c.State, queue: c.Queue, agent: c.Assignee, unread: c.Unread, waits: !c.Waiting.IsZero(),
		replied: !c.FirstReply.IsZero(), resting: c.Snoozed, restEnds: c.SnoozedTill, reason: c.CloseReason,
	}
	if c.Previous != "" {
		x.before = &card{id: c.Previous}
	}
	return x
}
