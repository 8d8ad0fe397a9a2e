package main

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var linkToken = regexp.MustCompile(`drl_[0-9A-Za-z]{43}`)

// TestUserCommands lets the first user in, with the admin token and nothing else.
func TestUserCommands(t *testing.T) {
	t.Parallel()
	hub := startHub(t, filepath.Join(t.TempDir(), "data"))
	made := hub.on("", "user", "add", "--admin", "Boss@Example.com", "--name", "Boss", "--languages", "en,pt-BR").good(t, hub.url+"/sign-in#drl_", "/login/link")
	hub.on("", "user", "add", "--admin", "boss@example.com").bad(t, 1, "already")
	hub.on("", "user", "add", "x@example.com", "--role", "none").bad(t, 1, "no such role")
	hub.on("", "user", "add", "nobody").bad(t, 1, "e-mail")
	hub.on("", "user", "add", "x@example.com", "--role", "agent", "--admin").bad(t, 2, "can't be used together")
	hub.on("", "user", "list").good(t, "boss@example.com", "Boss", "admin", "active")

	json := map[string]string{"Content-Type": "application/json"}
	use := func(out string) int {
		status, _ := call(t, http.MethodPost, hub.url+"/login/link", json, `{"token":"`+linkToken.FindString(out)+`","password":"correct horse"}`)
		return status
	}
	if status := use(made.out); status != http.StatusOK {
		t.Fatalf("the link is refused: %d", status)
	}
	if status := use(made.out); status != http.StatusNotFound {
		t.Errorf("the link is good twice: %d", status)
	}
	if status, words := call(t, http.MethodPost, hub.url+"/login", json, `{"email":"boss@example.com","password":"correct horse"}`); status != http.StatusOK {
		t.Errorf("signing in: %d %s", status, words)
	}
	again := hub.on("", "user", "reset", "BOSS@example.com").good(t, "drl_")
	if status := use(again.out); status != http.StatusOK {
		t.Errorf("the new link is refused: %d", status)
	}
	hub.on("", "user", "reset", "none@example.com").bad(t, 1, "no user has the address")
	hub.on("", "user", "reset", "none").bad(t, 1, "no such user")
	printed := hub.out.String() // the greeting has the first user's link, and no other
	if strings.Contains(printed, linkToken.FindString(made.out)) || strings.Contains(printed, linkToken.FindString(again.out)) || strings.Contains(printed, "correct horse") {
		t.Error("the log has a link or a password")
	}
}
