package telegram

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
)

// readCallback reads a pressed inline button. It is no message at Telegram: it has no id of its own and no time. The message
// with the button may be out of reach (its date is 0 then), or belong to a chat that we do not see (inline_message_id);
// then the answer goes to the person.
func readCallback(_ *bot, u update) ([]chat.Incoming, error) {
	var q callbackQuery
	if err := json.Unmarshal(u.what, &q); err != nil {
		return nil, err
	}
	if q.From == nil || q.ID == "" {
		return nil, errNoSender
	}
	in := chat.Incoming{
		Key: u.key(), Kind: chat.KindMessage, Sender: q.From.person(), Ack: q.ID,
		Thread: chat.Thread{Address: q.From.person().Address},
	}
	msg := &chat.Message{Stack: []chat.Element{q.element()}}
	switch {
	case q.Message != nil && q.Message.Chat != nil:
		in.Thread = q.Message.thread()
		msg.ReplyTo = replyTo(q.Message.ref(), "")
	case q.InlineID != "":
		msg.ReplyTo = replyTo(messageRef{inline: q.InlineID}.String(), "")
	}
	in.Message = msg
	return []chat.Incoming{in}, nil
}

func replyTo(id, quote string) *chat.Reply {
	if id == "" && quote == "" {
		return nil
	}
	return &chat.Reply{ExternalID: id, Quote: quote}
}

func (q *callbackQuery) element() chat.Element {
	if q.Data == "" && q.Game != "" {
		raw, _ := json.Marshal(q.Game) // a string always marshals
		return chat.NewElement(chat.Unsupported, chat.UnsupportedPayload{What: "game", Raw: raw})
	}
	return chat.NewElement(chat.Choice, chat.ChoicePayload{Title: q.title(), Payload: q.Data})
}

// title finds the words on the button, which the query itself does not repeat.
func (q *callbackQuery) title() string {
	if q.Message == nil || q.Message.Markup == nil {
		return ""
	}
	for _, row := range q.Message.Markup.Inline {
		for _, b := range row {
			if b.Data == q.Data {
				return b.Text
			}
		}
	}
	return ""
}
