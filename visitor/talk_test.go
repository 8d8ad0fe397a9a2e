package visitor_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/visitor"
)

// A visitor talks with the bot and then with a person, over one stream.
func TestTalk(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, parcel, `{}`, nil)
		k := w.tab()
		first := k.snapshot("")
		if first.State.Place != "none" || len(first.Messages) != 0 {
			t.Errorf("before anything was said: %+v", first)
		}
		s := k.stream(first.Pos)
		if h := s.header; h.Get("X-Accel-Buffering") != "no" || !strings.Contains(h.Get("Cache-Control"), "no-transform") || h.Get("Content-Type") != "text/event-stream" {
			t.Errorf("headers %v", h)
		}
		id := k.say("hi")
		mine := s.says("hi")
		if mine.From != "me" || mine.ID != id {
			t.Errorf("my own message: %+v", mine)
		}
		hello := s.says("Hello!")
		if hello.From != "bot" || len(hello.Parts[0].Buttons) != 2 || hello.Parts[0].Buttons[1].Payload != "agent" {
			t.Errorf("greeting %+v", hello)
		}
		k.call("POST", "/messages", m{"id": newID(), "choice": m{"title": "Person", "payload": "agent"}}).into(t, 201, nil)
		s.says("Person")
		s.says("One moment")
		s.until("state", func(d string) bool { return strings.Contains(d, `"place":"queued"`) })
		conv := w.only()
		if conv.State != chat.StateQueued || conv.Contact.Name != "Visitor" {
			t.Errorf("conversation %+v", conv)
		}
		w.must2(w.store.Append(t.Context(), &store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "bo@inside", Name: "Bo"}, By: chat.Party{Type: chat.PartySystem}}))
		w.place(conv.ID, chat.PlaceData{State: chat.StateAssigned, Assignee: "bo@inside"})
		s.until("state", func(d string) bool {
			return strings.Contains(d, `"place":"assigned"`) && strings.Contains(d, `"agent":"Bo"`) && !strings.Contains(d, "inside")
		})
		w.write(conv.ID, chat.KindMessage, chat.TextMessage("I am Bo"))
		if got := s.says("I am Bo"); got.From != "agent" || got.Name != "Bo" {
			t.Errorf("from the agent: %+v", got)
		}
		got := k.sees("me: hi", "bot: Hello!", "me: Person", "bot: One moment", "agent: I am Bo")
		if got.State.Place != "assigned" || got.State.Line != "Bo has joined" {
			t.Errorf("state %+v", got.State)
		}
	})
}

func (w *world) must2(_ store.Result, err error) {
	w.t.Helper()
	w.must(err)
}

// What is said inside never leaves: notes, steps, offers, ids of agents, what a payload says besides.
func TestNothingInnerLeaves(t *testing.T) {
	w := newWorld(t, lite(t), parcel, `{"identity_secret":"inner-inner-inner-inner-inner-inner"}`, nil)
	k := w.tab()
	s := k.stream(k.snapshot("").Pos)
	k.say("hi")
	s.says("Hello!")
	conv := w.only()
	w.write(conv.ID, chat.KindNote, chat.TextMessage("inner note"))
	_, err := w.store.Append(t.Context(), &store.Record{
		Workspace: w.ws, Conversation: conv.ID, Kind: chat.KindFlowStep, Data: json.RawMessage(`{"inner":1}`), Sender: chat.Party{Type: chat.PartyAgent, ID: "inner"},
	})
	w.must(err)
	w.write(conv.ID, chat.KindMessage, chat.Message{
		Meta: map[string]string{"inner": "inner"},
		Stack: []chat.Element{
			{Type: chat.Text, Payload: json.RawMessage(`{"content":"outer","chatfaq":{"state":"inner"}}`)},
			{Type: chat.ToolUse, Payload: json.RawMessage(`{"name":"inner"}`)},
			{Type: chat.Image, Payload: json.RawMessage(`{"url":"https://cdn.example/a.png","source":{"id":"inner"}}`)},
			{Type: chat.Buttons, Payload: json.RawMessage(`{"content":"Go","buttons":[{"title":"Bad","url":"javascript:inner()"},{"title":"Good","url":"https://shop.example/"}]}`)},
		},
	})
	seen := ""
	s.until("message", func(d string) bool { seen = d; return strings.Contains(d, "outer") })
	all := k.call("GET", "/snapshot", nil).body
	config := w.call("GET", "/config", nil).body
	for _, text := range []string{seen, string(all), string(config), string(k.call("GET", "/transcript", nil).body)} {
		if strings.Contains(text, "inner") || strings.Contains(text, "bo@inside") || strings.Contains(text, "javascript") {
			t.Errorf("left: %s", text)
		}
	}
	if !strings.Contains(seen, "https://shop.example/") || !strings.Contains(string(all), "outer") {
		t.Errorf("what is for the visitor did not come: %s", seen)
	}
}

