package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/api"
)

// rightsOf says which right a user needs for each operation; "" is anybody. For what is not here the document's word is taken; where
// that has none either, it is for admins, or for who may all that its scope gives.
var rightsOf = map[string]string{
	"GET /v1/me": "", "GET /v1/session": "", "DELETE /v1/session": "", "GET /v1/sessions": "", "DELETE /v1/sessions": "", "DELETE /v1/sessions/{id}": "",
	"PUT /v1/me/password": "", "POST /v1/me/totp": "", "POST /v1/me/totp/confirm": "", "POST /v1/me/totp/stop": "",
	"GET /v1/connectors": "channels.read", "GET /v1/channels": "channels.read", "GET /v1/channels/{id}": "channels.read",
	"POST /v1/channels": "channels.write", "PATCH /v1/channels/{id}": "channels.write", "DELETE /v1/channels/{id}": "channels.write",
	"POST /v1/channels/{id}/check": "channels.write", "POST /v1/channels/{id}/register": "channels.write",
	"PUT /v1/flows/{name}": "flows.write", "GET /v1/flows": "flows.read", "GET /v1/flows/{name}": "flows.read", "GET /v1/flows/{name}/versions": "flows.read",
	"GET /v1/conversations": "conversations.read", "GET /v1/conversations/{id}": "conversations.read", "GET /v1/conversations/{id}/events": "conversations.read",
	"POST /v1/conversations/{id}/messages": "conversations.write", "POST /v1/conversations/{id}/notes": "conversations.write",
	"PATCH /v1/conversations/{id}/messages/{seq}": "conversations.write", "DELETE /v1/conversations/{id}/messages/{seq}": "conversations.write",
	"POST /v1/conversations/{id}/messages/{seq}/reactions": "conversations.write", "POST /v1/conversations/{id}/read": "conversations.write",
	"POST /v1/conversations/{id}/typing": "conversations.write", "POST /v1/conversations/{id}/close": "conversations.write",
	"POST /v1/conversations/{id}/queue": "conversations.assign", "POST /v1/conversations/{id}/assign": "conversations.assign", "POST /v1/conversations/{id}/bot": "conversations.assign",
	"GET /v1/contacts": "contacts.read", "GET /v1/contacts/{id}": "contacts.read", "PATCH /v1/contacts/{id}": "contacts.write", "DELETE /v1/contacts/{id}": "contacts.erase",
	"POST /v1/files": "conversations.write", "GET /v1/dead-letters": "dead_letters.read", "POST /v1/dead-letters/{id}/replay": "dead_letters.replay",
	"POST /v1/tokens": "tokens", "GET /v1/tokens": "tokens", "DELETE /v1/tokens/{id}": "tokens", "POST /v1/workspaces": "workspaces", "GET /v1/workspaces": "workspaces",
	"POST /v1/users": "users", "GET /v1/users": "users", "GET /v1/users/{id}": "users", "PATCH /v1/users/{id}": "users", "POST /v1/users/{id}/link": "users",
	"DELETE /v1/users/{id}/totp": "users", "GET /v1/users/{id}/sessions": "users", "DELETE /v1/users/{id}/sessions": "users", "DELETE /v1/users/{id}/sessions/{session}": "users",
	"GET /v1/rights": "roles", "GET /v1/roles": "roles", "GET /v1/roles/{name}": "roles", "PUT /v1/roles/{name}": "roles", "DELETE /v1/roles/{name}": "roles",
	"GET /v1/audit":  "audit.read",
	"GET /v1/queues": "conversations.read", "GET /v1/queues/{name}": "conversations.read", "PUT /v1/queues/{name}": "queues.write",
	"GET /v1/agents": "conversations.read", "GET /v1/agents/{id}": "conversations.read", "PUT /v1/agents/{id}": "queues.write",
	"POST /v1/agents/{id}/state": "conversations.write", "GET /v1/agents/{id}/sessions": "reports.read", "GET /v1/agents/{id}/unread": "conversations.read",
	"DELETE /v1/queues/{name}": "queues.write", "DELETE /v1/agent-states/{name}": "queues.write", "DELETE /v1/flows/{name}": "flows.write",
	"GET /v1/agent-states": "conversations.read", "PUT /v1/agent-states/{name}": "queues.write",
	"POST /v1/conversations/{id}/accept": "conversations.write", "POST /v1/conversations/{id}/decline": "conversations.write",
}

