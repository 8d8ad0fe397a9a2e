package widget

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// TestTalk compares the frames of a conversation with recorded ones, ids and times aside.
func TestTalk(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("parcel_fsm", parcel, "")
		k := w.tab("12345", "parcel_fsm", "u-77", "metadata="+`{"lang":"en"}`)
		k.say("where is my parcel?")
		k.unlocked()
		k.say("mumble")
		k.unlocked()
		want, err := os.ReadFile("testdata/talk.txt")
		w.must(err)
		k.mu.Lock()
		defer k.mu.Unlock()
		var got []string
		for _, raw := range k.raw {
			got = append(got, masked(raw))
		}
		if os.Getenv("WIDGET_UPDATE") != "" {
			w.must(os.WriteFile("testdata/talk.txt", []byte(strings.Join(got, "\n")+"\n"), 0o600))
		}
		if strings.Join(got, "\n") != strings.TrimSpace(string(want)) {
			t.Errorf("frames\n%s\nwant\n%s", strings.Join(got, "\n"), want)
		}
	})
}

var (
	numbersOf = regexp.MustCompile(`"(send_time|id)":\d+`)
	namesOf   = regexp.MustCompile(`"([mt])\d+-[0-9a-f]+"`)
)

func masked(raw string) string {
	return namesOf.ReplaceAllString(numbersOf.ReplaceAllString(raw, `"$1":1`), `"$1"`)
}

func TestTabs(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		a := w.tab("c", "f", "u", "")
		a.sees("bot: Hello!", "bot: What can I do for you?")
		b := w.tab("c", "f", "u", "")
		b.sees("bot: Hello!", "bot: What can I do for you?")
		other := w.tab("c2", "f", "u", "")
		a.say("one")
		a.sees("bot: Hello!", "bot: What can I do for you?", "human: one", "bot: You said one")
		b.sees("bot: Hello!", "bot: What can I do for you?", "bot: You said one")
		b.say("two")
		a.sees("bot: Hello!", "bot: What can I do for you?", "human: one", "bot: You said one", "bot: You said two")
		other.sees("bot: Hello!", "bot: What can I do for you?")
	})
}

// TestReconnects: many lost connections while messages come; in the end all are there, once and in order.
func TestReconnects(t *testing.T) {
	inWorld(t, Limits{Replay: 400}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		conv := w.conv(k).ID
		want := []string{"bot: Hello!", "bot: What can I do for you?"}
		for i := range 15 {
			for n := range 5 {
				text := fmt.Sprintf("%d.%d", i, n)
				w.write(conv, chat.PartyBot, chat.TextMessage(text))
				want = append(want, "bot: "+text)
			}
			k.mu.Lock()
			before := k.opened
			k.mu.Unlock()
			k.drop()
			// an agent's, for that ends its turn by itself: a bot's would lock the input when it comes behind the connection that should have it
			w.write(conv, chat.PartyAgent, chat.TextMessage(fmt.Sprint("gap ", i)))
			want = append(want, fmt.Sprint("bot: gap ", i))
			k.until("connected again", func() bool { return k.opened > before })
		}
		k.sees(want...)
		k.say("still there?")
		k.sees(append(want, "human: still there?", "bot: You said still there?")...)
	})
}

// TestLostMessage: what was lost on the way does not lock the input for ever.
func TestLostMessage(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		k.mu.Lock()
		k.messages = append(k.messages, shown{StackID: "lost", Sender: agent{Type: "human"}, Stack: []layer{{}}})
		k.mu.Unlock()
		k.drop()
		k.unlocked()
	})
}

// TestDrafts: a message grows under one stack id, and the stored one has an id.
func TestDrafts(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		conv := w.conv(k).ID
		draft := func(text string) chat.Message {
			m := chat.Message{Meta: map[string]string{"stack_id": "s1", "stack_group_id": "g1"}}
			m.Stack = []chat.Element{{Type: chat.Text, Payload: json.RawMessage(`{"content":` + quoted(text) + `,"chatfaq":{"type":"message_chunk","streaming":true}}`)}}
			return m
		}
		for _, text := range []string{"a ", "a b "} {
			w.bus.Draft(wake.Draft{Workspace: w.ws, Conversation: conv, ID: "s1", Message: draft(text)})
			k.sees("bot: Hello!", "bot: What can I do for you?", "bot: "+text)
			k.until("growing", func() bool { m := k.messages[len(k.messages)-1]; return m.ID == nil && !m.Chunk && !m.Last })
		}
		w.write(conv, chat.PartyBot, draft("a b c"))
		k.sees("bot: Hello!", "bot: What can I do for you?", "bot: a b c")
		w.bus.Draft(wake.Draft{Workspace: w.ws, Conversation: conv, ID: "s1", Message: draft("a b ")}) // too late
		w.write(conv, chat.PartyAgent, chat.TextMessage("end"))
		k.sees("bot: Hello!", "bot: What can I do for you?", "bot: a b c", "bot: end")
		k.until("complete", func() bool { m := k.messages[len(k.messages)-2]; return m.ID != nil && m.Chunk })
	})
}

// TestAway: while nobody answers at once, the contact may go on writing; an agent's message is the last of its turn.
func TestAway(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.say("agent")
		k.say("are you there?")
		k.unlocked()
		conv := w.conv(k).ID
		w.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "bo"})
		w.write(conv, chat.PartyAgent, chat.TextMessage("I am"))
		k.until("the agent's words", func() bool { return slices.Contains(k.drawn(), "bot: I am") })
		k.unlocked()
		w.place(conv, chat.PlaceData{State: chat.StateClosed})
		k.say("hello again") // another conversation of the same thread
		k.until("greeted again", func() bool {
			return len(k.drawn()) > 8 && slices.Equal(k.drawn()[6:], []string{"human: hello again", "bot: Hello!", "bot: What can I do for you?"})
		})
		k.unlocked()
	})
}

// TestQuietFlow: a flow that says nothing at first does not leave its clients locked.
func TestQuietFlow(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", `{"states":[{"name":"a","initial":true}],"transitions":[]}`, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		k.say("anybody?")
		k.sees("human: anybody?", "bot: Sorry?")
		k.unlocked()
	})
}
