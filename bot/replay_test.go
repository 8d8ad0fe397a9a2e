package bot

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestReplayRandom drives random flows through the runner, with everything that can happen to a conversation, and runs them again.
func TestReplayRandom(t *testing.T) {
	fewer(t, 4) // every case writes to a disk
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, storetest.SQLite(t), greeter)
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // without its Deadline, which has no sense in a bubble
			w.stop()
			w.to = chat.NewID()
			for range rapid.IntRange(1, 2).Draw(t, "versions") {
				w.put(string(drawFlow(t).Definition()))
			}
			w.hub = rapid.SampledFrom([]string{"", "Sorry?"}).Draw(t, "fallback")
			w.call = drawCaller(t)
			w.start()
			w.do("> hi")
			for range rapid.IntRange(0, 12).Draw(t, "lines") {
				w.live(t)
			}
			if w.cancel == nil {
				w.start()
			}
			synctest.Wait()
			steps := w.replay(w.conv().Contact.ID)
			never := len(steps) == 0 && w.conv().State != chat.StateClosed // it may be closed before the runner came to it
			if different := difference(steps); different != "" || never {
				t.Fatal(len(steps), different)
			}
		})
		w.nothingAfterClose(chat.KindCallResult) // a worker's answer can meet the end on its way
	})
}

// fewer lets a test draw only a part of the cases that the others do.
func fewer(t *testing.T, part int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	n, err := strconv.Atoi(before)
	if err == nil {
		err = checks.Value.Set(strconv.Itoa(max(n/part, 1)))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(before) })
}

// live lets one thing happen to the newest conversation, and mostly waits until all has come of it.
func (w *world) live(t *rapid.T) {
	over := w.conv().State == chat.StateClosed
	line := rapid.SampledFrom([]string{
		"> a", "> b", "> 1", "> 😀", "> stop", "> a", "> b", "> é", "name", "stop", "put",
		"@ queued desk", "@ assigned bob", "@ bot", "@ bot f", "@ bot f@1", "@ bot f", "@ closed", `= {"id":"c1"}`,
	}).Draw(t, "line")
	switch line {
	case "name":
		w.name += "!"
	case "stop":
		w.stop()
		return // what follows finds the runner away
	case "put":
		w.put(string(drawFlow(t).Definition()))
	default:
		if over && line[0] != '>' {
			return
		}
		if err := w.try(line); err != nil && chat.CodeOf(err) != chat.CodeClosed {
			w.t.Fatal(err)
		}
	}
	if w.cancel == nil && rapid.Bool().Draw(t, "start") {
		w.start()
	}
	if rapid.Bool().Draw(t, "wait") {
		synctest.Wait()
	}
}

// drawCaller draws what workers answer, one after the other.
func drawCaller(t *rapid.T) Caller {
	answers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return string(drawResult(t, "")) }), 1, 5).Draw(t, "answers")
	return func(_ context.Context, c Request, _ func(CallResult) error) (r CallResult, err error) {
		var pos int
		_, _ = fmt.Sscanf(c.ID, "c%d", &pos)
		err = json.Unmarshal([]byte(answers[pos%len(answers)]), &r)
		return r, err
	}
}

// TestReplayTells: what was changed in the log, or in the flow, does not pass.
func TestReplayTells(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		for _, line := range []string{"> hi", "> order", "> x", "> 3", "> hm"} {
			w.do(line)
			synctest.Wait()
		}
		conv := w.conv().ID
		steps := 0
		for i, e := range w.eventsOf(conv) {
			if e.Kind != chat.KindFlowStep {
				continue
			}
			steps++
			for name, data := range forged(w, e.Data) {
				events := w.eventsOf(conv)
				events[i].Data = data
				if again, err := Replay(events, w.flow); err != nil || difference(again) == "" {
					t.Errorf("%s of step %d passes: %v", name, steps, err)
				}
			}
			if again, err := Replay(slices.Delete(w.eventsOf(conv), i, i+1), w.flow); err != nil || difference(again) == "" {
				t.Errorf("without step %d it passes: %v", steps, err)
			}
			if again, err := Replay(append(w.eventsOf(conv), e), w.flow); err != nil || difference(again) == "" {
				t.Errorf("with step %d twice it passes: %v", steps, err)
			}
		}
		if steps != 5 {
			t.Fatalf("%d steps", steps)
		}
		changed := strings.Replace(greeter, "How many?", "How much?", 1)
		again, err := Replay(w.eventsOf(conv), func(string, int) (*Flow, error) { return Parse([]byte(changed)) })
		if err != nil || difference(again) == "" || !again[0].Same {
			t.Errorf("another definition passes: %v", err)
		}
	})
}

// forged gives a step's data with one thing changed each.
func forged(w *world, data json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	forge := func(name string, change func(*Record)) {
		var rec Record
		w.must(json.Unmarshal(data, &rec))
		change(&rec)
		raw, err := json.Marshal(rec)
		w.must(err)
		out[name] = raw
	}
	forge("another version", func(r *Record) { r.Version++ })
	forge("another flow", func(r *Record) { r.Flow = "g" })
	forge("another state", func(r *Record) { r.Trace.State = "person" })
	forge("another effect", func(r *Record) { r.Trace.Effects = []string{"say nothing"} })
	forge("another position", func(r *Record) { r.Trace.Pos = 10000 })
	forge("a late step", func(r *Record) { r.Late = true; r.Trace = Trace{Kind: r.Trace.Kind, Pos: r.Trace.Pos} })
	return out
}

// TestReplayNeeds: without what it stands on, a replay says so.
func TestReplayNeeds(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		w.do("> hi")
		synctest.Wait()
		conv := w.conv()
		if _, err := Replay(w.eventsOf(conv.ID), func(string, int) (*Flow, error) { return nil, errors.New("gone") }); err == nil {
			t.Error("without the flow it passes")
		}
		events := w.eventsOf(conv.ID)
		for i := range events {
			if events[i].Kind == chat.KindFlowStep {
				events[i].Data = json.RawMessage(`[]`)
			}
		}
		if _, err := Replay(events, w.flow); err == nil {
			t.Error("a step that is none passes")
		}
		_, err := w.s.Append(w.t.Context(), &store.Erase{Workspace: w.ws, Contact: conv.Contact.ID})
		w.must(err)
		if _, err := Replay(w.eventsOf(conv.ID), w.flow); !errors.Is(err, ErrErased) {
			t.Errorf("erased: %v", err)
		}
	})
}

// TestReplayCutTexts: a flow that cuts a text between the bytes of a character stores something else than it made. The next step
// begins with what was stored, and so does a replay.
func TestReplayCutTexts(t *testing.T) {
	const cutter = `{"first_message":"evaluate","states":[{"name":"s","initial":true},{"name":"t","events":[
		{"set":{"x":{"expr":"(vars.x ?? '') + (len(vars.x ?? '') % 2 == 0 ? message.text[0:1] : message.text[1:2])"}}},
		{"say":"{{vars.x}} {{len(vars.x)}}"}]}],
		"transitions":[{"dest":"t","conditions":[{"expr":"message.text != ''"}]}]}`
	inWorld(t, cutter, func(w *world) {
		for range 5 {
			w.do("> é")
			synctest.Wait()
		}
		w.replays()
	})
}

func recordOf(w *world, e chat.Event) (rec Record) {
	w.t.Helper()
	w.must(json.Unmarshal(e.Data, &rec))
	return rec
}
