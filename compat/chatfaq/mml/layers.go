package mml

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// Layers makes the stack of a message. What was a layer is that layer again; any other element becomes one that the widget can draw:
// a message in Markdown, a file, stars, a text box. Files of the store need their links before (WithLinks).
func Layers(m chat.Message) []Layer {
	out := make([]Layer, 0, len(m.Stack))
	for _, e := range m.Stack {
		if l, ok := noteOf(e); ok {
			out = append(out, l)
			continue
		}
		if drawn := draw(e); len(drawn) > 0 {
			out = append(out, drawn...)
			continue
		}
		out = append(out, Layer{Type: string(e.Type), Payload: e.Payload})
	}
	return out
}

// carried are the elements that have a layer of their own; package fit turns all others into these.
var carried = []chat.ElementType{chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Rating, chat.Feedback}

// draw finds the layers for an element that never was one.
func draw(e chat.Element) []Layer {
	if fields, ok := object(e.Payload); e.Type == chat.Text && ok && fields["spans"] == nil && fields["content"] != nil {
		return []Layer{{Type: TypeMessage, Payload: e.Payload}}
	}
	if e.Type == chat.Choice {
		return pressed(e)
	}
	traits := connector.Traits{Elements: carried, Spans: true}
	if given(e) {
		traits.Elements = nil // in words
	}
	parts, _, err := fit.Fit(chat.Message{Stack: []chat.Element{e}}, traits, fit.Options{})
	if err != nil {
		return nil
	}
	var out []Layer
	for _, part := range parts {
		for _, e := range part.Elements {
			out = append(out, layer(e))
		}
	}
	return out
}

// given tells a rating that was given from one that is asked for.
func given(e chat.Element) bool {
	var p chat.RatingPayload
	return e.Type == chat.Rating && e.Into(&p) == nil && p.Value > 0
}

// layer makes one layer of what package fit left, which can be read for certain.
func layer(e chat.Element) Layer {
	switch e.Type {
	case chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File:
		var p chat.Media
		_ = e.Into(&p)
		return file(e.Type, p)
	case chat.Rating:
		var p chat.RatingPayload
		_ = e.Into(&p)
		stars := p.Max
		if stars <= 0 {
			stars = 5
		}
		return Layer{Type: typeStars, Payload: encoded(map[string]any{
			"hint": p.Content, "merge_to_prev": false, "full_conversation": false, "num_stars": stars, "explanation": p.Comment,
		})}
	case chat.Feedback:
		var p chat.RatingPayload
		_ = e.Into(&p)
		return Layer{Type: typeFeedback, Payload: encoded(map[string]any{
			"hint": p.Content, "merge_to_prev": false, "full_conversation": false, "placeholder": p.Comment,
		})}
	default:
		var p chat.TextPayload
		_ = e.Into(&p)
		return said(markdown(p.Content, p.Spans))
	}
}

func said(content string) Layer {
	return Layer{Type: TypeMessage, Payload: encoded(map[string]string{"content": content})}
}

// file shows a picture that has a public link, and offers anything else for download.
func file(kind chat.ElementType, m chat.Media) Layer {
	name := m.Name
	if name == "" {
		name = string(kind)
	}
	if kind == chat.Image && m.URL != "" {
		return said(strings.TrimSpace("![" + bracketed(name) + "](" + m.URL + ")\n\n" + markdown(m.Caption, m.Spans)))
	}
	if m.URL == "" {
		return said(strings.TrimSpace("[" + name + "] " + m.Caption))
	}
	return Layer{Type: TypeFileDownload, Payload: encoded(map[string]string{
		"content": markdown(m.Caption, m.Spans), "name": name, "url": m.URL,
	})}
}

// WithLinks puts links to stored files into a message whose media have none; the message that it is given stays as it is.
func WithLinks(m chat.Message, link func(chat.FileID) string) chat.Message {
	var stack []chat.Element
	for i, e := range m.Stack {
		var url string
		if id := fileOf(e); id != "" {
			url = link(id)
		}
		if url == "" {
			continue
		}
		if stack == nil {
			stack = slices.Clone(m.Stack)
		}
		stack[i] = linked(e, url)
	}
	if stack != nil {
		m.Stack = stack
	}
	return m
}

// fileOf is the stored file of a media element, or of a card.
func fileOf(e chat.Element) chat.FileID {
	var p struct {
		File chat.FileID `json:"file"`
	}
	if !e.Type.IsMedia() && e.Type != chat.Card || e.Into(&p) != nil {
		return ""
	}
	return p.File
}

// linked adds the link to the element and, if it was an uploaded file's layer, to that.
func linked(e chat.Element, url string) chat.Element {
	fields, _ := object(e.Payload)
	member := "url"
	if e.Type == chat.Card {
		member = "image"
	}
	fields[member] = encoded(url)
	if l, ok := noteOf(e); ok && l.Type == TypeFileUploaded {
		if own, isObject := object(l.Payload); isObject {
			own["url"] = encoded(url)
			linkOnly(own, url)
			n := note{Type: l.Type, Payload: encoded(own), Streaming: l.Streaming, Meta: l.Meta, State: l.State, FSMDefinition: l.FSMDefinition, ID: l.ID}
			fields[noteMember] = encoded(n)
		}
	}
	return chat.Element{Type: e.Type, Payload: encoded(fields)}
}

// linkOnly adds the link also to the one file of a list, as newer clients name what they sent.
func linkOnly(payload map[string]json.RawMessage, url string) {
	var files []map[string]json.RawMessage
	if json.Unmarshal(payload["files"], &files) == nil && len(files) == 1 && files[0] != nil {
		files[0]["url"] = encoded(url)
		payload["files"] = encoded(files)
	}
}
