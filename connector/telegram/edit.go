package telegram

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Edit implements connector.Editor. Texts stay texts and media stay media: Telegram does not turn one into the other.
func (b *bot) Edit(ctx context.Context, id string, part connector.Part) error {
	ref, err := parseRef(id)
	if err != nil {
		return err
	}
	d, err := revise(part)
	if err != nil {
		return err
	}
	ref.target(d.params)
	err = b.post(ctx, d, nil)
	if says(err, "message is not modified") {
		return nil
	}
	return inThread(err)
}

// revise makes the call that gives a message new content.
func revise(part connector.Part) (*draft, error) {
	if len(part.Elements) != 1 {
		return nil, rejected("bad_edit", "an edit has exactly one element")
	}
	d := &draft{params: params{}}
	e := part.Elements[0]
	switch e.Type {
	case chat.Text:
		return reviseText(d, composeText(d, e, part))
	case chat.Buttons:
		return reviseText(d, composeButtons(d, e, part))
	case chat.QuickReplies: // only an inline keyboard can be changed afterwards
		err := composeQuickReplies(d, e, part)
		delete(d.params, "reply_markup")
		return reviseText(d, err)
	case chat.Card:
		return reviseCard(d, e, part)
	case chat.Image, chat.Audio, chat.Video, chat.File, chat.Voice:
		return reviseMedia(d, e, part)
	default:
		return nil, rejected("bad_edit", "Telegram cannot edit a "+string(e.Type))
	}
}

func reviseText(d *draft, err error) (*draft, error) {
	d.method = "editMessageText"
	if _, ok := d.params["reply_markup"].(replyKeyboard); ok {
		delete(d.params, "reply_markup")
	}
	return d, err
}

func reviseCard(d *draft, e chat.Element, part connector.Part) (*draft, error) {
	p, err := payload[chat.CardPayload](e)
	if err != nil {
		return nil, err
	}
	text, list := cardWords(p)
	d.buttons(p.Buttons)
	if p.Image == "" && p.File == "" {
		d.words("text", "entities", text, list)
		return reviseText(d, nil)
	}
	picture := chat.NewElement(chat.Image, chat.Media{File: p.File, URL: p.Image, Caption: text, Spans: list})
	return reviseMedia(d, picture, part)
}

// reviseMedia replaces file and caption, or the caption alone if the element names no file. The file of a voice message
// stays.
func reviseMedia(d *draft, e chat.Element, part connector.Part) (*draft, error) {
	p, err := payload[chat.Media](e)
	if err != nil {
		return nil, err
	}
	if e.Type == chat.Voice || (p.File == "" && p.URL == "" && p.Source == nil) {
		d.method = "editMessageCaption"
		d.words("caption", "caption_entities", p.Caption, p.Spans)
		return d, nil
	}
	item, err := d.groupItem(e, part, "file0")
	if err != nil {
		return nil, err
	}
	if e.Type == chat.Image && mimeOf(p, part) == mimeGIF {
		item.Type = "animation"
	}
	d.method = "editMessageMedia"
	d.params["media"] = item
	return d, nil
}
