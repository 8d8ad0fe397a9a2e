package hub

import (
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub/fit"
)

// titlesOnly tells that of a quick reply only the title comes back.
func (l *line) titlesOnly() bool { return l.traits.Controls[chat.QuickReplies].TitleOnly }

// titles are the payloads that the platform does not carry, by the titles that come back instead.
func (l *line) titles(parts []fit.Part) map[string]string {
	if !l.titlesOnly() {
		return nil
	}
	var all map[string]string
	for _, p := range parts {
		for _, e := range p.Elements {
			var q chat.ButtonsPayload
			if e.Type != chat.QuickReplies || e.Into(&q) != nil {
				continue
			}
			for _, b := range q.Buttons {
				if b.Payload == "" || b.Payload == b.Title || b.Request != "" {
					continue
				}
				if all == nil {
					all = map[string]string{}
				}
				all[strings.TrimSpace(b.Title)] = b.Payload
			}
		}
	}
	return all
}
