package store

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
)

// Receive stores one thing that a platform told us. The same Key on the same channel is stored once, ever.
type Receive struct {
	Channel chat.ChannelID
	In      chat.Incoming
	Titles  bool // a text may be the title of a quick reply, whose payload the platform does not carry
	Action  chat.ActionID

	at      channelName
	preview string
	title   string // what may be the title of a quick reply
	body    string // of the event, when nothing that has to be read can change it
}

func (c *Receive) resolve(ctx context.Context, s *Store) (err error) {
	if c.In.Key == "" || len(c.In.Key) > 200 {
		return chat.Faultf(chat.CodeInvalid, "an incoming event needs a key of 1 to 200 bytes")
	}
	c.clean()
	for _, name := range []string{c.In.ID, c.In.Target, c.In.MovedTo, c.In.Thread.Address, c.In.Thread.Topic, c.In.Override} {
		if len(name) > maxName {
			return chat.Faultf(chat.CodeInvalid, "an address or a message id is longer than 500 bytes")
		}
	}
	if err := c.checkMetadata(); err != nil {
		return err
	}
	if err := c.prepare(); err != nil {
		return err
	}
	c.at, err = s.channelNo(ctx, c.Channel)
	return err
}

// maxMetadata bounds what a client says of itself, in bytes.
const maxMetadata = 16 << 10

func (c *Receive) checkMetadata() error {
	if n := len(c.In.Metadata); n > maxMetadata || n > 0 && !json.Valid(c.In.Metadata) {
		return chat.Faultf(chat.CodeInvalid, "metadata must be JSON of at most 16 KiB")
	}
	return nil
}

// prepare does the caller's part of the work: the committer is one for all.
func (c *Receive) prepare() (err error) {
	c.preview, c.title, c.body = "", "", ""
	m := c.In.Message
	if c.In.Kind != chat.KindMessage || m == nil {
		return nil
	}
	text := m.Text()
	c.preview, c.title = previewOf(m, text), c.asTitle(text)
	if c.In.Echo || m.ReplyTo != nil || slices.ContainsFunc(m.Stack, func(e chat.Element) bool { return e.Type.IsMedia() }) {
		return nil
	}
	e := c.event(chat.KindMessage)
	e.Channel, e.Message = c.Channel, m
	if c.body, err = bodyOf(&e); err != nil {
		return chat.Faultf(chat.CodeInvalid, "a payload is no JSON: "+err.Error())
	}
	return nil
}

// maxName bounds what stands in an index, in bytes: PostgreSQL's take 2,700.
const maxName = 500

// clean makes texts that both databases can keep: valid UTF-8 without NUL. Raw bytes that are no JSON are kept as a JSON text.
func (c *Receive) clean() {
	if len(c.In.Raw) > 0 && !json.Valid(c.In.Raw) {
		c.In.Raw = data(string(c.In.Raw))
	}
	for _, s := range []*string{
		&c.In.Key, &c.In.ID, &c.In.Target, &c.In.MovedTo, &c.In.Start, &c.In.Override, &c.In.Thread.Address, &c.In.Thread.Topic, &c.In.Sender.Address,
	} {
		*s = cleanText(*s)
	}
}

func cleanText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func (c *Receive) workspace() int64 { return c.at.ws }

func (c *Receive) onceKey() onceKey {
	return onceKey{c.at.ws, "c" + strconv.FormatInt(c.at.no, 10) + ":" + c.In.Key}
}

func (c *Receive) targetKey() targetKey { return targetKey{c.at.ws, c.at.no, c.In.Target} }

func (c *Receive) want(u *unit) {
	u.wantChannel(c.at.ws, c.at.no)
	u.wantOnce(c.onceKey())
	if c.In.Target != "" {
		u.wantTarget(c.targetKey())
	}
	if c.In.Thread.Address != "" {
		u.wantIdentity(addressKey{c.at.ws, c.at.no, c.In.Thread.Address})
		tk := threadKey{c.at.ws, c.at.no, c.In.Thread.Key()}
		u.wantLatest(tk)
		if conv := u.latest[tk]; conv != nil && c.title != "" {
			u.wantState(titlesKey(conv))
		}
	}
	if c.In.Echo && c.In.ID != "" {
		u.wantTarget(targetKey{c.at.ws, c.at.no, c.In.ID})
	}
}

func (c *Receive) apply(ctx context.Context, u *unit) (Result, error) {
	ch, err := u.channel(ctx, c.at.ws, c.at.no)
	if err != nil {
		return Result{}, err
	}
	if !ch.active {
		return Result{}, chat.Faultf(chat.CodeForbidden, "the channel is switched off")
	}
	before, err := u.seen(ctx, c.onceKey())
	if err != nil {
		return Result{}, err
	}
	if before != nil {
		return Result{Events: []chat.Event{*before}, Duplicate: true}, nil
	}
	if t := u.targets[targetKey{c.at.ws, c.at.no, c.In.ID}]; c.In.Echo && t != nil && t.seq != 0 {
		return Result{Duplicate: true}, nil // the echo of what we sent ourselves
	}
	switch c.In.Kind {
	case chat.KindMessage:
		return c.message(ctx, u, ch)
	case chat.KindReceipt:
		return c.receipt(ctx, u, ch)
	case chat.KindOpened:
		return c.arrive(ctx, u, ch)
	default:
		return c.other(ctx, u, ch)
	}
}

