package widget

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

const conversations = "/back/api/broker/conversations/"

func TestConversations(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c-1", "f", "u-77", `metadata={"lang":"en"}`)
		k.say("hi")
		k.unlocked()
		w.tab("c-2", "f", "u-77", "").unlocked()
		w.tab("c-3", "f", "somebody", "").unlocked()

		code, v, h := w.call("GET", conversations+"from_sender/?sender=u-77", "")
		list, _ := v.([]any)
		if code != 200 || len(list) != 2 || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("%d %v", code, v)
		}
		first := list[1].(map[string]any)
		for name, want := range map[string]any{
			"platform_conversation_id": "c-1", "user_id": "u-77", "num_user_msgs": 1.0, "authentication_required": false, "fsm_state_override": nil,
		} {
			if first[name] != want {
				t.Errorf("%s is %v, want %v", name, first[name], want)
			}
		}
		if raw, _ := json.Marshal([]any{first["initial_conversation_metadata"], first["fsm_defs"]}); string(raw) != `[{"lang":"en"},["f"]]` {
			t.Errorf("%s", raw)
		}
		if code, v, _ := w.call("GET", conversations+"from_sender/", ""); code != 400 || v.(map[string]any)["error"] != "sender is required" {
			t.Errorf("no sender: %d %v", code, v)
		}
		at := conversations + text(int64(first["id"].(float64))) + "/"
		_, v, _ = w.call("GET", at, "")
		chain := v.(map[string]any)["msgs_chain"].([]any)
		if len(chain) != 6 { // two greetings and their end, the message, the answer and its end
			t.Fatalf("%d in the chain: %v", len(chain), chain)
		}
		human, answer := chain[3].(map[string]any), chain[4].(map[string]any)
		if human["stack_id"] != nil || human["sender"].(map[string]any)["id"] != "u-77" || human["prev"] != chain[2].(map[string]any)["id"] {
			t.Errorf("human: %v", human)
		}
		if answer["fsm_state"] != "Answer" || answer["conversation"] != first["id"] || answer["confidence"] != 1.0 || answer["last_chunk"] != true {
			t.Errorf("answer: %v", answer)
		}
		k.until("the same id and name", func() bool {
			return slices.ContainsFunc(k.messages, func(m shown) bool {
				return m.ID != nil && float64(*m.ID) == answer["id"] && m.StackID == answer["stack_id"]
			})
		})

		w.changes(at)
	})
}

// changes renames, downloads and deletes a conversation.
func (w *world) changes(at string) {
	w.t.Helper()
	if code, v, _ := w.call("PATCH", at, `{"name":"My parcel: €"}`); code != 200 || v.(map[string]any)["name"] != "My parcel: €" {
		w.t.Errorf("rename: %d %v", code, v)
	}
	if code, _, _ := w.call("PATCH", at, `{"name":""}`); code != 400 {
		w.t.Errorf("no name: %d", code)
	}
	if _, v, _ := w.call("GET", at, ""); v.(map[string]any)["name"] != "My parcel: €" {
		w.t.Errorf("name: %v", v.(map[string]any)["name"])
	}
	code, v, h := w.call("POST", at+"download/", "")
	lines := strings.Split(strings.TrimSpace(v.(string)), "\n")
	if code != 200 || len(lines) != 4 || !strings.HasSuffix(lines[2], " human: hi") || !strings.HasSuffix(lines[3], " bot: You said hi") {
		w.t.Errorf("download: %d %v", code, v)
	}
	if saved := savedAs(h.Get("Content-Disposition")); saved != "My parcel_ _.txt" {
		w.t.Errorf("saved as %q", saved)
	}
	if _, p, err := mime.ParseMediaType(h.Get("Content-Disposition")); err != nil || p["filename"] != "My parcel_ €.txt" {
		w.t.Errorf("offered as %v, %v", p, err)
	}
	if h.Get("Access-Control-Expose-Headers") != "Content-Disposition" || h.Get("Content-Type") != "text/plain" {
		w.t.Errorf("download: %v", h)
	}
	two := strings.TrimSuffix(at, "/") + "," + strings.TrimSuffix(strings.TrimPrefix(at, conversations), "/") + "/download/"
	if code, v, h := w.call("POST", two, ""); code != 200 || !strings.HasPrefix(v.(string), "PK") || h.Get("Content-Type") != "application/x-zip-compressed" {
		w.t.Errorf("two: %d %v", code, h)
	}
	if code, _, _ := w.call("DELETE", at, ""); code != http.StatusNoContent {
		w.t.Errorf("delete: %d", code)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if code, _, _ := w.call(method, at, ""); code != 404 {
			w.t.Errorf("%s of a deleted one: %d", method, code)
		}
	}
	if _, v, _ := w.call("GET", conversations+"from_sender/?sender=u-77", ""); len(v.([]any)) != 1 {
		w.t.Errorf("listed: %v", v)
	}
}