// TestRights gives one role one right after the other: exactly the operations of that right are let through.
func TestRights(t *testing.T) {
	w := people(t, func(o *api.Options) { o.Limits.Rate = 1e6 })
	w.ok("PUT", "/v1/roles/one", "admin", `{"rights":[],"reach":"all"}`)
	b := w.joined("ada@example.com", "one")
	fill := strings.NewReplacer("{id}", "none", "{seq}", "1", "{name}", "none", "{session}", "none")
	documented := w.documentedRights()
	for _, right := range append(access.RightsOf(access.ScopeAdmin), "") {
		rights, _ := json.Marshal(slices.DeleteFunc([]access.Right{right}, func(r access.Right) bool { return r == "" }))
		w.ok("PUT", "/v1/roles/one", "admin", `{"reach":"all","rights":`+string(rights)+`}`)
		for _, pattern := range w.api.Patterns() {
			method, path, _ := strings.Cut(pattern, " ")
			need, known := rightsOf[pattern]
			if !known {
				need, known = documented[pattern]
			}
			if !strings.HasPrefix(path, "/v1/") || need == "" && known || pattern == "GET /v1/events" {
				continue
			}
			if !known && len(access.RightsOf(right.Scope())) == 1 { // it may be all of that operation's scope
				continue
			}
			got := b.call(method, fill.Replace(path), "")
			refused := got.status == 403 && strings.Contains(got.body, "your role")
			if refused == (known && need == string(right)) {
				t.Errorf("%s with %q: %d %s", pattern, right, got.status, got.body)
			}
		}
	}
	for _, pattern := range []string{"GET /v1/session", "PUT /v1/me/password", "POST /v1/me/totp"} {
		method, path, _ := strings.Cut(pattern, " ")
		if got := w.call(method, path, "admin", ""); got.status != 403 {
			t.Errorf("%s with a token: %d", pattern, got.status)
		}
	}
}

// TestRightsHaveTheirScopes: a token that has the scope which an operation tells of has the right that it needs, and no other does.
func TestRightsHaveTheirScopes(t *testing.T) {
	w := newWorld(t)
	rights := w.documentedRights()
	for pattern, right := range rights {
		if r := access.Right(right); !r.Known() || r.Scope() != w.documentedScope(pattern) {
			t.Errorf("%s: scope %s, right %s of scope %s", pattern, w.documentedScope(pattern), right, r.Scope())
		}
	}
	if len(rights) < 60 {
		t.Errorf("%d operations name their right", len(rights))
	}
}

// operations reads what the document tells of each operation.
func (w *world) operations() map[string]operation {
	w.t.Helper()
	var doc struct {
		Paths map[string]map[string]operation
	}
	w.must(json.Unmarshal(w.api.OpenAPI(), &doc))
	out := map[string]operation{}
	for path, item := range doc.Paths {
		for method, op := range item {
			out[strings.ToUpper(method)+" "+path] = op
		}
	}
	return out
}

type operation struct {
	Description string
	Scope       string `json:"x-scope"`
}

func (w *world) documentedScope(pattern string) string { return w.operations()[pattern].Scope }

func (w *world) documentedRights() map[string]string {
	out := map[string]string{}
	for pattern, op := range w.operations() {
		if _, rest, ok := strings.Cut(op.Description, "Right: `"); ok {
			out[pattern], _, _ = strings.Cut(rest, "`")
		}
	}
	return out
}
