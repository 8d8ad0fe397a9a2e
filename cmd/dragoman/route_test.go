package main

import (
	"encoding/json"
	"testing"
)

// TestRoute asks what another rule would have done, and why a conversation is where it is.
func TestRoute(t *testing.T) {
	t.Parallel()
	hub := startHub(t, t.TempDir())
	api := hub.client()
	must(t, api, "PUT", "/v1/agents/ann", map[string]any{"name": "Ann"}, nil)
	must(t, api, "POST", "/v1/agents/ann/state", map[string]any{"state": "active"}, nil)
	must(t, api, "PUT", "/v1/queues/support", map[string]any{"rule": "everyone", "members": []string{"ann"}}, nil)
	var would struct {
		Rule    string `json:"rule"`
		Arrived int    `json:"arrived"`
	}
	out := hub.on("", "route", "what-if", "skills", "--queue", "support", "--since", "1h", "--skills", "fr=2", "--json").good(t)
	if err := json.Unmarshal([]byte(out.out), &would); err != nil || would.Rule != "skills" || would.Arrived != 0 {
		t.Errorf("%s, %v", out.out, err)
	}
	hub.on("", "route", "what-if", "least_busy").good(t, "0 conversations", "was  would", "by the same agent")
	hub.on("", "route", "what-if", "expression", "--expression", "1 +").bad(t, 1, "settings.expression")
	hub.on("", "route", "what-if", "least_busy", "--queue", "none").bad(t, 1, "no such queue")
	hub.on("", "route", "what-if", "http").bad(t, 2, "everyone")
	hub.on("", "route", "why", "none").bad(t, 1, "no such conversation")
}
