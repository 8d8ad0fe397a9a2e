package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// fresh prepares a hub as a newcomer has it: no token is fixed, nothing is set.
func fresh(t testing.TB, data string) *process {
	t.Helper()
	addr := freePort(t)
	return &process{
		t: t, url: "http://" + addr, out: &lines{}, args: []string{"serve", "--listen", addr, "--data", data, "--log-level", "warn"},
		env: append(os.Environ(), childEnv+"=1"),
	}
}

// printed finds the lines of the greeting that are commands.
func printed(t testing.TB, p *process, program string) (out []string) {
	t.Helper()
	eventually(t, patience, "the greeting", func() error {
		if !strings.Contains(p.out.String(), "All calls:") {
			return errors.New("not yet")
		}
		return nil
	})
	for line := range strings.Lines(p.out.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, program) {
			out = append(out, line)
		}
	}
	return out
}

func shell(t testing.TB, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "curl ", "curl -fsS ", 1))
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}

// TestFirstStart is the newcomer's first minute: every line that is printed works as it stands, and the second start goes on where
// the first one was. The folder's name is one that shells take apart.
func TestFirstStart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "it's my data")
	hub := fresh(t, data)
	hub.start() // how long that takes is measured by bench, on a quiet machine
	t.Cleanup(hub.kill)
	says, curls := printed(t, hub, os.Args[0]), printed(t, hub, "curl")
	token := regexp.MustCompile(`(?m)^  (drg_\S+)$`).FindStringSubmatch(hub.out.String())
	link := regexp.MustCompile(`(?m)^  (http:\S+)/sign-in#(drl_\w{43})$`).FindStringSubmatch(hub.out.String())
	if token == nil || link == nil || len(says) != 1 || len(curls) != 2 {
		t.Fatalf("printed %s", hub.out)
	}
	if out := shell(t, says[0]); !strings.Contains(out, "Hello, terminal!") {
		t.Errorf("%s printed %q", says[0], out)
	}
	if out := shell(t, curls[0]); !strings.Contains(out, `"ok":true`) {
		t.Errorf("%s printed %q", curls[0], out)
	}
	c := &client{base: hub.url, token: token[1], http: &http.Client{}}
	me := conversationWith(t, c, readChannel(t, data), "me")
	said(t, c, me, "Hello, me! I am the sample flow of Dragoman. What shall we do?", chat.Sent)
	var list struct{ Items []chat.Conversation }
	if err := json.Unmarshal([]byte(shell(t, curls[1])), &list); err != nil || len(list.Items) != 2 {
		t.Errorf("%d conversations, %v", len(list.Items), err)
	}

	before := readNote(data)
	hub.terminate()
	hub.out = &lines{}
	hub.start()
	says = printed(t, hub, os.Args[0])
	if strings.Contains(hub.out.String(), token[1]) || strings.Contains(hub.out.String(), "shown once") || strings.Contains(hub.out.String(), "drl_") {
		t.Errorf("a secret is printed again: %s", hub.out)
	}
	if now := readNote(data); now.Channel != before.Channel || now.Key != before.Key {
		t.Errorf("the channel was %+v and is %+v", before, now)
	}
	if out := shell(t, strings.Replace(says[0], "hello", "where is my order", 1)); !strings.Contains(out, "number of your order") {
		t.Errorf("the conversation does not go on: %q", out)
	}
}

// A first start that ends between its steps is taken up again by the next one.
func TestFirstStartCutOff(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string]int{"nothing": 0, "workspace": 1, "flow": 2, "channel": 3} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			p, err := build(t.Context(), settings{Data: data, LogLevel: "error", LogFormat: "text", MaxAttachment: 1, Rate: 1}, &lines{})
			if err != nil {
				t.Fatal(err)
			}
			n := note{Channel: chat.ChannelID(chat.NewID()), Key: "a-key-of-the-first-try", Unfinished: true}
			if err := n.write(data); err != nil {
				t.Fatal(err)
			}
			cutOff(t, p, n, steps)
			if err := p.close(); err != nil {
				t.Fatal(err)
			}
			hub := fresh(t, data)
			hub.start()
			defer hub.kill()
			dragoman(t, "", "say", "hello", "--wait", "50ms", "--data", data).good(t, "Hello, terminal!")
			if now := readNote(data); now.Channel != n.Channel || now.Unfinished {
				t.Errorf("the note is %+v", now)
			}
		})
	}
}

// cutOff does the first steps of a first start.
func cutOff(t *testing.T, p *program, n note, steps int) {
	t.Helper()
	var ws store.Workspace
	var err error
	if steps > 0 {
		ws, err = p.store.AddWorkspace(t.Context(), "", firstWorkspace)
	}
	if steps > 1 && err == nil {
		_, err = p.store.PutFlow(t.Context(), ws.ID, sampleFlow, welcome)
	}
	if steps > 2 && err == nil {
		err = addSample(t.Context(), p, ws.ID, n)
	}
	if err != nil {
		t.Fatal(err)
	}
}
