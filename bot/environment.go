package bot

import (
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// environment is what expressions see, under the names of the tags. Every field stands in docs/flows.md.
type environment struct {
	Message      messageFacts      `expr:"message"`
	Vars         map[string]any    `expr:"vars"`
	Contact      contactFacts      `expr:"contact"`
	Conversation conversationFacts `expr:"conversation"`
	Now          time.Time         `expr:"now"`
	Data         any               `expr:"data"`   // of the condition that led here
	Answer       any               `expr:"answer"` // in "validate" only
	Meter        *meter            `expr:"$meter"` // for the guard
}

type messageFacts struct {
	Text        string         `expr:"text"`
	Payload     string         `expr:"payload"`
	Type        string         `expr:"type"` // of the first element
	Types       []string       `expr:"types"`
	Stack       []any          `expr:"stack"`
	Attachments []any          `expr:"attachments"`
	ReplyTo     map[string]any `expr:"reply_to"`
	Meta        map[string]any `expr:"meta"`
}

type contactFacts struct {
	ID       string `expr:"id"`
	Name     string `expr:"name"`
	Language string `expr:"language"`
}

type conversationFacts struct {
	ID       string    `expr:"id"`
	Channel  string    `expr:"channel"`
	Start    string    `expr:"start"`
	Turns    int       `expr:"turns"`
	State    string    `expr:"state"`
	OpenedAt time.Time `expr:"opened_at"`
}

// maxElement bounds the payload that expressions can look into.
const maxElement = 64 << 10

func factsOfMessage(m *chat.Message) messageFacts {
	if m == nil {
		return messageFacts{}
	}
	facts := messageFacts{Text: m.Text(), Payload: m.Payload(), Meta: make(map[string]any, len(m.Meta))}
	for name, value := range m.Meta {
		facts.Meta[name] = value
	}
	for _, e := range m.Stack {
		element := map[string]any{"type": string(e.Type), "payload": payloadOf(e)}
		facts.Types = append(facts.Types, string(e.Type))
		facts.Stack = append(facts.Stack, element)
		if e.Type.IsMedia() {
			facts.Attachments = append(facts.Attachments, attachmentOf(e))
		}
	}
	if len(facts.Types) > 0 {
		facts.Type = facts.Types[0]
	}
	if r := m.ReplyTo; r != nil {
		facts.ReplyTo = map[string]any{"seq": int(r.Seq), "external_id": r.ExternalID, "quote": r.Quote}
	}
	return facts
}

func payloadOf(e chat.Element) any {
	if len(e.Payload) == 0 || len(e.Payload) > maxElement {
		return nil
	}
	var v any
	if json.Unmarshal(e.Payload, &v) != nil {
		return nil
	}
	clean, _, err := tidy(v, maxValueDepth)
	if err != nil {
		return nil
	}
	return clean
}

func attachmentOf(e chat.Element) map[string]any {
	var media chat.Media
	if e.Into(&media) != nil {
		media = chat.Media{}
	}
	return map[string]any{
		"type": string(e.Type), "file": string(media.File), "url": media.URL, "name": media.Name,
		"mime": media.MIME, "size": int(media.Size), "caption": media.Caption,
	}
}
