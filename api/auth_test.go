package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/api"
)

// needed says which scope each operation below /v1 needs; "" is any token. What is not here must be added here.
var needed = map[string]string{
	"GET /v1/me":         "",
	"GET /v1/connectors": "read", "GET /v1/channels": "read", "GET /v1/channels/{id}": "read", "POST /v1/channels": "channels",
	"PATCH /v1/channels/{id}": "channels", "DELETE /v1/channels/{id}": "channels", "POST /v1/channels/{id}/check": "channels",
	"POST /v1/channels/{id}/register": "channels",
	"PUT /v1/flows/{name}":            "flows", "GET /v1/flows": "read", "GET /v1/flows/{name}": "read", "GET /v1/flows/{name}/versions": "read",
	"GET /v1/conversations": "read", "GET /v1/conversations/{id}": "read", "GET /v1/conversations/{id}/events": "read",
	"POST /v1/conversations/{id}/messages": "write", "POST /v1/conversations/{id}/notes": "write",
	"PATCH /v1/conversations/{id}/messages/{seq}": "write", "DELETE /v1/conversations/{id}/messages/{seq}": "write",
	"POST /v1/conversations/{id}/messages/{seq}/reactions": "write", "POST /v1/conversations/{id}/read": "write",
	"POST /v1/conversations/{id}/typing": "write", "POST /v1/conversations/{id}/close": "write", "POST /v1/conversations/{id}/queue": "write",
	"POST /v1/conversations/{id}/assign": "write", "POST /v1/conversations/{id}/bot": "write",
	"GET /v1/contacts": "read", "GET /v1/contacts/{id}": "read", "PATCH /v1/contacts/{id}": "write", "DELETE /v1/contacts/{id}": "write",
	"POST /v1/files": "write", "GET /v1/events": "read",
	"GET /v1/dead-letters": "read", "POST /v1/dead-letters/{id}/replay": "write",
	"POST /v1/tokens": "tokens", "GET /v1/tokens": "tokens", "DELETE /v1/tokens/{id}": "tokens",
	"GET /v1/session": "", "DELETE /v1/session": "", "GET /v1/sessions": "", "DELETE /v1/sessions": "", "DELETE /v1/sessions/{id}": "",
	"PUT /v1/me/password": "", "POST /v1/me/totp": "", "POST /v1/me/totp/confirm": "", "POST /v1/me/totp/stop": "",
	"POST /v1/users": "admin", "GET /v1/users": "admin", "GET /v1/users/{id}": "admin", "PATCH /v1/users/{id}": "admin",
	"POST /v1/users/{id}/link": "admin", "DELETE /v1/users/{id}/totp": "admin", "GET /v1/users/{id}/sessions": "admin",
	"DELETE /v1/users/{id}/sessions": "admin", "DELETE /v1/users/{id}/sessions/{session}": "admin",
	"GET /v1/rights": "admin", "GET /v1/roles": "admin", "GET /v1/roles/{name}": "admin", "PUT /v1/roles/{name}": "admin",
	"DELETE /v1/roles/{name}": "admin", "GET /v1/audit": "admin",
	"GET /v1/reports/live": "read", "GET /v1/reports/history": "read", "GET /v1/reports/agents": "read", "POST /v1/conversations/{id}/watch": "read",
	"DELETE /v1/knowledge-bases/{name}":                      "flows",
	"DELETE /v1/knowledge-bases/{name}/documents/{document}": "flows",
	"DELETE /v1/knowledge-bases/{name}/items/{id}":           "flows",
	"DELETE /v1/llm-configs/{name}":                          "admin",
	"DELETE /v1/prompts/{name}":                              "flows",
	"GET /v1/agent-states":                                   "read",
	"GET /v1/agents":                                         "read",
	"GET /v1/agents/{id}":                                    "read",
	"GET /v1/agents/{id}/sessions":                           "read",
	"GET /v1/agents/{id}/unread":                             "read",
	"GET /v1/flows/{name}/graph.svg":                         "read",
	"GET /v1/knowledge-bases":                                "read",
	"GET /v1/knowledge-bases/{name}":                         "read",
	"GET /v1/knowledge-bases/{name}/documents":               "read",
	"GET /v1/knowledge-bases/{name}/items":                   "read",
	"GET /v1/knowledge-bases/{name}/items/{id}":              "read",
	"GET /v1/knowledge-bases/{name}/search":                  "read",
	"GET /v1/llm-configs":                                    "read",
	"GET /v1/llm-configs/{name}":                             "read",
	"GET /v1/prompts":                                        "read",
	"GET /v1/prompts/{name}":                                 "read",
	"GET /v1/queues":                                         "read",
	"GET /v1/queues/{name}":                                  "read",
	"PATCH /v1/knowledge-bases/{name}/items/{id}":            "flows",
	"PATCH /v1/llm-configs/{name}":                           "admin",
	"POST /v1/agents/{id}/state":                             "write",
	"POST /v1/conversations/{id}/accept":                     "write",
	"POST /v1/conversations/{id}/decline":                    "write",
	"POST /v1/conversations/{id}/extend":                     "write",
	"GET /v1/desk/overseers":                                 "read",
	"POST /v1/knowledge-bases/{name}/documents":              "flows",
	"POST /v1/knowledge-bases/{name}/items":                  "flows",
	"POST /v1/llm-configs":                                   "admin",
	"POST /v1/llm-configs/{name}/check":                      "admin",
	"PUT /v1/agent-states/{name}":                            "admin",
	"PUT /v1/agents/{id}":                                    "admin",
	"PUT /v1/knowledge-bases/{name}":                         "flows",
	"PUT /v1/prompts/{name}":                                 "flows",
	"PUT /v1/queues/{name}":                                  "admin",
	"DELETE /v1/queues/{name}":                               "admin",
	"DELETE /v1/agent-states/{name}":                         "admin",
	"DELETE /v1/flows/{name}":                                "flows",
	"DELETE /v1/actions/{name}":                              "admin",
	"DELETE /v1/conversations/{id}/snooze":                   "write",
	"DELETE /v1/fields/{name}":                               "admin",
	"DELETE /v1/hours/{name}":                                "admin",
	"DELETE /v1/replies/{name}":                              "admin",
	"DELETE /v1/teams/{name}":                                "admin",
	"GET /v1/actions":                                        "admin",
	"GET /v1/actions/{name}":                                 "admin",
	"GET /v1/check":                                          "admin",
	"GET /v1/conversations/{id}/actions":                     "read",
	"GET /v1/conversations/{id}/history":                     "read",
	"GET /v1/conversations/{id}/replies":                     "write",
	"GET /v1/conversations/{id}/routing":                     "read",
	"GET /v1/conversations/{id}/waiting":                     "read",
	"GET /v1/desk/channels":                                  "read",
	"GET /v1/fields":                                         "read",
	"GET /v1/fields/{name}":                                  "read",
	"GET /v1/hours":                                          "read",
	"GET /v1/hours/{name}":                                   "read",
	"GET /v1/me/conversations":                               "read",
	"GET /v1/me/offers":                                      "",
	"GET /v1/me/state":                                       "read",
	"GET /v1/me/unread":                                      "read",
	"GET /v1/queues/{name}/waiting":                          "read",
	"GET /v1/replies":                                        "read",
	"GET /v1/replies/{name}":                                 "read",
	"GET /v1/search":                                         "read",
	"GET /v1/tags":                                           "read",
	"GET /v1/teams":                                          "read",
	"GET /v1/teams/{name}":                                   "read",
	"PATCH /v1/conversations/{id}":                           "write",
	"POST /v1/channels/{id}/simulate":                        "channels",
	"POST /v1/conversations":                                 "write",
	"POST /v1/conversations/batch":                           "write",
	"POST /v1/conversations/{id}/actions/{name}":             "write",
	"POST /v1/conversations/{id}/presence":                   "write",
	"POST /v1/conversations/{id}/reopen":                     "write",
	"POST /v1/conversations/{id}/snooze":                     "write",
	"POST /v1/conversations/{id}/transfer":                   "write",
	"POST /v1/conversations/{id}/undo":                       "write",
	"POST /v1/me/state":                                      "write",
	"POST /v1/routing/what-if":                               "read",
	"PUT /v1/actions/{name}":                                 "admin",
	"PUT /v1/fields/{name}":                                  "admin",
	"PUT /v1/hours/{name}":                                   "admin",
	"PUT /v1/replies/{name}":                                 "admin",
	"PUT /v1/teams/{name}":                                   "admin",
	"POST /v1/workspaces":                                    "admin", "GET /v1/workspaces": "admin",
}

