package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/sdk/worker"
)

// TestKilledDuringCall kills the hub while a worker is at work for it. After the restart the worker comes back, is called again, and
// the contact gets the answer once.
func TestKilledDuringCall(t *testing.T) {
	t.Parallel()
	hub := startHub(t, t.TempDir())
	var token struct{ Token string }
	must(t, hub.client(), http.MethodPost, "/v1/tokens", map[string]any{"name": "w", "scopes": []string{"worker"}}, &token)
	var calls atomic.Int64
	busy := make(chan struct{}, 10)
	flow := &worker.Flow{
		Name: "slow", States: []worker.State{{Name: "s", Initial: true, Events: []string{"greet"}}, {Name: "t", Events: []string{"answer"}}},
		Transitions: []worker.Transition{{Dest: "t", Conditions: []string{"always"}}},
		Conditions: map[string]worker.Condition{
			"always": func(context.Context, *worker.Conversation) (float64, any, error) { return 1, nil, nil },
		},
		Events: map[string][]worker.Event{
			"greet": {func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
				return yield(worker.Text{Content: "Hello"})
			}},
			"answer": {func(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
				if calls.Add(1) == 1 {
					busy <- struct{}{}
					<-ctx.Done() // the connection breaks
					return ctx.Err()
				}
				return yield(worker.Text{Content: "re " + c.Text()})
			}},
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- (&worker.Worker{URL: hub.url, Token: token.Token, Flow: flow, Backoff: 100 * time.Millisecond}).Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	c := hub.client()
	eventually(t, patience, "the flow is registered", func() error {
		return c.call(t.Context(), http.MethodGet, "/v1/flows/slow", nil, nil)
	})
	ch := addChannel(t, c, "simulator", "slow", map[string]any{"key": simKey})
	conversation := sim(t, hub, ch, "p1", "hi")
	said(t, c, conversation, "Hello", chat.Sent)
	sim(t, hub, ch, "p1", "one")
	<-busy
	hub.kill()
	hub.start()
	said(t, c, conversation, "re one", chat.Sent)
	events, err := c.events(t.Context(), conversation)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		if e.Kind == chat.KindMessage {
			lines = append(lines, e.Message.Text())
		}
	}
	if got := strings.Join(lines, ", "); got != "hi, Hello, one, re one" || calls.Load() != 2 {
		t.Errorf("said %s, after %d calls", got, calls.Load())
	}
	hub.on("", "replay", conversation).good(t, "all as recorded")
}

const simKey = "simulator-key-0123456789"

// sim lets somebody write on a simulated channel and gives the conversation.
func sim(t testing.TB, p *process, ch channelView, from, text string) string {
	t.Helper()
	body := fmt.Sprintf(`{"id":%q,"from":%q,"text":%q}`, chat.NewID(), from, text)
	if status, answer := call(t, http.MethodPost, p.url+"/in/"+ch.ID, map[string]string{"Authorization": "Bearer " + simKey, "Content-Type": "application/json"}, body); status >= 300 {
		t.Fatal(status, answer)
	}
	return only(t, p.client(), ch.ID)
}
