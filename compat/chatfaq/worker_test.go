package chatfaq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/sdk/worker"
	"github.com/dragoman-hub/dragoman/store"
)

// greeter is a flow that says hello.
func greeter(name string) *worker.Flow {
	return &worker.Flow{
		Name: name, States: []worker.State{{Name: "Greeting", Initial: true, Events: []string{"greet"}}},
		Events: map[string][]worker.Event{"greet": {func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
			return yield(worker.Text{Content: "Hello!"})
		}}},
	}
}

// TestKnowledge writes and reads a knowledge base as workers do.
func TestKnowledge(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	base, err := w.store.PutKnowledgeBase(ctx, w.ws, "faq", "en")
	w.must(err)
	_, err = w.store.PutPrompt(ctx, w.ws, "tone", "Be kind.")
	w.must(err)
	k := &worker.Knowledge{URL: w.url, Token: w.token}
	for i := range 105 { // more than a page
		_, err := k.Add(ctx, worker.Item{
			Base: "faq", Title: fmt.Sprint("Item ", i), Content: "About parcels.", URL: "https://shop.example/faq", Page: int64(i),
			Metadata: json.RawMessage(fmt.Sprintf(`{"even":%v}`, i%2 == 0)),
		})
		w.must(err)
	}
	titles := func(metadata map[string]any) (all []string) {
		for item, err := range k.Items(ctx, "faq", metadata) {
			w.must(err)
			all = append(all, item.Title)
		}
		return all
	}
	if all, even := titles(nil), titles(map[string]any{"even": true}); len(all) != 105 || len(even) != 53 || all[104] != "Item 104" || even[52] != "Item 104" {
		t.Errorf("%d and %d items: %v", len(all), len(even), even)
	}
	added, err := k.Add(ctx, worker.Item{Base: worker.ID(fmt.Sprint(base.ID)), Title: "Returns", Content: "Within 14 days ![](a.png)"})
	w.must(err)
	changed, err := k.Change(ctx, added.ID, map[string]any{"content": "Within 30 days"})
	if err != nil || changed.Content != "Within 30 days" || changed.Title != "Returns" || string(changed.Base) != fmt.Sprint(base.ID) {
		t.Errorf("%+v, %v", changed, err)
	}
	hits, err := w.library.Search(ctx, w.ws, "faq", "returns days", 1)
	if err != nil || len(hits) != 1 || hits[0].ID != added.ID {
		t.Errorf("%+v, %v", hits, err)
	}
	if prompt, err := k.Prompt(ctx, "tone"); err != nil || prompt != "Be kind." {
		t.Errorf("%q, %v", prompt, err)
	}
	w.refusesKnowledge(k, added.ID)
}

// refusesKnowledge makes calls that change nothing.
func (w *world) refusesKnowledge(k *worker.Knowledge, id int64) {
	w.t.Helper()
	ctx := w.t.Context()
	stranger := &worker.Knowledge{URL: w.url, Token: w.addToken("read")}
	add := func(k *worker.Knowledge, item worker.Item) error { _, err := k.Add(ctx, item); return err }
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"no content":       {add(k, worker.Item{Base: "faq"}), 400},
		"no base":          {add(k, worker.Item{Base: "zzz", Content: "x"}), 404},
		"metadata":         {add(k, worker.Item{Base: "faq", Content: "x", Metadata: json.RawMessage(`[]`)}), 400},
		"too large":        {add(k, worker.Item{Base: "faq", Content: string(make([]byte, 1<<20))}), 413},
		"another's token":  {add(stranger, worker.Item{Base: "faq", Content: "x"}), 403},
		"no such item":     {func() error { _, err := k.Change(ctx, id+1, map[string]any{"title": "x"}); return err }(), 404},
		"nobody parses it": {func() error { _, err := k.Read(ctx, "faq", "pages", "https://shop.example"); return err }(), 409},
		"no page":          {func() error { _, err := k.Read(ctx, "faq", "pages", "file:///etc/passwd"); return err }(), 400},
		"no such source":   {func() error { _, err := k.Source(ctx, "7"); return err }(), 404},
	} {
		if status, ok := errors.AsType[*worker.StatusError](c.err); !ok || status.Status != c.want {
			w.t.Errorf("%s: %v, want %d", name, c.err, c.want)
		}
	}
}

