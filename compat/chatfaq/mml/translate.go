package mml

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Types of layers that have a meaning here; all others are passed on.
const (
	TypeMessage      = "message"
	TypeChunk        = "message_chunk"
	TypeFileUpload   = "file_upload"
	TypeFileUploaded = "file_uploaded"
	TypeFileDownload = "file_download"
	TypeToolResult   = "tool_result"
	typeStars        = "star_rating"
	typeFeedback     = "text_feedback"
	typeReplies      = "quick_replies"
)

// translation finds the element that says the same. No payload: the layer's own will do.
type translation func(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any)

// translations of the layers in use and of those of former times.
var translations = map[string]translation{
	TypeMessage: asText, TypeChunk: asText, "server_error": asText, "lm_generated_text": asText,
	"text": asText, "html": asHTML, "image": asImage, "buttons": asButtons, typeReplies: asButtons,

	TypeFileUpload: asUpload, TypeFileUploaded: asFile, TypeFileDownload: asFile,

	"thumbs_rating": asThumbs, "thumbs_rating_without_details": asThumbs, typeStars: asStars, typeFeedback: asComment,
}

func translate(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	if t, ok := translations[l.Type]; ok {
		return t(l, fields)
	}
	return asItIs(l, fields)
}

// asText: content is the text, in former times model_response, or the payload itself.
func asText(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	var p chat.TextPayload
	if content, isText := text(fields["content"]); isText && content != "" || fields["content"] != nil && isText {
		if fields["spans"] == nil || json.Unmarshal(l.Payload, &p) == nil {
			return chat.Text, nil
		}
		return chat.Text, chat.TextPayload{Content: content}
	}
	if s, ok := text(l.Payload); ok {
		return chat.Text, chat.TextPayload{Content: s}
	}
	if s, ok := text(fields["model_response"]); ok {
		return chat.Text, chat.TextPayload{Content: s}
	}
	return chat.Text, chat.TextPayload{Content: words(fields["content"])}
}

func asHTML(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	if s, ok := text(l.Payload); ok {
		return chat.HTML, chat.TextPayload{Content: s}
	}
	return asItIs(l, fields)
}

func asImage(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	if s, ok := text(l.Payload); ok {
		return chat.Image, chat.Media{URL: s}
	}
	return asItIs(l, fields)
}

// asUpload asks for a file in words: on other platforms one just sends it.
func asUpload(_ Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	content, _ := text(fields["content"])
	return chat.Text, chat.TextPayload{Content: content}
}

// asFile is one file; several, as newer workers send them, are a text with links.
func asFile(_ Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	var p chat.Media
	p.Caption, _ = text(fields["content"])
	p.Name, _ = text(fields["name"])
	p.URL, _ = text(fields["url"])
	var many []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	if json.Unmarshal(fields["files"], &many) != nil || len(many) == 0 {
		return chat.File, p
	}
	if len(many) == 1 {
		p.Name, p.URL = many[0].Name, many[0].URL
		return chat.File, p
	}
	lines := []string{p.Caption}
	for _, f := range many {
		lines = append(lines, strings.TrimSpace(f.Name+" "+f.URL))
	}
	return chat.Text, chat.TextPayload{Content: strings.TrimSpace(strings.Join(lines, "\n"))}
}

func asThumbs(_ Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	p := chat.RatingPayload{Max: 2}
	if p.Content, _ = text(fields["hint"]); p.Content == "" {
		p.Content = "👎 1 · 2 👍"
	}
	return chat.Rating, p
}

func asStars(_ Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	p := chat.RatingPayload{Max: 5}
	p.Content, _ = text(fields["hint"])
	p.Comment, _ = text(fields["explanation"])
	var stars int
	if json.Unmarshal(fields["num_stars"], &stars) == nil && stars > 0 && stars <= 100 {
		p.Max = stars
	}
	return chat.Rating, p
}

func asComment(_ Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	var p chat.RatingPayload
	if p.Content, _ = text(fields["hint"]); p.Content == "" {
		p.Content, _ = text(fields["placeholder"])
	}
	return chat.Feedback, p
}

// payloads are made where a worker speaks of our own elements, so that a flow may send buttons to a platform that has them.
var payloads = map[chat.ElementType]func() any{
	chat.Text: payloadOf[chat.TextPayload], chat.HTML: payloadOf[chat.TextPayload],
	chat.Image: payloadOf[chat.Media], chat.Audio: payloadOf[chat.Media], chat.Voice: payloadOf[chat.Media],
	chat.Video: payloadOf[chat.Media], chat.File: payloadOf[chat.Media], chat.Sticker: payloadOf[chat.Media],
	chat.Location: payloadOf[chat.LocationPayload], chat.Contact: payloadOf[chat.ContactCard],
	chat.Buttons: payloadOf[chat.ButtonsPayload], chat.QuickReplies: payloadOf[chat.ButtonsPayload],
	chat.Card: payloadOf[chat.CardPayload], chat.Carousel: payloadOf[chat.CarouselPayload],
	chat.Template: payloadOf[chat.TemplatePayload], chat.Poll: payloadOf[chat.PollPayload], chat.Choice: payloadOf[chat.ChoicePayload],
	chat.Rating: payloadOf[chat.RatingPayload], chat.Feedback: payloadOf[chat.RatingPayload],
	chat.Unsupported: payloadOf[chat.UnsupportedPayload],
}

func payloadOf[T any]() any { return new(T) }

// asItIs keeps a type that we do not know, and one of our own if its payload is of that type. Files of the store are not named by
// clients: that would give them others' files.
func asItIs(l Layer, fields map[string]json.RawMessage) (chat.ElementType, any) {
	kind := chat.ElementType(l.Type)
	made, ours := payloads[kind]
	if !ours {
		return kind, nil
	}
	p := made()
	if fields == nil || json.Unmarshal(l.Payload, p) != nil {
		return chat.Unsupported, chat.UnsupportedPayload{What: l.Type}
	}
	switch p := p.(type) {
	case *chat.Media:
		p.File, p.Source = "", nil
	case *chat.CardPayload:
		p.File = ""
	case *chat.CarouselPayload:
		for i := range p.Cards {
			p.Cards[i].File = ""
		}
	default:
		return kind, nil
	}
	return kind, p
}

// text reads a JSON text.
func text(raw json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// words shows any JSON.
func words(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) == 0 || string(raw) == "null" || json.Compact(&b, raw) != nil {
		return ""
	}
	return b.String()
}
