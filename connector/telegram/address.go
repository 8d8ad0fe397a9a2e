package telegram

import (
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Topics of a Thread: the number of a forum topic, or one of these prefixes and an id.
const (
	topicBusiness = "b:" // business_connection_id: we write in the name of that account
	topicDirect   = "d:" // direct_messages_topic_id: a channel's direct messages
)

// inlinePrefix begins the id of a message that somebody sent through our bot's inline mode: it belongs to no chat we see.
const inlinePrefix = "inline:"

// messageRef is a parsed external id. The text form is "<chat>:<message>", for a business account
// "<chat>:<message>@<connection>" (its chats have the same numbers as the bot's own), or "inline:<id>".
type messageRef struct {
	chat     string
	message  int64
	business string
	inline   string
}

func (r messageRef) String() string {
	if r.inline != "" {
		return inlinePrefix + r.inline
	}
	s := r.chat + ":" + formatID(r.message)
	if r.business != "" {
		s += "@" + r.business
	}
	return s
}

func parseRef(id string) (messageRef, error) {
	if inline, ok := strings.CutPrefix(id, inlinePrefix); ok && inline != "" {
		return messageRef{inline: inline}, nil
	}
	place, number, ok := strings.Cut(id, ":")
	number, business, _ := strings.Cut(number, "@")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || place == "" || err != nil {
		return messageRef{}, rejected("bad_id", "not the id of a Telegram message: "+id)
	}
	return messageRef{chat: place, message: n, business: business}, nil
}

// target puts where the message is into the parameters of a call about it.
func (r messageRef) target(p params) {
	if r.inline != "" {
		p["inline_message_id"] = r.inline
		return
	}
	p["chat_id"] = chatID(r.chat)
	p["message_id"] = r.message
	if r.business != "" {
		p["business_connection_id"] = r.business
	}
}

// chatID gives numbers as numbers; anything else is a public @name.
func chatID(address string) any {
	if n, err := strconv.ParseInt(address, 10, 64); err == nil {
		return n
	}
	return address
}

// destination puts the thread into the parameters of a sending call.
func destination(t chat.Thread, p params) error {
	if t.Address == "" {
		return rejected("no_chat", "the thread has no chat id")
	}
	p["chat_id"] = chatID(t.Address)
	switch {
	case t.Topic == "":
		return nil
	case strings.HasPrefix(t.Topic, topicBusiness):
		p["business_connection_id"] = t.Topic[len(topicBusiness):]
		return nil
	case strings.HasPrefix(t.Topic, topicDirect):
		return number(p, "direct_messages_topic_id", t.Topic[len(topicDirect):])
	default:
		return number(p, "message_thread_id", t.Topic)
	}
}

func number(p params, name, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return rejected("bad_topic", "not a topic of Telegram: "+value)
	}
	p[name] = n
	return nil
}

// business is the connection that the thread belongs to, if any.
func business(t chat.Thread) string {
	id, ok := strings.CutPrefix(t.Topic, topicBusiness)
	if !ok {
		return ""
	}
	return id
}

// thread tells where a message is. message_thread_id alone is no topic: replies in ordinary groups have it too.
func (m *envelope) thread() chat.Thread {
	t := m.Chat.thread()
	switch {
	case m.Business != "":
		t.Topic = topicBusiness + m.Business
	case m.DirectTo != nil:
		t.Topic = topicDirect + formatID(m.DirectTo.ID)
	case m.IsTopic && m.ThreadID != 0:
		t.Topic = formatID(m.ThreadID)
	}
	return t
}

// ref names the message; empty for the few that have no number.
func (m *envelope) ref() string {
	if m.MessageID == 0 {
		return ""
	}
	return messageRef{chat: m.Chat.address(), message: m.MessageID, business: m.Business}.String()
}

func (r *room) address() string { return formatID(r.ID) }

func (r *room) private() bool { return r.Type == "private" }

func (r *room) thread() chat.Thread {
	return chat.Thread{Address: r.address(), Group: !r.private(), Title: r.Title}
}

func (r *room) person() chat.Person {
	p := chat.Person{
		Address: r.address(), Name: r.Title, FirstName: r.FirstName, LastName: r.LastName, Username: r.Username,
	}
	if p.Name == "" {
		p.Name = fullName(r.FirstName, r.LastName)
	}
	return p
}

func (u *user) person() chat.Person {
	return chat.Person{
		Address: formatID(u.ID), Name: fullName(u.FirstName, u.LastName), FirstName: u.FirstName,
		LastName: u.LastName, Username: u.Username, Language: u.Language, Bot: u.IsBot,
	}
}

func fullName(first, last string) string { return strings.TrimSpace(first + " " + last) }

// sender is the person, or the chat in whose name it was written: From is a placeholder then (1087968824 for
// anonymous administrators).
func (m *envelope) sender() chat.Person {
	switch {
	case m.SenderChat != nil:
		return m.SenderChat.person()
	case m.From != nil:
		return m.From.person()
	default:
		return m.Chat.person()
	}
}

// lastSecond is the end of the year 9999; RFC 3339 has no times after it.
const lastSecond = 253402300799

// at reads Telegram's seconds; zero if there are none, or none that make sense.
func at(seconds int64) time.Time {
	if seconds <= 0 || seconds > lastSecond {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func rejected(code, detail string) error {
	return &connector.Error{Policy: connector.Rejected, Code: code, Detail: detail}
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

func parseID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil
}
