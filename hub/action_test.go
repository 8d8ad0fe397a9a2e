package hub_test

import (
	"context"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

func TestOneActionFromTheWebhookToTheSend(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, nil)
	w := newWorld(t, setup{}).run()
	ch := w.channel("telegram", api.bot())
	const action = "action-0001"
	if _, err := w.Receive(telemetry.WithAction(t.Context(), action), ch, update(hook, said(1, 7, "hi"))); err != nil {
		t.Fatal(err)
	}
	in := w.all(chat.KindMessage)[0]
	res, err := w.store.Append(t.Context(), &store.Post{ // as whoever answers does
		Workspace: w.workspace, Conversation: in.Conversation, Kind: chat.KindMessage, Sender: chat.Party{Type: chat.PartyBot},
		Message: chat.TextMessage("hello"), Action: in.Action,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.awaitStatus(in.Conversation, res.Events[0].Seq, chat.Sent)
	for _, msg := range []string{"in", "out: sent"} {
		lines := w.log.lines(msg)
		if len(lines) != 1 || lines[0]["action"] != action || lines[0]["channel"] != string(ch) {
			t.Errorf("%s: %v", msg, lines)
		}
	}
	for _, e := range w.events(in.Conversation) {
		if e.Action != action && e.Kind != chat.KindProfile {
			t.Errorf("event %d (%s) has action %q", e.Seq, e.Kind, e.Action)
		}
	}
	for what, words := range map[string][]string{
		"messages in":  {"messages_total", `direction="in"`, `kind="message"`, `result="stored"`, string(ch)},
		"messages out": {"messages_total", `direction="out"`, `kind="message"`, `result="sent"`, string(ch)},
		"ingest":       {"ingest_seconds_count"},
		"send":         {"send_seconds_count"},
	} {
		if n := w.count(words...); n != 1 {
			t.Errorf("%s: %v", what, n)
		}
	}
}

func TestWebhookCallsWithoutAnActionGetOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	ch := w.channel("telegram", map[string]any{"token": botToken, "secret_token": hook})
	for i := range int64(2) {
		if _, err := w.Receive(t.Context(), ch, update(hook, said(i+1, 7, "hi"))); err != nil {
			t.Fatal(err)
		}
	}
	list := w.all(chat.KindMessage)
	if list[0].Action == "" || list[0].Action == list[1].Action {
		t.Errorf("actions %q and %q", list[0].Action, list[1].Action)
	}
}

func TestTheNewestMessageIsHandedOver(t *testing.T) {
	t.Parallel()
	parts := make(chan connector.Part, 10)
	s := &script{send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
		parts <- part
		return connector.Sent{ID: part.Key}, nil
	}}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("passive", connector.Traits{})}}).run()
	conv := w.meet(w.channel("passive", map[string]any{"token": "SECRETpassiveTOKEN001"}), "ann")
	m := chat.TextMessage("x")
	m.ReplyTo = &chat.Reply{Seq: 3}
	w.post(conv, m)
	if p := hear(t, "the part", parts); p.Context != "met/ann" || p.ReplyTo != "met/ann" || p.Thread.Address != "ann" {
		t.Errorf("%+v", p)
	}
}

func TestOurTyping(t *testing.T) {
	t.Parallel()
	api := newBotAPI(t, nil)
	w := newWorld(t, setup{}).run()
	conv := w.meet(w.channel("telegram", api.bot()), "100")
	news := w.bus.Subscribe()
	defer news.Close()
	agent := chat.Party{Type: chat.PartyAgent, ID: "a"}
	if err := w.Typing(t.Context(), w.workspace, conv, agent); err != nil {
		t.Fatal(err)
	}
	if n := news.Take(); len(n.Typing) != 1 || n.Typing[0].Sender != agent || n.Typing[0].Conversation != conv {
		t.Errorf("%+v", n.Typing)
	}
	for {
		if c := hear(t, "the signal", api.news); c.method == "sendChatAction" {
			if c.chat() != "100" || c.params["action"] != "typing" {
				t.Errorf("%v", c.params)
			}
			break
		}
	}
	if err := w.Typing(t.Context(), w.workspace, "nobody", agent); chat.CodeOf(err) != chat.CodeNotFound {
		t.Errorf("unknown conversation: %v", err)
	}
	_, err := w.store.Append(t.Context(), &store.Place{Workspace: w.workspace, Conversation: conv, To: chat.PlaceData{State: chat.StateClosed}, By: agent})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Typing(t.Context(), w.workspace, conv, agent); chat.CodeOf(err) != chat.CodeClosed {
		t.Errorf("closed conversation: %v", err)
	}
}
