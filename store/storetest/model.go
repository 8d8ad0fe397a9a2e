package storetest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// model is the log as one would write it down on paper: no batches, no rows, no locks.
type model struct {
	convs  []*modelConv
	open   map[string]*modelConv // by address
	names  map[string]modelMessage
	early  map[string]chat.Status
	once   map[string]string // what was stored under a name
	events int64
}

type modelConv struct {
	id      chat.ConversationID
	address string
	state   chat.State
	who     string
	unread  int
	preview string
	before  *modelConv
	events  []modelEvent
}

// modelEvent is what is compared of an event.
type modelEvent struct {
	kind   chat.Kind
	text   string
	status chat.Status
	name   string // external id
}

type modelMessage struct {
	conv *modelConv
	seq  int
}

func newModel() *model {
	return &model{open: map[string]*modelConv{}, names: map[string]modelMessage{}, early: map[string]chat.Status{}, once: map[string]string{}}
}

func (m *model) add(c *modelConv, e modelEvent) {
	m.events++
	if c != nil {
		c.events = append(c.events, e)
	}
}

// name binds an external id unless it is bound.
func (m *model) name(id string, c *modelConv, seq int) {
	if _, known := m.names[id]; !known {
		m.names[id] = modelMessage{c, seq}
	}
}

// hear is a message of a contact.
func (m *model) hear(key, address, text string) *modelConv {
	if m.once["in "+key] != "" {
		return nil
	}
	c := m.open[address]
	if c == nil {
		c = &modelConv{address: address, state: chat.StateQueued}
		for _, old := range m.convs {
			if old.address == address {
				c.before = old
			}
		}
		m.convs = append(m.convs, c)
		m.open[address] = c
		m.add(c, modelEvent{kind: chat.KindOpened})
		m.add(c, modelEvent{kind: chat.KindQueued})
	}
	m.once["in "+key] = text
	c.unread++
	c.preview = text
	m.add(c, modelEvent{chat.KindMessage, text, chat.Received, "in " + key})
	m.name("in "+key, c, len(c.events))
	return c
}

func (m *model) post(c *modelConv, once, text string) chat.Code {
	if once != "" && m.once["out "+once] != "" {
		return ""
	}
	if c.state == chat.StateClosed {
		return chat.CodeClosed
	}
	if once != "" {
		m.once["out "+once] = text
	}
	c.preview = text
	m.add(c, modelEvent{kind: chat.KindMessage, text: text, status: chat.Queued})
	return ""
}

func (m *model) place(c *modelConv, to, expect chat.State) chat.Code {
	if c.state == chat.StateClosed {
		return chat.CodeClosed
	}
	if expect != "" && expect != c.state {
		return chat.CodeConflict
	}
	c.state = to
	kind := chat.Kind(to)
	switch to {
	case chat.StateClosed: // who had it last stays
		c.unread = 0
		delete(m.open, c.address)
	case chat.StateAssigned:
		c.who = "ann"
	case chat.StateBot, chat.StateQueued:
		c.who = ""
	}
	m.add(c, modelEvent{kind: kind})
	return ""
}

func (e *modelEvent) move(to chat.Status) {
	if e.status.Advances(to) {
		e.status = to
	}
}

// prove is move for what names one part: of a message that is not out as a whole it proves no more than that part.
func (e *modelEvent) prove(to chat.Status) {
	if e.name != "" && to != chat.Failed && (e.status == chat.Queued || e.status == chat.Sending || e.status == chat.Unsure) {
		return
	}
	e.move(to)
}

func (m *model) report(c *modelConv, seq int, status chat.Status, id string) {
	e := &c.events[seq-1]
	e.move(status)
	if e.name == "" {
		e.name = id
	}
	if _, known := m.names[id]; !known && m.early[id] != "" {
		e.prove(m.early[id])
	}
	m.name(id, c, seq)
	m.add(c, modelEvent{kind: chat.KindReceipt})
}

func (m *model) receipt(id string, status chat.Status) {
	at, known := m.names[id]
	if !known {
		if old := m.early[id]; old == "" || old.Advances(status) {
			m.early[id] = status
		}
		m.add(nil, modelEvent{})
		return
	}
	at.conv.events[at.seq-1].prove(status)
	m.add(at.conv, modelEvent{kind: chat.KindReceipt})
}

// outgoing lists the messages of ours in a conversation.
func (c *modelConv) outgoing() (seqs []int) {
	for i, e := range c.events {
		if e.kind == chat.KindMessage && e.status != chat.Received {
			seqs = append(seqs, i+1)
		}
	}
	return seqs
}

// likeTheModel runs random histories against the store and the model.
func likeTheModel(t *testing.T, db Database) {
	s := newSite(t, db)
	steps := db.Steps
	if raced {
		steps = (steps + 2) / 3
	}
	rapid.Check(t, func(r *rapid.T) {
		w, err := s.AddWorkspace(t.Context(), "", "history")
		must(t, err)
		h := &history{site: s, r: r, m: newModel(), ws: w.ID, ch: s.channel(w.ID)}
		for range rapid.IntRange(1, steps).Draw(r, "length") {
			h.step()
		}
		h.compareAll()
	})
}