func TestScopes(t *testing.T) {
	w := newWorld(t)
	fill := strings.NewReplacer("{id}", "none", "{seq}", "1", "{name}", "none")
	for _, pattern := range w.api.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, "/v1/") {
			continue
		}
		scope, ok := needed[pattern]
		if !ok {
			t.Errorf("%s: no scope is named for it", pattern)
			continue
		}
		if got := w.call(method, fill.Replace(path), "", ""); got.status != 401 || !strings.Contains(got.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s without a token: %d", pattern, got.status)
		}
		for _, token := range []string{"read", "write", "channels", "flows", "tokens"} {
			if token == scope || scope == "" || pattern == "GET /v1/events" && token == "read" {
				continue
			}
			got := w.call(method, fill.Replace(path), token, "")
			if got.status != 403 || !strings.Contains(got.header.Get("WWW-Authenticate"), `scope="`+scope+`"`) {
				t.Errorf("%s with %s: %d %s", pattern, token, got.status, got.body)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	made := w.ok("POST", "/v1/tokens", "admin", `{"name":"crm","scopes":["read","read"]}`)
	token, id := made.at(t, "token"), made.at(t, "id")
	if made.status != 201 || !strings.HasPrefix(token, api.TokenPrefix+"_") || made.at(t, "scopes") != "[read]" {
		t.Fatal(made)
	}
	w.ok("GET", "/v1/conversations", token, "")
	if list := w.ok("GET", "/v1/tokens", "tokens", ""); strings.Contains(list.body, token) || !strings.Contains(list.body, id) {
		t.Error("the list shows a token, or not its id")
	}
	if got := w.call("POST", "/v1/tokens", "tokens", `{"name":"more","scopes":["admin"]}`); got.status != 403 {
		t.Errorf("more scopes than one's own: %d", got.status)
	}
	if got := w.call("POST", "/v1/tokens", "admin", `{"name":"x","scopes":["everything"]}`); got.status != 422 {
		t.Errorf("unknown scope: %d", got.status)
	}
	if got := w.call("POST", "/v1/tokens", "admin", `{"name":"x","scopes":["read"],"expires_at":"2001-01-01T00:00:00Z"}`); got.status != 422 {
		t.Errorf("expired: %d", got.status)
	}
	if got := w.call("DELETE", "/v1/tokens/"+id, "tokens", ""); got.status != 403 {
		t.Errorf("revoke a token that can more: %d", got.status)
	}
	w.ok("DELETE", "/v1/tokens/"+id, "admin", "")
	if got := w.call("GET", "/v1/conversations", token, ""); got.status != 401 || !strings.Contains(got.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("revoked: %d, at once", got.status)
	}
	if got := w.call("DELETE", "/v1/tokens/none", "admin", ""); got.status != 404 {
		t.Errorf("revoke none: %d", got.status)
	}
	expiry := w.clock().Add(time.Hour).UTC().Format(time.RFC3339)
	short := w.ok("POST", "/v1/tokens", "admin", `{"name":"short","scopes":["read"],"expires_at":"`+expiry+`"}`).at(t, "token")
	w.ok("GET", "/v1/me", short, "")
	w.pass(2 * time.Hour)
	if got := w.call("GET", "/v1/me", short, ""); got.status != 401 {
		t.Errorf("expired: %d", got.status)
	}
}

func TestRevokedElsewhere(t *testing.T) {
	w := newWorld(t)
	w.ok("GET", "/v1/me", "read", "")
	all, err := w.store.Tokens(t.Context(), w.ws)
	w.must(err)
	for _, tok := range all {
		if tok.Name == "read" {
			w.must(w.store.RevokeToken(t.Context(), w.ws, tok.ID)) // on another node: nobody tells this one
		}
	}
	w.pass(6 * time.Second)
	if got := w.call("GET", "/v1/me", "read", ""); got.status != 401 {
		t.Errorf("after the cache's time: %d", got.status)
	}
}

func TestRateLimits(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits = api.Limits{Rate: 1, Burst: 3, Failures: 5} })
	w.pass(0) // the clock stands still from here
	w.pass(time.Second)
	for range 3 {
		w.ok("GET", "/v1/me", "read", "")
	}
	got := w.call("GET", "/v1/me", "read", "")
	if got.status != 429 || got.header.Get("Retry-After") != "1" || got.at(t, "code") != "throttled" {
		t.Errorf("too fast: %d %v", got.status, got.header)
	}
	w.ok("GET", "/v1/me", "write", "") // another token has its own pace
	w.pass(time.Second)
	w.ok("GET", "/v1/me", "read", "")

	for range 5 {
		if got := w.call("GET", "/v1/me", "drg_wrong", ""); got.status != 401 {
			t.Errorf("wrong: %d", got.status)
		}
	}
	if got := w.call("GET", "/v1/me", "drg_wrong", ""); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("too many wrong ones: %d", got.status)
	}
	w.ok("GET", "/v1/me", "write", "") // known already: not locked out by neighbours behind the same address
	w.pass(time.Minute)
	if got := w.call("GET", "/v1/me", "drg_wrong", ""); got.status != 401 {
		t.Errorf("later: %d", got.status)
	}
}

