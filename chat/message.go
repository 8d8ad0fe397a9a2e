package chat

import (
	"encoding/json"
	"strings"
)

// Message is what was said: a stack of elements.
type Message struct {
	Stack   []Element         `json:"stack"`
	ReplyTo *Reply            `json:"reply_to,omitempty"`
	Meta    map[string]string `json:"meta,omitempty"` // small facts: forwarded, album, start, referral, language
}

// Reply points to the message that is answered.
type Reply struct {
	Seq        int64  `json:"seq,omitempty"` // in the same conversation; 0: not known to us
	ExternalID string `json:"external_id,omitempty"`
	Quote      string `json:"quote,omitempty"`
}

// TextMessage makes a message of one plain text.
func TextMessage(s string) Message { return Message{Stack: []Element{Plain(s)}} }

// Text joins what a reader would read of the message: texts, captions, the title of a pressed button.
// It is what conditions look at and what the preview of a conversation shows.
func (m *Message) Text() string {
	if m == nil {
		return ""
	}
	if len(m.Stack) == 1 {
		return m.Stack[0].text()
	}
	var parts []string
	for _, e := range m.Stack {
		if s := e.text(); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "\n")
}

// Payload gives the payload of the first pressed button, if any.
func (m *Message) Payload() string {
	if m == nil {
		return ""
	}
	for _, e := range m.Stack {
		if e.Type == Choice {
			var p ChoicePayload
			if e.Into(&p) == nil {
				return p.Payload
			}
		}
	}
	return ""
}

// text reads the words of any payload: all types keep them under one of these names.
func (e Element) text() string {
	var p struct {
		Content  json.RawMessage `json:"content"`
		Caption  string          `json:"caption"`
		Title    string          `json:"title"`
		Payload  string          `json:"payload"`
		Question string          `json:"question"`
	}
	if json.Unmarshal(e.Payload, &p) != nil {
		return ""
	}
	var content string
	if json.Unmarshal(p.Content, &content) != nil {
		content = ""
	}
	for _, s := range []string{content, p.Caption, p.Title, p.Question, p.Payload} {
		if s != "" {
			return s
		}
	}
	return ""
}