// The same message, sent many times at once and later again, is one; messages sent one after the other keep their order.
func TestOnceInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{}`, nil)
		k := w.tab()
		id := newID()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if r := k.call("POST", "/messages", m{"id": id, "text": "once"}); r.status != 201 {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		wg.Wait()
		want := []string{"me: once"}
		for i := range 10 {
			k.say(fmt.Sprint(i))
			want = append(want, fmt.Sprint("me: ", i))
		}
		k.call("POST", "/messages", m{"id": id, "text": "once"}).into(t, 201, nil)
		k.sees(want...)
	})
}

// Who comes back after a restart of the server hears what was missed, once, in order.
func TestResume(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{}`, nil)
		k := w.tab()
		k.say("hi")
		s := k.stream(k.snapshot("").Pos)
		conv := w.only()
		w.write(conv.ID, chat.KindMessage, chat.TextMessage("one"))
		last := s.until("message", func(d string) bool { return strings.Contains(d, "one") })
		w.stopServing()
		<-s.ended
		for i := range 5 {
			w.write(conv.ID, chat.KindMessage, chat.TextMessage(fmt.Sprint("missed ", i)))
		}
		w.serve()
		pos, err := strconv.ParseInt(last.id, 10, 64)
		w.must(err)
		s = k.stream(pos)
		for i := range 5 {
			e := <-s.events
			for e.kind != "message" {
				e = <-s.events
			}
			if !strings.Contains(e.data, fmt.Sprint("missed ", i)) {
				t.Fatalf("%d: %+v", i, e)
			}
		}
		w.write(conv.ID, chat.KindMessage, chat.TextMessage("live"))
		s.says("live")
	})
}

// A position from which too much has happened, or of another log, is answered by a reset.
func TestReset(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, func(o *visitor.Options) { o.Limits.Window = 10 })
	k := w.tab()
	k.say("hi")
	pos := k.snapshot("").Pos
	for i := range 20 {
		w.write(w.only().ID, chat.KindMessage, chat.TextMessage(fmt.Sprint(i)))
	}
	anything := func(string) bool { return true }
	k.stream(pos).until("reset", anything)
	k.stream(1<<40).until("reset", anything)
	if got := k.snapshot(""); len(got.Messages) != 21 || got.Messages[20].text() != "19" {
		t.Errorf("snapshot after it: %d messages", len(got.Messages))
	}
	for _, bad := range []string{"", "x", "-1"} {
		k.call("GET", "/stream", nil, "Last-Event-ID", bad).refused(t, 422, "invalid")
	}
}

// The history goes back page by page, over conversations that were closed, with what was changed since.
func TestHistory(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{}`, func(o *visitor.Options) { o.Limits.Page = 4; o.Limits.Messages = 600 })
		k := w.tab()
		var want []string
		for c := range 3 {
			for i := range 3 {
				k.say(fmt.Sprint(c, "-", i))
				want = append(want, fmt.Sprint("me: ", c, "-", i))
			}
			var open chat.Conversation
			all, _, err := w.store.Conversations(t.Context(), w.ws, store.ConversationFilter{State: chat.StateQueued, Limit: 2})
			w.must(err)
			open = all[0]
			e := w.write(open.ID, chat.KindMessage, chat.TextMessage("draft"))
			eventually(t, "it is sent", func() error {
				events, err := w.store.Events(t.Context(), w.ws, open.ID, e.Seq-1, 1)
				if err != nil || events[0].Status != chat.Sent {
					return fmt.Errorf("%v %v", events, err)
				}
				return nil
			})
			change := &store.Change{Workspace: w.ws, Conversation: open.ID, Kind: chat.KindEdited, Seq: e.Seq, Sender: chat.Party{Type: chat.PartyAgent, ID: "bo"}, Message: ptr(chat.TextMessage("final"))}
			if c == 1 {
				change.Kind, change.Message = chat.KindDeleted, nil
			} else {
				want = append(want, "agent: final")
			}
			w.must2(w.store.Append(t.Context(), change))
			w.place(open.ID, chat.PlaceData{State: chat.StateClosed})
		}
		var got []string
		cursor := ""
		for range 20 {
			page := k.snapshot(cursor)
			got = append(texts(page.Messages), got...)
			if page.Older == "" {
				break
			}
			cursor = "?before=" + page.Older
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		k.call("GET", "/snapshot?before=x", nil).refused(t, 422, "invalid")
		k.call("GET", "/snapshot?before="+string(w.site)+".1", nil).refused(t, 422, "invalid")
	})
}

func ptr[T any](v T) *T { return &v }

// A slow reader is cut off and holds up nobody; what it missed it gets when it comes back, as often as it takes.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, func(o *visitor.Options) { o.Limits.Buffer = 4 })
	slow, fast := w.tab(), w.tab()
	slow.say("hi")
	conv := w.only()
	fast.say("hi")
	pos := slow.snapshot("").Pos
	blocked := w.dialSlow(slow, pos)
	f := fast.stream(pos)
	big := strings.Repeat("x", 60<<10)
	const count = 100 // more than the buffers of both sockets hold
	for i := range count {
		w.write(conv.ID, chat.KindMessage, chat.TextMessage(fmt.Sprint(i, " ", big)))
	}
	fast.say("still here")
	f.says("still here")
	blocked.cutOff()
	for next := 0; next < count; {
		s := slow.stream(pos)
		for e := range s.all() {
			if e.kind != "message" {
				continue
			}
			if !strings.Contains(e.data[:min(len(e.data), 300)], fmt.Sprintf(`"text":"%d `, next)) {
				t.Fatalf("message %d is %.300s", next, e.data)
			}
			var err error
			if pos, err = strconv.ParseInt(e.id, 10, 64); err != nil {
				t.Fatal(err)
			}
			if next++; next == count {
				break
			}
		}
		s.close()
	}
}

