package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// finished is a command that has ended.
type finished struct {
	out, err string
	status   int
}

// dragoman runs a command in this process.
func dragoman(t testing.TB, stdin string, args ...string) finished {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), args, terminal{strings.NewReader(stdin), &out, &errs})
	return finished{out.String(), errs.String(), status}
}

// on runs a command against a hub.
func (p *process) on(stdin string, args ...string) finished {
	p.t.Helper()
	return dragoman(p.t, stdin, append(args, "--url", p.url, "--token", testToken)...)
}

// good fails the test unless the command went well and printed all of this.
func (f finished) good(t testing.TB, wants ...string) finished {
	t.Helper()
	if f.status != 0 {
		t.Fatalf("status %d: %s%s", f.status, f.out, f.err)
	}
	for _, want := range wants {
		if !strings.Contains(f.out, want) {
			t.Errorf("printed %q, want %q in it", f.out, want)
		}
	}
	return f
}

// bad fails the test unless the command failed with that status and said all of this.
func (f finished) bad(t testing.TB, status int, wants ...string) {
	t.Helper()
	if f.status != status {
		t.Errorf("status %d, want %d: %s%s", f.status, status, f.out, f.err)
	}
	for _, want := range wants {
		if !strings.Contains(f.err, want) {
			t.Errorf("said %q, want %q in it", f.err, want)
		}
	}
}

// spawn runs the real program in a process of its own, to its end.
func spawn(t testing.TB, env []string, args ...string) finished {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	return runChild(t, cmd, env)
}

func runChild(t testing.TB, cmd *exec.Cmd, env []string) finished {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Env = append(append(os.Environ(), childEnv+"=1"), env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return finished{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// addChannel makes a channel.
func addChannel(t testing.TB, c *client, connector, flow string, settings map[string]any) channelView {
	t.Helper()
	if settings == nil {
		settings = map[string]any{}
	}
	var ch channelView
	must(t, c, http.MethodPost, "/v1/channels", map[string]any{"connector": connector, "name": connector, "flow": flow, "settings": settings}, &ch)
	return ch
}

// call posts a body with headers and gives the status and the answer.
func call(t testing.TB, method, url string, header map[string]string, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// only waits until a channel has exactly one conversation and gives its id.
func only(t testing.TB, c *client, channel string) (id string) {
	t.Helper()
	eventually(t, patience, "one conversation", func() error {
		list, err := listAll[struct{ ID string }](t.Context(), c, "/v1/conversations?channel="+channel)
		if err != nil || len(list) != 1 {
			return fmt.Errorf("%d conversations, %v", len(list), err)
		}
		id = list[0].ID
		return nil
	})
	return id
}

// said waits for a message of a conversation that is in one of these statuses and whose text this is.
func said(t testing.TB, c *client, conversation, text string, statuses ...chat.Status) (found chat.Event) {
	t.Helper()
	eventually(t, patience, fmt.Sprintf("%q is %v", text, statuses), func() error {
		events, err := c.events(t.Context(), conversation)
		if err != nil {
			return err
		}
		var seen []string
		for _, e := range events {
			if e.Kind != chat.KindMessage {
				continue
			}
			seen = append(seen, fmt.Sprintf("%s %q", e.Status, e.Message.Text()))
			for _, s := range statuses {
				if e.Message.Text() == text && e.Status == s {
					found = e
					return nil
				}
			}
		}
		return fmt.Errorf("there is %v", seen)
	})
	return found
}

// write sends a message as an agent.
func write(t testing.TB, c *client, conversation, text string) (e chat.Event) {
	t.Helper()
	must(t, c, http.MethodPost, "/v1/conversations/"+conversation+"/messages", map[string]string{"text": text}, &e)
	return e
}

// stream follows the log over SSE; ended is closed when the hub ends it.
type stream struct {
	events chan chat.Event
	ended  chan struct{}
}

func follow(t testing.TB, c *client, query string) *stream {
	t.Helper()
	body, err := c.open(t.Context(), http.MethodGet, "/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { body.Close() })
	s := &stream{events: make(chan chat.Event, 10_000), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		in := bufio.NewScanner(body)
		in.Buffer(nil, 4<<20)
		for in.Scan() {
			var e chat.Event
			if raw, ok := strings.CutPrefix(in.Text(), "data:"); ok && json.Unmarshal([]byte(raw), &e) == nil && e.Pos > 0 {
				s.events <- e
			}
		}
	}()
	return s
}

// until waits for an event.
func (s *stream) until(t testing.TB, what string, good func(chat.Event) bool) chat.Event {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-s.events:
			if good(e) {
				return e
			}
		case <-s.ended:
			t.Fatalf("the stream ended before: %s", what)
		case <-late:
			t.Fatalf("never on the stream: %s", what)
		}
	}
}

// head is the position of the newest event of the workspace: how much the log has.
func head(t testing.TB, c *client) int64 {
	t.Helper()
	list, err := listAll[struct {
		Head int64 `json:"head"`
	}](t.Context(), c, "/v1/workspaces")
	if err != nil || len(list) == 0 {
		t.Fatal("no workspace", err)
	}
	return list[0].Head
}
