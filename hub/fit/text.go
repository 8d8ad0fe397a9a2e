package fit

import (
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// text is the ruler of the platform's texts.
func (f *fitting) text() ruler { return ruler{f.traits.TextLimit, f.traits.TextUnit} }

// keepText splits a text that is too long. An empty one is dropped: platforms refuse it.
func (f *fitting) keepText(e chat.Element) []chat.Element {
	var p chat.TextPayload
	if !f.read(e, &p) {
		return nil
	}
	if strings.TrimSpace(p.Content) == "" {
		f.note("empty text dropped")
		return nil
	}
	content, spans, changed := f.spans(p.Content, p.Spans)
	pieces := f.split(content, spans, f.text())
	if !changed && len(pieces) == 1 && pieces[0].text == p.Content {
		return []chat.Element{e}
	}
	return texts(pieces)
}

// split splits, and notes it.
func (f *fitting) split(content string, spans []chat.Span, r ruler) []piece {
	pieces := split(content, spans, r)
	switch {
	case len(pieces) > 1:
		f.note("text split into " + strconv.Itoa(len(pieces)))
	case len(pieces) == 0 || pieces[0].text != content:
		f.note("white space dropped")
	}
	return pieces
}

func texts(pieces []piece) []chat.Element {
	elements := make([]chat.Element, len(pieces))
	for i, p := range pieces {
		elements[i] = formatted(p.text, p.spans)
	}
	return elements
}

func formatted(content string, spans []chat.Span) chat.Element {
	return chat.NewElement(chat.Text, chat.TextPayload{Content: content, Spans: spans})
}

// spans drops what the platform does not understand and what is broken.
func (f *fitting) spans(content string, spans []chat.Span) (string, []chat.Span, bool) {
	if len(spans) == 0 {
		return content, nil, false
	}
	good := sound(spans, len16(content))
	if len(good) < len(spans) {
		f.note("broken formatting dropped")
	}
	if !f.traits.Spans {
		f.note("formatting dropped")
		return plain(content, good), nil, true
	}
	return content, good, len(good) < len(spans)
}
