package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAudit: every administrative act is told of once, with who and what and before and after, and without any secret.
func TestAudit(t *testing.T) {
	w := people(t)
	boss := w.joined("boss@example.com", "admin")
	channel, _ := w.talk("admin")
	contact := w.ok("GET", "/v1/contacts", "admin", "").at(t, "items", 0, "id")
	boss.want(200, "PATCH", "/v1/channels/"+channel, `{"name":"renamed","settings":{"key":"planted-secret-2"}}`)
	boss.want(200, "PUT", "/v1/flows/f", `{"states":[{"name":"s","initial":true}],"transitions":[]}`)
	token := boss.want(201, "POST", "/v1/tokens", `{"name":"crm","scopes":["read"]}`)
	boss.want(204, "DELETE", "/v1/tokens/"+token.at(t, "id"), "")
	boss.want(404, "DELETE", "/v1/tokens/none", "")
	boss.want(422, "POST", "/v1/channels", `{"connector":"none"}`)
	made := boss.want(201, "POST", "/v1/users", `{"email":"ada@example.com","role":"agent"}`)
	user := made.at(t, "id")
	boss.want(200, "PATCH", "/v1/users/"+user, `{"role":"supervisor"}`)
	link := boss.want(201, "POST", "/v1/users/"+user+"/link", "")
	boss.want(200, "PUT", "/v1/roles/r", `{"rights":["users"],"reach":"all"}`)
	boss.want(204, "DELETE", "/v1/roles/r", "")
	boss.want(204, "DELETE", "/v1/contacts/"+contact, "")
	boss.want(201, "POST", "/v1/workspaces", `{"name":"third"}`)
	boss.want(204, "PUT", "/v1/me/password", `{"current":"correct horse","password":"battery staple"}`)
	w.ok("POST", "/login/link", "", fmt.Sprintf(`{"token":%q,"password":%q}`, link.at(t, "token"), "planted-password"))

	log := boss.want(200, "GET", "/v1/audit?limit=200", "")
	var told []string
	for _, item := range log.json(t)["items"].([]any) {
		a := item.(map[string]any)
		told = append(told, fmt.Sprintf("%s %s", a["act"], a["kind"]))
		if a["at"] == nil || a["object"] == nil || a["action"] == nil || a["actor"].(map[string]any)["id"] == "" {
			t.Errorf("something is missing: %v", a)
		}
	}
	want := "usePasswordLink user,changePassword user,createWorkspace workspace,eraseContact contact,deleteRole role,putRole role,createUserLink user," +
		"changeUser user,createUser user,revokeToken token,createToken token,putFlow flow,changeChannel channel,createChannel channel,usePasswordLink user,createUser user"
	if got := strings.Join(told, ","); got != want {
		t.Errorf("told: %s\nwant: %s", got, want)
	}
	for _, secret := range []string{"planted", "correct horse", "battery", token.at(t, "token"), link.at(t, "token"), "argon2id", "key-of-the-simulator", "drs_"} {
		if strings.Contains(log.body, secret) {
			t.Errorf("the audit log has %s", secret)
		}
	}
	one := boss.want(200, "GET", "/v1/audit?act=changeUser&object="+user, "")
	if one.at(t, "items", 0, "before", "role") != "agent" || one.at(t, "items", 0, "after", "role") != "supervisor" || one.at(t, "items", 0, "actor", "id") != boss.id ||
		one.at(t, "items", 0, "actor", "type") != "user" || one.at(t, "items", 0, "address") != "192.0.2.1" || one.at(t, "items", 0, "action") == "" {
		t.Error(one.body)
	}
	changed := boss.want(200, "GET", "/v1/audit?kind=channel&act=changeChannel", "")
	if changed.at(t, "items", 0, "before", "name") != "sim" || changed.at(t, "items", 0, "after", "name") != "renamed" {
		t.Error(changed.body)
	}
	first := boss.want(200, "GET", "/v1/audit?limit=3", "")
	next := boss.want(200, "GET", "/v1/audit?limit=3&cursor="+first.at(t, "next"), "")
	if next.at(t, "items", 0, "act") != "eraseContact" {
		t.Error(next.body)
	}
	if got := w.ok("GET", "/v1/audit", "other", ""); len(got.json(t)["items"].([]any)) != 0 {
		t.Error("another workspace's acts are shown")
	}
	w.call("GET", "/v1/audit?cursor=x", "admin", "")
}
