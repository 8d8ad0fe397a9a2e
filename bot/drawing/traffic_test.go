package drawing

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
)

// trail is steps of one conversation, the oldest first; each is what a trace has of it.
type trail []bot.Trace

func fired(from, to string, transition int) bot.Decision {
	return bot.Decision{From: from, To: to, Transition: transition}
}

func nothing(from string) bot.Decision { return bot.Decision{From: from, Transition: -1} }

func TestTraffic(t *testing.T) {
	opened := bot.Trace{Kind: chat.KindOpened, State: "A", Entered: []string{"A"}}
	for _, c := range []struct {
		name  string
		trail trail
		want  Traffic
	}{
		{
			"a transition",
			trail{opened, {Decisions: []bot.Decision{fired("A", "B", 4)}, Entered: []string{"B"}, State: "B"}},
			Traffic{entered: map[string]int{"A": 1, "B": 1}, fired: map[int]int{4: 1}},
		},
		{
			"nothing fires",
			trail{opened, {Decisions: []bot.Decision{nothing("A")}, State: "A"}, {Decisions: []bot.Decision{nothing("A")}, State: "A"}},
			Traffic{entered: map[string]int{"A": 1}, nothing: map[string]int{"A": 2}},
		},
		{
			"a fallback leads on",
			trail{opened, {Decisions: []bot.Decision{nothing("A")}, Entered: []string{"B"}, State: "B"}},
			Traffic{entered: map[string]int{"A": 1, "B": 1}, nothing: map[string]int{"A": 1}, rescued: map[string]int{"B": 1}},
		},
		{
			"a question leads on",
			trail{opened, {Entered: []string{"B"}, State: "B"}},
			Traffic{entered: map[string]int{"A": 1, "B": 1}, jumped: map[way]int{{"A", "B"}: 1}},
		},
		{
			"jumps behind a transition",
			trail{opened, {Decisions: []bot.Decision{fired("A", "B", 0)}, Entered: []string{"B", "C", "B"}, State: "B"}},
			Traffic{entered: map[string]int{"A": 1, "B": 2, "C": 1}, fired: map[int]int{0: 1}, jumped: map[way]int{{"B", "C"}: 1, {"C", "B"}: 1}},
		},
		{"several messages in a step", trail{opened, {
			Decisions: []bot.Decision{fired("A", "B", 0), nothing("C"), fired("C", "A", 2)}, Entered: []string{"B", "C", "A"}, State: "A",
		}}, Traffic{
			entered: map[string]int{"A": 2, "B": 1, "C": 1}, fired: map[int]int{0: 1, 2: 1}, nothing: map[string]int{"C": 1}, jumped: map[way]int{{"B", "C"}: 1},
		}},
		{"begun again", trail{opened, {Kind: chat.KindBot, Entered: []string{"A"}, State: "A"}}, Traffic{entered: map[string]int{"A": 2}}},
		{"the beginning was not read", trail{{Entered: []string{"B"}, State: "B"}}, Traffic{entered: map[string]int{"B": 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := NewTraffic("f", 1, time.Time{})
			for i := range c.trail {
				trace := c.trail[len(c.trail)-1-i]
				if trace.Kind == "" {
					trace.Kind = chat.KindMessage
				}
				feed(t, got, bot.Record{Flow: "f", Version: 1, Trace: trace})
			}
			got.End(true)
			for _, m := range []struct{ got, want any }{
				{got.entered, c.want.entered}, {got.nothing, c.want.nothing}, {got.rescued, c.want.rescued}, {got.fired, c.want.fired}, {got.jumped, c.want.jumped},
			} {
				if reflect.ValueOf(m.got).Len()+reflect.ValueOf(m.want).Len() > 0 && !reflect.DeepEqual(m.got, m.want) {
					t.Errorf("%v, want %v", m.got, m.want)
				}
			}
		})
	}
}

func feed(t *testing.T, traffic *Traffic, r bot.Record) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := traffic.Add(7, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), raw); err != nil {
		t.Fatal(err)
	}
}

// TestTrafficOfOthers: another flow counts for nothing, another version only as such.
func TestTrafficOfOthers(t *testing.T) {
	traffic := NewTraffic("f", 2, time.Time{})
	step := bot.Trace{Kind: chat.KindMessage, State: "B", Entered: []string{"B"}, Decisions: []bot.Decision{fired("A", "B", 0)}}
	feed(t, traffic, bot.Record{Flow: "g", Version: 2, Trace: step})
	feed(t, traffic, bot.Record{Flow: "f", Version: 1, Trace: step})
	feed(t, traffic, bot.Record{Flow: "f", Version: 2, Trace: step})
	traffic.End(false)
	if !maps.Equal(traffic.fired, map[int]int{0: 1}) || traffic.Steps() != 2 {
		t.Errorf("%+v", traffic)
	}
	if got, want := traffic.words(), "the last 1 step of this version (and 1 of others), since 2026-03-01 12:00 UTC"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := traffic.Add(1, time.Time{}, json.RawMessage(`{"flow":`)); err == nil || !strings.Contains(err.Error(), "no flow step") {
		t.Error(err)
	}
}

func TestWords(t *testing.T) {
	since := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for want, traffic := range map[string]*Traffic{
		"no traffic yet":                                   {},
		"no traffic since 2026-02-01 00:00 UTC":            {since: since, all: true},
		"12,000,345 steps since 2026-02-01 00:00 UTC":      {since: since, all: true, steps: 12_000_345},
		"all 2 steps, since 2026-02-01 00:00 UTC":          {oldest: since, all: true, steps: 2},
		"the last 1,000 steps, since 2026-02-01 00:00 UTC": {oldest: since, steps: 1000},
	} {
		if got := traffic.words(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
