package widget

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestOneOfAList: newer workers ask for several files and newer clients name those that they sent in a list; we let them send one.
func TestOneOfAList(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{}, nil)
	w.flow("f", parcel, `{}`)
	k := w.tab("c", "f", "u", "")
	k.unlocked()
	w.write(w.conv(k).ID, chat.PartyAgent, chat.Message{Stack: []chat.Element{{Type: chat.Text, Payload: json.RawMessage(
		`{"content":"Send them","chatfaq":{"type":"file_upload","payload":{"content":"Send them","max_files":5,"files":{"pdf":{"max_size":10}}}}}`)}}})
	var asked map[string]any
	k.until("asked for a file", func() bool {
		for _, m := range k.messages {
			if len(m.Stack) == 1 && m.Stack[0].Type == "file_upload" {
				asked = m.Stack[0].Payload
			}
		}
		return asked != nil
	})
	pdf := asked["files"].(map[string]any)["pdf"].(map[string]any)
	if asked["max_files"] != 1.0 {
		t.Error(asked)
	}
	if code, v, _ := w.call("PUT", pdf["presigned_url"].(string), "1234", "Content-Type", "application/pdf"); code != 200 {
		t.Fatal(code, v)
	}
	path := pdf["s3_path"].(string)
	k.send(`{"sender":{"type":"human"},"stack":[{"type":"file_uploaded","payload":{"files":[{"s3_path":` + quoted(path) + `,"name":"bill.pdf"}]}}],"last":true}`)
	k.unlocked()
	_, v, _ := w.call("GET", conversations+text(w.numberOf(k))+"/", "")
	for _, m := range v.(map[string]any)["msgs_chain"].([]any) {
		m := m.(map[string]any)
		if m["sender"].(map[string]any)["type"] == "human" {
			p := m["stack"].([]any)[0].(map[string]any)["payload"].(map[string]any)
			file := p["files"].([]any)[0].(map[string]any)
			if link, _ := file["url"].(string); file["name"] != "bill.pdf" || !strings.HasPrefix(link, w.http.URL+"/files/") {
				t.Error(p)
			}
			return
		}
	}
	t.Error("the file is not in the history")
}

// TestRenew: links of pictures in an answer's sources, and of files that a worker gives back, are good whenever they are shown; others stay as they are.
func TestRenew(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{}, nil)
	w.flow("f", parcel, `{}`)
	k := w.tab("c", "f", "u", "")
	k.unlocked()
	const file = "01a1fff6-bf6d-7c55-a94b-9e469caae35d"
	signed := "/files/" + file + "?sig=" + w.server.Signer.Sign("file/"+file, string(w.ws), time.Now().Add(-time.Hour))
	stale, other := w.http.URL+signed, "https://cdn.example"+signed
	forged := w.http.URL + "/files/" + file + "?sig=" + w.server.Signer.Sign("file/"+file, "another workspace", time.Now().Add(time.Hour))
	references := `{"knowledge_items":[{"image_urls":{"a.png":"` + stale + `"}}],"knowledge_item_images":{"a.png":"` + stale + `","b.png":"` + other + `","c.png":"` + forged + `"},"n":12345678901234567890}`
	w.write(w.conv(k).ID, chat.PartyAgent, chat.Message{Stack: []chat.Element{{Type: chat.Text, Payload: json.RawMessage(
		`{"content":"See ![](a.png)","references":` + references + `,"chatfaq":{"type":"message"}}`)}}})
	var images map[string]any
	k.until("the answer came", func() bool {
		m := k.messages[len(k.messages)-1]
		if len(m.Stack) == 1 && m.Stack[0].Payload["references"] != nil {
			images = m.Stack[0].Payload["references"].(map[string]any)["knowledge_item_images"].(map[string]any)
		}
		return images != nil
	})
	isFresh := func(link any) bool {
		text, _ := link.(string)
		return strings.HasPrefix(text, w.http.URL+"/files/"+file+"?sig=") && text != stale
	}
	if !isFresh(images["a.png"]) || images["b.png"] != other || images["c.png"] != forged {
		t.Error(images)
	}
	w.write(w.conv(k).ID, chat.PartyAgent, chat.Message{Stack: []chat.Element{{Type: chat.Text, Payload: json.RawMessage(
		`{"content":"Take them","chatfaq":{"type":"file_download","payload":{"content":"Take them","files":[{"name":"a","url":"` + stale + `"},{"name":"b","url":"` + other + `"},{"name":"c","url":"` + forged + `"}]}}}`)}}})
	k.until("the files came", func() bool {
		m := k.messages[len(k.messages)-1]
		if len(m.Stack) == 0 || m.Stack[0].Type != "file_download" {
			return false
		}
		files := m.Stack[0].Payload["files"].([]any)
		return isFresh(files[0].(map[string]any)["url"]) && files[1].(map[string]any)["url"] == other && files[2].(map[string]any)["url"] == forged
	})
	k.send(`{"sender":{"type":"human"},"stack":[{"type":"message","payload":{"content":"mine","references":` + references + `}}],"last":true}`)
	k.unlocked()
	_, v, _ := w.call("GET", conversations+text(w.numberOf(k))+"/", "")
	raw, err := json.Marshal(v)
	if err != nil || strings.Count(string(raw), stale) != 2 {
		t.Errorf("what clients say is signed for them: %s, %v", raw, err)
	}
}
