package widget

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// counting is run by a worker that counts in its status and is asked for nothing else.
const counting = `{"states":[{"name":"Hello","initial":true,"events":["hello"]},{"name":"One","events":["count"]},{"name":"Two","events":["count"]}],
	"transitions":[{"source":"Hello","dest":"One"},{"source":"One","dest":"Two"}]}`

// count answers with how often it was asked, as its status says, and where.
func count(asked *atomic.Int64) bot.Caller {
	return func(_ context.Context, r bot.Request, part func(bot.CallResult) error) (bot.CallResult, error) {
		asked.Add(1)
		n := 0
		if status, ok := r.Vars["status"].(map[string]any); ok {
			n, _ = status["n"].(int)
		}
		if err := part(bot.CallResult{}); err != nil {
			return bot.CallResult{}, err
		}
		return bot.CallResult{
			Messages: []chat.Message{chat.TextMessage(r.State + " " + text(int64(n)))}, Vars: bot.Values{"status": map[string]any{"n": n + 1}},
		}, nil
	}
}

func TestReset(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": storetest.SQLite(t), "postgres": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			w := newWorld(t, dsn, Limits{}, count(&asked))
			w.flow("f", counting, "")
			k := w.tab("c", "f", "u", "")
			k.sees("bot: Hello 0")
			k.unlocked()
			greeting := k.lastID() // of the terminator
			k.say("a")
			k.sees("bot: Hello 0", "human: a", "bot: One 1")
			k.say("b")
			k.sees("bot: Hello 0", "human: a", "bot: One 1", "human: b", "bot: Two 2")
			k.unlocked()
			k.reset(greeting)
			k.say("c")
			k.sees("bot: Hello 0", "human: c", "bot: One 1")
			if got := w.history(k); !slices.Equal(got, []string{"bot: Hello 0", "human: c", "bot: One 1"}) {
				t.Errorf("history %v", got)
			}
			other := w.tab("c2", "f", "u", "")
			other.sees("bot: Hello 0")
			k.reset(other.lastID()) // another conversation's
			k.until("refused", func() bool { return len(k.errors) > 0 })
		})
	}
}

// reset takes back what stands behind an id, in the tab as the widget does.
func (k *tab) reset(id int64) {
	k.w.t.Helper()
	k.mu.Lock()
	at := slices.IndexFunc(k.messages, func(m shown) bool { return m.ID != nil && *m.ID == id })
	if at >= 0 {
		k.messages = k.messages[:at+1]
	}
	c := k.c
	k.mu.Unlock()
	k.w.must(c.Write(k.w.t.Context(), websocket.MessageText, []byte(`{"reset": `+text(id)+`}`)))
}

// history is what the REST call tells, as a reader sees it.
func (w *world) history(k *tab) []string {
	w.t.Helper()
	_, v, _ := w.call("GET", "/back/api/broker/conversations/"+text(w.numberOf(k))+"/", "")
	raw, err := json.Marshal(v.(map[string]any)["msgs_chain"])
	w.must(err)
	again := tab{}
	w.must(json.Unmarshal(raw, &again.messages))
	return again.drawn()
}

// numberOf finds a tab's conversation in the list, as the widget does.
func (w *world) numberOf(k *tab) int64 {
	w.t.Helper()
	_, v, _ := w.call("GET", "/back/api/broker/conversations/from_sender/?sender="+k.user, "")
	for _, c := range v.([]any) {
		if c := c.(map[string]any); c["platform_conversation_id"] == k.conversation {
			return int64(c["id"].(float64))
		}
	}
	w.t.Fatalf("%s is not listed: %v", k.conversation, v)
	return 0
}

// TestOpened: what a client says of itself reaches the log, however oddly it says so.
func TestOpened(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", counting, "")
		for query, want := range map[string]string{
			`metadata={"a":"b"}`:               `"metadata":{"a":"b"}`,
			`metadata="{\"a\":1}"`:             `"metadata":{"a":1}`,
			`metadata={"a":"x&y+z"}`:           `{"a":"x\u0026y+z"}`,
			`metadata={"a":"x&y`:               `"metadata":{}`,
			`metadata=[1]`:                     `"metadata":[1]`,
			`metadata=5`:                       `"metadata":5`,
			`state_override=Two`:               `"override":"Two"`,
			`state_override=[object%20Object]`: `"metadata":{}}`,
		} {
			name := "c" + strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' {
					return r
				}
				return -1
			}, query) + text(int64(len(query)))
			k := w.tab(name, "f", "u", browser(query))
			k.unlocked()
			events, err := w.store.Events(t.Context(), w.ws, w.conv(k).ID, 0, 1)
			w.must(err)
			if !strings.Contains(string(events[0].Data), want) || strings.Contains(string(events[0].Data), "object Object") {
				t.Errorf("%s: %s", query, events[0].Data)
			}
		}
	})
}
