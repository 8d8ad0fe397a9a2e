package worker

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Conversation is what the hub tells about a conversation with each call. It lives as long as the call.
type Conversation struct {
	ID       string
	UserID   string
	Metadata map[string]any // as given by the client when the conversation was opened
	Messages []Message      // the whole conversation, oldest first; it may be cut at its beginning
	AI       AI             // the hub's language models, retrievers and prompts

	transition json.RawMessage
	state      json.RawMessage
	status     json.RawMessage
	channel    string
}

// Message is one message of a conversation. Its stack may be empty.
type Message struct {
	ID     ID    `json:"id"`
	Sender Agent `json:"sender"`
	Stack  Stack `json:"stack"`
}

// Agent says who spoke.
type Agent struct {
	Type      string `json:"type"` // human, bot or system
	ID        ID     `json:"id,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Platform  string `json:"platform,omitempty"`
}

// Stack is the elements of a message. What is no list is read as an empty one.
type Stack []Element

// Element is one layer of a message.
type Element struct {
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	Streaming bool            `json:"streaming,omitempty"`
	Meta      json.RawMessage `json:"meta,omitempty"`
	State     json.RawMessage `json:"state,omitempty"`
}

// FileUploaded is the payload of a "file_uploaded" element: a person's answer to a FileUpload.
type FileUploaded struct {
	S3Path string `json:"s3_path"`
	Name   string `json:"name"`
	URL    string `json:"url"` // to fetch it, for an hour
}

// ID is a text or a number on the wire.
type ID string

// Errors of the readers below.
var (
	ErrNoHuman = errors.New("worker: no human message in this conversation")
	ErrEmpty   = errors.New("worker: nothing there")
)

// LastHuman is the newest message of the person, nil if there is none.
func (c *Conversation) LastHuman() *Message {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		m := &c.Messages[i]
		isTool := len(m.Stack) > 0 && m.Stack[0].Type == "tool_result" // the hub calls its sender human
		if m.Sender.Type == "human" && !isTool {
			return m
		}
	}
	return nil
}

// Text is the text of the newest human message, empty if it has none.
func (c *Conversation) Text() string {
	if m := c.LastHuman(); m != nil {
		return m.Text()
	}
	return ""
}

// Payload reads the first payload of the newest human message into v.
func (c *Conversation) Payload(v any) error {
	m := c.LastHuman()
	if m == nil || len(m.Stack) == 0 {
		return ErrNoHuman
	}
	return json.Unmarshal(m.Stack[0].Payload, v)
}

// Pressed is the id of the button that the newest human message pressed, empty if it pressed none.
func (c *Conversation) Pressed() string {
	m := c.LastHuman()
	if m == nil {
		return ""
	}
	for _, e := range m.Stack {
		var answers []struct {
			ID ID `json:"id"`
		}
		if e.Type == "quick_replies" && json.Unmarshal(e.Payload, &answers) == nil && len(answers) > 0 {
			return string(answers[0].ID)
		}
	}
	return ""
}

// Data reads what the winning condition gave along. In a condition it is ErrEmpty.
func (c *Conversation) Data(v any) error { return read(c.transition, v) }

// State reads the state of the newest message's first layer, see WithState.
func (c *Conversation) State(v any) error { return read(c.state, v) }

// Status reads the memory of this conversation; v stays as it is if nothing was ever kept.
func (c *Conversation) Status(v any) error {
	if err := read(c.status, v); !errors.Is(err, ErrEmpty) {
		return err
	}
	return nil
}

// SetStatus keeps v with the next layer, or with the end of the turn. The following calls of this
// conversation read it, in whatever process they run.
func (c *Conversation) SetStatus(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.status = raw
	return nil
}

// Text is the text of a message's first element that has one.
func (m Message) Text() string {
	for _, e := range m.Stack {
		if text := e.Text(); text != "" {
			return text
		}
	}
	return ""
}

// Text is the "content" of the payload, or the payload itself if it is a text.
func (e Element) Text() string {
	var payload struct {
		Content string `json:"content"`
	}
	if json.Unmarshal(e.Payload, &payload) == nil {
		return payload.Content
	}
	var text string
	if json.Unmarshal(e.Payload, &text) != nil {
		return ""
	}
	return text
}

// UnmarshalJSON takes texts, numbers and null.
func (id *ID) UnmarshalJSON(raw []byte) error {
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text != nil {
			*id = ID(*text)
		}
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(raw, &number); err != nil {
		return errors.New("worker: an id is a text or a number")
	}
	*id = ID(number)
	return nil
}

// UnmarshalJSON takes whatever is no list as an empty one.
func (s *Stack) UnmarshalJSON(raw []byte) error {
	*s = nil
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	var elements []Element
	if err := json.Unmarshal(raw, &elements); err != nil {
		return err
	}
	*s = elements
	return nil
}

func read(raw json.RawMessage, v any) error {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "{}" {
		return ErrEmpty
	}
	return json.Unmarshal(raw, v)
}
