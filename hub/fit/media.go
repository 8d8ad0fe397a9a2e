package fit

import (
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// keepMedia checks size, type and the way to the bytes. A caption that is too long, or that the platform does not
// have, follows as a text.
func (f *fitting) keepMedia(e chat.Element) ([]chat.Element, bool) {
	var m chat.Media
	if !f.read(e, &m) {
		return nil, true
	}
	trait, limited := f.traits.Media[e.Type]
	if !takes(trait, m) {
		return nil, false
	}
	if m.Caption == "" {
		return []chat.Element{e}, true
	}
	caption, spans, changed := f.spans(m.Caption, m.Spans)
	limit := ruler{f.traits.CaptionLimit, f.traits.TextUnit}
	if (!limited || trait.Caption) && limit.holds(caption) {
		if !changed {
			return []chat.Element{e}, true
		}
		m.Caption, m.Spans = caption, spans
		return []chat.Element{chat.NewElement(e.Type, m)}, true
	}
	m.Caption, m.Spans = "", nil
	f.note("caption to text")
	return append([]chat.Element{chat.NewElement(e.Type, m)}, f.keepText(formatted(caption, spans))...), true
}

// takes tells whether a platform with these limits takes the media. What is not known (a size, a type) is not held
// against it: the platform will say so.
func takes(t connector.MediaTrait, m chat.Media) bool {
	if t.MaxBytes > 0 && m.Size > t.MaxBytes {
		return false
	}
	if len(t.MIME) > 0 && m.MIME != "" && !matchesAny(t.MIME, m.MIME) {
		return false
	}
	switch {
	case m.File != "":
		return true
	case m.URL != "":
		return t.ByURL || !t.Upload
	default:
		return false // nowhere to get it from
	}
}

// matchesAny compares without parameters: "audio/ogg; codecs=opus" is audio/ogg.
func matchesAny(patterns []string, mime string) bool {
	mime = essence(mime)
	for _, p := range patterns {
		p = essence(p)
		prefix, wild := strings.CutSuffix(p, "*")
		if p == mime || wild && strings.HasPrefix(mime, prefix) {
			return true
		}
	}
	return false
}

func essence(mime string) string {
	mime, _, _ = strings.Cut(mime, ";")
	return strings.ToLower(strings.TrimSpace(mime))
}

// linkText writes a link in place of the media, below its caption.
func linkText(f *fitting, e chat.Element) []near {
	var m chat.Media
	if !f.read(e, &m) {
		return nil
	}
	text, link := m.Caption, f.link(m)
	if link != "" {
		if m.Name != "" {
			link = m.Name + ": " + link
		}
		text = below(text, link)
	}
	if text == "" {
		return nil
	}
	kind := "link"
	if link == "" {
		kind = "caption without a link"
	}
	return []near{{formatted(text, m.Spans), kind}}
}

func (f *fitting) link(m chat.Media) string {
	if f.options.LinkFor != nil {
		if link := f.options.LinkFor(m); link != "" {
			return link
		}
	}
	return m.URL
}

// stickerNear makes an image of a sticker where that will do, else its emoji.
func stickerNear(f *fitting, e chat.Element) []near {
	var m chat.Media
	if !f.read(e, &m) {
		return nil
	}
	image := f.traits.Carries(chat.Image) && strings.HasPrefix(essence(m.MIME), "image/") &&
		takes(f.traits.Media[chat.Image], m)
	switch {
	case image:
		return as(chat.Image)(f, e)
	case m.Emoji != "":
		return []near{{chat.Plain(m.Emoji), "emoji"}}
	default:
		return as(chat.File)(f, e)
	}
}

// below puts a line under a text.
func below(text, line string) string {
	if text == "" {
		return line
	}
	return text + "\n" + line
}