func TestWorkspaces(t *testing.T) {
	w := newWorld(t)
	made := w.ok("POST", "/v1/workspaces", "admin", `{"name":"third"}`)
	token := made.at(t, "token", "token")
	if got := w.ok("GET", "/v1/me", token, ""); got.at(t, "workspace", "name") != "third" {
		t.Error(got.body)
	}
	if got := w.call("POST", "/v1/workspaces", "other", `{"name":"fourth"}`); got.status != 403 {
		t.Errorf("made by a tenant: %d", got.status)
	}
	all, err := w.store.Workspaces(t.Context())
	w.must(err)
	if len(all) != 3 {
		t.Errorf("%d workspaces", len(all))
	}
	if got := w.ok("GET", "/v1/workspaces", token, ""); got.at(t, "items", 0, "name") != "third" {
		t.Error(got.body)
	}
	if got := w.ok("GET", "/v1/workspaces", "admin", ""); len(got.json(t)["items"].([]any)) != 3 {
		t.Error(got.body)
	}
}

// TestWrongTokensLockNobodyOut: behind a proxy everybody has one address, those with wrong tokens too.
func TestWrongTokensLockNobodyOut(t *testing.T) {
	w := newWorld(t, func(o *api.Options) { o.Limits = api.Limits{Failures: 5} })
	w.pass(0) // the clock stands still from here
	wrong := func() (status int) {
		for range 10 {
			status = w.call("GET", "/v1/me", "wrong", "").status
		}
		return status
	}
	w.ok("GET", "/v1/me", "read", "")
	made := w.ok("POST", "/v1/tokens", "admin", `{"name":"x","scopes":["read"]}`)
	gone := made.at(t, "token")
	w.ok("GET", "/v1/me", gone, "")
	w.must(w.store.RevokeToken(t.Context(), w.ws, made.at(t, "id")))
	w.pass(6 * time.Second) // the cache's time
	if status := wrong(); status != 429 {
		t.Fatalf("the tenth wrong token: %d", status)
	}
	w.ok("GET", "/v1/me", "read", "")
	for i, want := range []int{401, 429} { // it was good once, but only once more is it looked up
		if got := w.call("GET", "/v1/me", gone, ""); got.status != want {
			t.Errorf("a revoked token, call %d: %d, want %d", i, got.status, want)
		}
	}
}
