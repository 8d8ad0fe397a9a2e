package fit

import (
	"github.com/dragoman-hub/dragoman/chat"
)

// step turns an element into the nearest thing; no elements: there is none.
type step func(*fitting, chat.Element) []near

// nearest is the one table of what becomes of an element that a platform cannot carry. It is asked again for what
// comes out, until that can be carried. What is not listed is dropped: unsupported, tool_use, tool_result, templates
// (their words are at the platform), and types that we do not know.
var nearest = map[chat.ElementType]step{
	chat.Voice:   as(chat.Audio),
	chat.Audio:   as(chat.File),
	chat.Image:   as(chat.File),
	chat.Video:   as(chat.File),
	chat.File:    linkText,
	chat.Sticker: stickerNear,

	chat.Buttons:      controlsText,
	chat.QuickReplies: controlsText,
	chat.Card:         cardNear,
	chat.Carousel:     carouselCards,

	chat.HTML:     htmlText,
	chat.Location: locationText,
	chat.Contact:  contactText,
	chat.Poll:     pollText,
	chat.Choice:   choiceText,
	chat.Rating:   ratingText,
	chat.Feedback: ratingText,
}

// families are types whose payloads are alike, so that Traits.Degrade may name one for another.
var families = map[chat.ElementType]string{
	chat.Image: "media", chat.Audio: "media", chat.Voice: "media", chat.Video: "media", chat.File: "media",
	chat.Sticker: "media",
	chat.Buttons: "controls", chat.QuickReplies: "controls",
	chat.Rating: "rating", chat.Feedback: "rating",
}

// as is the step that only changes the type.
func as(t chat.ElementType) step {
	return func(_ *fitting, e chat.Element) []near {
		return []near{{Element: chat.Element{Type: t, Payload: e.Payload}}}
	}
}

// nearer takes one step, the platform's own if it has one.
func (f *fitting) nearer(n near, depth int) []near {
	if t, ok := f.traits.Degrade[n.Type]; ok && depth < degradeDepth && t != n.Type {
		family := families[n.Type]
		switch {
		case family != "" && family == families[t]:
			return as(t)(f, n.Element)
		case family == "media" && t == chat.Text:
			return linkText(f, n.Element)
		}
	}
	if take, ok := nearest[n.Type]; ok {
		return take(f, n.Element)
	}
	return nil
}
