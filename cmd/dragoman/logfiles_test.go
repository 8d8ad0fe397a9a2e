package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLogFiles: with --log-dir the log goes to a file of the day, and one action id leads from the webhook to the send.
func TestLogFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "logs")
	hub := startHub(t, t.TempDir(), "--log-dir", dir, "--log-level", "debug", "--log-format", "json")
	c := hub.client()
	channel := addEcho(t, c, newMoody(t, nil).URL)
	action := webhookAction(t, hub, channel, "hello")
	said(t, c, only(t, c, channel), "re hello", "sent")
	hub.terminate()
	files, err := filepath.Glob(filepath.Join(dir, "dragoman-????-??-??.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no log files: %v", err)
	}
	var log strings.Builder
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(raw)
	}
	var about []string
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, action) {
			about = append(about, line)
		}
	}
	for _, want := range []string{`"msg":"in"`, `"msg":"out: sent"`} {
		if !slices.ContainsFunc(about, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("no line of action %s has %s: %s", action, want, about)
		}
	}
	for _, want := range []string{`"msg":"started"`, `"msg":"listening"`, `"msg":"stopped"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no line has %s", want)
		}
	}
	if strings.Contains(log.String(), testToken) || strings.Contains(hub.out.String(), `"msg"`) {
		t.Error("the log has a secret, or went to the terminal too")
	}
}

// webhookAction says something to an echo channel and gives the action id under which the log tells of it.
func webhookAction(t *testing.T, hub *process, channel, text string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hub.url+"/in/"+channel, strings.NewReader(`{"id":"1","from":"p","text":"`+text+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("X-Action-Id") == "" {
		t.Fatalf("%s, %v", res.Status, res.Header)
	}
	return res.Header.Get("X-Action-Id")
}
