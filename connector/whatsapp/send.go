package whatsapp

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Send makes one message of the part. A stored file is uploaded first, by a request of its own: when that fails no
// message was sent, and it is safe to try again.
func (n *number) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	if len(part.Elements) != 1 {
		return connector.Sent{}, rejected("a message has exactly one element, not %d", len(part.Elements))
	}
	said, err := n.compose(ctx, part)
	if err != nil {
		return connector.Sent{}, err
	}
	body := n.outgoing(part.Thread, said)
	if part.ReplyTo != "" {
		body["context"] = map[string]string{"message_id": part.ReplyTo}
	}
	if part.Key != "" {
		body["biz_opaque_callback_data"] = part.Key // comes back in the statuses
	}
	return n.deliver(ctx, body, said.notice)
}

// statement is the content of a message to send: its type, the member of that name, and what had to be changed.
type statement struct {
	kind   string
	body   any
	notice string
}

// outgoing is the frame of every message. People are addressed by number in "to" or by user id in "recipient".
func (n *number) outgoing(to chat.Thread, said statement) map[string]any {
	body := map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "type": said.kind, said.kind: said.body,
	}
	switch {
	case to.Group:
		body["recipient_type"], body["to"] = "group", to.Address
	case userID.MatchString(to.Address):
		body["recipient"] = to.Address
	default:
		body["to"] = to.Address
	}
	return body
}

// deliver posts a message and reads its id. The answer's wa_id may differ from the number that was asked for; the
// platform goes on to accept both, so it is only noted.
func (n *number) deliver(ctx context.Context, body map[string]any, notice string) (connector.Sent, error) {
	var answer struct {
		Contacts []struct {
			WaID loose `json:"wa_id"`
		} `json:"contacts"`
		Messages []struct {
			ID     string `json:"id"`
			Status string `json:"message_status"`
		} `json:"messages"`
	}
	if err := n.post(ctx, n.endpoint(n.set.PhoneNumberID, "messages"), body, &answer); err != nil {
		return connector.Sent{}, err
	}
	if len(answer.Messages) == 0 || answer.Messages[0].ID == "" {
		return connector.Sent{}, &connector.Error{Policy: connector.IsUnsure, Code: "no_id", Detail: "the answer has no message id"}
	}
	notes := []string{notice}
	if to, ok := body["to"].(string); ok && body["recipient_type"] == "individual" && len(answer.Contacts) > 0 {
		if id := string(answer.Contacts[0].WaID); id != "" && id != digits(to) {
			notes = append(notes, "the recipient's WhatsApp id is "+id)
		}
	}
	if s := answer.Messages[0].Status; s != "" && s != "accepted" {
		notes = append(notes, "message_status "+s)
	}
	return connector.Sent{ID: answer.Messages[0].ID, Notice: join("; ", notes...)}, nil
}

// compose turns the part's element into what WhatsApp calls it.
func (n *number) compose(ctx context.Context, part connector.Part) (statement, error) {
	e := part.Elements[0]
	switch {
	case e.Type.IsMedia():
		return n.media(ctx, e, part.Media)
	case e.Type == chat.Text:
		return compose(e, text)
	case e.Type == chat.Location:
		return compose(e, location)
	case e.Type == chat.Contact:
		return compose(e, contact)
	case e.Type == chat.Buttons, e.Type == chat.QuickReplies:
		return compose(e, n.buttons)
	case e.Type == chat.Template:
		return compose(e, template)
	case e.Type == chat.Card:
		return n.card(ctx, e, part.Media)
	default:
		return statement{}, rejected("WhatsApp has nothing like an element of type %q", e.Type)
	}
}

// compose reads the payload and hands it to the function that knows its form.
func compose[P any](e chat.Element, form func(P) (statement, error)) (statement, error) {
	var p P
	if err := e.Into(&p); err != nil {
		return statement{}, rejected("the payload of the %s element cannot be read", e.Type)
	}
	return form(p)
}

func text(p chat.TextPayload) (statement, error) {
	if p.Content == "" {
		return statement{}, rejected("a text must not be empty")
	}
	words, notice := formatted(p.Content, p.Spans, maxText)
	links := strings.Contains(words, "https://") || strings.Contains(words, "http://")
	return statement{kind: "text", body: map[string]any{"body": words, "preview_url": links}, notice: notice}, nil
}

func location(p chat.LocationPayload) (statement, error) {
	body := map[string]any{"latitude": p.Latitude, "longitude": p.Longitude}
	if p.Name != "" {
		body["name"] = p.Name
	}
	if p.Address != "" {
		body["address"] = p.Address
	}
	return statement{kind: "location", body: body}, nil
}

func contact(p chat.ContactCard) (statement, error) {
	c := sendable(p)
	if c.Name.Formatted == "" {
		return statement{}, rejected("a contact needs a name")
	}
	return statement{kind: "contacts", body: []card{c}}, nil
}

// rejected is the error for a part that can never become a message; no request was made.
func rejected(format string, args ...any) *connector.Error {
	return &connector.Error{Policy: connector.Rejected, Code: "invalid", Detail: fmt.Sprintf(format, args...)}
}

// runes counts a text as WhatsApp does.
func runes(s string) int { return utf8.RuneCountInString(s) }

// digits leaves only the digits of a number.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// join puts the texts that are not empty together.
func join(sep string, texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, sep)
}
