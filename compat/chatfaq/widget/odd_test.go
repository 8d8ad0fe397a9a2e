package widget

import (
	"encoding/json"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/mml"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestOddLayers: what the widget cannot bear does not reach it, neither live nor in a history.
func TestOddLayers(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{}, nil)
	w.flow("f", parcel, `{}`)
	k := w.tab("c-1", "f", "u-77", "")
	k.unlocked()
	conv := w.conv(k).ID
	for _, stack := range [][]mml.Layer{
		{{Type: "gtm_tag"}},
		{{Type: "message", Payload: json.RawMessage(`{"content":7}`)}},
		{{Type: "message", Payload: json.RawMessage(`{"content":"Your bill"}`)}, {Type: "file_download", Payload: json.RawMessage(`{"name":"a.pdf","url":"https://e.example/a.pdf"}`)}},
		{{Type: "message", Payload: json.RawMessage(`{"content":"Well?"}`)}, {Type: "star_rating", Payload: json.RawMessage(`{"num_stars":5}`)}, {Type: "my_frame", Payload: json.RawMessage(`{}`)}},
	} {
		m, err := mml.Message(stack)
		w.must(err)
		w.write(conv, chat.PartyBot, m)
	}
	k.sees("bot: Hello!", "bot: What can I do for you?", "bot: ", "bot: 7", "bot: Your bill", "bot: ")
	_, v, _ := w.call("GET", conversations+"from_sender/?sender=u-77", "")
	_, v, _ = w.call("GET", conversations+text(int64(v.([]any)[0].(map[string]any)["id"].(float64)))+"/", "")
	for _, m := range v.(map[string]any)["msgs_chain"].([]any) {
		var c shown
		raw, _ := json.Marshal(m)
		w.must(json.Unmarshal(raw, &c))
		if !drawable(c.Stack) {
			t.Errorf("the widget's page stops at %s", raw)
		}
	}
}
