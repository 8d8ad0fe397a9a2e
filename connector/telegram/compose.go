package telegram

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// composer writes one element into a draft.
type composer func(d *draft, e chat.Element, part connector.Part) error

// composers has one entry for each of Traits.Elements.
var composers = map[chat.ElementType]composer{
	chat.Text:         composeText,
	chat.Image:        composeMedia,
	chat.Audio:        composeMedia,
	chat.Voice:        composeMedia,
	chat.Video:        composeMedia,
	chat.File:         composeMedia,
	chat.Sticker:      composeMedia,
	chat.Location:     composeLocation,
	chat.Contact:      composeContact,
	chat.Poll:         composePoll,
	chat.Buttons:      composeButtons,
	chat.QuickReplies: composeQuickReplies,
	chat.Card:         composeCard,
}

// compose makes the call for a part, but for where it goes to.
func compose(part connector.Part) (*draft, error) {
	d := &draft{params: params{}}
	switch len(part.Elements) {
	case 0:
		return nil, rejected("empty", "the part has no element")
	case 1:
	default:
		return d, composeAlbum(d, part)
	}
	e := part.Elements[0]
	write, ok := composers[e.Type]
	if !ok {
		return nil, rejected("bad_element", "Telegram has nothing like "+string(e.Type))
	}
	return d, write(d, e, part)
}

// payload decodes an element.
func payload[T any](e chat.Element) (T, error) {
	var p T
	if err := json.Unmarshal(e.Payload, &p); err != nil {
		return p, rejected("bad_payload", "the payload of "+string(e.Type)+" cannot be read")
	}
	return p, nil
}

func composeText(d *draft, e chat.Element, _ connector.Part) error {
	p, err := payload[chat.TextPayload](e)
	d.method = "sendMessage"
	d.words("text", "entities", p.Content, p.Spans)
	return err
}

func composeButtons(d *draft, e chat.Element, _ connector.Part) error {
	p, err := payload[chat.ButtonsPayload](e)
	d.method = "sendMessage"
	d.words("text", "entities", p.Content, p.Spans)
	d.buttons(p.Buttons)
	return err
}

func composeQuickReplies(d *draft, e chat.Element, _ connector.Part) error {
	p, err := payload[chat.ButtonsPayload](e)
	d.method = "sendMessage"
	d.words("text", "entities", p.Content, p.Spans)
	if len(p.Buttons) > 0 {
		d.params["reply_markup"] = replyKeys(p.Buttons)
	}
	return err
}

// composeLocation makes a venue of a place with a name; Telegram wants name and address then.
func composeLocation(d *draft, e chat.Element, _ connector.Part) error {
	p, err := payload[chat.LocationPayload](e)
	d.params["latitude"], d.params["longitude"] = p.Latitude, p.Longitude
	if p.Name == "" && p.Address == "" {
		d.method = "sendLocation"
		if p.Live > 0 {
			d.params["live_period"] = p.Live
		}
		return err
	}
	d.method = "sendVenue"
	d.params["title"], d.params["address"] = firstOf(p.Name, p.Address), firstOf(p.Address, p.Name)
	return err
}

// composeContact sends one phone number, for Telegram has no room for more.
func composeContact(d *draft, e chat.Element, _ connector.Part) error {
	p, err := payload[chat.ContactCard](e)
	if err != nil {
		return err
	}
	if len(p.Phones) == 0 {
		return rejected("no_phone", "Telegram sends contacts with a phone number only")
	}
	d.method = "sendContact"
	d.put("phone_number", p.Phones[0])
	d.put("first_name", firstOf(p.FirstName, p.Name, p.Phones[0]))
	d.put("last_name", p.LastName)
	d.put("vcard", p.VCard)
	if p.VCard == "" && len(p.Phones)+len(p.Emails) > 1 {
		d.note("only the first phone number of the contact is sent")
	}
	return nil
}

func composePoll(d *draft, e chat.Element, _ connector.Part) error {
	p, err := payload[chat.PollPayload](e)
	type option struct {
		Text string `json:"text"`
	}
	options := []option{}
	for _, o := range p.Options {
		options = append(options, option{o})
	}
	d.method = "sendPoll"
	d.put("question", p.Question)
	d.params["options"] = options
	d.params["is_anonymous"] = p.Anonymous
	d.params["allows_multiple_answers"] = p.Multiple
	return err
}

// composeCard: a picture with title and line as its caption, or the words alone. The card's link is on its title.
func composeCard(d *draft, e chat.Element, part connector.Part) error {
	p, err := payload[chat.CardPayload](e)
	if err != nil {
		return err
	}
	text, list := cardWords(p)
	d.buttons(p.Buttons)
	if p.Image == "" && p.File == "" {
		d.method = "sendMessage"
		d.words("text", "entities", text, list)
		return nil
	}
	d.method = "sendPhoto"
	d.words("caption", "caption_entities", text, list)
	return d.attach("photo", chat.Media{File: p.File, URL: p.Image}, part)
}

func cardWords(p chat.CardPayload) (string, []chat.Span) {
	text := strings.Trim(p.Title+"\n"+p.Subtitle, "\n")
	length := utf16Len(p.Title)
	if length == 0 {
		return text, nil
	}
	list := []chat.Span{{Type: "bold", Length: length}}
	if p.URL != "" {
		list = append(list, chat.Span{Type: "link", Length: length, URL: p.URL})
	}
	return text, list
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
