package rpc

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
	"github.com/dragoman-hub/dragoman/store"
)

// transcript is a conversation as workers are told it. The log only grows, so that each call reads no more than what is new.
type transcript struct {
	mu       sync.Mutex
	made     time.Time
	seq      int64 // read so far
	size     int   // bytes of the lines
	number   int64 // position of the opened event
	metadata json.RawMessage
	human    sender
	lines    []line
	steps    []step
}

// line is one message.
type line struct {
	seq, pos int64
	in       bool
	raw      json.RawMessage // {"id","sender","stack"}
	state    json.RawMessage // of the first layer
}

// step is what a step of the flow left undone.
type step struct {
	pos     int64 // of the event that it was taken on
	waiting int   // messages that had not been taken up
}

type sender struct {
	Type     string `json:"type"`
	Platform string `json:"platform,omitempty"`
	ID       string `json:"id,omitempty"`
	First    string `json:"first_name,omitempty"`
	Last     string `json:"last_name,omitempty"`
}

// Bounds of what is kept of a transcript.
const (
	readAtOnce = 500
	maxLines   = 2000
	maxSteps   = 256
	longAgo    = 5000             // events; older ones of a conversation are not read
	linksGood  = 30 * time.Minute // links inside the lines end some day
	maxKept    = 32 << 20         // bytes of one generation of transcripts
)

// transcripts keep the conversations that workers were lately called for.
type transcripts struct {
	store *store.Store
	now   func() time.Time
	link  func(chat.WorkspaceID, chat.FileID) string

	mu         sync.Mutex
	young, old map[chat.ConversationID]*transcript
	size       int // bytes of the young
}

// of brings the transcript of a conversation up to date and locks it.
func (t *transcripts) of(ctx context.Context, ws chat.WorkspaceID, conv chat.Conversation) (*transcript, error) {
	tr, err := t.find(ctx, ws, conv)
	if err != nil {
		return nil, err
	}
	tr.mu.Lock()
	before := tr.size
	for {
		events, err := t.store.Events(ctx, ws, conv.ID, tr.seq, readAtOnce)
		if err != nil {
			tr.mu.Unlock()
			return nil, err
		}
		for _, e := range events {
			tr.add(e, func(id chat.FileID) string {
				if t.link == nil {
					return ""
				}
				return t.link(ws, id)
			})
		}
		if len(events) < readAtOnce {
			break
		}
		if tr.seq < conv.LastSeq-longAgo {
			tr.seq = conv.LastSeq - longAgo
		}
	}
	t.keep(conv.ID, tr, before)
	return tr, nil
}

func (t *transcripts) find(ctx context.Context, ws chat.WorkspaceID, conv chat.Conversation) (*transcript, error) {
	t.mu.Lock()
	tr := t.young[conv.ID]
	if tr == nil {
		tr = t.old[conv.ID]
	}
	t.mu.Unlock()
	if tr != nil && t.now().Sub(tr.made) < linksGood {
		return tr, nil
	}
	contact, err := t.store.Contact(ctx, ws, conv.Contact.ID)
	if err != nil {
		return nil, err
	}
	channel, err := t.store.Channel(ctx, conv.Channel)
	if err != nil {
		return nil, err
	}
	tr = &transcript{made: t.now(), metadata: json.RawMessage("{}")}
	tr.human = sender{Type: "human", Platform: platform(channel.Connector), ID: conv.Thread.Address}
	for _, i := range contact.Identities {
		if i.Channel == conv.Channel && (i.Address == conv.Thread.Address || conv.Thread.Group) {
			tr.human.ID, tr.human.First, tr.human.Last = i.Address, i.Person.FirstName, i.Person.LastName
			break
		}
	}
	return tr, nil
}

// platform is a connector's name in this protocol's words.
func platform(connector string) string {
	switch connector {
	case webchat:
		return "WS"
	case "telegram":
		return "Telegram"
	default:
		return connector
	}
}

func (t *transcripts) keep(id chat.ConversationID, tr *transcript, before int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.young[id] == tr {
		t.size += tr.size - before
		return
	}
	if t.young == nil || t.size > maxKept {
		t.young, t.old, t.size = map[chat.ConversationID]*transcript{}, t.young, 0
	}
	t.young[id] = tr
	t.size += tr.size + 1024
}

// add takes the next event of the log.
func (tr *transcript) add(e chat.Event, link func(chat.FileID) string) {
	tr.seq = e.Seq
	switch e.Kind {
	case chat.KindOpened:
		var d chat.OpenedData
		if json.Unmarshal(e.Data, &d) == nil && len(d.Metadata) > 0 {
			tr.metadata = d.Metadata
		}
		tr.number = e.Pos
	case chat.KindMessage:
		tr.say(e, link)
	case chat.KindEdited, chat.KindDeleted:
		tr.change(e, link)
	case chat.KindRewound:
		var d chat.RewoundData
		if json.Unmarshal(e.Data, &d) == nil {
			tr.keepIf(func(l line) bool { return l.seq <= d.Seq })
		}
	case chat.KindErased:
		tr.keepIf(func(line) bool { return false })
		tr.metadata = json.RawMessage("{}")
	case chat.KindFlowStep:
		var d struct {
			Trace struct {
				Pos     int64 `json:"pos"`
				Waiting int   `json:"waiting"`
			} `json:"trace"`
		}
		if json.Unmarshal(e.Data, &d) != nil {
			return
		}
		if len(tr.steps) == maxSteps {
			tr.steps = append(tr.steps[:0], tr.steps[1:]...)
		}
		tr.steps = append(tr.steps, step{d.Trace.Pos, d.Trace.Waiting})
	default:
	}
}

