package telegram

import (
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// rowWidth is how many buttons of one row Telegram shows well.
const rowWidth = 8

// inlineButton hangs below a message. Exactly one of the members after Text is set.
type inlineButton struct {
	Text string    `json:"text"`
	URL  string    `json:"url,omitempty"`
	Data string    `json:"callback_data,omitempty"`
	Copy *copyText `json:"copy_text,omitempty"`
}

type copyText struct {
	Text string `json:"text"`
}

type inlineKeyboard struct {
	Rows [][]inlineButton `json:"inline_keyboard"`
}

// keyButton stands where the person types; pressing it sends its text, or what it asks for.
type keyButton struct {
	Text     string `json:"text"`
	Contact  bool   `json:"request_contact,omitempty"`
	Location bool   `json:"request_location,omitempty"`
}

type replyKeyboard struct {
	Rows    [][]keyButton `json:"keyboard"`
	Resize  bool          `json:"resize_keyboard"`
	OneTime bool          `json:"one_time_keyboard"`
}

// markup lays buttons out below a message. Inline keyboards cannot ask for a phone number or a place: with such a button
// among them all become a reply keyboard, and the notice says what that loses.
func markup(buttons []chat.Button) (keys any, notice string) {
	if len(buttons) == 0 {
		return nil, ""
	}
	if slices.ContainsFunc(buttons, func(b chat.Button) bool { return b.Request != "" }) {
		if slices.ContainsFunc(buttons, func(b chat.Button) bool { return b.URL != "" || b.Payload != "" }) {
			notice = "a button that asks for phone or location made a reply keyboard: links and payloads are not sent"
		}
		return replyKeys(buttons), notice
	}
	return inlineKeys(buttons), ""
}

func inlineKeys(buttons []chat.Button) inlineKeyboard {
	k := inlineKeyboard{}
	for _, row := range rows(buttons) {
		var line []inlineButton
		for _, b := range row {
			line = append(line, newInlineButton(b))
		}
		k.Rows = append(k.Rows, line)
	}
	return k
}

// newInlineButton: tel: links are refused by Telegram, so a phone number is offered for copying.
func newInlineButton(b chat.Button) inlineButton {
	switch {
	case b.URL != "":
		return inlineButton{Text: b.Title, URL: b.URL}
	case b.Phone != "":
		return inlineButton{Text: b.Title, Copy: &copyText{Text: b.Phone}}
	default:
		return inlineButton{Text: b.Title, Data: b.Value()}
	}
}

func replyKeys(buttons []chat.Button) replyKeyboard {
	k := replyKeyboard{Resize: true, OneTime: true}
	for _, row := range rows(buttons) {
		var line []keyButton
		for _, b := range row {
			line = append(line, keyButton{Text: b.Title, Contact: b.Request == "phone", Location: b.Request == "location"})
		}
		k.Rows = append(k.Rows, line)
	}
	return k
}

// rows groups by Button.Row. Without any rows each button stands on its own line.
func rows(buttons []chat.Button) [][]chat.Button {
	if !slices.ContainsFunc(buttons, func(b chat.Button) bool { return b.Row != 0 }) {
		return slices.Collect(slices.Chunk(buttons, 1))
	}
	sorted := slices.Clone(buttons)
	slices.SortStableFunc(sorted, func(a, b chat.Button) int { return a.Row - b.Row })
	var list [][]chat.Button
	for i, b := range sorted {
		last := len(list) - 1
		if i == 0 || b.Row != sorted[i-1].Row || len(list[last]) == rowWidth {
			list = append(list, []chat.Button{b})
			continue
		}
		list[last] = append(list[last], b)
	}
	return list
}
