package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var uuidForm = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// TestCommands goes through what an operator does from the terminal.
func TestCommands(t *testing.T) {
	t.Parallel()
	hub := startHub(t, t.TempDir())
	t.Run("flow", func(t *testing.T) { flowCommands(t, hub) })
	t.Run("channel", func(t *testing.T) { channelCommands(t, hub) })
	t.Run("token", func(t *testing.T) { tokenCommands(t, hub) })
}

func flowCommands(t *testing.T, hub *process) {
	file := writeFile(t, "echo.json", echoFlow)
	dragoman(t, "", "flow", "check", file).good(t, "good: 2 states, 1 transitions")
	dragoman(t, echoFlow, "flow", "check", "-").good(t, "good")
	dragoman(t, `{"states":[{"name":"A","initial":true}],"transitions":[{"dest":"B"}]}`, "flow", "check", "-").bad(t, 1, "B")
	hub.on("", "flow", "put", "echo", file).good(t, "echo has version 1 now")
	hub.on(strings.Replace(echoFlow, "re ", "answer ", 1), "flow", "put", "echo", "-").good(t, "echo has version 2 now")
	hub.on("", "flow", "list").good(t, "NAME", "echo", "welcome")
	hub.on("", "flow", "show", "echo").good(t, `"answer {{message.text}}"`)
	hub.on("", "flow", "show", "echo", "--version", "1").good(t, `"re {{message.text}}"`)
	hub.on("", "flow", "show", "echo", "--version", "9").bad(t, 1, "no such flow")
	hub.on(`{"states":[]}`, "flow", "put", "bad", "-").bad(t, 1, "states")
	hub.on(`{"states":[{"name":"A","initial":true,"events":[{"sing":"x"}]}],"transitions":[{"dest":"B"}]}`, "flow", "put", "bad", "-").
		bad(t, 1, "\n  body.states[0].events[0]", "\n  body.transitions[0].dest")
	hub.on(`not json`, "flow", "put", "bad", "-").bad(t, 1, "no JSON")
}

func channelCommands(t *testing.T, hub *process) {
	platform := newBotAPI(t)
	hub.on("", "channel", "kinds").good(t, "telegram", "whatsapp", "webhook", "secret_token", "Bot API server")
	settings := `{"token":"` + botToken + `","api_base":"` + platform.URL + `"}`
	added := hub.on(settings, "channel", "add", "telegram", "-", "--name", "our bot", "--flow", sampleFlow).good(t, "added", "our bot")
	id := uuidForm.FindString(added.out)
	hub.on("", "channel", "list").good(t, id, "our bot", "telegram", "active", sampleFlow, sampleChannel)
	hub.on("", "channel", "check", id).good(t, "hub_test_bot")
	hub.on("", "channel", "hook", id).bad(t, 1, "no public address")
	hub.on("", "channel", "set", id, "--name", "new name", "--status", "off", "--settings", `{"mode":"polling"}`).good(t, "is off")
	hub.on("", "channel", "list").good(t, "new name", "off")
	hub.on("", "channel", "set", id, "--status", "active").good(t, "is active")
	hub.on("", "channel", "set", id, "--status", "sleepy").bad(t, 2, "sleepy")
	hub.on("", "channel", "delete", id).good(t)
	hub.on("", "channel", "check", id).bad(t, 1, "no such channel")

	hub.on("", "channel", "add", "pigeon").bad(t, 1, "pigeon")
	hub.on("", "channel", "add", "telegram", `{"token":"nonsense"}`).bad(t, 1, "settings.token")
	hub.on("", "channel", "add", "telegram", `{"tokn":"x"}`).bad(t, 1, "settings.tokn")
	hub.on("", "channel", "add", "telegram", `{`).bad(t, 1, "no JSON")
	hub.on("", "channel", "add", "telegram", "@"+filepath.Join(t.TempDir(), "none")).bad(t, 1, "no such file")
	hub.on("", "channel", "add", "simulator", "--flow", "none").bad(t, 1, "flow")
}

func tokenCommands(t *testing.T, hub *process) {
	reader := strings.TrimSpace(hub.on("", "token", "add", "reader", "--scopes", "read").good(t).out)
	writer := strings.TrimSpace(hub.on("", "token", "add", "writer", "--scopes", "read,write,flows", "--expires", "1h").good(t).out)
	as := func(token string, args ...string) finished {
		return dragoman(t, echoFlow, append(args, "--url", hub.url, "--token", token)...)
	}
	as(reader, "channel", "list").good(t, sampleChannel)
	as(reader, "flow", "put", "echo", "-").bad(t, 1, "scope flows")
	as(reader, "token", "list").bad(t, 1, "scope tokens")
	as(writer, "flow", "put", "echo", "-").good(t)
	as(writer, "channel", "add", "simulator").bad(t, 1, "scope channels")
	hub.on("", "token", "add", "odd", "--scopes", "everything").bad(t, 1, "body.scopes[0]", "admin, read, write")

	list := hub.on("", "token", "list").good(t, "admin", "reader", "writer", "read write")
	if strings.Contains(list.out, reader) || strings.Contains(hub.out.String(), reader) {
		t.Error("a token is shown again")
	}
	for _, line := range strings.Split(list.out, "\n") {
		if strings.Contains(line, "reader") {
			hub.on("", "token", "revoke", uuidForm.FindString(line)).good(t)
		}
	}
	as(reader, "channel", "list").bad(t, 1, "the token is wrong, revoked or expired")
	hub.on("", "token", "revoke", "none").bad(t, 1, "no token")
}

// TestDoctor looks at a healthy hub, then at everything that may be wrong.
func TestDoctor(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	hub := startHub(t, data)
	well := dragoman(t, "", "doctor", "--data", data).good(t, "data folder", "secret.key", "admin-token", "answers at "+hub.url, "channel Terminal", "each is in one place", "dead letters")
	if strings.Contains(well.out, "BAD") || strings.HasPrefix(well.out, "\n") {
		t.Errorf("printed %q", well.out)
	}

	platform := newBotAPI(t)
	addChannel(t, hub.client(), "telegram", "", map[string]any{"token": "1:wrong", "api_base": platform.URL})
	failing := newMoody(t, map[string][]string{"re no": {"400"}})
	channel := addEcho(t, hub.client(), failing.URL)
	if status, words := call(t, http.MethodPost, hub.url+"/in/"+channel, map[string]string{"Content-Type": "application/json"}, `{"id":"1","from":"p","text":"no"}`); status != http.StatusOK {
		t.Fatal(status, words)
	}
	said(t, hub.client(), only(t, hub.client(), channel), "re no", "failed")
	for _, path := range []string{data, filepath.Join(data, keyFile), filepath.Join(data, adminTokenFile)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ill := dragoman(t, "", "doctor", "--data", data)
	ill.bad(t, 1, "findings are bad")
	for _, want := range []string{"chmod 700", "chmod 600", "BAD  channel telegram", "404 Not Found", "BAD  dead letters"} {
		if !strings.Contains(ill.out, want) {
			t.Errorf("printed %s\nwant %q in it", ill.out, want)
		}
	}
	hub.kill()
	if down := dragoman(t, "", "doctor", "--data", data); down.status != 1 || !strings.Contains(down.out, "does not answer") {
		t.Errorf("printed %s", down.out)
	}
	if none := dragoman(t, "", "doctor", "--data", filepath.Join(data, "none")); none.status != 1 || !strings.Contains(none.out, "no hub found") {
		t.Errorf("printed %s", none.out)
	}
}
