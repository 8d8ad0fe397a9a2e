package whatsapp

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// template sends an approved message: the only kind that may open a conversation or follow after the reply window.
// Components go out as they are; without them the parameters fill the body's placeholders in order.
func template(p chat.TemplatePayload) (statement, error) {
	if p.Name == "" || p.Language == "" {
		return statement{}, rejected("a template needs a name and a language")
	}
	body := map[string]any{"name": p.Name, "language": map[string]string{"code": languageCode(p.Language)}}
	switch {
	case len(p.Components) > 0:
		var list []json.RawMessage
		if json.Unmarshal(p.Components, &list) != nil {
			return statement{}, rejected("the components of a template must be a list")
		}
		body["components"] = list
	case len(p.Parameters) > 0:
		values := make([]map[string]string, 0, len(p.Parameters))
		for _, v := range p.Parameters {
			values = append(values, map[string]string{"type": "text", "text": v})
		}
		body["components"] = []map[string]any{{"type": "body", "parameters": values}}
	}
	return statement{kind: "template", body: body}, nil
}

// languageCode writes a BCP 47 tag as WhatsApp does: en-US is en_US.
func languageCode(tag string) string { return strings.ReplaceAll(tag, "-", "_") }
