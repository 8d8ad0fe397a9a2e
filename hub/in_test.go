package hub_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
)

const hook = "SECRETtelegramHOOK0001"

// number are the settings of a WhatsApp channel.
func number(base string) map[string]any {
	return map[string]any{
		"phone_number_id": "106540352242922", "access_token": "SECRETwhatsappTOKEN01", "app_secret": "SECRETwhatsappAPP0001",
		"verify_token": "SECRETwhatsappVERIFY1", "api_base": base,
	}
}

// graph is a signed webhook call of WhatsApp with messages from several people.
func graph(messages ...any) connector.Request {
	body := asJSON(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "102290129340398", "changes": []any{
		map[string]any{"field": "messages", "value": map[string]any{
			"messaging_product": "whatsapp", "metadata": map[string]any{"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
			"messages": messages,
		}},
	}}}})
	mac := hmac.New(sha256.New, []byte("SECRETwhatsappAPP0001"))
	mac.Write(body)
	return connector.Request{Method: http.MethodPost, Body: body, Header: http.Header{
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}, "Content-Type": {"application/json"},
	}}
}

func graphText(n int, from string) map[string]any {
	return map[string]any{"from": from, "id": fmt.Sprintf("wamid.%d", n), "timestamp": "1700000000", "type": "text", "text": map[string]any{"body": fmt.Sprint("m", n)}}
}

func policyOf(err error) connector.Policy {
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e.Policy
	}
	return ""
}

func TestUnsignedAndMalformedStoreNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	tg := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	wa := w.channel("whatsapp", number("https://graph.facebook.com"))
	sim := w.channel("simulator", map[string]any{"key": "SECRETsimulatorKEY001"})
	wh := w.channel("webhook", map[string]any{"secret": "whsec_U0VDUkVUd2ViaG9va1NJR05JTkcwMQ==", "receive": map[string]any{}})
	w.secrets = append(w.secrets, "U0VDUkVUd2ViaG9va1NJR05JTkcwMQ")
	bearer := func(key, body string) connector.Request {
		return connector.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Bearer " + key}}, Body: []byte(body)}
	}
	forged := graph(graphText(1, "1555"))
	forged.Body = append(forged.Body, ' ')
	cases := []struct {
		name string
		ch   chat.ChannelID
		req  connector.Request
		want connector.Policy
	}{
		{"telegram without secret", tg, update("", said(1, 7, "hi")), connector.Unsigned},
		{"telegram with another's secret", tg, update(hook+"x", said(1, 7, "hi")), connector.Unsigned},
		{"whatsapp changed body", wa, forged, connector.Unsigned},
		{"simulator wrong key", sim, bearer("wrong", `{"text":"hi"}`), connector.Unsigned},
		{"webhook without signature", wh, bearer("", `{"id":"1","from":"a","text":"hi"}`), connector.Unsigned},
		{"telegram not JSON", tg, connector.Request{Method: http.MethodPost, Header: http.Header{"X-Telegram-Bot-Api-Secret-Token": {hook}}, Body: []byte(`{"update_id`)}, connector.Malformed},
		{"simulator unknown member", sim, bearer("SECRETsimulatorKEY001", `{"txt":"hi"}`), connector.Malformed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.Receive(t.Context(), c.ch, c.req)
			if policyOf(err) != c.want || got.Status != 0 {
				t.Errorf("got %+v, %v, want %s", got, err, c.want)
			}
		})
	}
	if list := w.all(); len(list) != 0 {
		t.Errorf("stored: %v", list)
	}
	if n := w.count("messages_total", `result="unsigned"`); n != 5 {
		t.Errorf("%v unsigned calls were counted", n)
	}
}

func TestDuplicatesInParallelAreStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	ch := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	const updates, times = 20, 16
	var wg sync.WaitGroup
	for i := range updates * times {
		wg.Go(func() {
			if _, err := w.Receive(t.Context(), ch, update(hook, said(int64(1+i%updates), int64(7+i%3), "hi"))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(w.all(chat.KindMessage)); n != updates {
		t.Errorf("%d stored", n)
	}
	stored, twice := w.count("messages_total", `result="stored"`), w.count("messages_total", `result="duplicate"`)
	if stored != updates || twice != updates*(times-1) {
		t.Errorf("counted %v stored and %v duplicates", stored, twice)
	}
}

func TestEventsOfOneCallKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	ch := w.channel("whatsapp", number("https://graph.facebook.com"))
	const n = 60
	var messages []any
	for i := range n {
		messages = append(messages, graphText(i, []string{"15551", "15552", "15553"}[i%3]))
	}
	if _, err := w.Receive(t.Context(), ch, graph(messages...)); err != nil {
		t.Fatal(err)
	}
	list := w.all(chat.KindMessage)
	if len(list) != n {
		t.Fatalf("%d stored", len(list))
	}
	action := list[0].Action
	for i, e := range list {
		if e.Message.Text() != fmt.Sprint("m", i) {
			t.Errorf("at %d: %s", i, e.Message.Text())
		}
		if e.Action != action || action == "" {
			t.Errorf("at %d: action %q, not %q", i, e.Action, action)
		}
	}
}

func TestWhereNothingComesIn(t *testing.T) {
	t.Parallel()
	s := &script{}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("deaf", connector.Traits{})}})
	off := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	status := "off"
	if _, err := w.PatchChannel(t.Context(), w.workspace, off, hub.ChannelPatch{Status: &status}); err != nil {
		t.Fatal(err)
	}
	deaf := w.channel("deaf", map[string]any{"token": "SECRETdeafTOKEN000001"})
	for id, want := range map[chat.ChannelID]chat.Code{off: chat.CodeForbidden, deaf: chat.CodeNotFound, "nobody": chat.CodeNotFound, "": chat.CodeNotFound} {
		if _, err := w.Receive(t.Context(), id, update(hook, said(1, 7, "hi"))); chat.CodeOf(err) != want {
			t.Errorf("%q: %v, want %s", id, err, want)
		}
	}
	if len(w.all()) != 0 {
		t.Error("something was stored")
	}
}

// receiver makes a world with one channel whose calls bring these events.
func receiver(t *testing.T, s *script, events func() []chat.Incoming) (*world, chat.ChannelID) {
	s.receive = func(connector.Request) (connector.Delivery, error) {
		return connector.Delivery{Events: events(), Reply: connector.Reply{Status: 207}}, nil
	}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("custom", connector.Traits{})}})
	return w, w.channel("custom", map[string]any{"token": "SECRETcustomTOKEN0001"})
}

func TestTypingAndIgnoredAreNotStored(t *testing.T) {
	t.Parallel()
	ann := chat.Incoming{Thread: chat.Thread{Address: "ann"}, Sender: chat.Person{Address: "ann", Name: "Ann"}}
	w, ch := receiver(t, &script{}, func() []chat.Incoming {
		typing, ignored := ann, ann
		typing.Key, typing.Kind = "t1", chat.KindTyping
		ignored.Key, ignored.Kind = "i1", chat.KindIgnored
		return []chat.Incoming{typing, ignored}
	})
	news := w.bus.Subscribe()
	defer news.Close()
	receive := func() {
		if got, err := w.Receive(t.Context(), ch, connector.Request{}); err != nil || got.Status != 207 {
			t.Fatal(got, err)
		}
	}
	receive() // nobody has a conversation with Ann: of no use to anybody
	if n := news.Take(); len(n.Typing) != 0 {
		t.Errorf("typing without a conversation: %v", n.Typing)
	}
	conv := w.meet(ch, "ann")
	before := len(w.all())
	receive()
	n := news.Take()
	if len(n.Typing) != 1 || n.Typing[0].Conversation != conv || n.Typing[0].Sender.Name != "Ann" || !n.Typing[0].On || n.Typing[0].Workspace != w.workspace {
		t.Errorf("typing: %+v", n.Typing)
	}
	if len(w.all()) != before {
		t.Error("something was stored")
	}
	if n := w.count("messages_total", `kind="ignored"`); n != 2 {
		t.Errorf("%v ignored", n)
	}
}