func (tr *transcript) keepIf(good func(line) bool) {
	kept := tr.lines[:0]
	tr.size = 0
	for _, l := range tr.lines {
		if good(l) {
			kept = append(kept, l)
			tr.size += len(l.raw)
		}
	}
	tr.lines = kept
}

// say adds a message. Beyond maxLines the second one goes: the first is the greeting.
func (tr *transcript) say(e chat.Event, link func(chat.FileID) string) {
	l, ok := tr.line(e, link)
	if !ok {
		return
	}
	if len(tr.lines) == maxLines {
		tr.size -= len(tr.lines[1].raw)
		tr.lines = append(tr.lines[:1], tr.lines[2:]...)
	}
	tr.lines = append(tr.lines, l)
	tr.size += len(l.raw)
}

// change takes an edit or a deletion of an earlier message.
func (tr *transcript) change(e chat.Event, link func(chat.FileID) string) {
	var d chat.TargetData
	if json.Unmarshal(e.Data, &d) != nil || d.Seq == 0 {
		return
	}
	if e.Kind == chat.KindDeleted {
		tr.keepIf(func(l line) bool { return l.seq != d.Seq })
		return
	}
	for i, l := range tr.lines {
		if l.seq != d.Seq {
			continue
		}
		e.Seq, e.Pos, e.Direction = l.seq, l.pos, chat.Out
		if l.in {
			e.Direction = chat.In
		}
		if edited, ok := tr.line(e, link); ok {
			tr.size += len(edited.raw) - len(l.raw)
			tr.lines[i] = edited
		}
	}
}

func (tr *transcript) line(e chat.Event, link func(chat.FileID) string) (line, bool) {
	if e.Message == nil {
		return line{}, false
	}
	layers := mml.Layers(mml.WithLinks(*e.Message, link))
	l := line{seq: e.Seq, pos: e.Pos, in: e.Direction == chat.In}
	who := sender{Type: "bot"}
	switch {
	case l.in:
		who = tr.human
	case len(layers) > 0 && layers[0].Type == "tool_result":
		who = sender{Type: "human"} // as the protocol has it
	case e.Sender != nil && e.Sender.Type == chat.PartyAgent:
		who.First = e.Sender.Name
	}
	if len(layers) > 0 && !isNull(layers[0].State) {
		l.state = layers[0].State
	}
	raw, err := encode(struct {
		ID     int64       `json:"id"`
		Sender sender      `json:"sender"`
		Stack  []mml.Layer `json:"stack"`
	}{e.Pos, who, layers})
	l.raw = raw
	return l, err == nil
}

// upTo gives the messages that a call may know: those before its turn, and the one that it is about, which stands last. Messages that
// came in while the flow was busy are not among them.
func (tr *transcript) upTo(callID string) []line {
	lines := tr.lines
	at, err := strconv.ParseInt(strings.TrimPrefix(callID, "c"), 10, 64)
	if err != nil {
		return lines
	}
	for len(lines) > 0 && lines[len(lines)-1].pos > at {
		lines = lines[:len(lines)-1]
	}
	waiting := 0
	for _, s := range tr.steps {
		if s.pos == at {
			waiting = s.waiting
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if !lines[i].in {
			continue
		}
		if waiting == 0 {
			return lines[:i+1]
		}
		waiting--
	}
	return lines
}

// frame is the frame of a call, with the name of the conversation and the status that it carries.
func (s *Server) frame(ctx context.Context, r bot.Request) ([]byte, name, json.RawMessage, error) {
	tr, err := s.transcripts.of(ctx, r.Workspace, r.Conversation)
	if err != nil {
		return nil, "", nil, err
	}
	defer tr.mu.Unlock()
	lines := tr.upTo(r.ID)
	c := callContext{
		Conversation: tr.number, User: tr.human.ID, Metadata: tr.metadata, Channel: string(r.Conversation.ID), CallID: r.ID,
		State: json.RawMessage("{}"), Status: json.RawMessage("{}"), Messages: []json.RawMessage{},
	}
	for _, l := range lines {
		if l.state != nil {
			c.State = l.state
		}
	}
	if status, ok := r.Vars[statusVar]; ok && status != nil {
		if c.Status, err = encode(status); err != nil {
			return nil, "", nil, err
		}
	}
	if !r.Condition {
		c.TransitionData = json.RawMessage("{}")
		if r.Data != nil {
			if c.TransitionData, err = encode(r.Data); err != nil {
				return nil, "", nil, err
			}
		}
	}
	frame, err := fill(r.Name, c, lines, s.Limits.Request)
	return frame, nameOf(tr.number), c.Status, err
}

// fill puts as many of the newest messages into a frame as it can carry, and the first one.
func fill(function string, c callContext, lines []line, limit int) ([]byte, error) {
	bare, err := encode(outgoing{typeRequest, statusFine, request{function, c}})
	if err != nil {
		return nil, err
	}
	left := limit - len(bare)
	take := func(l line) bool {
		if len(l.raw) >= left {
			return false
		}
		left -= len(l.raw) + 1
		return true
	}
	newest := len(lines) - 1
	if left < 0 || newest >= 0 && !take(lines[newest]) {
		return nil, chat.Faultf(chat.CodeTooLarge, "the message is too large for a worker's frame")
	}
	if newest > 0 && take(lines[0]) {
		c.Messages = append(c.Messages, lines[0].raw)
	}
	from := max(newest, 0)
	for from > 1 && take(lines[from-1]) {
		from--
	}
	for _, l := range lines[from:] {
		c.Messages = append(c.Messages, l.raw)
	}
	return encode(outgoing{typeRequest, statusFine, request{function, c}})
}
