package worker_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/sdk/worker"
	"github.com/dragoman-hub/dragoman/sdk/worker/workertest"
)

// A flow is its states and transitions, and the functions that they name. Worker.Run connects it; here it runs
// without a hub.
func Example() {
	flow := &worker.Flow{
		Name: "parcel",
		States: []worker.State{
			{Name: "Greeting", Initial: true, Events: []string{"greet"}},
			{Name: "Tracking", Events: []string{"track"}},
		},
		Transitions: []worker.Transition{{Dest: "Tracking", Conditions: []string{"asks"}}},
		Conditions:  map[string]worker.Condition{"asks": asks},
		Events:      map[string][]worker.Event{"greet": {greet}, "track": {track}},
	}
	// err := (&worker.Worker{URL: "wss://hub.example", Token: token, Flow: flow}).Run(ctx)

	ctx := context.Background()
	talk := &workertest.Talk{Flow: flow}
	greeting, _ := talk.Open(ctx)
	fmt.Println(greeting.Text())
	reply, err := talk.Say(ctx, "Where is my parcel?")
	fmt.Println(reply.State, reply.Types(), err)
	fmt.Println(reply.Text())
	// Output:
	// Hello! What can I do for you?
	// Tracking [message_chunk thumbs_rating] <nil>
	// It is on its way.
}

func asks(_ context.Context, c *worker.Conversation) (float64, any, error) {
	if strings.Contains(c.Text(), "parcel") {
		return 0.9, nil, nil
	}
	return 0, nil, nil
}

func greet(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
	return yield(worker.Text{Content: "Hello! What can I do for you?"})
}

func track(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
	deltas := func(next func(string, error) bool) {
		_ = next("It is ", nil) && next("on its way.", nil)
	}
	if err := yield(worker.Stream{Deltas: deltas}); err != nil {
		return err
	}
	return yield(worker.ThumbsRating{})
}
