package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/dragoman-hub/dragoman/chat"
)

// The limits of a message that is posted.
const (
	maxStack   = 100
	maxText    = 64 << 10 // bytes
	maxButtons = 100
	maxCards   = 50
	maxOptions = 100
	maxSpans   = 1000
	maxTitle   = 1000 // bytes of titles, names and the like
	maxLink    = 4096 // bytes
	maxOpen    = 64 << 10
)

// MessageInput is a message to be sent: a stack of elements, or a text for short.
type MessageInput struct {
	Stack   []chat.Element `json:"stack,omitempty" maxItems:"100" nullable:"false" doc:"The elements, in the order in which they are shown. What the channel cannot carry becomes the nearest thing that it can."`
	Text    string         `json:"text,omitempty" doc:"Short for a stack of one text."`
	ReplyTo *ReplyInput    `json:"reply_to,omitempty" doc:"The message that is answered."`
}

// ReplyInput names a message of the same conversation.
type ReplyInput struct {
	Seq int64 `json:"seq" minimum:"1"`
}

// fileUse is a stored file that a message names, and where.
type fileUse struct {
	id   chat.FileID
	path string
}

// read checks a message. Payloads come out in our own form: members that the element's type has not got are refused, for they would be
// lost on the way. The files still have to be looked for.
func (in MessageInput) read() (chat.Message, []fileUse, []ProblemDetail) {
	c := &messageCheck{}
	msg := chat.Message{}
	switch {
	case in.Text != "" && len(in.Stack) > 0:
		c.addf("body", "give stack or text, not both")
	case in.Text != "":
		c.text("body.text", in.Text, maxText)
		msg.Stack = []chat.Element{chat.Plain(in.Text)}
	case len(in.Stack) == 0:
		c.addf("body", "a message needs stack or text")
	case len(in.Stack) > maxStack:
		c.addf("body.stack", "%d elements, at most %d", len(in.Stack), maxStack)
	default:
		for i, e := range in.Stack {
			msg.Stack = append(msg.Stack, c.element(fmt.Sprintf("body.stack[%d]", i), e))
		}
	}
	if in.ReplyTo != nil {
		msg.ReplyTo = &chat.Reply{Seq: in.ReplyTo.Seq}
	}
	return msg, c.files, c.problems
}

// messageCheck collects what is wrong.
type messageCheck struct {
	problems []ProblemDetail
	files    []fileUse
}

func (c *messageCheck) addf(path, format string, args ...any) {
	if len(c.problems) < 100 {
		c.problems = append(c.problems, ProblemDetail{path, fmt.Sprintf(format, args...)})
	}
}

// elementChecks has the types that may be posted. Choice and unsupported only come from contacts.
var elementChecks = map[chat.ElementType]func(c *messageCheck, path string, raw json.RawMessage) any{
	chat.Text:         (*messageCheck).textElement,
	chat.HTML:         (*messageCheck).textElement,
	chat.Image:        (*messageCheck).mediaElement,
	chat.Audio:        (*messageCheck).mediaElement,
	chat.Voice:        (*messageCheck).mediaElement,
	chat.Video:        (*messageCheck).mediaElement,
	chat.File:         (*messageCheck).mediaElement,
	chat.Sticker:      (*messageCheck).mediaElement,
	chat.Location:     (*messageCheck).locationElement,
	chat.Contact:      (*messageCheck).contactElement,
	chat.Buttons:      (*messageCheck).buttonsElement,
	chat.QuickReplies: (*messageCheck).buttonsElement,
	chat.Card:         (*messageCheck).cardElement,
	chat.Carousel:     (*messageCheck).carouselElement,
	chat.Template:     (*messageCheck).templateElement,
	chat.Poll:         (*messageCheck).pollElement,
	chat.Rating:       (*messageCheck).ratingElement,
	chat.Feedback:     (*messageCheck).ratingElement,
	chat.FileUpload:   (*messageCheck).openElement,
	chat.FileUploaded: (*messageCheck).openElement,
	chat.ToolUse:      (*messageCheck).openElement,
	chat.ToolResult:   (*messageCheck).openElement,
}

func (c *messageCheck) element(path string, e chat.Element) chat.Element {
	check, ok := elementChecks[e.Type]
	if !ok {
		c.addf(path+".type", "no such element: %.40q", string(e.Type))
		return e
	}
	if bytes.Contains(e.Payload, []byte(`\u0000`)) {
		c.addf(path+".payload", "has the character U+0000")
		return e
	}
	return chat.NewElement(e.Type, check(c, path+".payload", e.Payload))
}

