package webhook

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// sender sends messages.
type sender struct {
	*request
	id         *program
	idempotent bool
}

func newSender(spec sendSpec, d defaults) (*sender, error) {
	r, err := newRequest("send", spec.requestSpec, d)
	if err != nil {
		return nil, err
	}
	// Our own format asks its receivers to look at the id; of a foreign one nobody knows.
	s := &sender{request: r, idempotent: len(spec.Body) == 0}
	if spec.Idempotent != nil {
		s.idempotent = *spec.Idempotent
	}
	source := spec.ID
	if source == "" {
		source = defaultSentID
	}
	s.id, err = compile("send.id", source, answerVars)
	return s, err
}

// Send implements connector.Connector.
func (c *channel) Send(ctx context.Context, part connector.Part) (connector.Sent, error) {
	if c.send == nil {
		return connector.Sent{}, &connector.Error{Policy: connector.Forbidden, Code: "no_url", Detail: "the channel has no url to send to"}
	}
	input, err := c.outgoing(part)
	if err != nil {
		return connector.Sent{}, err
	}
	a, err := c.do(ctx, c.send.request, input, part.Key)
	if err != nil {
		return connector.Sent{}, err
	}
	return connector.Sent{ID: c.send.sentID(ctx, a, part.Key)}, nil
}

// sentID finds the message's id in the answer. The message is sent, whatever the program says: without an id of
// theirs it is known by ours.
func (s *sender) sentID(ctx context.Context, a answer, key string) string {
	v, err := s.id.one(ctx, a.body, a.vars)
	if err != nil {
		return key
	}
	id, err := scalar(v)
	if err != nil || id == "" || len(id) > maxAddress {
		return key
	}
	return id
}

// outgoing is a part as templates see it.
func (c *channel) outgoing(part connector.Part) (map[string]any, error) {
	stack, attachments, err := carry(part)
	if err != nil {
		return nil, err
	}
	message := chat.Message{Stack: part.Elements}
	m := place(part.Thread, c.env.Now())
	m["key"] = part.Key
	m["text"] = valid(message.Text())
	m["stack"] = stack
	m["attachments"] = attachments
	m["buttons"] = buttons(part.Elements)
	m["reply_to"] = valid(part.ReplyTo)
	m["newest"] = valid(part.Context)
	return m, nil
}

// place is what all requests know.
func place(t chat.Thread, now time.Time) map[string]any {
	return map[string]any{
		"conversation": valid(t.Address), "to": valid(t.Address), "topic": valid(t.Topic), "group": t.Group, "group_title": valid(t.Title),
		"timestamp": now.UTC().Format(time.RFC3339), "seconds": int(now.Unix()),
	}
}

// carry gives the elements with links in place of our files, and the media among them once more as a plain list.
func carry(part connector.Part) (stack, attachments []any, err error) {
	stack, attachments = []any{}, []any{}
	for _, e := range part.Elements {
		payload, err := decodeJSON(e.Payload)
		if err != nil && len(e.Payload) > 0 {
			return nil, nil, &connector.Error{Policy: connector.Rejected, Code: "payload", Detail: "element " + string(e.Type) + " is not JSON"}
		}
		if e.Type.IsMedia() {
			m, err := media(e, part.Media)
			if err != nil {
				return nil, nil, err
			}
			linked, _ := payload.(map[string]any) // media decoded it, so it is an object
			payload = foreign(linked)
			payload.(map[string]any)["url"] = m["url"]
			m["type"] = string(e.Type)
			attachments = append(attachments, m)
		} else if e.Type == chat.Card || e.Type == chat.Carousel {
			payload = cards(payload, part.Media)
		}
		stack = append(stack, map[string]any{"type": string(e.Type), "payload": payload})
	}
	return stack, attachments, nil
}

// media is an attachment as templates see it.
func media(e chat.Element, files map[chat.FileID]connector.Media) (map[string]any, error) {
	var m chat.Media
	if err := e.Into(&m); err != nil {
		return nil, &connector.Error{Policy: connector.Rejected, Code: "payload", Detail: "element " + string(e.Type) + " cannot be read"}
	}
	if f, ok := files[m.File]; ok {
		m.URL = or(f.URL, m.URL)
		m.Name, m.MIME = or(m.Name, f.Name), or(m.MIME, f.MIME)
		if m.Size == 0 {
			m.Size = f.Size
		}
	}
	if m.URL == "" {
		return nil, &connector.Error{
			Policy: connector.Rejected, Code: "no_link",
			Detail: "the attachment has no public link: the hub needs a public address for this channel",
		}
	}
	out := map[string]any{"url": m.URL}
	for k, v := range map[string]string{"name": m.Name, "mime": m.MIME, "caption": m.Caption} {
		if v != "" {
			out[k] = valid(v)
		}
	}
	if m.Size > 0 {
		out["size"] = int(m.Size)
	}
	return out, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// cards puts links in place of stored images.
func cards(v any, files map[chat.FileID]connector.Media) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = cards(x, files)
		}
		if id, ok := v["file"].(string); ok {
			delete(m, "file")
			if f, ok := files[chat.FileID(id)]; ok && f.URL != "" {
				m["image"] = f.URL
			}
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = cards(x, files)
		}
		return list
	default:
		return v
	}
}

// buttons are those of the first element that has any, for platforms with buttons of their own form.
func buttons(elements []chat.Element) []any {
	for _, e := range elements {
		var p chat.ButtonsPayload
		if e.Into(&p) != nil || len(p.Buttons) == 0 {
			continue
		}
		list := make([]any, len(p.Buttons))
		for i, b := range p.Buttons {
			list[i] = map[string]any{"title": valid(b.Title), "payload": valid(b.Value()), "url": valid(b.URL)}
		}
		return list
	}
	return []any{}
}
