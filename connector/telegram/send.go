package telegram

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// draft is a call that is being put together: a method, its parameters, the files to upload with it.
type draft struct {
	method string
	params params
	files  []upload
	notice string
}

// Send implements connector.Connector.
func (b *bot) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	d, err := compose(part)
	if err != nil {
		return connector.Sent{}, err
	}
	if err := destination(part.Thread, d.params); err != nil {
		return connector.Sent{}, err
	}
	d.answerTo(part)
	if d.method == "sendMediaGroup" {
		return b.sendAlbum(ctx, part, d)
	}
	var m sentMessage
	if err := b.post(ctx, d, &m); err != nil {
		return connector.Sent{}, inThread(err)
	}
	if m.ID == 0 {
		return connector.Sent{}, badAnswer(connector.IsUnsure)
	}
	return connector.Sent{ID: m.id(part.Thread), Notice: d.notice}, nil
}

func (b *bot) sendAlbum(ctx context.Context, part connector.Part, d *draft) (connector.Sent, error) {
	var list []sentMessage
	if err := b.post(ctx, d, &list); err != nil {
		return connector.Sent{}, inThread(err)
	}
	if len(list) == 0 || list[0].ID == 0 {
		return connector.Sent{}, badAnswer(connector.IsUnsure)
	}
	sent := connector.Sent{Notice: d.notice}
	for i, m := range list {
		if i == 0 {
			sent.ID = m.id(part.Thread)
			continue
		}
		sent.More = append(sent.More, m.id(part.Thread))
	}
	return sent, nil
}

// sentMessage is as much of the Message in the answer as names it.
type sentMessage struct {
	ID   int64 `json:"message_id"`
	Chat struct {
		ID int64 `json:"id"`
	} `json:"chat"`
}

func (m sentMessage) id(to chat.Thread) string {
	place := to.Address
	if m.Chat.ID != 0 {
		place = formatID(m.Chat.ID)
	}
	return messageRef{chat: place, message: m.ID, business: business(to)}.String()
}

// answerTo sets the answered message. If it is gone, Telegram sends without it.
func (d *draft) answerTo(part connector.Part) {
	if part.ReplyTo == "" {
		return
	}
	ref, err := parseRef(part.ReplyTo)
	if err != nil || ref.chat != part.Thread.Address || ref.business != business(part.Thread) {
		d.note("the answered message is not of this chat: sent without the reference")
		return
	}
	d.params["reply_parameters"] = map[string]any{"message_id": ref.message, "allow_sending_without_reply": true}
}

func (d *draft) note(words string) {
	if d.notice != "" {
		d.notice += "; "
	}
	d.notice += words
}

// put sets a parameter unless it is empty.
func (d *draft) put(name, value string) {
	if value != "" {
		d.params[name] = value
	}
}

// words sets a text and its formatting, under the names of the method: text and entities, or caption and caption_entities.
func (d *draft) words(textName, entitiesName, text string, list []chat.Span) {
	d.put(textName, text)
	if found := entities(text, list); found != nil {
		d.params[entitiesName] = found
	}
}

func (d *draft) buttons(list []chat.Button) {
	keys, notice := markup(list)
	if keys != nil {
		d.params["reply_markup"] = keys
	}
	if notice != "" {
		d.note(notice)
	}
}
