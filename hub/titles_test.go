package hub_test

import (
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// Telegram's reply keyboards send a text; the payload that belongs to it is put back.
func TestQuickRepliesBringTheirPayloads(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, nil)
	w := newWorld(t, setup{}).run()
	ch := w.channel("telegram", api.bot())
	conv := w.meet(ch, "7")
	quick := chat.Message{Stack: []chat.Element{chat.NewElement(chat.QuickReplies, chat.ButtonsPayload{
		Content: "Shall it go?", Buttons: []chat.Button{{Title: "Yes", Payload: `{"go":true}`}, {Title: "No"}},
	})}}
	w.awaitStatus(conv, w.post(conv, quick), chat.Sent)
	w.close()
	next := w.again(setup{}) // what was offered outlives the process
	n := int64(0)
	hears := func(text, payload string) {
		t.Helper()
		n++
		if _, err := next.Receive(t.Context(), ch, update(hook, said(n, 7, text))); err != nil {
			t.Fatal(err)
		}
		list := next.all(chat.KindMessage)
		if m := list[len(list)-1].Message; m.Text() != text || m.Payload() != payload {
			t.Errorf("%q became %s", text, asJSON(m))
		}
	}
	hears("Yes", `{"go":true}`)
	hears("No", "") // it has no payload but its title
	hears("Well, yes", "")
	next.say(conv, "And now?")
	hears("Yes", "")
}
