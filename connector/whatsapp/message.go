package whatsapp

import (
	"encoding/json"
	"regexp"

	"github.com/dragoman-hub/dragoman/chat"
)

// message is one entry of messages[] or message_echoes[].
type message struct {
	ID         string `json:"id"`
	From       loose  `json:"from"`
	FromUserID loose  `json:"from_user_id"`
	To         loose  `json:"to"`         // of an echo
	ToUserID   loose  `json:"to_user_id"` // of an echo
	GroupID    loose  `json:"group_id"`
	Timestamp  loose  `json:"timestamp"`
	content
	Reaction *struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji"`
	} `json:"reaction"`
	Edit *struct {
		Original string          `json:"original_message_id"`
		Message  json.RawMessage `json:"message"`
	} `json:"edit"`
	Revoke *struct {
		Original string `json:"original_message_id"`
	} `json:"revoke"`
	System *struct {
		Type           string `json:"type"`
		Body           string `json:"body"`
		WaID           loose  `json:"wa_id"`
		UserID         loose  `json:"user_id"`
		PreviousUserID loose  `json:"previous_user_id"`
	} `json:"system"`
}

// incoming translates one message. A shape that cannot be read is still somebody's message: it is kept raw, in
// their conversation if that can be told, else as an event of the channel.
func (n *number) incoming(raw json.RawMessage, people directory, echo bool) chat.Incoming {
	var m message
	if json.Unmarshal(raw, &m) != nil {
		m = skeleton(raw)
	}
	if m.ID == "" {
		return unreadable(hashKey("message", raw), seconds(m.Timestamp), raw)
	}
	if m.System != nil {
		m.FromUserID = either(m.previousUserID(), m.FromUserID)
	}
	in := n.addressed(m, people, echo)
	if in.Thread.Address == "" {
		return unreadable(key(m.ID), in.At, raw)
	}
	n.act(&in, m, raw)
	return in
}

// skeleton reads only what says who wrote and where, of a message whose rest has an unknown shape.
func skeleton(raw json.RawMessage) message {
	var s struct {
		ID         string `json:"id"`
		Type       string `json:"type"`
		From       loose  `json:"from"`
		FromUserID loose  `json:"from_user_id"`
		To         loose  `json:"to"`
		ToUserID   loose  `json:"to_user_id"`
		GroupID    loose  `json:"group_id"`
		Timestamp  loose  `json:"timestamp"`
	}
	if json.Unmarshal(raw, &s) != nil {
		return message{}
	}
	return message{
		ID: s.ID, From: s.From, FromUserID: s.FromUserID, To: s.To, ToUserID: s.ToUserID, GroupID: s.GroupID,
		Timestamp: s.Timestamp, content: content{Type: s.Type},
	}
}

// addressed fills in who, where and when.
func (n *number) addressed(m message, people directory, echo bool) chat.Incoming {
	in := chat.Incoming{Key: key(m.ID), At: seconds(m.Timestamp), Echo: echo}
	if echo {
		in.Sender = chat.Person{Address: string(m.From), Phone: phone(m.From)}
		in.Thread = chat.Thread{Address: people.person(m.To, m.ToUserID).Address}
	} else {
		in.Sender = people.person(m.From, m.FromUserID)
		in.Thread = chat.Thread{Address: in.Sender.Address}
	}
	if m.GroupID != "" {
		in.Thread = chat.Thread{Address: string(m.GroupID), Group: true}
	}
	return in
}

// act says what the message does: most types are something said, some are about an earlier message or the sender.
func (n *number) act(in *chat.Incoming, m message, raw json.RawMessage) {
	switch {
	case m.Type == "reaction" && m.Reaction != nil && m.Reaction.MessageID != "":
		in.Kind, in.Target = chat.KindReaction, m.Reaction.MessageID
		in.Reaction = &chat.ReactionData{TargetData: chat.TargetData{ExternalID: m.Reaction.MessageID}, All: true}
		if m.Reaction.Emoji != "" {
			in.Reaction.Added = []string{m.Reaction.Emoji}
		}
	case m.Type == "edit" && m.Edit != nil && m.Edit.Original != "":
		in.Kind, in.Target = chat.KindEdited, m.Edit.Original
		in.Message = edited(m.Edit.Message)
	case m.Type == "revoke" && m.Revoke != nil && m.Revoke.Original != "":
		in.Kind, in.Target = chat.KindDeleted, m.Revoke.Original
	case m.Type == "system" && n.moved(in, m):
	default:
		in.Kind, in.ID = chat.KindMessage, m.ID
		in.Message = m.message(raw)
		in.Start = m.start()
	}
}

// edited reads the new content. Its context repeats that of the original (in the platform's own form of ids) and
// is left out: an edit does not change what a message answers.
func edited(raw json.RawMessage) *chat.Message {
	var c content
	if json.Unmarshal(raw, &c) != nil {
		c = content{Type: "edit"}
	}
	c.Context, c.Referral = nil, nil
	return c.message(raw)
}

// changedIDs finds the user ids in the words of a system message, the only place where some versions name the old one.
var changedIDs = regexp.MustCompile(`from ([A-Z]{2}\.[A-Za-z0-9.]{1,132}) to [A-Z]{2}\.`)

// previousUserID is who the sender of a system message was before.
func (m message) previousUserID() loose {
	if m.System.PreviousUserID != "" {
		return m.System.PreviousUserID
	}
	if ids := changedIDs.FindStringSubmatch(m.System.Body); ids != nil {
		return loose(ids[1])
	}
	return ""
}

// moved reads a change of number or of user id; false if the message does not tell the new address. The old address
// has the form under which the hub knows the person as far as the message tells it.
func (n *number) moved(in *chat.Incoming, m message) bool {
	s := m.System
	if s == nil || (s.Type != "user_changed_number" && s.Type != "user_changed_user_id") {
		return false
	}
	to := s.WaID
	if userID.MatchString(in.Thread.Address) {
		to = s.UserID
	}
	switch {
	case s.Type == "user_changed_user_id" && !userID.MatchString(in.Thread.Address):
		in.Kind = chat.KindIgnored // known by number, and that has not changed
		return true
	case to == "" || string(to) == in.Thread.Address || in.Thread.Group:
		return false
	}
	in.Kind, in.MovedTo = chat.KindMoved, string(to)
	return true
}
