package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// hook is another system: it keeps what it was asked and answers as it is told.
type hook struct {
	mu     sync.Mutex
	url    string
	asked  []*http.Request
	bodies []string
	status int
	answer string
}

func newHook(t *testing.T) *hook {
	h := &hook{status: 200}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.asked, h.bodies = append(h.asked, r), append(h.bodies, string(raw))
		w.WriteHeader(h.status)
		_, _ = io.WriteString(w, h.answer)
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *hook) says(status int, answer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.answer = status, answer
}

// last is the newest request and how many there were.
func (h *hook) last() (r *http.Request, body string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n = len(h.asked); n == 0 {
		return nil, "", 0
	}
	return h.asked[n-1], h.bodies[n-1], n
}

// nearby lets hooks be on this machine.
func nearby(o *api.Options) { o.HTTP = outbound.Client(outbound.Options{AllowPrivate: true}) }

func TestActions(t *testing.T) {
	for name, dsn := range map[string]func() string{"sqlite": nil, "postgres": func() string { return storetest.Postgres(t) }} {
		t.Run(name, func(t *testing.T) {
			var w *world
			if dsn == nil {
				w = newWorld(t, nearby)
			} else {
				w = newWorldOn(t, dsn(), nearby)
			}
			actions(t, w, newHook(t))
		})
	}
}

func actions(t *testing.T, w *world, h *hook) {
	channel, conversation := w.talk("admin")
	w.ok("PUT", "/v1/fields/case_number", "admin", `{"of":"conversation","type":"number"}`)
	put := fmt.Sprintf(`{"title":"New case","url":%q,"messages":5,"inputs":[{"name":"subject","type":"text","required":true}]}`, h.url+"/cases")
	secret := w.ok("PUT", "/v1/actions/create_case", "admin", put).at(t, "secret")
	if !strings.HasPrefix(secret, "whsec_") {
		t.Error("secret", secret)
	}
	for _, again := range []answer{w.ok("PUT", "/v1/actions/create_case", "admin", put), w.ok("GET", "/v1/actions/create_case", "admin", "")} {
		if again.at(t, "secret") != "***" || strings.Contains(again.body, secret) {
			t.Error("the secret is shown again:", again.body)
		}
	}
	if got := w.ok("GET", "/v1/conversations/"+conversation+"/actions", "agent", ""); got.at(t, "items", 0, "name") != "create_case" || got.at(t, "items", 0, "inputs", 0, "name") != "subject" || strings.Contains(got.body, h.url) {
		t.Error(got.body)
	}

	run := "/v1/conversations/" + conversation + "/actions/create_case"
	h.says(200, `{"url":"https://crm.example/cases/7","text":"Case 7","fields":{"case_number":7,"unknown":1},"more":{}}`)
	got := w.ok("POST", run, "agent", `{"inputs":{"subject":"Broken"}}`, "Idempotency-Key: k1")
	if got.at(t, "kind") != "action" || got.at(t, "data", "url") != "https://crm.example/cases/7" || got.at(t, "data", "text") != "Case 7" || got.at(t, "data", "inputs", "subject") != "Broken" {
		t.Error(got.body)
	}
	if got.at(t, "data", "fields", "case_number") != "7" || got.at(t, "data", "refused", "unknown") != "there is no such field" {
		t.Error(got.body)
	}
	if c := w.ok("GET", "/v1/conversations/"+conversation, "read", ""); c.at(t, "fields", "case_number") != "7" {
		t.Error(c.body)
	}
	req, body, n := h.last()
	checkSigned(t, req, body, secret)
	var sent struct {
		Type string
		Data struct {
			Action       string
			Agent        struct{ Name string }
			Conversation struct{ ID string }
			Contact      struct{ Name string }
			Messages     []struct{ Kind string }
		}
	}
	if err := json.Unmarshal([]byte(body), &sent); err != nil || n != 1 {
		t.Fatal(err, n)
	}
	d := sent.Data
	if sent.Type != "action" || d.Action != "create_case" || d.Agent.Name != "agent" || d.Conversation.ID != conversation || d.Contact.Name != "Ada" || len(d.Messages) != 1 {
		t.Error(body)
	}

	again := w.ok("POST", run, "agent", `{"inputs":{"subject":"Broken"}}`, "Idempotency-Key: k1")
	if _, _, n := h.last(); n != 1 || again.header.Get("Idempotency-Replayed") != "true" || again.at(t, "seq") != got.at(t, "seq") {
		t.Errorf("asked %d times, %s", n, again.body)
	}
	if other := w.call("POST", run, "agent", `{"inputs":{"subject":"Else"}}`, "Idempotency-Key: k1"); other.status != 422 {
		t.Error(other.status, other.body)
	}
	failing(t, w, h, conversation, run)
	refusedActions(t, w, channel, conversation, h.url)
}

