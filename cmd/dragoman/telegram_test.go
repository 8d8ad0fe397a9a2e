package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The people of the webhook test: each has a conversation of their own.
const (
	robin = 7100000001
	cleo  = 7100000003
)

// TestTelegramWebhook is the main job on the main platform: registered, called, answered, with files, buttons and the answers that
// Telegram gives when it does not want.
func TestTelegramWebhook(t *testing.T) {
	t.Parallel()
	platform := newBotAPI(t)
	platform.file = bytes.Repeat([]byte("\xff\xd8 a photo "), 10_000)
	hub := startHub(t, t.TempDir(), "--public-url", "https://hub.example/base")
	c := hub.client()
	ch := addChannel(t, c, "telegram", sampleFlow, map[string]any{"token": botToken, "api_base": platform.URL})
	must(t, c, http.MethodPost, "/v1/channels/"+ch.ID+"/register", nil, nil)
	hook := platform.wait(t, "setWebhook", 1).params
	if want := "https://hub.example/base/in/" + ch.ID; hook["url"] != want || ch.WebhookURL != want {
		t.Errorf("registered %v, shown %s, want %s", hook["url"], ch.WebhookURL, want)
	}
	b := &telegramHook{t, hub.url + "/in/" + ch.ID, fmt.Sprint(hook["secret_token"])}

	t.Run("wrong secret", func(t *testing.T) {
		before := head(t, c)
		for _, secret := range []string{"", "wrong", b.secret + "x", b.secret[1:]} {
			status, _ := call(t, http.MethodPost, b.url, map[string]string{"X-Telegram-Bot-Api-Secret-Token": secret}, textUpdate(1, robin, "hi"))
			if status != http.StatusUnauthorized {
				t.Errorf("secret %q: status %d", secret, status)
			}
		}
		if now := head(t, c); now != before {
			t.Errorf("%d events were stored", now-before)
		}
	})
	t.Run("text and button", func(t *testing.T) { telegramButton(t, c, b, platform, ch.ID) })
	t.Run("photo", func(t *testing.T) { telegramPhoto(t, hub, b, ch.ID) })
	t.Run("throttled", func(t *testing.T) { telegramThrottled(t, c, platform, ch.ID) })
	t.Run("blocked", func(t *testing.T) { telegramBlocked(t, c, b, platform, ch.ID) })
	for _, secret := range []string{botToken, b.secret} {
		if strings.Contains(hub.out.String(), secret) {
			t.Errorf("a secret is in the log: %s", secret)
		}
	}
}

// telegramHook is Telegram calling us.
type telegramHook struct {
	t      testing.TB
	url    string
	secret string
}

func (b *telegramHook) update(update string) {
	b.t.Helper()
	header := map[string]string{"X-Telegram-Bot-Api-Secret-Token": b.secret, "Content-Type": "application/json"}
	if status, answer := call(b.t, http.MethodPost, b.url, header, update); status != http.StatusOK {
		b.t.Errorf("status %d: %s", status, answer)
	}
}

func telegramButton(t *testing.T, c *client, b *telegramHook, platform *botAPI, channel string) {
	for range 3 {
		b.update(textUpdate(1, robin, "hi"))
	}
	sent := platform.wait(t, "sendMessage", 1).params
	if text := fmt.Sprint(sent["text"]); fmt.Sprint(sent["chat_id"]) != fmt.Sprint(robin) || !strings.HasPrefix(text, "Hello, Robin!") {
		t.Fatalf("sent %v", sent)
	}
	data := callbackData(t, sent)
	if len(data) != 2 {
		t.Fatalf("buttons %v", data)
	}
	press := fmt.Sprintf(`{"update_id":2,"callback_query":{"id":"press-1","data":%q,"chat_instance":"1",
 "from":{"id":%d,"is_bot":false,"first_name":"Robin"},"message":{"message_id":1001,"date":1,"text":"x","chat":{"id":%d,"type":"private"}}}}`, data[0], robin, robin)
	b.update(press)
	b.update(press)
	if ack := platform.wait(t, "answerCallbackQuery", 1).params; ack["callback_query_id"] != "press-1" {
		t.Errorf("acknowledged %v", ack)
	}
	const question = "What is the number of your order?"
	said(t, c, only(t, c, channel), question, chat.Sent)
	if got := platform.texts(fmt.Sprint(robin)); len(got) != 2 || got[1] != question {
		t.Errorf("sent %q", got)
	}
}

