package telegram

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// update is one update, opened but not yet read: what has the member of its kind.
type update struct {
	id   int64
	kind string
	what json.RawMessage
}

// reader translates one kind of update. An error means that the platform's form has changed: it is kept raw.
type reader func(b *bot, u update) ([]chat.Incoming, error)

// updateKinds are the kinds that we read, and ask Telegram for (asked).
var updateKinds = []struct {
	name  string
	asked bool // chat_member repeats new_chat_members, so we do not ask; it is read where somebody else asked
	read  reader
}{
	{"message", true, readMessage},
	{"edited_message", true, readEdit},
	{"channel_post", true, readMessage},
	{"edited_channel_post", true, readEdit},
	{"business_message", true, readMessage},
	{"edited_business_message", true, readEdit},
	{"deleted_business_messages", true, readDeletion},
	{"message_reaction", true, readReaction},
	{"callback_query", true, readCallback},
	{"poll_answer", true, readPollAnswer},
	{"my_chat_member", true, readOwnMembership},
	{"chat_member", false, readMembership},
}

// allowedUpdates is the explicit list: Telegram's default leaves out reactions.
func allowedUpdates() []string {
	var names []string
	for _, k := range updateKinds {
		if k.asked {
			names = append(names, k.name)
		}
	}
	return names
}

// translate reads one update; the number is its update_id. Bytes that are no UTF-8 become replacement characters, so that raw
// content can be stored.
func (b *bot) translate(raw []byte) ([]chat.Incoming, int64, error) {
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	if events, id, ok := b.readText(raw); ok {
		return events, id, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, 0, connector.Malformedf("the update is not a JSON object")
	}
	id, err := strconv.ParseInt(string(members["update_id"]), 10, 64)
	if err != nil {
		return nil, 0, connector.Malformedf("the update has no update_id")
	}
	for _, k := range updateKinds {
		what, ok := members[k.name]
		if !ok {
			continue
		}
		u := update{id: id, kind: k.name, what: what}
		events, err := k.read(b, u)
		if err != nil {
			events = []chat.Incoming{u.unreadable()}
		}
		return events, id, nil
	}
	return []chat.Incoming{update{id: id}.ignored()}, id, nil
}

// readText reads what comes most of all, a message with a text, in one go; false if it is anything else.
func (b *bot) readText(raw []byte) ([]chat.Incoming, int64, bool) {
	var u struct {
		ID      *int64   `json:"update_id"`
		Message *message `json:"message"`
	}
	if json.Unmarshal(raw, &u) != nil || u.ID == nil || u.Message == nil || u.Message.Chat == nil || u.Message.Text == "" {
		return nil, 0, false
	}
	return b.told(update{id: *u.ID}, u.Message), *u.ID, true
}

// key is the same for every redelivery: update ids are unique per bot.
func (u update) key() string { return "u" + formatID(u.id) }

func (u update) ignored() chat.Incoming {
	return chat.Incoming{Key: u.key(), Kind: chat.KindIgnored}
}

// unreadable keeps an update whose members have not the types that we know.
func (u update) unreadable() chat.Incoming {
	return chat.Incoming{Key: u.key(), Kind: chat.KindUnsupported, Raw: named(u.kind, u.what)}
}

func named(name string, value json.RawMessage) json.RawMessage {
	raw, err := json.Marshal(map[string]json.RawMessage{name: value})
	if err != nil { // value was part of valid JSON
		return value
	}
	return raw
}

// readDeletion: one event a message. Only business chats tell us of deletions.
func readDeletion(_ *bot, u update) ([]chat.Incoming, error) {
	var d businessDeletion
	if err := json.Unmarshal(u.what, &d); err != nil {
		return nil, err
	}
	if d.Chat == nil || slices.Contains(d.IDs, 0) {
		return nil, errNoChat
	}
	where := envelope{Chat: d.Chat, Business: d.Business}
	var events []chat.Incoming
	for _, id := range d.IDs {
		where.MessageID = id
		events = append(events, chat.Incoming{
			Key: u.key() + "/" + formatID(id), Kind: chat.KindDeleted,
			Thread: where.thread(), Sender: d.Chat.person(), Target: where.ref(),
		})
	}
	if len(events) == 0 {
		return []chat.Incoming{u.ignored()}, nil
	}
	return events, nil
}

// readPollAnswer keeps a vote as it is: it names the poll but neither message nor chat.
func readPollAnswer(_ *bot, u update) ([]chat.Incoming, error) {
	var v struct {
		User *user `json:"user"`
		Chat *room `json:"voter_chat"`
	}
	if err := json.Unmarshal(u.what, &v); err != nil {
		return nil, err
	}
	in := u.unreadable()
	if v.User != nil {
		in.Sender = v.User.person()
	} else if v.Chat != nil {
		in.Sender = v.Chat.person()
	}
	return []chat.Incoming{in}, nil
}
