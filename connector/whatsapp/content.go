package whatsapp

import (
	"encoding/json"

	"github.com/dragoman-hub/dragoman/chat"
)

// content is the part of a message that says something. It is the same in new messages and in edits.
type content struct {
	Type     string          `json:"type"`
	Context  *reference      `json:"context"`
	Referral *referral       `json:"referral"`
	Text     *textContent    `json:"text"`
	Image    *attachment     `json:"image"`
	Video    *attachment     `json:"video"`
	Audio    *attachment     `json:"audio"`
	Document *attachment     `json:"document"`
	Sticker  *attachment     `json:"sticker"`
	Location *place          `json:"location"`
	Contacts []card          `json:"contacts"`
	Button   *templateButton `json:"button"`
	Inter    *interactive    `json:"interactive"`
	Order    *order          `json:"order"`
	Unknown  *struct {
		Type string `json:"type"`
	} `json:"unsupported"`
}

type (
	textContent struct {
		Body string `json:"body"`
	}
	attachment struct {
		ID       loose  `json:"id"`
		MIME     string `json:"mime_type"`
		SHA256   string `json:"sha256"` // Base64
		Caption  string `json:"caption"`
		Filename string `json:"filename"`
		Voice    bool   `json:"voice"`
	}
	place struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
		Name      string  `json:"name"`
		Address   string  `json:"address"`
		URL       string  `json:"url"`
	}
	templateButton struct {
		Payload string `json:"payload"`
		Text    string `json:"text"`
	}
	interactive struct {
		Type   string `json:"type"`
		Button *pick  `json:"button_reply"`
		List   *pick  `json:"list_reply"`
		Form   *struct {
			Name     string `json:"name"`
			Body     string `json:"body"`
			Response string `json:"response_json"`
		} `json:"nfm_reply"`
	}
	pick struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	order struct {
		Text string `json:"text"`
	}
)

// message gives what was said. What has no element of its own is kept raw as unsupported.
func (c content) message(raw json.RawMessage) *chat.Message {
	stack := c.stack()
	if c.Type == "order" && c.Order != nil {
		if c.Order.Text != "" {
			stack = append(stack, chat.Plain(c.Order.Text))
		}
		stack = append(stack, unsupported(c.Type, raw))
	}
	if len(stack) == 0 {
		stack = []chat.Element{unsupported(c.what(), raw)}
	}
	m := &chat.Message{Stack: stack}
	c.annotate(m)
	return m
}

// what names content that cannot be read, in the platform's word.
func (c content) what() string {
	if c.Unknown != nil && c.Unknown.Type != "" {
		return c.Unknown.Type
	}
	if c.Type == "" {
		return "message"
	}
	return c.Type
}

func unsupported(what string, raw json.RawMessage) chat.Element {
	return chat.NewElement(chat.Unsupported, chat.UnsupportedPayload{What: what, Raw: raw})
}

// stack reads the member that the type names; nothing if it is missing.
func (c content) stack() []chat.Element {
	switch {
	case c.Type == "text" && c.Text != nil:
		return []chat.Element{chat.Plain(c.Text.Body)}
	case c.Type == "image":
		return c.Image.element(chat.Image)
	case c.Type == "video":
		return c.Video.element(chat.Video)
	case c.Type == "audio" && c.Audio != nil && c.Audio.Voice:
		return c.Audio.element(chat.Voice)
	case c.Type == "audio":
		return c.Audio.element(chat.Audio)
	case c.Type == "document":
		return c.Document.element(chat.File)
	case c.Type == "sticker":
		return c.Sticker.element(chat.Sticker)
	case c.Type == "location" && c.Location != nil:
		return []chat.Element{chat.NewElement(chat.Location, c.Location.payload())}
	case c.Type == "contacts":
		return cards(c.Contacts)
	case c.Type == "button" && c.Button != nil:
		return choice(chat.ChoicePayload{Title: c.Button.Text, Payload: c.Button.Payload})
	case c.Type == "interactive" && c.Inter != nil:
		return c.Inter.stack()
	default:
		return nil
	}
}

// element makes a media element that Download can fetch later.
func (a *attachment) element(t chat.ElementType) []chat.Element {
	if a == nil || a.ID == "" {
		return nil
	}
	return []chat.Element{chat.NewElement(t, chat.Media{
		Source: &chat.Source{ID: string(a.ID), SHA256: a.SHA256}, Name: a.Filename, MIME: a.MIME, Caption: a.Caption,
	})}
}

func (p *place) payload() chat.LocationPayload {
	return chat.LocationPayload{Latitude: p.Latitude, Longitude: p.Longitude, Name: p.Name, Address: p.Address, URL: p.URL}
}

// stack reads a pressed button, a chosen row or a filled-in form.
func (i *interactive) stack() []chat.Element {
	switch {
	case i.Type == "button_reply" && i.Button != nil:
		return choice(chat.ChoicePayload{Title: i.Button.Title, Payload: i.Button.ID})
	case i.Type == "list_reply" && i.List != nil:
		return choice(chat.ChoicePayload{Title: i.List.Title, Payload: i.List.ID, Description: i.List.Description})
	case i.Type == "nfm_reply" && i.Form != nil:
		return choice(chat.ChoicePayload{Title: i.Form.Body, Payload: i.Form.Name, Data: jsonOrText(i.Form.Response)})
	default:
		return nil
	}
}

func choice(p chat.ChoicePayload) []chat.Element {
	if p.Payload == "" {
		p.Payload = p.Title
	}
	return []chat.Element{chat.NewElement(chat.Choice, p)}
}

// jsonOrText keeps a form's answer, JSON inside a string, as JSON; something else stays a string.
func jsonOrText(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	if json.Valid([]byte(s)) && !tooDeep([]byte(s)) {
		return json.RawMessage(s)
	}
	quoted, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return nil
	}
	return quoted
}
