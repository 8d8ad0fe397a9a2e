package webhook

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// maxElements is how many elements one message may have.
const maxElements = 100

// message reads what was said. A message in which nothing is found, or something that cannot be read, shows that to
// the agent as an unsupported element.
func (w *view) message() *chat.Message {
	m := &chat.Message{}
	w.stack(m)
	if len(m.Stack) == 0 {
		w.simple(m)
	}
	if len(m.Stack) == 0 && w.err == nil {
		m.Stack = []chat.Element{chat.NewElement(chat.Unsupported, chat.UnsupportedPayload{What: "empty", Raw: raw(w.v)})}
	}
	if id := w.address("reply_to"); id != "" {
		m.ReplyTo = &chat.Reply{ExternalID: id}
	}
	return m
}

// simple reads text, pressed button and attachments.
func (w *view) simple(m *chat.Message) {
	if payload := w.text("payload"); payload != "" {
		m.Stack = append(m.Stack, chat.NewElement(chat.Choice, chat.ChoicePayload{Payload: payload, Title: w.text("payload_title")}))
	} else if t := w.text("text"); t != "" {
		m.Stack = append(m.Stack, chat.Plain(t))
	}
	for _, v := range w.items("attachments") {
		e, err := w.r.attachment(v)
		if err != nil {
			w.err = fmt.Errorf("attachments: %w", err)
			return
		}
		m.Stack = append(m.Stack, e)
	}
}

// items reads a list; a single thing counts as a list of one.
func (w *view) items(name string) []any {
	switch v := w.value(name).(type) {
	case nil:
		return nil
	case []any:
		if len(v) > maxElements && w.err == nil {
			w.err = fmt.Errorf("%s: more than %d", name, maxElements)
			return nil
		}
		return v
	default:
		return []any{v}
	}
}

// given is an attachment as an event may have it.
type given struct {
	Type     string  `json:"type"`
	ID       any     `json:"id"`
	URL      string  `json:"url"`
	Name     string  `json:"name"`
	MIME     string  `json:"mime"`
	Size     int64   `json:"size"`
	Caption  string  `json:"caption"`
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Duration float64 `json:"duration"`
	SHA256   string  `json:"sha256"`
}

// attachment reads one; a text is a link.
func (r *receiver) attachment(v any) (chat.Element, error) {
	var a given
	if link, ok := v.(string); ok {
		a.URL = link
	} else if err := reread(v, &a); err != nil {
		return chat.Element{}, errors.New("a member has the wrong type")
	}
	kind, known := attachmentTypes[a.Type]
	if !known {
		kind = attachmentTypes[family(a.MIME)]
	}
	if kind == "" {
		kind = chat.File
	}
	m := chat.Media{
		Name: a.Name, MIME: a.MIME, Size: max(a.Size, 0), Caption: a.Caption,
		Width: a.Width, Height: a.Height, Duration: a.Duration,
	}
	id, err := scalar(a.ID)
	if err != nil || id == "" && a.URL == "" {
		return chat.Element{}, errors.New("neither url nor id")
	}
	if r.downloads {
		m.Source = &chat.Source{ID: id, URL: a.URL, SHA256: a.SHA256}
	} else {
		m.URL = a.URL
	}
	return chat.NewElement(kind, m), nil
}

// family is the first half of a MIME type.
func family(mime string) string {
	for i := range len(mime) {
		if mime[i] == '/' {
			return mime[:i]
		}
	}
	return ""
}

// reread turns a jq value into a struct; unknown members do no harm.
func reread(v, into any) error {
	return json.Unmarshal(raw(v), into)
}

// stack reads elements that the other side sends in our own form.
func (w *view) stack(m *chat.Message) {
	for i, v := range w.items("stack") {
		e, err := element(v)
		if err != nil {
			w.err = fmt.Errorf("stack: element %d: %w", i, err)
			return
		}
		m.Stack = append(m.Stack, e)
	}
}

func element(v any) (chat.Element, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return chat.Element{}, errors.New("is no object")
	}
	kind, ok := o["type"].(string)
	if !ok || kind == "" {
		return chat.Element{}, errors.New("has no type")
	}
	payload, ok := o["payload"].(map[string]any)
	if !ok {
		return chat.Element{}, errors.New("has no payload object")
	}
	e := chat.Element{Type: chat.ElementType(kind)}
	if e.Type.IsMedia() || e.Type == chat.Card || e.Type == chat.Carousel {
		e.Payload = raw(foreign(payload))
	} else {
		e.Payload = raw(payload)
	}
	return e, check(e)
}

// check reads the payloads that others will rely on.
func check(e chat.Element) error {
	var into any
	switch {
	case e.Type == chat.Text || e.Type == chat.HTML:
		into = &chat.TextPayload{}
	case e.Type.IsMedia():
		into = &chat.Media{}
	case e.Type == chat.Choice:
		into = &chat.ChoicePayload{}
	case e.Type == chat.Buttons || e.Type == chat.QuickReplies:
		into = &chat.ButtonsPayload{}
	case e.Type == chat.Card:
		into = &chat.CardPayload{}
	case e.Type == chat.Carousel:
		into = &chat.CarouselPayload{}
	case e.Type == chat.Location:
		into = &chat.LocationPayload{}
	default:
		return nil
	}
	if e.Into(into) != nil {
		return fmt.Errorf("payload of %s has a member of the wrong type", e.Type)
	}
	return nil
}

// foreign takes out what points into our own stores: no outsider may name one of our files.
func foreign(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			if k != "file" && k != "source" {
				m[k] = foreign(x)
			}
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = foreign(x)
		}
		return list
	default:
		return v
	}
}
