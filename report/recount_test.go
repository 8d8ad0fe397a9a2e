package report

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// tally is one line of the projection; agent is "" in what is told of queues.
type tally struct {
	slot    int64
	queue   string
	agent   string
	measure string
	bucket  int
}

// recount counts a whole log the slow way: for each event it looks back over all that was before it in its conversation.
func (w *world) recount() map[chat.ChannelID]map[tally]int64 {
	w.Helper()
	by := map[chat.ConversationID][]chat.Event{}
	for after := int64(0); ; {
		events, upTo, err := w.Store.Log(context.Background(), w.ws, after, 500, store.LogFilter{})
		w.must(err)
		for _, e := range events {
			by[e.Conversation] = append(by[e.Conversation], e)
		}
		if upTo == after {
			break
		}
		after = upTo
	}
	out := map[chat.ChannelID]map[tally]int64{}
	for conv, events := range by {
		if conv == "" {
			continue
		}
		c := chronicle{events: undone(events), sums: map[tally]int64{}}
		for i := range c.events {
			c.event(i)
		}
		channel := events[0].Channel
		if out[channel] == nil {
			out[channel] = map[tally]int64{}
		}
		for k, n := range c.sums {
			out[channel][k] += n
		}
	}
	return out
}

// undone leaves out moves that were taken back, with the moves that did so.
func undone(events []chat.Event) []chat.Event {
	gone := map[int64]bool{}
	for _, e := range events {
		if d := placeOf(e); d.Undoes != 0 {
			gone[e.Seq], gone[d.Undoes] = true, true
		}
	}
	return slices.DeleteFunc(slices.Clone(events), func(e chat.Event) bool { return gone[e.Seq] })
}

type chronicle struct {
	events []chat.Event
	sums   map[tally]int64
}

func placeOf(e chat.Event) (d chat.PlaceData) {
	if isMove(e.Kind) {
		_ = json.Unmarshal(e.Data, &d)
	}
	return d
}

func isMove(k chat.Kind) bool {
	return slices.Contains([]chat.Kind{chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed}, k)
}

// state, queue and agent are those after event i; -1 is before all.
func (c chronicle) state(i int) chat.State {
	for ; i >= 0; i-- {
		if isMove(c.events[i].Kind) {
			return placeOf(c.events[i]).State
		}
	}
	return ""
}

func (c chronicle) queue(i int) string {
	for ; i >= 0; i-- {
		d := placeOf(c.events[i])
		if c.events[i].Kind == chat.KindBot {
			return ""
		}
		if d.Queue != "" {
			return d.Queue
		}
	}
	return ""
}

func (c chronicle) agent(i int) string {
	for ; i >= 0; i-- {
		if isMove(c.events[i].Kind) {
			return placeOf(c.events[i]).Assignee
		}
	}
	return ""
}

func (c chronicle) by(i int, kind chat.Kind, party chat.PartyType) bool {
	e := c.events[i]
	return e.Kind == kind && e.Sender != nil && e.Sender.Type == party
}

func (c chronicle) answered(before int) bool {
	for i := range before {
		if c.by(i, chat.KindMessage, chat.PartyAgent) {
			return true
		}
	}
	return false
}

// waits is since when the contact waits for a person, before event i; asked tells whether one was ever asked for.
func (c chronicle) waits(before int) (since time.Time, asked bool) {
	for i := range before {
		e, s := c.events[i], c.state(i)
		begins := e.Kind == chat.KindQueued || e.Kind == chat.KindAssigned && c.state(i-1) == chat.StateBot ||
			e.Kind == chat.KindMessage && e.Direction == chat.In && (s == chat.StateQueued || s == chat.StateAssigned)
		switch {
		case e.Kind == chat.KindBot, e.Kind == chat.KindClosed, c.by(i, chat.KindMessage, chat.PartyAgent):
			since = time.Time{}
		case begins && since.IsZero():
			since, asked = e.At, true
		case e.Kind == chat.KindQueued:
			asked = true
		}
	}
	return since, asked
}

func (c chronicle) count(at time.Time, queue, agent, measure string, bucket int) {
	c.sums[tally{at.Unix() / 900, queue, agent, measure, bucket}]++
}

