package workertest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/sdk/worker"
	"github.com/dragoman-hub/dragoman/sdk/worker/workertest"
)

// scores reads "a=0.5 b=1": what each condition gives is said by the person.
func scores(name string) worker.Condition {
	return func(_ context.Context, c *worker.Conversation) (float64, any, error) {
		for _, word := range strings.Fields(c.Text()) {
			if key, value, _ := strings.Cut(word, "="); key == name {
				score, err := strconv.ParseFloat(value, 64)
				return score, name, err
			}
		}
		return 0, nil, nil
	}
}

func here(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
	var by string
	if err := c.Data(&by); err != nil && !errors.Is(err, worker.ErrEmpty) {
		return err
	}
	return yield(worker.Text{Content: "by " + by})
}

func weighing(transitions ...worker.Transition) *worker.Flow {
	f := &worker.Flow{
		Name:       "weighing",
		States:     []worker.State{{Name: "Start", Initial: true}},
		Conditions: map[string]worker.Condition{},
		Events:     map[string][]worker.Event{"here": {here}},
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		f.Conditions[name] = scores(name)
	}
	for i := range transitions {
		transitions[i].Dest = fmt.Sprint("To", i)
		f.States = append(f.States, worker.State{Name: transitions[i].Dest, Events: []string{"here"}})
	}
	f.Transitions = transitions
	return f
}

func TestScoring(t *testing.T) {
	for _, c := range []struct {
		name        string
		transitions []worker.Transition
		say, want   string
	}{
		{"the best wins", []worker.Transition{{Conditions: []string{"a"}}, {Conditions: []string{"b"}}}, "a=0.5 b=0.6", "To1 by b"},
		{"the first wins a tie", []worker.Transition{{Conditions: []string{"a"}}, {Conditions: []string{"b"}}}, "a=0.5 b=0.5", "To0 by a"},
		{"none fires at 0", []worker.Transition{{Conditions: []string{"a"}}}, "a=0", "Start"},
		{"nor below", []worker.Transition{{Conditions: []string{"a"}, Unless: []string{"b"}}}, "a=0.5 b=0.6", "Start"},
		{"conditions mean or", []worker.Transition{{Conditions: []string{"a", "b"}}}, "b=0.4", "To0 by b"},
		{"no condition is 1", []worker.Transition{{Conditions: []string{"a"}}, {}}, "a=0.9", "To1 by "},
		{"unless takes away", []worker.Transition{{Unless: []string{"a", "b"}}, {Conditions: []string{"c"}}}, "a=0.2 b=0.7 c=0.4", "To1 by c"},
		{"a negative unless counts as 0", []worker.Transition{{Conditions: []string{"a"}, Unless: []string{"b"}}, {Conditions: []string{"c"}}}, "a=0.5 b=-1 c=0.5", "To0 by a"},
		{"only from its source", []worker.Transition{{Source: "To1"}, {Conditions: []string{"a"}}}, "a=0.1", "To1 by a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			talk := &workertest.Talk{Flow: weighing(c.transitions...)}
			if _, err := talk.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			reply, err := talk.Say(t.Context(), c.say)
			if got := strings.TrimSpace(reply.State + " " + reply.Text()); err != nil || got != strings.TrimSpace(c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
			if reply.Fired != (reply.State != "Start") || talk.State() != reply.State {
				t.Errorf("%+v, state %s", reply, talk.State())
			}
		})
	}
}