// history is one run of both.
type history struct {
	*site
	r  *rapid.T
	m  *model
	ws chat.WorkspaceID
	ch chat.ChannelID
	n  int
}

func (h *history) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(h.r, what)
}

func (h *history) step() {
	h.n++
	if len(h.m.convs) == 0 {
		h.hear()
		return
	}
	c := rapid.SampledFrom(h.m.convs).Draw(h.r, "conversation")
	switch h.pick("act", "hear", "hear", "post", "post", "place", "read", "report", "receipt") {
	case "hear":
		h.hear()
		return
	case "post":
		once, text := h.pick("once", "", "", "a", "b"), fmt.Sprint("out ", h.n)
		p := h.post(c.id, text)
		p.Workspace, p.Once = h.ws, once
		h.try(p, h.m.post(c, once, text))
	case "place":
		to := chat.State(h.pick("to", "bot", "queued", "assigned", "closed", "closed"))
		expect := chat.State(h.pick("expect", "", "", "bot", "queued", "assigned"))
		p := &store.Place{Workspace: h.ws, Conversation: c.id, To: chat.PlaceData{State: to}}
		if to == chat.StateAssigned {
			p.To.Assignee = "ann"
		}
		if expect != "" {
			p.Expect = []chat.State{expect}
		}
		h.try(p, h.m.place(c, to, expect))
	case "read":
		h.try(&store.Change{Workspace: h.ws, Conversation: c.id, Kind: chat.KindRead, Seq: 1}, "")
		c.unread = 0
		h.m.add(c, modelEvent{kind: chat.KindRead})
	case "report":
		out := c.outgoing()
		if len(out) == 0 {
			return
		}
		seq, status, id := rapid.SampledFrom(out).Draw(h.r, "message"), h.status(), h.external()
		cmd := h.report(c.id, int64(seq), status, id)
		cmd.Workspace = h.ws
		h.try(cmd, "")
		h.m.report(c, seq, status, id)
	case "receipt":
		status, id := h.status(), h.external()
		in := h.about(chat.KindReceipt, c.address, id)
		in.Status = status
		h.try(&store.Receive{Channel: h.ch, In: in}, "")
		h.m.receipt(id, status)
	}
	h.compare(c)
}

func (h *history) external() string { return h.pick("external id", "e1", "e2", "e3", "e4", "e5") }

func (h *history) status() chat.Status {
	return chat.Status(h.pick("status", "sending", "sent", "delivered", "read", "failed", "unsure"))
}

// hear receives a message, now and then one that came before.
func (h *history) hear() {
	key := fmt.Sprint(rapid.IntRange(1, h.n+3).Draw(h.r, "key"))
	address := h.pick("address", "a", "b", "c")
	in := h.in(address, fmt.Sprint("in ", h.n))
	in.Key, in.ID = key, "in "+key
	res := h.try(&store.Receive{Channel: h.ch, In: in}, "")
	c := h.m.hear(key, address, in.Message.Text())
	if res.Duplicate != (c == nil) {
		h.r.Fatalf("duplicate: %v", res.Duplicate)
	}
	if c == nil {
		return
	}
	if c.id == "" {
		c.id = res.Events[0].Conversation
	}
	h.compare(c)
}

func (h *history) try(cmd store.Command, want chat.Code) store.Result {
	res, err := h.Append(h.t.Context(), cmd)
	if (err == nil) != (want == "") || chat.CodeOf(err) != want {
		h.r.Fatalf("%T: got %v, want %q", cmd, err, want)
	}
	return res
}

// compare compares one conversation.
func (h *history) compare(c *modelConv) {
	got, err := h.Conversation(h.t.Context(), h.ws, c.id)
	if err != nil {
		h.r.Fatal(err)
	}
	var before chat.ConversationID
	if c.before != nil {
		before = c.before.id
	}
	is := fmt.Sprint(got.State, got.Assignee, got.Unread, got.Preview, got.LastSeq, got.Previous, got.Thread.Address)
	if should := fmt.Sprint(c.state, c.who, c.unread, c.preview, len(c.events), before, c.address); is != should {
		h.r.Fatalf("conversation: got %s, want %s", is, should)
	}
}

func (h *history) compareAll() {
	for _, c := range h.m.convs {
		h.compare(c)
		events, err := h.Events(h.t.Context(), h.ws, c.id, 0, 1000)
		if err != nil {
			h.r.Fatal(err)
		}
		for i, e := range events {
			got, want := modelEvent{e.Kind, e.Message.Text(), e.Status, e.ExternalID}, c.events[i]
			if got != want {
				h.r.Fatalf("event %d of %s: got %+v, want %+v", i+1, c.id, got, want)
			}
		}
	}
	w, err := h.Workspace(h.t.Context(), h.ws)
	if err != nil {
		h.r.Fatal(err)
	}
	if w.Head != h.m.events {
		h.r.Fatalf("head %d, want %d", w.Head, h.m.events)
	}
}
