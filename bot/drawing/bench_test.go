package drawing_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/bot/drawing"
)

// largest is a flow at the limits: a chain of 200 states, from whose second half 801 transitions lead back to the first.
func largest(t testing.TB) *bot.Flow {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	name := func(i int) string { return fmt.Sprintf("State number %d", i) }
	var states, transitions []map[string]any
	for i := range 200 {
		states = append(states, map[string]any{"name": name(i), "initial": i == 0, "events": []string{"work"}})
		if i > 0 {
			transitions = append(transitions, map[string]any{"source": name(i - 1), "dest": name(i)})
		}
	}
	for len(transitions) < 1000 {
		transitions = append(transitions, map[string]any{
			"source": name(100 + random.IntN(100)), "dest": name(random.IntN(100)), "conditions": []any{"asks", map[string]any{"expr": "message.text == 'no'"}},
		})
	}
	return parse(t, map[string]any{"states": states, "transitions": transitions})
}

func parse(t testing.TB, definition any) *bot.Flow {
	t.Helper()
	raw, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	f, err := bot.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func BenchmarkDraw(b *testing.B) {
	flow := largest(b)
	for b.Loop() {
		if _, err := drawing.Draw(flow, drawing.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