// TestScoringLaws compares the winner with the rule said in other words: no transition is better, none before
// it is as good, and it is above 0.
func TestScoringLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 3)
		var transitions []worker.Transition
		for i := range rapid.IntRange(1, 5).Draw(t, "transitions") {
			transitions = append(transitions, worker.Transition{
				Conditions: names.Draw(t, fmt.Sprint("conditions", i)), Unless: names.Draw(t, fmt.Sprint("unless", i)),
			})
		}
		value := map[string]float64{}
		var said []string
		for _, name := range []string{"a", "b", "c", "d"} {
			value[name] = float64(rapid.IntRange(-1, 4).Draw(t, name)) / 4
			said = append(said, fmt.Sprintf("%s=%v", name, value[name]))
		}
		best := func(names []string) float64 {
			top := 0.0
			for _, name := range names {
				top = max(top, value[name])
			}
			return top
		}
		totals := make([]float64, len(transitions))
		for i, tr := range transitions {
			totals[i] = best(tr.Conditions) - best(tr.Unless)
			if len(tr.Conditions) == 0 {
				totals[i] = 1 - best(tr.Unless)
			}
		}
		talk := &workertest.Talk{Flow: weighing(transitions...)}
		if _, err := talk.Open(context.Background()); err != nil {
			t.Fatal(err)
		}
		reply, err := talk.Say(context.Background(), strings.Join(said, " "))
		if err != nil {
			t.Fatal(err)
		}
		won := -1
		if reply.Fired {
			won, _ = strconv.Atoi(strings.TrimPrefix(reply.State, "To"))
		}
		for i, total := range totals {
			switch {
			case won < 0 && total > 0:
				t.Fatalf("nothing fired, %d has %v", i, total)
			case won >= 0 && (total > totals[won] || total == totals[won] && i < won || totals[won] <= 0):
				t.Fatalf("%d fired with %v, %d has %v", won, totals[won], i, total)
			}
		}
	})
}

// model answers without a hub.
type model struct{ worker.AI }

func (model) Stream(context.Context, worker.LLMRequest) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { _ = yield("It ", nil) && yield("comes.", nil) }
}

func TestMemoryAIAndFailures(t *testing.T) {
	flow := weighing(worker.Transition{Conditions: []string{"a"}}, worker.Transition{Conditions: []string{"b"}})
	flow.States[1].Events = []string{"count", "model"}
	flow.States[2].Events = []string{"fail"}
	flow.Events["count"] = []worker.Event{func(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
		var n int
		if err := c.Status(&n); err != nil {
			return err
		}
		if err := c.SetStatus(n + 1); err != nil {
			return err
		}
		return yield(worker.Text{Content: fmt.Sprint(n+1, " of ", len(c.Messages), " ", c.UserID, c.Metadata["lang"])})
	}}
	flow.Events["model"] = []worker.Event{func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
		return yield(worker.Stream{Deltas: c.AI.Stream(ctx, worker.LLMRequest{})})
	}}
	errBroken := errors.New("broken")
	flow.Events["fail"] = []worker.Event{func(context.Context, *worker.Conversation, worker.Yield) error { return errBroken }}
	talk := &workertest.Talk{Flow: flow, AI: model{}, UserID: "ann", Metadata: map[string]any{"lang": "en"}}
	if _, err := talk.Say(t.Context(), "too early"); err == nil {
		t.Error("spoke before Open")
	}
	if _, err := talk.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 of 1 annen\nIt comes.", "2 of 6 annen\nIt comes."} {
		if reply, err := talk.Say(t.Context(), "a=1"); err != nil || reply.Text() != want {
			t.Errorf("got %q, %v, want %q", reply.Text(), err, want)
		}
	}
	reply, err := talk.Say(t.Context(), "b=1")
	if !errors.Is(err, errBroken) || !strings.Contains(reply.Text(), "Something went wrong") {
		t.Errorf("%+v, %v", reply, err)
	}
	if _, err := talk.Say(t.Context(), "a=many"); err == nil {
		t.Error("the error of a condition is not told")
	}
	var n int
	if err := talk.Status(&n); err != nil || n != 2 {
		t.Errorf("status %d, %v", n, err)
	}
	if _, err := talk.Open(t.Context()); err == nil {
		t.Error("opened twice")
	}
}

func TestWithoutAI(t *testing.T) {
	flow := weighing(worker.Transition{})
	flow.Events["here"] = []worker.Event{func(ctx context.Context, c *worker.Conversation, _ worker.Yield) error {
		_, err := c.AI.Prompt(ctx, "tone")
		return err
	}}
	talk := &workertest.Talk{Flow: flow}
	if _, err := talk.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := talk.Say(t.Context(), "hi"); !errors.Is(err, worker.ErrNoHub) {
		t.Errorf("got %v", err)
	}
}