func (c chronicle) event(i int) {
	e := c.events[i]
	switch e.Kind {
	case chat.KindOpened:
		if i+1 < len(c.events) {
			queue := c.queue(i + 1)
			if c.events[i+1].Kind == chat.KindClosed {
				queue = ""
			}
			c.count(e.At, queue, "", Opened, 0)
		}
	case chat.KindMessage:
		c.message(i, e)
	case chat.KindOfferEnded:
		var d chat.OfferData
		_ = json.Unmarshal(e.Data, &d)
		for _, a := range d.Agents {
			c.count(e.At, c.queue(i), a, map[string]string{"declined": Declined, "timeout": Missed}[d.Reason], 0)
		}
	case chat.KindQueued:
		if c.state(i-1) != chat.StateQueued || c.queue(i-1) != c.queue(i) {
			c.count(e.At, c.queue(i), "", Queued, 0)
		}
		c.passed(i, e)
	case chat.KindAssigned:
		if c.agent(i) != c.agent(i-1) {
			c.count(e.At, c.queue(i), c.agent(i), Taken, 0)
			if c.state(i-1) == chat.StateQueued {
				c.count(e.At, c.queue(i-1), "", Wait, Bucket(e.At.Sub(c.inLine(i))))
			}
		}
		c.passed(i, e)
	case chat.KindBot:
		c.passed(i, e)
	case chat.KindClosed:
		c.closed(i, e)
	default:
	}
}

// inLine is when the conversation came into the queue that it left at i.
func (c chronicle) inLine(i int) time.Time {
	for i--; ; i-- {
		if c.events[i].Kind == chat.KindQueued && (c.state(i-1) != chat.StateQueued || c.queue(i-1) != c.queue(i)) {
			return c.events[i].At
		}
	}
}

func (c chronicle) passed(i int, e chat.Event) {
	if c.state(i-1) == chat.StateAssigned && (c.agent(i-1) != c.agent(i) || c.queue(i-1) != c.queue(i)) {
		c.count(e.At, c.queue(i-1), "", Transferred, 0)
		c.count(e.At, c.queue(i-1), c.agent(i-1), Transferred, 0)
	}
}

func (c chronicle) message(i int, e chat.Event) {
	q := c.queue(i)
	if e.Direction == chat.In {
		c.count(e.At, q, "", MessagesIn, 0)
		return
	}
	c.count(e.At, q, "", MessagesOut, 0)
	if e.Sender.Type == chat.PartyBot {
		c.count(e.At, q, "", MessagesBot, 0)
	}
	if e.Sender.Type != chat.PartyAgent {
		return
	}
	c.count(e.At, q, e.Sender.ID, MessagesOut, 0)
	if since, _ := c.waits(i); !since.IsZero() {
		what := map[bool]string{false: FirstReply, true: NextReply}[c.answered(i)]
		c.count(e.At, q, "", what, Bucket(e.At.Sub(since)))
		c.count(e.At, q, e.Sender.ID, what, Bucket(e.At.Sub(since)))
	}
}

func (c chronicle) closed(i int, e chat.Event) {
	q, a := c.queue(i-1), c.agent(i-1)
	c.count(e.At, q, "", Closed, 0)
	c.count(e.At, q, "", Duration, Bucket(e.At.Sub(c.events[0].At)))
	if a != "" {
		c.count(e.At, q, a, Closed, 0)
	}
	if _, asked := c.waits(i); asked && !c.answered(i) {
		c.count(e.At, q, "", Abandoned, 0)
	}
}

// kept is the projection of a channel.
func (w *world) kept(channel chat.ChannelID) map[tally]int64 {
	w.Helper()
	out := map[tally]int64{}
	for at := w.begun; at.Before(w.clock().Add(store.ReportSlot)); at = at.Add(store.ReportSlot) {
		for _, agents := range []bool{false, true} {
			found, err := w.CountsBetween(context.Background(), w.ws, at, at.Add(store.ReportSlot), agents, store.ReportFilter{Version: Version, Channel: channel})
			w.must(err)
			for _, c := range found {
				if c.N != 0 {
					out[tally{at.Unix() / 900, c.Queue, c.Agent, c.Measure, c.Bucket}] = c.N
				}
			}
		}
	}
	return out
}

// same fails where the projection and the recount differ.
func (w *world) same() {
	w.Helper()
	w.settled()
	want := w.recount()
	for _, channel := range w.channels {
		kept := w.kept(channel)
		if maps.Equal(kept, want[channel]) {
			continue
		}
		for k, n := range want[channel] {
			if kept[k] != n {
				w.Errorf("%+v: kept %d, recounted %d", k, kept[k], n)
			}
		}
		for k, n := range kept {
			if want[channel][k] != n {
				w.Errorf("%+v: kept %d, recounted %d", k, n, want[channel][k])
			}
		}
	}
}
