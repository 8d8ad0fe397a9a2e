package mml

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// Drawn makes a stack that the widget can draw. The widget trusts a stack: one payload that it does not expect stops all drawing of its
// page, again after each reload, and it draws all layers as it draws the first one. A stack that it can draw stays as it is.
func Drawn(stack []Layer) []Layer {
	out := slices.Clone(stack)
	for i := range out {
		if out[i] = mended(out[i]); !out[0].known() {
			return out // a custom frame gets the rest as it is
		}
	}
	if len(out) == 0 || !slices.ContainsFunc(out, func(l Layer) bool { return l.way() != out[0].way() }) {
		return out
	}
	return alike(out)
}

// wordsOf is the member in which a layer that the widget knows has its words.
var wordsOf = map[string]string{
	TypeMessage: "content", TypeChunk: "content", TypeFileUpload: "content", TypeFileUploaded: "content", TypeFileDownload: "content",
	typeStars: "hint", typeFeedback: "hint",
}

// known tells what the widget draws without a custom frame.
func (l Layer) known() bool { return wordsOf[l.Type] != "" }

// way is how the widget draws a layer.
func (l Layer) way() string {
	switch l.Type {
	case TypeChunk:
		return TypeMessage
	case TypeFileUploaded:
		return TypeFileDownload
	default:
		return l.Type
	}
}

// mended is the layer with a payload that the widget expects.
func mended(l Layer) Layer {
	fields, isObject := object(l.Payload)
	if isObject || l.known() {
		changed := map[string]json.RawMessage{}
		maps.Copy(changed, fields)
		if mend(l, changed) || !isObject {
			l.Payload = encoded(changed)
		}
	} else if missing(l.Payload) {
		l.Payload = json.RawMessage("{}")
	}
	return l
}

// missing tells null and nothing at all from a value.
func missing(raw json.RawMessage) bool {
	return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null"
}

// mend changes the members that the widget could not use; false: there are none.
func mend(l Layer, fields map[string]json.RawMessage) bool {
	switch l.Type {
	case TypeMessage, TypeChunk:
		if _, ok := text(fields["content"]); ok {
			return false
		}
		_, made := asText(l, fields)
		p, _ := made.(chat.TextPayload)
		fields["content"] = encoded(p.Content)
	case TypeFileUpload:
		if _, ok := object(fields["files"]); ok {
			return false
		}
		fields["files"] = json.RawMessage("{}")
	case TypeFileUploaded, TypeFileDownload:
		if _, ok := text(fields["name"]); ok || missing(fields["name"]) {
			return false
		}
		fields["name"] = encoded(words(fields["name"]))
	case typeStars:
		_, made := asStars(l, fields)
		p, _ := made.(chat.RatingPayload)
		stars := encoded(p.Max)
		if fields["num_stars"] == nil || string(fields["num_stars"]) == string(stars) {
			return false
		}
		fields["num_stars"] = stars
	default:
		return false
	}
	return true
}

// alike makes layers that are drawn in one way: words become those of the file, the rating or the request beside them. Where that is not
// possible, everything becomes words. What the widget cannot draw at all is left out, as it is where it stands alone.
func alike(stack []Layer) []Layer {
	var said []string
	var rest []Layer
	for _, l := range stack {
		switch {
		case !l.known():
		case l.way() == TypeMessage:
			said = append(said, l.words())
		case len(rest) > 0 && rest[0].way() != l.way():
			return spoken(stack)
		default:
			rest = append(rest, l)
		}
	}
	if len(rest) == 0 {
		return slices.DeleteFunc(stack, func(l Layer) bool { return !l.known() })
	}
	if own := rest[0].words(); own != "" {
		said = append(said, own)
	}
	fields, ok := object(rest[0].Payload)
	if !ok {
		fields = map[string]json.RawMessage{}
	}
	fields[wordsOf[rest[0].Type]] = encoded(strings.Join(said, "\n"))
	rest[0].Payload = encoded(fields)
	return rest
}

// words are those that the layer shows.
func (l Layer) words() string {
	fields, _ := object(l.Payload)
	s, _ := text(fields[wordsOf[l.Type]])
	return s
}

// spoken says everything in words.
func spoken(stack []Layer) []Layer {
	out := []Layer{}
	for _, l := range stack {
		if l.way() == TypeMessage {
			out = append(out, l)
			continue
		}
		if !l.known() {
			continue
		}
		parts, _, err := fit.Fit(chat.Message{Stack: []chat.Element{element(l)}}, connector.Traits{Spans: true}, fit.Options{})
		if err != nil {
			continue
		}
		for _, part := range parts {
			for _, e := range part.Elements {
				out = append(out, layer(e))
			}
		}
	}
	return out
}