func TestWhatTheLogRefusesIsKeptRaw(t *testing.T) {
	t.Parallel()
	good := chat.Incoming{Key: "good", Kind: chat.KindMessage, ID: "1", Thread: chat.Thread{Address: "ann"}, Sender: chat.Person{Address: "ann"}, Message: textOf("fine")}
	empty, endless, nameless, broken := good, good, good, good
	empty.Key, empty.Message = "empty", &chat.Message{}
	endless.Key, endless.Message = strings.Repeat("k", 300), textOf("endless key")
	nameless.Key, nameless.Message = "", textOf("no key")
	broken.Key, broken.Message = "broken", &chat.Message{Stack: []chat.Element{{Type: chat.Text, Payload: []byte(`{"content":`)}}}
	broken.Raw = []byte(`{"what the platform said`)
	w, ch := receiver(t, &script{}, func() []chat.Incoming { return []chat.Incoming{empty, endless, nameless, broken, good} })
	for range 2 { // the platform repeats it, and nothing is stored twice
		if _, err := w.Receive(t.Context(), ch, connector.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	var fine, raw int
	for _, e := range w.all() {
		switch {
		case e.Kind == chat.KindMessage && e.Message.Text() == "fine":
			fine++
		case e.Kind == chat.KindUnsupported:
			raw++
			if !strings.Contains(string(e.Data), "ann") && !strings.Contains(string(e.Data), "what the platform said") {
				t.Errorf("kept: %s", e.Data)
			}
		}
	}
	if fine != 1 || raw != 4 {
		t.Errorf("%d stored and %d kept raw, want 1 and 4", fine, raw)
	}
}

func TestAcknowledgedAfterItIsStored(t *testing.T) {
	t.Parallel()
	acked := make(chan string, 10)
	var w *world
	s := &script{}
	s.ack = func(_ context.Context, ack string) error {
		defer func() { panic("a connector that breaks down") }()
		acked <- fmt.Sprint(ack, " with ", len(w.all(chat.KindMessage)))
		return nil
	}
	w, ch := receiver(t, s, func() []chat.Incoming {
		return []chat.Incoming{{
			Key: "a", Kind: chat.KindMessage, ID: "a", Thread: chat.Thread{Address: "ann"}, Sender: chat.Person{Address: "ann"}, Message: textOf("x"), Ack: "query 1",
		}}
	})
	for i := range 3 { // a repeated call wants its answer too
		if _, err := w.Receive(t.Context(), ch, connector.Request{}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			w.run() // what came before is kept for it
		}
		if got := hear(t, "the acknowledgement", acked); got != "query 1 with 1" {
			t.Errorf("acknowledged: %s stored", got)
		}
	}
}

func TestLongPayloadsComeBackWhole(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, nil)
	w := newWorld(t, setup{}).run()
	ch := w.channel("telegram", api.bot())
	if _, err := w.Receive(t.Context(), ch, update(hook, said(1, 7, "hi"))); err != nil {
		t.Fatal(err)
	}
	conv := w.all(chat.KindMessage)[0].Conversation
	long := strings.Repeat("order-12345/", 40)
	seq := w.post(conv, chat.Message{Stack: []chat.Element{chat.NewElement(chat.Buttons, chat.ButtonsPayload{
		Content: "Which?", Buttons: []chat.Button{{Title: "This", Payload: long}, {Title: "That", Payload: "short"}},
	})}})
	w.awaitStatus(conv, seq, chat.Sent)
	var data string
	for _, c := range api.all() {
		if keys, ok := c.params["reply_markup"].(map[string]any); ok {
			data = keys["inline_keyboard"].([]any)[0].([]any)[0].(map[string]any)["callback_data"].(string)
		}
	}
	if len(data) == 0 || len(data) > 64 || strings.Contains(data, "order") {
		t.Fatalf("callback_data is %q", data)
	}
	press := func(n int64, data string) *chat.Message {
		who := map[string]any{"id": 7, "is_bot": false, "first_name": "Ann"}
		_, err := w.Receive(t.Context(), ch, update(hook, map[string]any{"update_id": n, "callback_query": map[string]any{
			"id": fmt.Sprint("q", n), "from": who, "chat_instance": "1", "data": data, "message": map[string]any{
				"message_id": 1003, "date": 1700000000, "chat": map[string]any{"id": 7, "type": "private", "first_name": "Ann"}, "text": "Which?",
			},
		}}))
		if err != nil {
			t.Fatal(err)
		}
		list := w.all(chat.KindMessage)
		return list[len(list)-1].Message
	}
	if got := press(100, data).Payload(); got != long {
		t.Errorf("came back as %q", got)
	}
	if got := press(101, "~AAAAAAAAAAAAAAAAAAAAAA").Payload(); got != "~AAAAAAAAAAAAAAAAAAAAAA" {
		t.Errorf("a payload that only looks like ours became %q", got)
	}
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	s := &script{}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("large", connector.Traits{MaxBody: 5 << 20}), s.platform("usual", connector.Traits{})}})
	for name, want := range map[string]int64{"large": 5 << 20, "usual": 1 << 20} {
		if got, err := w.MaxBody(t.Context(), w.channel(name, map[string]any{"token": "SECRETtoken0000000001"})); err != nil || got != want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if _, err := w.MaxBody(t.Context(), "nobody"); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("unknown channel: %v", err)
	}
}
