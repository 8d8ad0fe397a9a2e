package simulator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

const (
	maxName     = 150     // bytes of an id, a name or an address
	maxText     = 1 << 16 // bytes of a text
	maxElements = 100
)

// said is what a caller may say. Only one of text, payload and stack is needed.
type said struct {
	From    string         `json:"from"`
	Name    string         `json:"name"`
	Text    string         `json:"text"`
	Payload string         `json:"payload"`
	Stack   []chat.Element `json:"stack"`
	ID      string         `json:"id"`
	Thread  string         `json:"thread"`
}

// Receive implements connector.Receiver: POST of JSON, of a form or of a plain text.
//
// What carries an id (a member of the body, or the header Idempotency-Key) is stored once. Without one each
// call is a message of its own: its id is made from the time and the body.
func (c *channel) Receive(_ context.Context, req connector.Request) (connector.Delivery, error) {
	if !c.knows(req.Header.Get("Authorization")) {
		return connector.Delivery{}, connector.ErrUnsigned
	}
	if req.Method != http.MethodPost {
		return connector.Delivery{}, connector.Malformedf("method %s: use POST", req.Method)
	}
	s, err := read(req)
	if err != nil {
		return connector.Delivery{}, err
	}
	if s.ID == "" {
		s.ID = req.Header.Get("Idempotency-Key")
	}
	if s.ID == "" {
		s.ID = c.made(req.Body)
	}
	if s.From == "" {
		s.From, s.Name = "you", or(s.Name, "You")
	}
	message, err := s.message()
	if err != nil {
		return connector.Delivery{}, err
	}
	event := chat.Incoming{
		Key: "sim:" + s.ID, Kind: chat.KindMessage, ID: "in:" + s.ID,
		Thread: chat.Thread{Address: or(s.Thread, s.From)}, Sender: chat.Person{Address: s.From, Name: s.Name},
		Message: &message,
	}
	answer, err := json.Marshal(map[string]any{"ok": true, "id": s.ID})
	if err != nil {
		return connector.Delivery{}, connector.Malformedf("id: %s", err)
	}
	return connector.Delivery{
		Events: []chat.Incoming{event},
		Reply:  connector.Reply{Status: http.StatusOK, ContentType: "application/json", Body: answer},
	}, nil
}

// knows compares digests in constant time, so that the time tells neither the key nor its length.
func (c *channel) knows(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	given, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(c.key))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

// made is the id of a call that has none.
func (c *channel) made(body []byte) string {
	sum := sha256.Sum256(body)
	return strconv.FormatInt(c.now().UnixNano(), 36) + "-" + hex.EncodeToString(sum[:8])
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// read takes what curl makes of a line: JSON is known by its first byte whatever the header says (curl -d calls everything
// a form), and a form without any of our fields is a plain text.
func read(req connector.Request) (said, error) {
	if !utf8.Valid(req.Body) {
		return said{}, connector.Malformedf("body: not UTF-8")
	}
	body := bytes.TrimSpace(req.Body)
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	s := said{Text: string(body)}
	switch {
	case kind == "application/json" || kind != "text/plain" && bytes.HasPrefix(body, []byte("{")):
		s, err = readJSON(body)
	case kind == "application/x-www-form-urlencoded":
		s, err = readForm(string(body))
	case kind == "" || kind == "text/plain":
		err = nil
	default:
		return said{}, connector.Malformedf("content type %s: send JSON, a form or plain text", kind)
	}
	if err != nil {
		return said{}, err
	}
	return s, s.check()
}

func readJSON(body []byte) (said, error) {
	var s said
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, connector.Malformedf("body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return s, connector.Malformedf("body: more than one JSON value")
	}
	return s, nil
}

func readForm(body string) (said, error) {
	form, err := url.ParseQuery(body)
	if err != nil || !form.Has("text") && !form.Has("payload") {
		return said{Text: body}, nil
	}
	s := said{
		From: form.Get("from"), Name: form.Get("name"), Text: form.Get("text"), Payload: form.Get("payload"),
		ID: form.Get("id"), Thread: form.Get("thread"),
	}
	if !utf8.ValidString(strings.Join([]string{s.From, s.Name, s.Text, s.Payload, s.ID, s.Thread}, "")) {
		return said{}, connector.Malformedf("body: not UTF-8")
	}
	return s, nil
}

func (s said) check() error {
	for _, x := range []struct{ name, value string }{{"from", s.From}, {"name", s.Name}, {"id", s.ID}, {"thread", s.Thread}} {
		if len(x.value) > maxName || strings.ContainsFunc(x.value, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
			return connector.Malformedf("%s: longer than %d bytes, or with control characters", x.name, maxName)
		}
	}
	if len(s.Text) > maxText || len(s.Payload) > maxText {
		return connector.Malformedf("text: longer than %d bytes", maxText)
	}
	return nil
}

// message makes the message of what was said.
func (s said) message() (chat.Message, error) {
	switch {
	case len(s.Stack) > 0 && (s.Text != "" || s.Payload != ""):
		return chat.Message{}, connector.Malformedf("stack: leave out text and payload, or put them into it")
	case len(s.Stack) > 0:
		stack, err := s.elements()
		return chat.Message{Stack: stack}, err
	case s.Payload != "":
		choice := chat.ChoicePayload{Title: s.Text, Payload: s.Payload}
		return chat.Message{Stack: []chat.Element{chat.NewElement(chat.Choice, choice)}}, nil
	case s.Text != "":
		return chat.TextMessage(s.Text), nil
	default:
		return chat.Message{}, connector.Malformedf("body: text, payload or stack is missing")
	}
}

// elements checks a stack, and takes out what would point at files in our own store.
func (s said) elements() ([]chat.Element, error) {
	if len(s.Stack) > maxElements {
		return nil, connector.Malformedf("stack: more than %d elements", maxElements)
	}
	stack := make([]chat.Element, len(s.Stack))
	for i, e := range s.Stack {
		if e.Type == "" || !bytes.HasPrefix(e.Payload, []byte("{")) {
			return nil, connector.Malformedf("stack.%d: needs a type and a payload object", i)
		}
		if e.Type.IsMedia() {
			var m chat.Media
			if err := e.Into(&m); err != nil || m.URL == "" {
				return nil, connector.Malformedf("stack.%d: needs a url", i)
			}
			m.File, m.Source = "", nil
			e = chat.NewElement(e.Type, m)
		}
		stack[i] = e
	}
	return stack, nil
}