// Typing reaches the other side and expires there; ours carries a time.
func TestTyping(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, nil)
	k := w.tab()
	k.say("hi")
	conv := w.only()
	s := k.stream(k.snapshot("").Pos)
	news := w.bus.Subscribe()
	defer news.Close()
	k.call("POST", "/typing", m{}).into(t, 204, nil)
	eventually(t, "the desk sees typing", func() error {
		for _, x := range news.Take().Typing {
			if x.Conversation == conv.ID && x.Sender.Type == chat.PartyContact {
				return nil
			}
		}
		return fmt.Errorf("not yet")
	})
	w.write(conv.ID, chat.KindMessage, chat.TextMessage("x"))
	s.says("x") // the stream is live
	eventually(t, "the visitor sees typing", func() error {
		w.hub.Wake.Typing(typing(w, conv.ID))
		select {
		case e := <-s.events:
			if e.kind == "typing" && e.id == "" && strings.Contains(e.data, `"name":"Bo"`) && !strings.Contains(e.data, "inside") && strings.Contains(e.data, `"at"`) {
				return nil
			}
			return fmt.Errorf("%+v", e)
		default:
			return fmt.Errorf("nothing")
		}
	})
}

// Receipts move our messages to delivered and read; those of another's do not.
func TestReceipts(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{}`, nil)
		k := w.tab()
		k.say("hi")
		conv := w.only()
		e := w.write(conv.ID, chat.KindMessage, chat.TextMessage("answer"))
		status := func(want chat.Status) {
			t.Helper()
			eventually(t, string(want), func() error {
				events, err := w.store.Events(t.Context(), w.ws, conv.ID, e.Seq-1, 1)
				if err != nil || events[0].Status != want {
					return fmt.Errorf("%v %v", events, err)
				}
				return nil
			})
		}
		status(chat.Sent)
		other := w.tab()
		other.call("POST", "/receipts", m{"status": "read", "pos": e.Pos}).refused(t, 404, "not_found")
		k.call("POST", "/receipts", m{"status": "delivered", "pos": e.Pos}).into(t, 204, nil)
		status(chat.Delivered)
		if got := k.sees("me: hi", "agent: answer"); !got.Messages[1].Unread {
			t.Errorf("%+v", got)
		}
		k.call("POST", "/receipts", m{"status": "read", "pos": e.Pos}).into(t, 204, nil)
		status(chat.Read)
		if got := k.sees("me: hi", "agent: answer"); got.Messages[1].Unread {
			t.Errorf("%+v", got)
		}
		k.call("POST", "/receipts", m{"status": "failed", "pos": e.Pos}).refused(t, 422, "invalid")
		// and the desk's reading reaches the visitor
		s := k.stream(k.snapshot("").Pos)
		w.must2(w.store.Append(t.Context(), &store.Change{Workspace: w.ws, Conversation: conv.ID, Kind: chat.KindRead, Seq: 2, Sender: chat.Party{Type: chat.PartyAgent, ID: "bo"}}))
		e2 := s.until("read", func(string) bool { return true })
		if got := k.snapshot(""); fmt.Sprint(got.Read) != e2.id {
			t.Errorf("read until %d, want %s", got.Read, e2.id)
		}
	})
}