// savedAs is the name that the widget reads out of the header.
func savedAs(disposition string) string {
	_, name, _ := strings.Cut(strings.Split(disposition, ";")[1], "=")
	return strings.ReplaceAll(strings.Split(name, "=")[0], `"`, "")
}

// TestThread: the widget knows no conversation that is over. What comes after a close is the same one for it: once in the list, whole in
// its history, and gone when it is deleted.
func TestThread(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c-1", "f", "u-77", "")
		k.say("hi")
		k.unlocked()
		w.tab("c-2", "f", "u-77", "").unlocked()
		first := w.conv(k)
		list := func() []any {
			_, v, _ := w.call("GET", conversations+"from_sender/?sender=u-77", "")
			return v.([]any)
		}
		at := func(n int) string {
			return conversations + text(int64(list()[n].(map[string]any)["id"].(float64))) + "/"
		}
		old := at(1)
		if code, _, _ := w.call("PATCH", old, `{"name":"Parcels"}`); code != 200 {
			t.Fatal(code)
		}
		w.place(first.ID, chat.PlaceData{State: chat.StateClosed})
		k.say("one more thing")
		k.until("goes on", func() bool { return !k.locked() && len(k.drawn()) == 7 })
		if w.conv(k).ID == first.ID {
			t.Fatal("still the same conversation")
		}
		said := k.bubbles()

		all := list()
		if len(all) != 2 || all[0].(map[string]any)["name"] != "Parcels" || all[0].(map[string]any)["num_user_msgs"] != 2.0 {
			t.Fatalf("listed: %v", all)
		}
		for _, path := range []string{old, at(0)} {
			_, v, _ := w.call("GET", path, "")
			if got := drawnOf(v.(map[string]any)["msgs_chain"].([]any)); !slices.Equal(got, said) {
				t.Errorf("%s: %q, want %q", path, got, said)
			}
		}
		if _, v, h := w.call("POST", at(0)+"download/", ""); savedAs(h.Get("Content-Disposition")) != "Parcels.txt" || strings.Count(v.(string), "\n") != len(said) {
			t.Errorf("%v\n%s", h, v)
		}
		if code, _, _ := w.call("DELETE", at(0), ""); code != http.StatusNoContent || len(list()) != 1 {
			t.Errorf("delete: %d, %v", code, list())
		}
		if code, _, _ := w.call("GET", old, ""); code != 404 {
			t.Errorf("the first one: %d", code)
		}
	})
}

// TestElsewhere: the widget opens what is in its list with the flow of its own page.
func TestElsewhere(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{}, nil)
	w.flow("f", parcel, `{}`)
	w.flow("g", parcel, `{}`)
	w.flow("closed", parcel, `{"authentication_required":true}`)
	first := w.tab("123456789", "f", "u-77", "")
	first.say("hi")
	first.unlocked()
	again := w.tab("123456789", "g", "u-77", "")
	again.sees("bot: Hello!", "bot: What can I do for you?", "bot: You said hi")
	again.say("more")
	first.until("the other one hears it", func() bool { return slices.Contains(first.drawn(), "bot: You said more") })
	w.tab("123456789", "g", "u-78", "").sees("bot: Hello!", "bot: What can I do for you?")
	w.tab("main", "f", "u-77", "").unlocked()
	w.tab("main", "g", "u-77", "").unlocked()
	if _, v, _ := w.call("GET", conversations+"from_sender/?sender=u-77", ""); len(v.([]any)) != 3 {
		t.Errorf("listed: %v", v)
	}
	w.tab("987654321", "closed", "u-77", "token="+w.addToken()).unlocked()
	k := w.tab("987654321", "f", "u-77", "")
	k.until("refused", func() bool { return k.closed == closeNoToken })
}

// drawnOf are the bubbles of a history.
func drawnOf(chain []any) []string {
	var k tab
	raw, _ := json.Marshal(chain)
	_ = json.Unmarshal(raw, &k.messages)
	return k.drawn()
}