// TestParsers: a worker reads a page that somebody named, and what it finds is found.
func TestParsers(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.store.PutKnowledgeBase(ctx, w.ws, "faq", "en")
	w.must(err)
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	hold := make(chan struct{})
	flow := greeter("reading")
	go func() {
		ended <- (&worker.Worker{
			URL: w.url, Token: w.token, Flow: flow, Logger: slog.New(slog.DiscardHandler),
			Parsers: map[string]worker.Parser{"pages": func(ctx context.Context, s worker.Source, yield func(worker.Item) error) error {
				if s.URL == "https://shop.example/slow" {
					close(hold)
					<-ctx.Done()
					return ctx.Err()
				}
				return yield(worker.Item{Title: "Returns", Content: "Send them within 14 days.", URL: s.URL})
			}},
		}).Run(run)
	}()
	k := &worker.Knowledge{URL: w.url, Token: w.token}
	var s worker.Source
	w.until("a parser is there", func() bool {
		s, err = k.Read(ctx, "faq", "pages", "https://shop.example/returns")
		return err == nil
	})
	status := func(id worker.ID) string {
		got, err := k.Source(ctx, id)
		w.must(err)
		return got.Status
	}
	w.until("it was read", func() bool { return status(s.ID) == "finished" })
	hits, err := w.library.Search(ctx, w.ws, "faq", "returns", 3)
	if err != nil || len(hits) != 1 || hits[0].URL != "https://shop.example/returns" {
		t.Errorf("%+v, %v", hits, err)
	}
	s, err = k.Read(ctx, "faq", "pages", "https://shop.example/slow")
	w.must(err)
	receive(t, "the parser", hold)
	if got := status(s.ID); got != "pending" {
		t.Error(got)
	}
	stop()
	w.must(receive(t, "the end", ended))
	w.until("what was not finished has failed", func() bool { return status(s.ID) == "failed" })
}

// TestPress takes buttons of a worker to Telegram, and a press back.
func TestPress(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	sent := make(chan map[string]any, 10)
	w.mux.HandleFunc("POST /bot123:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi/{method}", func(out http.ResponseWriter, r *http.Request) {
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in) // other methods may have no body
		if r.PathValue("method") == "sendMessage" {
			sent <- in
			_, _ = fmt.Fprintf(out, `{"ok":true,"result":{"message_id":%d,"chat":{"id":7,"type":"private"},"date":1}}`, len(sent)+10)
			return
		}
		_, _ = out.Write([]byte(`{"ok":true,"result":true}`))
	})
	pressed := make(chan string, 1)
	flow := greeter("choosing")
	flow.States = append(flow.States, worker.State{Name: "Chosen", Events: []string{"chosen"}})
	flow.Transitions = []worker.Transition{{Source: "Greeting", Dest: "Chosen"}}
	flow.Events["greet"] = []worker.Event{func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
		return yield(worker.Buttons{Content: "Sure?", Buttons: []worker.Button{{ID: "y", Title: "Yes"}, {ID: "n", Title: "No"}}})
	}}
	flow.Events["chosen"] = []worker.Event{func(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
		pressed <- c.Text() + " is " + c.Pressed()
		return yield(worker.GTMTag{"event": "chosen"})
	}}
	w.serve(flow)
	settings, err := json.Marshal(map[string]any{"token": "123:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi", "api_base": w.url})
	w.must(err)
	ch, err := w.hub.AddChannel(ctx, w.ws, hub.ChannelInput{Connector: "telegram", Name: "t", Flow: "choosing", Settings: settings})
	w.must(err)
	w.hear(ch.ID, "1", chat.TextMessage("hi"))
	keyboard, err := json.Marshal(receive(t, "the message", sent)["reply_markup"])
	if want := `{"inline_keyboard":[[{"callback_data":"y","text":"Yes"}],[{"callback_data":"n","text":"No"}]]}`; err != nil || string(keyboard) != want {
		t.Errorf("drawn %s, %v", keyboard, err)
	}
	w.hear(ch.ID, "2", chat.Message{Stack: []chat.Element{chat.NewElement(chat.Choice, chat.ChoicePayload{Title: "Yes", Payload: "y"})}})
	if got := receive(t, "the press", pressed); got != "Yes is y" {
		t.Error(got)
	}
	id, err := w.store.OpenConversation(ctx, ch.ID, chat.Thread{Address: "7"})
	w.must(err)
	w.until("the tag counts as delivered", func() bool {
		events, err := w.store.Events(ctx, w.ws, id, 0, 1000)
		w.must(err)
		return slices.ContainsFunc(events, func(e chat.Event) bool {
			return e.Kind == chat.KindMessage && e.Status == chat.Delivered && e.Message.Stack[0].Type == chat.GTMTag
		})
	})
	letters, _, err := w.store.DeadLetters(ctx, w.ws, "", 10)
	if err != nil || len(letters) > 0 {
		t.Errorf("%+v, %v", letters, err)
	}
}

func receive[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("never: %s", what)
	}
	return v
}

// hear stores what somebody said on a channel.
func (w *world) hear(ch chat.ChannelID, id string, m chat.Message) {
	w.t.Helper()
	_, err := w.store.Append(w.t.Context(), &store.Receive{Channel: ch, In: chat.Incoming{
		Key: id, ID: id, Kind: chat.KindMessage, Thread: chat.Thread{Address: "7"}, Sender: chat.Person{Address: "7", Name: "Ann"}, Message: &m,
	}})
	w.must(err)
}
