package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// titlesOf is under what a conversation's state keeps the quick replies that were sent last.
const titlesOf = "hub.titles"

// titles are the quick replies of the message at Seq: what stands for a title that comes back as text.
type titles struct {
	Seq      int64             `json:"seq"`
	Payloads map[string]string `json:"payloads"`
}

func titlesKey(conv *conversationRow) stateKey { return stateKey{conv.ws, titlesOf, conv.no} }

// offer keeps the payloads of quick replies that have just gone out.
func (c *Report) offer(u *unit, conv *conversationRow) {
	if len(c.Titles) == 0 || c.Receipt.Status == chat.Failed {
		return
	}
	k := titlesKey(conv)
	u.asked[k] = true
	u.states[k] = &stateRow{body: string(data(titles{c.Seq, c.Titles})), dirty: true}
}

// asTitle is what a message says if it is nothing but a text; titles are short.
func (c *Receive) asTitle(text string) string {
	if !c.Titles || c.In.Echo || c.In.Message == nil || len(c.In.Message.Stack) != 1 || c.In.Message.Stack[0].Type != chat.Text {
		return ""
	}
	if text = strings.TrimSpace(text); len(text) > maxName {
		return ""
	}
	return text
}

// press finds out whether a text is the title of a quick reply in our newest message, and makes it a choice with its payload then.
// What a busy conversation keeps is at hand: only of one that was silent for long it has to be read.
func (c *Receive) press(ctx context.Context, u *unit, conv *conversationRow, m *chat.Message) error {
	if c.title == "" || conv.fresh {
		return nil
	}
	k := titlesKey(conv)
	u.wantState(k)
	if err := u.fetch(ctx); err != nil {
		return err
	}
	if u.states[k] == nil {
		u.states[k] = &stateRow{} // so that the next message need not look
	}
	var known titles
	if body := u.states[k].body; body == "" || json.Unmarshal([]byte(body), &known) != nil {
		return nil
	}
	payload, ok := known.Payloads[c.title]
	if !ok {
		return nil
	}
	if newer, err := u.saidSince(ctx, conv, known.Seq); newer || err != nil {
		return err
	}
	m.Stack = []chat.Element{chat.NewElement(chat.Choice, chat.ChoicePayload{Title: c.title, Payload: payload})}
	c.body = ""
	return nil
}

// saidSince tells whether we have said something after a message of ours.
func (u *unit) saidSince(ctx context.Context, conv *conversationRow, seq int64) (found bool, err error) {
	for _, f := range u.fresh {
		if f.ws == conv.ws && f.conv == conv.no && f.event.Kind == chat.KindMessage && f.event.Direction == chat.Out && f.event.Seq > seq {
			return true, nil
		}
	}
	err = u.run(ctx, []stmt{{
		sql:  `SELECT 1 FROM events WHERE workspace = $1 AND conversation = $2 AND seq > $3 AND kind = 'message' AND status <> 'received' LIMIT 1`,
		args: []any{conv.ws, conv.no, seq},
		scan: func(scanner) error { found = true; return nil },
	}})
	return found, err
}
