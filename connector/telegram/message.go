package telegram

import (
	"encoding/json"
	"errors"
	"regexp"

	"github.com/dragoman-hub/dragoman/chat"
)

var (
	errNoChat   = errors.New("telegram: the update names no chat or no message")
	errNoSender = errors.New("telegram: the update names no sender")

	errMembership = errors.New("telegram: the update names no member, or a status that we do not know")
)

// startForm is the command that a deep link (https://t.me/<bot>?start=<payload>) sends, in groups with the bot's name.
var startForm = regexp.MustCompile(`^/start(?:@\w{1,64})? ([A-Za-z0-9_-]{1,64})$`)

// readMessage reads message, channel_post and business_message.
func readMessage(b *bot, u update) ([]chat.Incoming, error) {
	m, err := decodeMessage(u.what)
	if err != nil {
		return nil, err
	}
	return b.told(u, m), nil
}

// told is what a message tells.
func (b *bot) told(u update, m *message) []chat.Incoming {
	in := chat.Incoming{
		Key: u.key(), Kind: chat.KindMessage, Thread: m.thread(), Sender: m.sender(), At: at(m.Date), ID: m.ref(),
	}
	if from, to, ok := m.move(); ok {
		return []chat.Incoming{moved(in, from, to)}
	}
	if kind, people, ok := m.comings(b.self); ok {
		in.Kind, in.People, in.ID = kind, people, ""
		return []chat.Incoming{in}
	}
	stack, ok := m.stack(u.what)
	if !ok {
		return []chat.Incoming{u.ignored()}
	}
	in.Message = m.content(stack)
	in.Start = m.start()
	in.Echo = m.fromOurs()
	return []chat.Incoming{in}
}

// readEdit reads the three edited_... kinds: the whole message again, under its old number.
func readEdit(_ *bot, u update) ([]chat.Incoming, error) {
	m, err := decodeMessage(u.what)
	if err != nil {
		return nil, err
	}
	stack, ok := m.stack(u.what)
	if !ok || m.ref() == "" {
		return []chat.Incoming{u.ignored()}, nil
	}
	when := m.EditDate
	if when == 0 {
		when = m.Date
	}
	return []chat.Incoming{{
		Key: u.key(), Kind: chat.KindEdited, Thread: m.thread(), Sender: m.sender(), At: at(when), Target: m.ref(),
		Message: m.content(stack), Echo: m.fromOurs(),
	}}, nil
}

// decodeMessage reads as much as it can: if a member has changed its form, the envelope is enough to show that something
// came.
func decodeMessage(raw json.RawMessage) (*message, error) {
	m := &message{}
	if err := json.Unmarshal(raw, m); err != nil {
		m = &message{}
		if err := json.Unmarshal(raw, &m.envelope); err != nil {
			return nil, err
		}
	}
	if m.Chat == nil {
		return nil, errNoChat
	}
	return m, nil
}

// move tells that a group got a new number on becoming a supergroup. Both chats tell it.
func (m *message) move() (from, to int64, ok bool) {
	switch {
	case m.MigrateTo != 0:
		return m.Chat.ID, m.MigrateTo, true
	case m.MigrateFrom != 0:
		return m.MigrateFrom, m.Chat.ID, true
	default:
		return 0, 0, false
	}
}

// moved has the same key for both tellings, so that it is stored once.
func moved(in chat.Incoming, from, to int64) chat.Incoming {
	in.Kind, in.ID = chat.KindMoved, ""
	in.Thread.Address = formatID(from)
	in.MovedTo = formatID(to)
	in.Key = "moved:" + in.Thread.Address + ":" + in.MovedTo
	return in
}

// fromOurs tells whether the owner of a business account (or a bot in its name) wrote this, not the customer: a private chat
// has the customer's number.
func (m *message) fromOurs() bool {
	return m.Business != "" && m.From != nil && m.Chat.private() && m.From.ID != m.Chat.ID
}

func (m *message) start() string {
	if found := startForm.FindStringSubmatch(m.Text); found != nil {
		return found[1]
	}
	return ""
}

// content adds to the elements what they answer and where they come from.
func (m *message) content(stack []chat.Element) *chat.Message {
	return &chat.Message{Stack: stack, ReplyTo: m.reply(), Meta: m.meta()}
}

// reply points to the answered message. The head of a forum topic is not answered: every message of the topic points there.
func (m *message) reply() *chat.Reply {
	words := ""
	if m.Quote != nil {
		words = m.Quote.Text
	}
	if r := m.ReplyTo; r != nil {
		if r.TopicCreated != nil || (m.IsTopic && r.MessageID == m.ThreadID) {
			return nil
		}
		where := envelope{MessageID: r.MessageID, Chat: m.Chat, Business: m.Business}
		return replyTo(where.ref(), words)
	}
	if r := m.ExternalReply; r != nil && r.Chat != nil {
		where := envelope{MessageID: r.MessageID, Chat: r.Chat}
		return replyTo(where.ref(), words)
	}
	return replyTo("", words)
}

func (m *message) meta() map[string]string {
	meta := map[string]string{}
	put := func(name, value string) {
		if value != "" {
			meta[name] = value
		}
	}
	put("album", m.Album)
	put("author", m.Author)
	put("forwarded", m.Forward.name())
	if s := m.ReplyToStory; s != nil && s.Chat != nil {
		put("reply_to_story", s.Chat.address()+":"+formatID(s.ID))
	}
	if len(meta) == 0 {
		return nil
	}
	return meta
}

// name says who wrote a forwarded message first.
func (o *origin) name() string {
	switch {
	case o == nil:
		return ""
	case o.User != nil:
		return o.User.person().Name
	case o.SenderChat != nil:
		return o.SenderChat.person().Name
	case o.Chat != nil:
		return o.Chat.person().Name
	case o.HiddenName != "":
		return o.HiddenName
	default:
		return o.Type
	}
}