// message stores what somebody said, in the open conversation of its thread or in a new one.
func (c *Receive) message(ctx context.Context, u *unit, ch *channelRow) (Result, error) {
	if c.In.Thread.Address == "" || c.In.Message == nil || len(c.In.Message.Stack) == 0 {
		return Result{}, chat.Faultf(chat.CodeInvalid, "a message needs a thread and a content")
	}
	conv, opened, err := c.open(ctx, u, ch)
	if err != nil {
		return Result{}, err
	}
	e := c.event(chat.KindMessage)
	e.Direction, e.Status, e.ExternalID = chat.In, chat.Received, c.In.ID
	if c.In.Echo {
		e.Direction, e.Status = chat.Out, chat.Sent
		e.Sender = &chat.Party{Type: chat.PartyAgent, ID: c.In.Sender.Address, Name: c.In.Sender.Name}
		conv.answered(u.now, chat.PartyAgent)
	} else {
		conv.unread++
		conv.asked(u.now)
	}
	msg := *c.In.Message
	if err := c.press(ctx, u, conv, &msg); err != nil {
		return Result{}, err
	}
	if err := c.linkReply(ctx, u, conv, &msg); err != nil {
		return Result{}, err
	}
	c.keepSources(u, conv.uid, &msg)
	e.Message = &msg
	conv.preview = c.preview
	e = u.append(conv, ch, e, c.onceKey().key)
	u.fresh[len(u.fresh)-1].body = c.body
	if conv.snoozed != 0 && !c.In.Echo {
		opened = append(opened, u.wake(conv, ch, chat.Party{Type: chat.PartyContact, ID: c.In.Sender.Address}, chat.SnoozeData{Reason: wokenByContact}, c.Action))
	}
	if c.In.ID != "" {
		k := targetKey{c.at.ws, c.at.no, c.In.ID}
		if t := u.targets[k]; c.In.Echo && t != nil {
			u.moveStatus(u.events[eventKey{conv.ws, conv.no, e.Seq}], t.early, failureOf(t.failure))
		}
		u.nameMessage(k, conv, e.Seq)
	}
	return Result{Events: append([]chat.Event{e}, opened...)}, nil
}

// linkReply finds the message that is answered, when we know it.
func (c *Receive) linkReply(ctx context.Context, u *unit, conv *conversationRow, m *chat.Message) error {
	if m.ReplyTo == nil || m.ReplyTo.ExternalID == "" {
		return nil
	}
	t, err := u.target(ctx, targetKey{c.at.ws, c.at.no, cleanText(m.ReplyTo.ExternalID)})
	if err != nil {
		return err
	}
	if t != nil && t.seq != 0 && t.conv == (convKey{conv.ws, conv.no}) {
		r := *m.ReplyTo
		r.Seq = t.seq
		m.ReplyTo = &r
	}
	return nil
}

// nameMessage remembers which message an external id stands for. An id that is known already keeps its first meaning: platforms
// that count per chat and connectors that forget to say so must not stop the log.
func (u *unit) nameMessage(k targetKey, conv *conversationRow, seq int64) {
	if row := u.targets[k]; row != nil && row.seq != 0 {
		return
	}
	u.asked[k] = true
	row := u.targets[k]
	if row == nil {
		row = &targetRow{fresh: true}
		u.targets[k] = row
	}
	row.conv, row.seq, row.dirty = convKey{conv.ws, conv.no}, seq, true
}

// event begins an event of what came in.
func (c *Receive) event(kind chat.Kind) chat.Event {
	return chat.Event{
		Kind: kind, Direction: chat.In, Action: c.Action, Sent: c.In.At,
		Sender: &chat.Party{Type: chat.PartyContact, ID: c.In.Sender.Address, Name: c.In.Sender.Name},
	}
}

// previewLength is how much of a message a list of conversations shows, in code points.
const previewLength = 160

func preview(m *chat.Message) string { return previewOf(m, m.Text()) }

func previewOf(m *chat.Message, text string) string {
	if text == "" && len(m.Stack) > 0 {
		text = "[" + string(m.Stack[0].Type) + "]"
	}
	n := 0
	for i := range text {
		if n == previewLength {
			return cleanText(text[:i])
		}
		n++
	}
	return cleanText(text)
}

// data turns a kind's payload into what the event keeps.
func data(v any) json.RawMessage {
	raw, _ := json.Marshal(v) // plain data of package chat: cannot fail
	return raw
}
