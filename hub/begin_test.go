package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
)

// TestMayBegin: who may be written to first, and with what.
func TestMayBegin(t *testing.T) {
	s := &script{}
	w := newWorld(t, setup{platforms: []connector.Platform{
		s.platform("shy", connector.Traits{}),
		s.platform("open", connector.Traits{Initiate: true}),
		s.platform("strict", connector.Traits{Initiate: true, ReplyWindow: time.Hour, Elements: []chat.ElementType{chat.Template}}),
		s.platform("mute", connector.Traits{ReplyWindow: time.Hour}),
	}})
	free, template := chat.TextMessage("hi"), chat.Message{Stack: []chat.Element{chat.NewElement(chat.Template, chat.TemplatePayload{Name: "t", Language: "en"})}}
	both := chat.Message{Stack: append(template.Stack[:1:1], free.Stack...)}
	now := w.clock.Now()
	for _, c := range []struct {
		platform string
		known    bool
		lastIn   time.Time
		message  chat.Message
		fault    string
	}{
		{"shy", false, time.Time{}, free, "people have to write first"},
		{"shy", true, now.Add(-1000 * time.Hour), free, ""},
		{"open", false, time.Time{}, free, ""},
		{"strict", false, time.Time{}, free, "send a template"},
		{"strict", false, time.Time{}, template, ""},
		{"strict", false, time.Time{}, both, "send a template"},
		{"strict", true, now.Add(-59 * time.Minute), free, ""},
		{"strict", true, now.Add(-time.Hour), free, "send a template"},
		{"mute", true, now.Add(-time.Hour), free, "wait until the contact writes"},
		{"mute", true, now.Add(-time.Hour), template, "wait until the contact writes"},
	} {
		id := w.channel(c.platform, map[string]any{"token": "a-token-of-the-script"})
		err := w.MayBegin(t.Context(), w.workspace, id, hub.Beginning{Known: c.known, LastIn: c.lastIn, Message: c.message})
		if c.fault == "" && err != nil || c.fault != "" && (chat.CodeOf(err) != chat.CodeWindow || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s, known %v: %v, want %q", c.platform, c.known, err, c.fault)
		}
		if err := w.MayBegin(t.Context(), "another", id, hub.Beginning{Known: true, LastIn: now, Message: free}); chat.CodeOf(err) != chat.CodeNotFound {
			t.Errorf("of another workspace: %v", err)
		}
	}
}
