package chatfaq_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/sdk/worker"
)

// TestJavaScript runs the JavaScript SDK against the hub: its client against the widget's endpoints, its worker against those of workers.
func TestJavaScript(t *testing.T) {
	w := newWorld(t)
	gate := make(chan struct{}, 1)
	w.mux.HandleFunc("POST /test/go-on", func(http.ResponseWriter, *http.Request) { gate <- struct{}{} })
	w.serve(shop(gate))
	_, err := w.store.PutKnowledgeBase(t.Context(), w.ws, "js", "en")
	w.must(err)
	_, err = w.store.PutPrompt(t.Context(), w.ws, "tone", "Be kind.")
	w.must(err)
	files, err := filepath.Glob("../../sdk/js/test/hub/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	// what node reads, the go tool does not see; so that no stale result is taken from its cache, we look ourselves
	for _, folder := range []string{"../../sdk/js", "../../sdk/js/test/hub"} {
		if _, err := os.ReadDir(folder); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", append([]string{"--test", "--test-reporter=spec"}, files...)...)
	node.Env = append(os.Environ(), "DRAGOMAN_HUB="+w.url, "DRAGOMAN_TOKEN="+w.token)
	if out, err := node.CombinedOutput(); err != nil {
		t.Fatalf("%v (node 20 or newer is needed: `make needs` installs it)\n%s", err, out)
	}
}

// shop is the flow that pages talk to. An answer to "slowly" stops in its middle until the gate opens.
func shop(gate <-chan struct{}) *worker.Flow {
	say := func(text string) worker.Event {
		return func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
			return yield(worker.Text{Content: text})
		}
	}
	word := func(want string) worker.Condition {
		return func(_ context.Context, c *worker.Conversation) (float64, any, error) {
			if c.Text() == want {
				return 0.9, nil, nil
			}
			return 0, nil, nil
		}
	}
	uploaded := func(_ context.Context, c *worker.Conversation) (float64, any, error) {
		if m := c.LastHuman(); m != nil && len(m.Stack) > 0 && m.Stack[0].Type == "file_uploaded" {
			return 1, nil, nil
		}
		return 0, nil, nil
	}
	return &worker.Flow{
		Name: "shop",
		States: []worker.State{
			{Name: "Greeting", Initial: true, Events: []string{"greet"}},
			{Name: "Answer", Events: []string{"count"}},
			{Name: "Slow", Events: []string{"slowly"}},
			{Name: "Ask", Events: []string{"ask_file"}},
			{Name: "Got", Events: []string{"got_file"}},
			{Name: "Rate", Events: []string{"rate"}},
		},
		Transitions: []worker.Transition{
			{Dest: "Slow", Conditions: []string{"slow"}},
			{Dest: "Ask", Conditions: []string{"file"}},
			{Dest: "Got", Conditions: []string{"uploaded"}},
			{Dest: "Rate", Conditions: []string{"rates"}},
			{Dest: "Answer", Unless: []string{"slow", "file", "uploaded", "rates"}},
		},
		Conditions: map[string]worker.Condition{"slow": word("slowly"), "file": word("file"), "uploaded": uploaded, "rates": word("rate")},
		Events: map[string][]worker.Event{
			"greet":    {say("Hello!"), say("What can I do for you?")},
			"count":    {count},
			"slowly":   {slowly(gate)},
			"ask_file": {askFile},
			"got_file": {gotFile},
			"rate": {func(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
				return yield(worker.StarRating{Hint: "How was it?"})
			}},
		},
	}
}

// count tells how many answers there were, as the hub remembers.
func count(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
	var memory struct {
		Count int `json:"count"`
	}
	if err := c.Status(&memory); err != nil {
		return err
	}
	memory.Count++
	if err := c.SetStatus(memory); err != nil {
		return err
	}
	return yield(worker.Text{Content: fmt.Sprintf("%d: %s", memory.Count, c.Text())})
}

func slowly(gate <-chan struct{}) worker.Event {
	return func(ctx context.Context, _ *worker.Conversation, yield worker.Yield) error {
		return yield(worker.Stream{Deltas: func(next func(string, error) bool) {
			if !next("One ", nil) {
				return
			}
			select {
			case <-gate:
			case <-ctx.Done():
			}
			_ = next("two.", nil)
		}})
	}
}

func askFile(_ context.Context, _ *worker.Conversation, yield worker.Yield) error {
	return yield(worker.FileUpload{Content: "Send the bill", Files: map[string]int64{"pdf": 1000}})
}

// gotFile fetches what was uploaded and says what is in it.
func gotFile(ctx context.Context, c *worker.Conversation, yield worker.Yield) error {
	var file worker.FileUploaded
	if err := c.Payload(&file); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, file.URL, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	return yield(worker.Text{Content: strings.Join([]string{file.Name, res.Status, string(body)}, ": ")})
}
