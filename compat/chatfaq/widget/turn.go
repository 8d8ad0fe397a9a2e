package widget

import (
	"encoding/json"
	"strconv"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
)

// item is one entry of a conversation as the protocol has it: a message, or the mark that ends a turn.
type item struct {
	id      int64 // position of the event that it stands for
	at      int64 // position of the event behind which it stands
	seq     int64 // sequence number of that event
	event   chat.Event
	human   bool
	end     bool // a terminator
	last    bool
	stackID string
	groupID string
	state   string // of the flow
	rewound bool   // takes back what stands behind target
	target  int64
}

// turn reads the events of a conversation in order and tells what clients hear of them, and when it is the contact's turn: a client's input
// is locked from a human message on until a bot's message that is the last one of its turn.
type turn struct {
	place   chat.State
	state   string // of the flow
	waiting bool   // a human message has no end yet
	due     int64  // sequence number behind which the turn ends; 0: none
	step    int64  // position of the step that said so
}

// take reads the next event.
func (t *turn) take(e chat.Event) []item {
	var out []item
	switch e.Kind {
	case chat.KindOpened:
		var d chat.OpenedData
		t.place = chat.StateQueued
		if json.Unmarshal(e.Data, &d) == nil && d.Flow != "" {
			t.place = chat.StateBot
		}
	case chat.KindBot:
		t.place = chat.StateBot
	case chat.KindQueued, chat.KindAssigned, chat.KindClosed:
		t.place = chat.State(e.Kind)
		if t.due == 0 { // also when nothing was said yet: a client without any message is locked too
			out = append(out, t.end(e, e.Pos))
		}
	case chat.KindMessage:
		out = t.message(e)
	case chat.KindFlowStep:
		t.stepped(e)
	case chat.KindEdited, chat.KindDeleted:
		if i, ok := t.changed(e); ok {
			out = append(out, i)
		}
	case chat.KindRewound:
		var d chat.RewoundData
		if json.Unmarshal(e.Data, &d) == nil {
			t.waiting, t.due = false, 0
			out = append(out, item{id: e.Pos, at: e.Pos, seq: e.Seq, rewound: true, target: d.Seq})
		}
	default:
	}
	if t.due != 0 && e.Seq >= t.due {
		out = append(out, t.end(e, t.step))
	}
	return out
}

func (t *turn) message(e chat.Event) []item {
	i := item{id: e.Pos, at: e.Pos, seq: e.Seq, event: e, state: t.state}
	if e.Direction == chat.In {
		i.human = true
		if t.waiting = t.place == chat.StateBot; t.waiting {
			return []item{i}
		}
		return []item{i, t.end(e, e.Pos)} // nobody answers at once: the contact may go on
	}
	i.stackID, i.groupID = stackIDs(e)
	i.last = e.Sender == nil || e.Sender.Type != chat.PartyBot
	return []item{i}
}

// stackIDs are those that a worker gave its message, else made of its place.
func stackIDs(e chat.Event) (id, group string) {
	id = stackID("m", e, e.Seq)
	if e.Message != nil && e.Message.Meta["stack_id"] != "" {
		id = e.Message.Meta["stack_id"]
	}
	if group = id; e.Message != nil && e.Message.Meta["stack_group_id"] != "" {
		group = e.Message.Meta["stack_group_id"]
	}
	return id, group
}

// stackID names what stands at a place of a conversation. A client may see several conversations of its thread.
func stackID(what string, e chat.Event, seq int64) string {
	conv := string(e.Conversation)
	return what + strconv.FormatInt(seq, 10) + "-" + conv[max(0, len(conv)-8):]
}

// stepped finds out whether the bot has nothing more to say.
func (t *turn) stepped(e chat.Event) {
	var r bot.Record
	if json.Unmarshal(e.Data, &r) != nil {
		return
	}
	t.state = r.Trace.State
	if r.Trace.Kind == chat.KindRewound {
		return // who goes back knows that, and may have written again before this is heard
	}
	switch r.Trace.Phase {
	case bot.PhaseIdle, bot.PhaseAsking, bot.PhaseAway, bot.PhaseClosed:
		t.due, t.step = e.Seq+int64(r.Follow), e.Pos
	default:
		if r.Late {
			t.due, t.step = e.Seq, e.Pos
		}
	}
}

// end makes the terminator that stands behind an event.
func (t *turn) end(e chat.Event, id int64) item {
	t.waiting, t.due, t.step = false, 0, 0
	name := stackID("t", e, e.Seq)
	return item{id: id, at: e.Pos, seq: e.Seq, event: chat.Event{At: e.At}, end: true, last: true, stackID: name, groupID: name, state: t.state}
}

// changed is a message of ours that was edited or taken back: it takes the place of what it was.
func (t *turn) changed(e chat.Event) (item, bool) {
	var d chat.TargetData
	if e.Direction == chat.In || json.Unmarshal(e.Data, &d) != nil || d.Seq == 0 {
		return item{}, false
	}
	id := stackID("m", e, d.Seq)
	return item{id: e.Pos, at: e.Pos, seq: e.Seq, event: e, last: !t.waiting, stackID: id, groupID: id, state: t.state}, true
}

// begin makes a turn for events that are not the conversation's first ones.
func begin(place chat.State) turn { return turn{place: place} }

// items reads events from the beginning of a window on.
func items(place chat.State, events []chat.Event) ([]item, turn) {
	t := begin(place)
	var out []item
	for _, e := range events {
		for _, i := range t.take(e) {
			out = apply(out, i)
		}
	}
	return out, t
}

// apply appends an item to those before it: a taken back stretch goes, an edited message changes in its place.
func apply(list []item, i item) []item {
	switch {
	case i.rewound:
		for n := len(list); n > 0 && list[n-1].seq > i.target; n-- {
			list = list[:n-1]
		}
		if n := len(list); n > 0 && !list[n-1].human {
			list[n-1].last = true
		}
		return list
	case !i.human && !i.end:
		for n := range list {
			if list[n].stackID == i.stackID {
				i.id, i.seq, i.at = list[n].id, list[n].seq, list[n].at
				list[n] = i
				return list
			}
		}
	}
	return append(list, i)
}