// TestNumbersCannotBeGuessed: a position in the log is good with a token only.
func TestNumbersCannotBeGuessed(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		w.flow("closed", parcel, `{"authentication_required":true}`)
		token := w.addToken()
		w.tab("c", "f", "u", "").unlocked()
		k := w.tab("c", "closed", "u2", "token="+token)
		k.unlocked()
		pos, _ := w.server.numbers.position(w.numberOf(&tab{conversation: "c", user: "u"}))
		for _, id := range []string{text(pos), "0", "-1", "x", "99999999999999999999"} {
			if code, _, _ := w.call("GET", conversations+id+"/", ""); code != 404 {
				t.Errorf("%s: %d", id, code)
			}
		}
		if code, _, _ := w.call("GET", conversations+text(pos)+"/", "", "Authorization", "Token "+token); code != 200 {
			t.Errorf("with a token: %d", code)
		}
		number, err := w.server.number(t.Context(), w.conv(k))
		w.must(err)
		at := conversations + text(number) + "/"
		if code, v, _ := w.call("GET", at, ""); code != 401 || v.(map[string]any)["error"] != "Authentication required" {
			t.Errorf("no token: %d %v", code, v)
		}
		if code, _, _ := w.call("GET", at, "", "Authorization", "Token "+token); code != 200 {
			t.Errorf("with a token: %d", code)
		}
		if _, v, _ := w.call("GET", conversations+"from_sender/?sender=u2", ""); len(v.([]any)) != 0 {
			t.Errorf("listed without a token: %v", v)
		}
	})
}

func TestFeedback(t *testing.T) {
	const path = "/back/api/broker/user-feedback/"
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		id := text(k.lastID())
		code, v, _ := w.call("POST", path, `{"message_source":`+id+`,"message_target":`+id+`,"feedback_data":{"thumb_value":"positive"}}`)
		f, _ := v.(map[string]any)
		if code != 201 || f["message_target"] == nil {
			t.Fatalf("%d %v", code, v)
		}
		one := path + text(int64(f["id"].(float64))) + "/"
		code, v, _ = w.call("PATCH", one, `{"feedback_data":{"thumb_value":"negative","feedback_comment":"no"}}`)
		if code != 200 || v.(map[string]any)["id"] != f["id"] {
			t.Errorf("patch: %d %v", code, v)
		}
		_, v, _ = w.call("GET", path+"?message_source="+id, "")
		results := v.(map[string]any)["results"].([]any)
		if len(results) != 1 || results[0].(map[string]any)["feedback_data"].(map[string]any)["feedback_comment"] != "no" {
			t.Errorf("list: %v", v)
		}
		for body, want := range map[string]int{
			`{}`: 400, `[`: 400, `{"message_source":1,"feedback_data":[]}`: 400, `{"message_source":99999,"feedback_data":{}}`: 400,
			`{"message_source":` + id + `,"message_target":99999,"feedback_data":{}}`: 400,
		} {
			if code, v, _ := w.call("POST", path, body); code != want {
				t.Errorf("%s: %d %v", body, code, v)
			}
		}
		if _, v, _ := w.call("GET", path+"?message_source=99999", ""); v.(map[string]any)["count"] != 0.0 {
			t.Errorf("nothing: %v", v)
		}
		if code, v, _ := w.call("POST", "/back/api/broker/conversation-feedback/", `{"conversation_id":"c","tags":["a"],"comment":"good"}`); code != 201 {
			t.Errorf("conversation: %d %v", code, v)
		}
		if code, _, _ := w.call("POST", "/back/api/broker/conversation-feedback/", `{"conversation_id":"nobody's"}`); code != 404 {
			t.Errorf("unknown conversation: %d", code)
		}
	})
}