// decode reads a payload; a member that its type has not got is a problem.
func decode[T any](c *messageCheck, path string, raw json.RawMessage) (p T, ok bool) {
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '{' {
		c.addf(path, "must be an object")
		return p, false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(&p)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			c.addf(path, "more than one value")
			return p, false
		}
		return p, true
	}
	if e, is := err.(*json.UnmarshalTypeError); is { //nolint:errorlint // the decoder gives this very type
		c.addf(strings.TrimSuffix(path+"."+e.Field, "."), "must not be a %s", e.Value)
		return p, false
	}
	c.addf(path, "%s", strings.TrimPrefix(err.Error(), "json: "))
	return p, false
}

// text checks a text that may be long; required means not empty.
func (c *messageCheck) text(path, s string, limit int) {
	if len(s) > limit {
		c.addf(path, "%d bytes, at most %d", len(s), limit)
	}
	if strings.IndexByte(s, 0) >= 0 {
		c.addf(path, "has the character U+0000")
	}
}

func (c *messageCheck) required(path, s string, limit int) {
	if strings.TrimSpace(s) == "" {
		c.addf(path, "must not be empty")
	}
	c.text(path, s, limit)
}

// link checks an address that others will open: http and https only.
func (c *messageCheck) link(path, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	if err != nil || len(s) > maxLink || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.addf(path, "must be an http or https link of at most %d bytes", maxLink)
	}
}

// spans must lie inside the text, in UTF-16 code units.
func (c *messageCheck) spans(path, text string, spans []chat.Span) {
	if len(spans) > maxSpans {
		c.addf(path, "%d spans, at most %d", len(spans), maxSpans)
		return
	}
	if len(spans) == 0 {
		return
	}
	length := len(utf16.Encode([]rune(text)))
	for i, s := range spans {
		at := fmt.Sprintf("%s[%d]", path, i)
		if s.Offset < 0 || s.Length < 1 || s.Offset > length || s.Length > length-s.Offset {
			c.addf(at, "reaches beyond the text of %d UTF-16 units", length)
		}
		c.required(at+".type", s.Type, maxTitle)
		c.text(at+".url", s.URL, maxLink)
		c.text(at+".lang", s.Lang, maxTitle)
		c.text(at+".id", s.ID, maxTitle)
	}
}

func (c *messageCheck) textElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.TextPayload](c, path, raw)
	if ok {
		c.required(path+".content", p.Content, maxText)
		c.spans(path+".spans", p.Content, p.Spans)
	}
	return p
}

func (c *messageCheck) mediaElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.Media](c, path, raw)
	if !ok {
		return p
	}
	switch {
	case p.Source != nil:
		c.addf(path+".source", "is for attachments that come in")
	case p.File == "" && p.URL == "":
		c.addf(path, "needs file or url")
	case p.File != "" && p.URL != "":
		c.addf(path, "give file or url, not both")
	}
	c.file(path+".file", p.File)
	c.link(path+".url", p.URL)
	c.text(path+".name", p.Name, maxTitle)
	c.text(path+".mime", p.MIME, maxTitle)
	c.text(path+".emoji", p.Emoji, maxTitle)
	c.text(path+".caption", p.Caption, maxText)
	c.spans(path+".spans", p.Caption, p.Spans)
	if p.Size < 0 || p.Width < 0 || p.Height < 0 || p.Duration < 0 {
		c.addf(path, "size, width, height and duration are not negative")
	}
	return p
}

func (c *messageCheck) file(path string, id chat.FileID) {
	if id != "" {
		c.files = append(c.files, fileUse{id, path})
	}
}

func (c *messageCheck) locationElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.LocationPayload](c, path, raw)
	if !ok {
		return p
	}
	if p.Latitude < -90 || p.Latitude > 90 {
		c.addf(path+".latitude", "is between -90 and 90")
	}
	if p.Longitude < -180 || p.Longitude > 180 {
		c.addf(path+".longitude", "is between -180 and 180")
	}
	if p.Live < 0 {
		c.addf(path+".live", "is not negative")
	}
	c.text(path+".name", p.Name, maxTitle)
	c.text(path+".address", p.Address, maxTitle)
	c.link(path+".url", p.URL)
	return p
}

func (c *messageCheck) contactElement(path string, raw json.RawMessage) any {
	p, ok := decode[chat.ContactCard](c, path, raw)
	if !ok {
		return p
	}
	c.required(path+".name", p.Name, maxTitle)
	for name, s := range map[string]string{"first_name": p.FirstName, "last_name": p.LastName, "company": p.Company, "user_id": p.UserID} {
		c.text(path+"."+name, s, maxTitle)
	}
	c.text(path+".vcard", p.VCard, maxText)
	c.words(path+".phones", p.Phones)
	c.words(path+".emails", p.Emails)
	return p
}

// words checks a list of short texts.
func (c *messageCheck) words(path string, list []string) {
	if len(list) > maxOptions {
		c.addf(path, "%d entries, at most %d", len(list), maxOptions)
		return
	}
	for i, s := range list {
		c.required(fmt.Sprintf("%s[%d]", path, i), s, maxTitle)
	}
}
