package widget

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

// signer is a key of a kind.
type signer struct{}

func (signer) Sign(place, payload string, _ time.Time) string   { return place + payload }
func (signer) Verify(string, string, time.Time) (string, error) { return "", nil }

// TestNumbers: a permutation that browsers can count, and that no position is taken for.
func TestNumbers(t *testing.T) {
	n := newNumbers(signer{})
	rapid.Check(t, func(t *rapid.T) {
		pos := rapid.Int64Range(1, 1<<52-1).Draw(t, "pos")
		number := n.of(pos)
		back, ok := n.position(number)
		if !ok || back != pos || number >= 1<<53 || number < 1<<52 {
			t.Fatalf("%d is %d is %d, %v", pos, number, back, ok)
		}
		if _, ok := n.position(pos); ok {
			t.Fatalf("%d is taken for a number", pos)
		}
	})
	if n.of(1)+1 == n.of(2) {
		t.Error("the next one can be guessed")
	}
}

func TestClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, 200, -1).Draw(t, "s")
		got := clip(s)
		if len(got) > maxReason || !strings.HasPrefix(s, got) || !utf8.ValidString(got) || len(s) <= maxReason && got != s {
			t.Fatalf("%q", got)
		}
	})
}

// TestTurn: every human message is followed by an end of the turn, whoever has the conversation.
func TestTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := begin(chat.StateBot)
		open := false
		seq := int64(0)
		for _, what := range rapid.SliceOf(rapid.SampledFrom([]string{"in", "out", "done", "asking", "acting", "queued", "bot", "closed", "receipt"})).Draw(t, "events") {
			seq++
			for _, i := range now.take(anEvent(what, seq)) {
				switch {
				case i.human:
					open = true
				case i.end:
					open = false
				}
			}
		}
		if open != now.waiting {
			t.Fatalf("open %v, waiting %v", open, now.waiting)
		}
		seq++
		now.take(anEvent("done", seq))
		if now.waiting || now.due != 0 {
			t.Fatal("locked behind the end of the bot's turn")
		}
	})
}

func anEvent(what string, seq int64) chat.Event {
	m := chat.TextMessage("x")
	e := chat.Event{Seq: seq, Pos: seq * 2, Conversation: "conversation-1", Sender: &chat.Party{Type: chat.PartyBot}}
	switch what {
	case "in", "out":
		e.Kind, e.Direction, e.Message = chat.KindMessage, chat.Direction(what), &m
	case "done":
		e.Kind, e.Data = chat.KindFlowStep, json.RawMessage(`{"trace":{"phase":"idle","state":"s"}}`)
	case "asking", "acting":
		e.Kind, e.Data = chat.KindFlowStep, json.RawMessage(`{"trace":{"phase":"`+what+`"}}`)
	default:
		e.Kind = chat.Kind(what)
	}
	return e
}

// TestRewoundStep: nothing is heard of going back, for who went back may have written again before.
func TestRewoundStep(t *testing.T) {
	step := func(seq int64, kind chat.Kind) chat.Event {
		e := anEvent("done", seq)
		e.Data = encoded(map[string]any{"trace": map[string]any{"kind": kind, "phase": "idle"}})
		return e
	}
	now := turn{place: chat.StateBot}
	back := anEvent("rewound", 5)
	back.Data = json.RawMessage(`{"seq":3}`)
	for _, e := range []chat.Event{back, step(6, chat.KindRewound), anEvent("in", 7)} {
		for _, i := range now.take(e) {
			if i.end {
				t.Errorf("a turn ends with event %d", e.Seq)
			}
		}
	}
	if got := now.take(step(8, chat.KindMessage)); len(got) != 1 || !got[0].end {
		t.Errorf("after the step of the message: %+v", got)
	}
}

// TestWindow: a client that comes back is told the same as one that was there all the time.
func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []chat.Event
		for i, what := range rapid.SliceOf(rapid.SampledFrom([]string{"in", "out", "done", "queued", "bot", "receipt"})).Draw(t, "events") {
			events = append(events, anEvent(what, int64(i+1)))
		}
		all, _ := items(chat.StateBot, events)
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		first, now := items(chat.StateBot, events[:cut])
		for _, e := range events[cut:] {
			for _, i := range now.take(e) {
				first = apply(first, i)
			}
		}
		if len(first) != len(all) {
			t.Fatalf("%d and %d", len(first), len(all))
		}
		for n := range all {
			if all[n].stackID != first[n].stackID || all[n].last != first[n].last {
				t.Fatalf("%d: %+v and %+v", n, all[n], first[n])
			}
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"sender":{"type":"human","platform":"WS","id":"u-77"},"stack":[{"type":"message","payload":{"content":"hi"}}],"stack_id":"0","last":true}`))
	f.Add([]byte(`{"sender":{"type":"robot","id":5},"stack":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var fields map[string]json.RawMessage
		if chat.Depth(raw) > maxDepth || json.Unmarshal(raw, &fields) != nil {
			return
		}
		k := &socket{thread: chat.Thread{Address: "u", Topic: "c"}}
		in, faults := k.message(fields)
		if len(faults) == 0 && (in.Message == nil || len(in.Message.Stack) == 0 || in.Sender.Address != "u") {
			t.Errorf("%s: %+v", raw, in)
		}
		encoded(faults)
		if m := metadata(string(raw)); !json.Valid(m) {
			t.Errorf("metadata %s", m)
		}
	})
}