func TestConfiguration(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{"title":"Ask us","domain":"shop.example","widget":{"lang":"fr","enable_resend":true}}`)
		x, err := w.server.sites.find(t.Context(), "f")
		w.must(err)
		id := string(x.channel)
		path := "/back/api/widget/widgets/" + id + "/"
		code, v, _ := w.call("GET", path, "", "widget-id", id, "Referer", "https://shop.example/a")
		c, _ := v.(map[string]any)
		if code != 200 || c["title"] != "Ask us" || c["lang"] != "fr" || c["fsm_def"] != "f" || c["enable_resend"] != true || !strings.HasPrefix(c["chatfaq_ws"].(string), "ws://") {
			t.Errorf("%d %v", code, v)
		}
		for _, h := range [][]string{nil, {"widget-id", id}, {"widget-id", "x", "Referer", "https://shop.example/"}, {"widget-id", id, "Referer", "https://evil.example/?shop.example"}} {
			if code, _, _ := w.call("GET", path, "", h...); code != 401 {
				t.Errorf("%v: %d", h, code)
			}
		}
		if code, _, _ := w.call("GET", path, "", "Authorization", "Token "+w.addToken()); code != 200 {
			t.Errorf("token: %d", code)
		}
		if code, _, _ := w.call("GET", "/back/api/widget/widgets/none/", "", "widget-id", "none"); code != 404 {
			t.Errorf("none: %d", code)
		}
		code, _, h := w.call("OPTIONS", path, "", "Origin", "https://shop.example", "Access-Control-Request-Method", "GET")
		if code != 204 || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "widget-id") || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "PUT") {
			t.Errorf("preflight: %d %v", code, h)
		}
	})
}

// TestUpload: the bot asks for a file, the client puts it, names it, and gets a link to it.
func TestUpload(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		ask := chat.Message{Stack: []chat.Element{{Type: chat.Text, Payload: json.RawMessage(
			`{"content":"Send it","chatfaq":{"type":"file_upload","payload":{"content":"Send it","files":{"pdf":{"max_size":10}}}}}`)}}}
		w.write(w.conv(k).ID, chat.PartyAgent, ask)
		k.sees("bot: Hello!", "bot: What can I do for you?", "bot: Send it")
		var pdf map[string]any
		k.until("asked for a file", func() bool {
			m := k.messages[len(k.messages)-1]
			if len(m.Stack) == 1 {
				files, _ := m.Stack[0].Payload["files"].(map[string]any)
				pdf, _ = files["pdf"].(map[string]any)
			}
			return pdf != nil
		})
		url, _ := pdf["presigned_url"].(string)
		path, _ := pdf["s3_path"].(string)
		if pdf["content_type"] != "application/pdf" || pdf["max_size"] != 10.0 {
			t.Errorf("%v", pdf)
		}
		for _, c := range []struct {
			url, body string
			code      int
		}{
			{url, "12345678901", 413},
			{strings.Replace(url, "sig=", "sig=x", 1), "1", 403},
			{strings.Replace(url, path, "uploads/1/1", 1), "1", 403},
			{url, "1234567890", 200},
		} {
			if code, v, _ := w.call("PUT", c.url, c.body, "Content-Type", "application/pdf"); code != c.code {
				t.Errorf("PUT %s: %d %v, want %d", c.url, code, v, c.code)
			}
		}
		k.send(`{"sender":{"type":"human"},"stack":[{"type":"file_uploaded","payload":{"s3_path":` + quoted(path) + `,"name":"bill.pdf"}}],"last":true}`)
		k.unlocked()
		_, v, _ := w.call("GET", conversations+text(w.numberOf(k))+"/", "")
		for _, m := range v.(map[string]any)["msgs_chain"].([]any) {
			m := m.(map[string]any)
			if m["sender"].(map[string]any)["type"] != "human" {
				continue
			}
			p := m["stack"].([]any)[0].(map[string]any)["payload"].(map[string]any)
			link, _ := p["url"].(string)
			if p["name"] != "bill.pdf" || p["s3_path"] != path || !strings.HasPrefix(link, w.http.URL+"/files/") {
				t.Errorf("uploaded: %v", p)
			}
			return
		}
		t.Error("the file is not in the history")
	})
}

func TestProgramUpload(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{}, nil)
	const form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
	token := w.addToken("write")
	kind := []string{"Content-Type", "multipart/form-data; boundary=b"}
	if code, v, _ := w.call("POST", "/back/api/broker/file-upload/", form, append(kind, "Authorization", "Token "+token)...); code != 201 || v.(map[string]any)["url"] == "" {
		t.Errorf("%d %v", code, v)
	}
	if code, _, _ := w.call("POST", "/back/api/broker/file-upload/", form, kind...); code != 401 {
		t.Errorf("no token: %d", code)
	}
	if code, _, _ := w.call("POST", "/back/api/broker/file-upload/", form, append(kind, "Authorization", "Token "+w.addToken())...); code != 403 {
		t.Errorf("a token for reading: %d", code)
	}
	if code, _, _ := w.call("POST", "/back/api/broker/file-upload/", "x", append(kind, "Authorization", "Token "+token)...); code != 400 {
		t.Errorf("no form: %d", code)
	}
}
