package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// writeFile puts a file into a folder of the test and gives its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSay talks through a running hub, which the data folder alone tells how to reach, and replays what was said.
func TestSay(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	hub := startHub(t, data)
	dragoman(t, "", "say", "hello", "there", "--data", data, "--as", "ann", "--wait", "300ms").good(t, "Hello, ann!", "[1] Order status", "[2] Talk to a person")
	dragoman(t, "hi\n\n1\nnone\n1042\n2\n", "say", "--data", data, "--as", "bob", "--wait", "300ms").good(t,
		"Hello, bob!", "What is the number of your order?", "A number, please", "Order 1042 is on its way")
	dragoman(t, "", "say", "agent please", "--data", data, "--as", "ann", "--wait", "4s").good(t, "I am handing you over", "(waiting for a person in queue support)")
	dragoman(t, "", "say", "hi", "--data", data, "--as", "cid", "--wait", "50ms").good(t, "Hello, cid!")
	dragoman(t, "", "say", "bye", "--data", data, "--as", "cid", "--wait", "1m").good(t, "Goodbye!", "(closed)") // that ends the waiting
	dragoman(t, "", "say", "hello", "--data", data, "--as", "dan", "--events", "--wait", "4s").good(t, `"kind":"opened"`, `"kind":"flow_step"`)
	dragoman(t, "", "say", "hello", "--data", data, "--channel-key", "wrong").bad(t, 1, "--channel-key")
	dragoman(t, "", "say", "hello", "--data", data, "--token", "wrong-token-wrong-token").bad(t, 1, "the token is wrong")

	id := conversationWith(t, hub.client(), readChannel(t, data), "bob")
	dragoman(t, "", "replay", id, "--data", data).good(t, `"1042"`, "Welcome -> Order", "order = 1042", "all as recorded")
	var first struct{ Same bool }
	traces := dragoman(t, "", "replay", id, "--json", "--data", data).good(t)
	if err := json.Unmarshal([]byte(strings.SplitN(traces.out, "\n", 2)[0]), &first); err != nil || !first.Same {
		t.Errorf("%v: %.200s", err, traces.out)
	}
	dragoman(t, "", "replay", "nonsense", "--data", data).bad(t, 1, "no such conversation")

	// the same name goes on in the same conversation; a closed one is opened anew
	var list struct{ Items []chat.Conversation }
	must(t, hub.client(), http.MethodGet, "/v1/conversations", nil, &list)
	if len(list.Items) != 4 {
		t.Errorf("%d conversations of four people", len(list.Items))
	}
	hub.terminate()
	dragoman(t, "", "say", "hello", "--data", data).bad(t, 1, "does not answer: is it running?")
}

func readChannel(t testing.TB, data string) string {
	t.Helper()
	n := readNote(data)
	if n.Channel == "" || n.Key == "" {
		t.Fatal("the data folder names no channel")
	}
	return string(n.Channel)
}

// TestSayAlone talks to a file with no hub, no network and nothing left behind.
func TestSayAlone(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("TMPDIR", empty)
	sample := writeFile(t, "flow.json", string(welcome))
	dragoman(t, "hi\n1\n7\nthanks\n", "say", "--flow", sample).good(t, "Hello, terminal!", "[1] Order status", "Order 7 is on its way", "Goodbye!", "(closed)")
	dragoman(t, "", "say", "hi", "--flow", writeFile(t, "echo.json", echoFlow)).good(t, "re hi")
	dragoman(t, "", "say", "hi", "--flow", writeFile(t, "broken.json", `{"states":[`)).bad(t, 1, "no JSON")
	dragoman(t, "", "say", "hi", "--flow", writeFile(t, "empty.json", `{"states":[]}`)).bad(t, 1, "states")
	dragoman(t, "", "say", "hi", "--flow", "nowhere.json").bad(t, 2, "nowhere.json")
	left, err := os.ReadDir(empty)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), "dragoman-say-") {
			t.Errorf("left behind: %s", f.Name())
		}
	}
}

// Without a hub every command says what to do.
func TestNoHub(t *testing.T) {
	t.Parallel()
	nowhere := t.TempDir()
	for _, command := range [][]string{
		{"say", "hello", "--channel", "x", "--channel-key", "y"},
		{"channel", "list"},
		{"flow", "list"},
		{"token", "list"},
		{"replay", "x"},
	} {
		dragoman(t, "", append(command, "--data", nowhere)...).bad(t, 1, "no hub found", "dragoman serve --data "+nowhere)
		dragoman(t, "", append(command, "--url", "http://"+freePort(t), "--token", testToken)...).bad(t, 1, "does not answer")
		dragoman(t, "", append(command, "--url", "http://"+freePort(t), "--data", nowhere)...).bad(t, 1, "--token")
	}
}