// checkSigned checks a request as a receiver of Standard Webhooks would.
func checkSigned(t *testing.T, r *http.Request, body, secret string) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + body))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want || r.Header.Get("webhook-id") == "" {
		t.Errorf("signed %v", r.Header)
	}
}

// failing: a hook that fails gives a clear error and changes nothing; tried again with the same key it gets the same id.
func failing(t *testing.T, w *world, h *hook, conversation, run string) {
	head := w.head(w.ws)
	h.says(500, "out of order")
	got := w.call("POST", run, "agent", `{"inputs":{"subject":"x"}}`, "Idempotency-Key: k2")
	if got.status != 502 || got.at(t, "code") != "hook_failed" || !strings.Contains(got.body, "500 out of order") {
		t.Error(got.body)
	}
	first, _, _ := h.last()
	if w.head(w.ws) != head {
		t.Error("a failing hook was told of")
	}
	h.says(200, "")
	w.ok("POST", run, "agent", `{"inputs":{"subject":"x"}}`, "Idempotency-Key: k2")
	second, _, n := h.last()
	if n != 3 || first.Header.Get("webhook-id") != second.Header.Get("webhook-id") {
		t.Errorf("asked %d times, %s then %s", n, first.Header.Get("webhook-id"), second.Header.Get("webhook-id"))
	}
	if grown := w.head(w.ws) - head; grown != 1 {
		t.Errorf("the log grew by %d", grown)
	}
	w.ok("POST", run, "agent", `{"inputs":{"subject":"x"}}`)
	third, _, _ := h.last()
	if third.Header.Get("webhook-id") == second.Header.Get("webhook-id") {
		t.Error("two requests have one id")
	}
}

func refusedActions(t *testing.T, w *world, channel, conversation, url string) {
	names := strings.NewReplacer("{conversation}", conversation, "{channel}", channel, "{url}", url)
	for _, s := range []scene{
		{"of another queue", "PUT", "/v1/actions/refund", "admin", "", `{"url":"{url}","queues":["billing"],"secret":"whsec_c2VjcmV0c2VjcmV0c2VjcmV0"}`, 200, `{"queues":["billing"],"secret":"***"}`, 0},
		{"not there", "POST", "/v1/conversations/{conversation}/actions/refund", "agent", "", "", 404, `{"code":"not_found"}`, 0},
		{"listed", "GET", "/v1/conversations/{conversation}/actions", "agent", "", "", 200, `{"items":[{"name":"create_case"}]}`, 0},
		{"without input", "POST", "/v1/conversations/{conversation}/actions/create_case", "agent", "", "", 422, `{"errors":[{"path":"body.inputs.subject","detail":"is required"}]}`, 0},
		{"with another", "POST", "/v1/conversations/{conversation}/actions/create_case", "agent", "", `{"inputs":{"subject":"x","y":1}}`, 422, `{"errors":[{"path":"body.inputs.y"}]}`, 0},
		{"readers", "POST", "/v1/conversations/{conversation}/actions/create_case", "read", "", `{"inputs":{"subject":"x"}}`, 403, `{"code":"forbidden"}`, 0},
		{"addresses are not for agents", "GET", "/v1/actions", "agent", "", "", 403, `{"code":"forbidden"}`, 0},
		{"bad address", "PUT", "/v1/actions/x", "admin", "", `{"url":"ftp://x"}`, 422, `{"errors":[{"path":"body.url"}]}`, 0},
		{"bad secret", "PUT", "/v1/actions/x", "admin", "", `{"url":"{url}","secret":"whsec_eA=="}`, 422, `{"errors":[{"path":"body.secret"}]}`, 0},
		{"inputs twice", "PUT", "/v1/actions/x", "admin", "", `{"url":"{url}","inputs":[{"name":"a","type":"text"},{"name":"a","type":"choice"}]}`, 422, `{"errors":[{"path":"body.inputs[1].name"},{"path":"body.inputs[1].choices"}]}`, 0},
		{"list", "GET", "/v1/actions", "admin", "", "", 200, `{"items":[{"name":"create_case"},{"name":"refund"}]}`, 0},
		{"delete", "DELETE", "/v1/actions/refund", "admin", "", "", 204, "", 0},
		{"gone", "GET", "/v1/actions/refund", "admin", "", "", 404, "", 0},
		{"another workspace", "GET", "/v1/actions/create_case", "other", "", "", 404, "", 0},
		{"without a secret in the audit log", "GET", "/v1/audit?kind=action&limit=1", "admin", "", "", 200, `{"items":[{"act":"deleteAction","before":{"name":"refund","secret":"***"}}]}`, 0},
	} {
		t.Run(s.name, func(t *testing.T) { w.play(t, s, names) })
	}
	if strings.Contains(w.ok("GET", "/v1/audit", "admin", "").body, "whsec_") {
		t.Error("a secret is in the audit log")
	}
}