// callbackData finds what the inline buttons of a message carry.
func callbackData(t *testing.T, sent map[string]any) (out []string) {
	t.Helper()
	var markup struct {
		Rows [][]struct {
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	}
	raw, err := json.Marshal(sent["reply_markup"])
	if err == nil {
		err = json.Unmarshal(raw, &markup)
	}
	if err != nil {
		t.Fatalf("no keyboard in %v: %v", sent, err)
	}
	for _, row := range markup.Rows {
		for _, button := range row {
			out = append(out, button.Data)
		}
	}
	return out
}

func telegramPhoto(t *testing.T, hub *process, b *telegramHook, channel string) {
	c := hub.client()
	live := follow(t, c, "?kinds=file")
	b.update(fmt.Sprintf(`{"update_id":3,"message":{"message_id":300,"date":1700000000,"caption":"look",
 "from":{"id":%[1]d,"is_bot":false,"first_name":"Cleo"},"chat":{"id":%[1]d,"first_name":"Cleo","type":"private"},
 "photo":[{"file_id":"small","file_unique_id":"a","width":90,"height":90},{"file_id":"large","file_unique_id":"b","width":1280,"height":1280}]}}`, cleo))
	fetched := live.until(t, "the photo is fetched", func(e chat.Event) bool { return e.Kind == chat.KindFile })
	var what chat.FileData
	if err := json.Unmarshal(fetched.Data, &what); err != nil || what.Status != string(store.FileStored) {
		t.Fatalf("%s, %v", fetched.Data, err)
	}
	var photo chat.Media
	for _, e := range everything(t, c, channel)[string(fetched.Conversation)] {
		if e.Seq == what.Seq && e.Message != nil {
			if err := e.Message.Stack[0].Into(&photo); err != nil {
				t.Fatal(err)
			}
		}
	}
	path, ours := strings.CutPrefix(photo.URL, "https://hub.example/base")
	if !ours || photo.Source != nil {
		t.Fatalf("the message shows %+v", photo)
	}
	status, got := call(t, http.MethodGet, hub.url+path, nil, "")
	if want := bytes.Repeat([]byte("\xff\xd8 a photo "), 10_000); status != http.StatusOK || got != string(want) {
		t.Errorf("status %d, %d bytes of %d", status, len(got), len(want))
	}
	if status, _ := call(t, http.MethodGet, hub.url+strings.ReplaceAll(path, "sig=", "sig=x"), nil, ""); status != http.StatusForbidden {
		t.Errorf("a forged link: status %d", status)
	}
}

func telegramThrottled(t *testing.T, c *client, platform *botAPI, channel string) {
	id := conversationWith(t, c, channel, "Robin")
	platform.mu.Lock()
	platform.throttle = 1
	platform.mu.Unlock()
	write(t, c, id, "first after the flood")
	write(t, c, id, "second after the flood")
	said(t, c, id, "second after the flood", chat.Sent)
	var at []time.Time
	var texts []string
	for _, call := range platform.of("sendMessage") {
		if text := fmt.Sprint(call.params["text"]); strings.Contains(text, "flood") {
			at, texts = append(at, call.at), append(texts, text[:5])
		}
	}
	if !slices.Equal(texts, []string{"first", "first", "secon"}) || at[1].Sub(at[0]) < time.Second {
		t.Errorf("sent %q, %s apart; want the first twice, a second or more apart", texts, at[1].Sub(at[0]))
	}
}

func telegramBlocked(t *testing.T, c *client, b *telegramHook, platform *botAPI, channel string) {
	id := conversationWith(t, c, channel, "Robin")
	block := func(blocked bool) {
		platform.mu.Lock()
		defer platform.mu.Unlock()
		platform.blocked[fmt.Sprint(robin)] = blocked
	}
	block(true)
	write(t, c, id, "are you there?")
	failed := said(t, c, id, "are you there?", chat.Failed)
	if failed.Error == nil || !strings.Contains(failed.Error.Detail, "blocked by the user") {
		t.Errorf("failed with %+v", failed.Error)
	}
	if !isBlocked(t, c, id) {
		t.Error("the contact is not blocked")
	}
	dead, err := listAll[store.DeadLetter](t.Context(), c, "/v1/dead-letters")
	if err != nil || len(dead) != 1 || dead[0].Event.Seq != failed.Seq || !strings.Contains(dead[0].Failure.Detail, "blocked by the user") {
		t.Fatalf("dead letters %+v, %v", dead, err)
	}

	block(false)
	b.update(fmt.Sprintf(`{"update_id":4,"my_chat_member":{"chat":{"id":%[1]d,"type":"private"},"from":{"id":%[1]d,"is_bot":false,"first_name":"Robin"},
 "date":1700000001,"old_chat_member":{"user":{"id":7100000005,"is_bot":true,"first_name":"b"},"status":"kicked","until_date":0},
 "new_chat_member":{"user":{"id":7100000005,"is_bot":true,"first_name":"b"},"status":"member"}}}`, robin))
	if isBlocked(t, c, id) {
		t.Error("the contact is still blocked")
	}
	must(t, c, http.MethodPost, "/v1/dead-letters/"+dead[0].ID+"/replay", nil, nil)
	said(t, c, id, "are you there?", chat.Sent)
	if dead, err = listAll[store.DeadLetter](t.Context(), c, "/v1/dead-letters"); err != nil || len(dead) != 0 {
		t.Errorf("dead letters %+v, %v", dead, err)
	}
}

// conversationWith finds the conversation with somebody.
func conversationWith(t *testing.T, c *client, channel, name string) string {
	t.Helper()
	list, err := listAll[chat.Conversation](t.Context(), c, "/v1/conversations?channel="+channel)
	if err != nil {
		t.Fatal(err)
	}
	for _, conv := range list {
		if conv.Contact.Name == name {
			return string(conv.ID)
		}
	}
	t.Fatalf("no conversation with %s in %+v", name, list)
	return ""
}

func isBlocked(t *testing.T, c *client, conversation string) bool {
	t.Helper()
	var conv chat.Conversation
	must(t, c, http.MethodGet, "/v1/conversations/"+conversation, nil, &conv)
	var contact store.Contact
	must(t, c, http.MethodGet, "/v1/contacts/"+string(conv.Contact.ID), nil, &contact)
	return slices.ContainsFunc(contact.Identities, func(i store.Identity) bool { return i.Blocked })
}

// TestTelegramPolling fetches updates, moves the offset only behind what is stored, and goes on there after a new start.
func TestTelegramPolling(t *testing.T) {
	t.Parallel()
	platform := newBotAPI(t)
	hub := startHub(t, t.TempDir())
	c := hub.client()
	must(t, c, http.MethodPut, "/v1/flows/echo", json.RawMessage(echoFlow), nil)
	platform.say(robin, "one")
	platform.say(robin, "two")
	ch := addChannel(t, c, "telegram", "echo", map[string]any{"token": botToken, "api_base": platform.URL, "mode": "polling"})
	id := only(t, c, ch.ID)
	said(t, c, id, "re two", chat.Sent)
	if last := waitForOffset(t, platform, "3"); last == 0 {
		t.Error("the offset does not follow")
	}
	hub.terminate()

	asked := len(platform.of("getUpdates"))
	platform.say(robin, "three")
	hub.start()
	said(t, c, id, "re three", chat.Sent)
	if first := platform.of("getUpdates")[asked]; fmt.Sprint(first.params["offset"]) != "3" {
		t.Errorf("after a new start the offset is %v, want 3", first.params["offset"])
	}
	if got, want := platform.texts(fmt.Sprint(robin)), []string{"re one", "re two", "re three"}; !slices.Equal(got, want) {
		t.Errorf("answered %q, want %q", got, want)
	}
}

func waitForOffset(t *testing.T, platform *botAPI, want string) (calls int) {
	t.Helper()
	eventually(t, patience, "offset "+want, func() error {
		list := platform.of("getUpdates")
		if len(list) == 0 {
			return fmt.Errorf("not asked yet")
		}
		if got := fmt.Sprint(list[len(list)-1].params["offset"]); got != want {
			return fmt.Errorf("it is %s", got)
		}
		calls = len(list)
		return nil
	})
	return calls
}
