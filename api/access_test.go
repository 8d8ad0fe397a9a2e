package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

const (
	origin   = "Origin: https://hub.example"
	password = "correct horse"
)

// people is a world in which users can sign in quickly.
func people(t testing.TB, change ...func(*api.Options)) *world {
	t.Helper()
	return newWorld(t, append(change, quickly)...)
}

func quickly(o *api.Options) { o.Access.Hashing = access.Hashing{Memory: 64, Passes: 1} }

// browser is where somebody has signed in.
type browser struct {
	w            *world
	cookie, csrf string
	id           string
}

// invite makes a user with a password.
func (w *world) invite(email, role string) (id string) {
	w.t.Helper()
	made := w.ok("POST", "/v1/users", "admin", fmt.Sprintf(`{"email":%q,"role":%q}`, email, role))
	w.ok("POST", "/login/link", "", fmt.Sprintf(`{"token":%q,"password":%q}`, made.at(w.t, "link", "token"), password))
	return made.at(w.t, "id")
}

func (w *world) login(email string) browser {
	w.t.Helper()
	got := w.ok("POST", "/login", "", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password), origin)
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return browser{w, cookie, got.at(w.t, "csrf_token"), got.at(w.t, "user", "id")}
}

// joined is a user who has signed in.
func (w *world) joined(email, role string) browser {
	w.t.Helper()
	w.invite(email, role)
	return w.login(email)
}

func (b browser) call(method, path, body string, header ...string) answer {
	b.w.t.Helper()
	return b.w.call(method, path, "", body, append([]string{"Cookie: " + b.cookie, origin, "X-CSRF-Token: " + b.csrf}, header...)...)
}

func (b browser) want(status int, method, path, body string, header ...string) answer {
	b.w.t.Helper()
	got := b.call(method, path, body, header...)
	if got.status != status {
		b.w.t.Errorf("%s %s: %d, want %d: %s", method, path, got.status, status, got.body)
	}
	return got
}

// TestSigningIn goes the whole way on both databases: invited, password set, signed in, a write, signed out.
func TestSigningIn(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { signingIn(t, people(t)) })
	t.Run("postgres", func(t *testing.T) { signingIn(t, newWorldOn(t, storetest.Postgres(t), quickly)) })
}

func signingIn(t *testing.T, w *world) {
	w.invite("ada@example.com", "admin")
	got := w.ok("POST", "/login", "", `{"email":"Ada@Example.com","password":"correct horse"}`, origin)
	set := got.header.Get("Set-Cookie")
	for _, part := range []string{"__Host-dragoman_session=drs_", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(set, part) {
			t.Errorf("the cookie %q is without %s", set, part)
		}
	}
	if strings.Contains(set, "Domain") || got.header.Get("Cache-Control") != "no-store" || strings.Contains(got.body, "argon2id") {
		t.Errorf("%s %s", set, got.body)
	}
	b := w.login("ada@example.com")
	if me := b.want(200, "GET", "/v1/me", ""); me.at(t, "user", "email") != "ada@example.com" || me.at(t, "all") != "true" {
		t.Error(me.body)
	}
	if s := b.want(200, "GET", "/v1/session", ""); s.at(t, "csrf_token") != b.csrf {
		t.Error(s.body)
	}
	key := "Idempotency-Key: once"
	first := b.want(201, "POST", "/v1/tokens", `{"name":"crm","scopes":["read"]}`, key)
	if again := b.want(201, "POST", "/v1/tokens", `{"name":"crm","scopes":["read"]}`, key); again.body != first.body {
		t.Error("an Idempotency-Key of a session does not hold")
	}
	if list := b.want(200, "GET", "/v1/sessions", ""); len(list.json(t)["items"].([]any)) != 2 {
		t.Error(list.body)
	}
	b.want(204, "DELETE", "/v1/sessions", "")
	if list := b.want(200, "GET", "/v1/sessions", ""); len(list.json(t)["items"].([]any)) != 1 {
		t.Error(list.body)
	}
	out := b.want(204, "DELETE", "/v1/session", "")
	if !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie stays: %v", out.header)
	}
	b.want(401, "GET", "/v1/me", "")
	if strings.Contains(w.logs.String(), password) || strings.Contains(w.logs.String(), b.cookie) {
		t.Error("the log has a password or a cookie")
	}
}

// TestSessionAttacks spoils one thing each.
func TestSessionAttacks(t *testing.T) {
	w := people(t)
	w.pass(0) // the clock stands still from here
	w.pass(time.Second)
	a, b := w.joined("ada@example.com", "admin"), w.joined("bob@example.com", "agent")
	name, token, _ := strings.Cut(a.cookie, "=")
	for what, c := range map[string]struct {
		status int
		header []string
	}{
		"none":                 {401, []string{origin}},
		"forged":               {401, []string{"Cookie: " + name + "=drs_" + strings.Repeat("A", 43), origin, "X-CSRF-Token: " + a.csrf}},
		"cut":                  {401, []string{"Cookie: " + a.cookie[:len(a.cookie)-1], origin, "X-CSRF-Token: " + a.csrf}},
		"without __Host-":      {401, []string{"Cookie: dragoman_session=" + token, origin, "X-CSRF-Token: " + a.csrf}},
		"two cookies":          {401, []string{"Cookie: " + a.cookie + "; " + b.cookie, origin, "X-CSRF-Token: " + a.csrf}},
		"as a token":           {401, []string{"Authorization: Bearer " + token}},
		"wrong token, cookie":  {401, []string{"Authorization: Bearer x", "Cookie: " + a.cookie, origin, "X-CSRF-Token: " + a.csrf}},
		"no CSRF token":        {403, []string{"Cookie: " + a.cookie, origin}},
		"another's CSRF":       {403, []string{"Cookie: " + a.cookie, origin, "X-CSRF-Token: " + b.csrf}},
		"no Origin":            {403, []string{"Cookie: " + a.cookie, "X-CSRF-Token: " + a.csrf}},
		"wrong Origin":         {403, []string{"Cookie: " + a.cookie, "Origin: https://evil.example", "X-CSRF-Token: " + a.csrf}},
		"Origin http":          {403, []string{"Cookie: " + a.cookie, "Origin: http://hub.example", "X-CSRF-Token: " + a.csrf}},
		"Origin null":          {403, []string{"Cookie: " + a.cookie, "Origin: null", "X-CSRF-Token: " + a.csrf}},
		"Origin like the Host": {403, []string{"Cookie: " + a.cookie, "Origin: http://example.com", "X-CSRF-Token: " + a.csrf}},
	} {
		got := w.call("POST", "/v1/tokens", "", `{"name":"x","scopes":["read"]}`, c.header...)
		if got.status != c.status {
			t.Errorf("%s: %d, want %d: %s", what, got.status, c.status, got.body)
		}
	}
	if got := w.call("POST", "/login", "", `{"email":"ada@example.com","password":"correct horse"}`, "Origin: https://evil.example"); got.status != 403 {
		t.Errorf("sign in from another site: %d", got.status)
	}
	a.want(201, "POST", "/v1/tokens", `{"name":"x","scopes":["read"]}`)

	old := w.login("ada@example.com")
	a.want(204, "PUT", "/v1/me/password", `{"current":"correct horse","password":"battery staple"}`)
	old.want(401, "GET", "/v1/me", "")
	a.want(200, "GET", "/v1/me", "")
	a.want(403, "PUT", "/v1/me/password", `{"current":"correct horse","password":"battery staple"}`)
	a.want(200, "PATCH", "/v1/users/"+b.id, `{"status":"disabled"}`)
	b.want(401, "GET", "/v1/me", "")
	w.pass(13 * time.Hour)
	a.want(401, "GET", "/v1/me", "")

	c := w.joined("cyd@example.com", "agent")
	for range 15 { // used every 11 hours, and over after seven days all the same
		c.call("GET", "/v1/me", "")
		w.pass(11 * time.Hour)
	}
	c.want(200, "GET", "/v1/me", "")
	w.pass(4 * time.Hour)
	c.want(401, "GET", "/v1/me", "")
}

// TestPlainHTTP: without https the cookie has its plain name, and the address that was called counts as origin.
func TestPlainHTTP(t *testing.T) {
	w := people(t, func(o *api.Options) { o.Public = "" })
	w.invite("ada@example.com", "admin")
	got := w.ok("POST", "/login", "", `{"email":"ada@example.com","password":"correct horse"}`, "Origin: http://example.com")
	cookie, rest, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if !strings.HasPrefix(cookie, "dragoman_session=") || strings.Contains(rest, "Secure") {
		t.Errorf("cookie %s;%s", cookie, rest)
	}
	for from, want := range map[string]int{"http://example.com": 204, "https://example.com": 403, "http://example.com:81": 403} {
		if got := w.call("DELETE", "/v1/sessions", "", "", "Cookie: "+cookie, "Origin: "+from, "X-CSRF-Token: "+got.at(t, "csrf_token")); got.status != want {
			t.Errorf("from %s: %d, want %d", from, got.status, want)
		}
	}
}

// TestNobodyGetsMore: who looks after users and roles cannot make anybody, oneself included, mightier than oneself.
func TestNobodyGetsMore(t *testing.T) {
	w := people(t)
	w.ok("PUT", "/v1/roles/clerk", "admin", `{"rights":["users","roles","tokens","conversations.read"],"reach":"queues"}`)
	clerk, boss := w.joined("clerk@example.com", "clerk"), w.joined("boss@example.com", "admin")
	clerk.want(403, "POST", "/v1/users", `{"email":"x@example.com","role":"admin"}`)
	clerk.want(403, "POST", "/v1/users", `{"email":"x@example.com","role":"supervisor"}`)
	clerk.want(403, "PATCH", "/v1/users/"+clerk.id, `{"role":"admin"}`)
	clerk.want(403, "PATCH", "/v1/users/"+boss.id, `{"role":"clerk"}`)
	clerk.want(403, "PATCH", "/v1/users/"+boss.id, `{"email":"mine@example.com"}`)
	clerk.want(403, "POST", "/v1/users/"+boss.id+"/link", "")
	clerk.want(403, "DELETE", "/v1/users/"+boss.id+"/totp", "")
	clerk.want(403, "DELETE", "/v1/users/"+boss.id+"/sessions", "")
	clerk.want(403, "PUT", "/v1/roles/clerk", `{"rights":["users","roles","audit.read"],"reach":"queues"}`)
	clerk.want(403, "PUT", "/v1/roles/clerk", `{"rights":["users"],"reach":"all"}`)
	clerk.want(403, "PUT", "/v1/roles/admin", `{"rights":[],"reach":"own"}`)
	clerk.want(403, "DELETE", "/v1/roles/agent", "")
	clerk.want(403, "POST", "/v1/tokens", `{"name":"x","scopes":["read"]}`)
	clerk.want(403, "POST", "/v1/tokens", `{"name":"x","scopes":["admin"]}`)
	clerk.want(409, "PATCH", "/v1/users/"+clerk.id, `{"status":"disabled"}`)
	clerk.want(200, "PUT", "/v1/roles/less", `{"rights":["conversations.read"],"reach":"own"}`)
	clerk.want(201, "POST", "/v1/users", `{"email":"less@example.com","role":"less"}`)
	clerk.want(409, "DELETE", "/v1/roles/less", "")
	clerk.want(422, "PUT", "/v1/roles/Bad", `{"rights":[],"reach":"own"}`)
	clerk.want(422, "PUT", "/v1/roles/bad", `{"rights":["everything"],"reach":"own"}`)
	clerk.want(422, "POST", "/v1/users", `{"email":"no address","role":"less"}`)
	clerk.want(409, "POST", "/v1/users", `{"email":"LESS@example.com","role":"less"}`)
	boss.want(409, "PATCH", "/v1/users/"+boss.id, `{"role":"agent"}`) // the last admin
	boss.want(201, "POST", "/v1/tokens", `{"name":"x","scopes":["admin"]}`)
	// another workspace's ids
	for _, c := range []string{"GET /v1/users/", "PATCH /v1/users/", "GET /v1/users/%s/sessions", "POST /v1/users/%s/link", "DELETE /v1/users/%s/sessions"} {
		method, path, _ := strings.Cut(c, " ")
		if strings.Contains(path, "%s") {
			path = fmt.Sprintf(path, boss.id)
		} else {
			path += boss.id
		}
		body := ""
		if method == "PATCH" {
			body = `{"name":"x"}`
		}
		if got := w.call(method, path, "other", body); got.status != 404 {
			t.Errorf("%s from another workspace: %d", c, got.status)
		}
	}
	if got := w.call("POST", "/login", "", fmt.Sprintf(`{"email":"boss@example.com","password":%q,"workspace":%q}`, password, w.other)); got.status != 401 {
		t.Errorf("signed in to another workspace: %d", got.status)
	}
	_, conversation := w.talk("other")
	boss.want(404, "GET", "/v1/conversations/"+conversation, "")
	boss.want(404, "POST", "/v1/conversations/"+conversation+"/messages", `{"text":"x"}`)
}

// TestReach: an agent sees the conversations of her queues and her own, by every route, in lists and in streams, and no other.
func TestReach(t *testing.T) {
	w := people(t)
	id := w.invite("ada@example.com", "agent")
	member := func(ids string) {
		w.ok("PUT", "/v1/queues/support", "admin", `{"rule":"everyone","members":[`+ids+`]}`)
	}
	w.ok("PUT", "/v1/agents/"+id, "admin", `{"name":"Ada"}`)
	member(`"` + id + `"`)
	w.desk("admin", "sales")
	ada := w.login("ada@example.com")
	channel, mine := w.talk("admin")
	find := func(from string) string {
		w.say(channel, from, "hello")
		return w.ok("GET", "/v1/conversations", "admin", "").at(t, "items", 0, "id")
	}
	queued, foreign := find("bob"), find("cyd")
	w.ok("POST", "/v1/conversations/"+mine+"/assign", "admin", fmt.Sprintf(`{"assignee":%q,"queue":"sales"}`, id))
	w.ok("POST", "/v1/conversations/"+queued+"/queue", "admin", `{"queue":"support"}`)
	w.ok("POST", "/v1/conversations/"+foreign+"/queue", "admin", `{"queue":"sales"}`)
	for _, c := range []struct {
		id   string
		sees bool
	}{{mine, true}, {queued, true}, {foreign, false}} {
		for _, pattern := range w.api.Patterns() {
			method, path, _ := strings.Cut(pattern, " ")
			if rest, ok := strings.CutPrefix(path, "/v1/conversations/{id}"); ok && (method == "GET" || rest == "/notes" || rest == "/typing") {
				got := ada.call(method, "/v1/conversations/"+c.id+rest, `{"text":"x"}`)
				if method == "GET" {
					got = ada.call(method, "/v1/conversations/"+c.id+rest, "")
				}
				if sees := got.status != 404; sees != c.sees {
					t.Errorf("%s of %v: %d %s", pattern, c, got.status, got.body)
				}
			} else if ok && !c.sees {
				if got := ada.call(method, strings.ReplaceAll("/v1/conversations/"+c.id+rest, "{seq}", "1"), `{}`); got.status != 404 && !strings.Contains(got.body, "has not got the right") {
					t.Errorf("%s of a foreign conversation: %d %s", pattern, got.status, got.body)
				}
			}
		}
	}
	list := ada.want(200, "GET", "/v1/conversations", "")
	if !strings.Contains(list.body, mine) || !strings.Contains(list.body, queued) || strings.Contains(list.body, foreign) {
		t.Error(list.body)
	}
	byID := "/v1/conversations?ids=" + foreign + ",nobody," + queued + "," + mine
	if got := ada.want(200, "GET", byID, ""); got.at(t, "items", 0, "id") != queued || got.at(t, "items", 1, "id") != mine || strings.Contains(got.body, foreign) {
		t.Errorf("by ids: %s", got.body)
	}
	if got := w.ok("GET", byID, "admin", ""); got.at(t, "items", 0, "id") != foreign || got.at(t, "items", 2, "id") != mine {
		t.Errorf("by ids: %s", got.body)
	}
	if got := w.call("GET", "/v1/conversations?ids="+strings.Repeat(",x", 100), "admin", ""); got.status != 422 {
		t.Errorf("too many ids: %d", got.status)
	}
	for _, query := range []string{"?queue=sales&state=queued", "?assignee=", "?q=cyd"} {
		if list := ada.want(200, "GET", "/v1/conversations"+query, ""); strings.Contains(list.body, foreign) {
			t.Errorf("%s shows a foreign conversation", query)
		}
	}
	ada.want(404, "GET", "/v1/events?conversation="+foreign, "")
	w.streamShows(ada, mine, queued, foreign)
	ada = w.login("ada@example.com")
	member("")
	ada.want(404, "GET", "/v1/conversations/"+queued, "")
	ada.want(200, "GET", "/v1/conversations/"+mine, "")
}

// streamShows follows the whole log and then live: what is foreign never comes, and the event that takes a conversation away does.
func (w *world) streamShows(b browser, mine, queued, foreign string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute) // only a failure waits for it
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", w.serve()+"/v1/events?after=0", nil)
	w.must(err)
	r.Header.Set("Cookie", b.cookie)
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	defer res.Body.Close()
	if res.StatusCode != 200 {
		w.t.Fatalf("stream: %s", res.Status)
	}
	var seen strings.Builder
	until := func(what string) {
		buf := make([]byte, 4096)
		for !strings.Contains(seen.String(), what) {
			n, err := res.Body.Read(buf)
			if err != nil {
				w.t.Fatalf("%v before %q: %s", err, what, seen.String())
			}
			seen.Write(buf[:n])
		}
	}
	until(queued)
	w.ok("POST", "/v1/conversations/"+foreign+"/notes", "admin", `{"text":"secret note"}`)
	w.ok("POST", "/v1/conversations/"+queued+"/queue", "admin", `{"queue":"sales","reason":"taken away"}`)
	until("taken away")
	w.ok("POST", "/v1/conversations/"+queued+"/notes", "admin", `{"text":"after it was taken away"}`)
	w.ok("POST", "/v1/conversations/"+mine+"/notes", "admin", `{"text":"the last one"}`)
	until("the last one")
	if s := seen.String(); strings.Contains(s, foreign) || strings.Contains(s, "secret note") || strings.Contains(s, "after it was taken away") {
		w.t.Errorf("the stream shows what it must not: %s", s)
	}
	w.ok("POST", "/v1/conversations/"+queued+"/queue", "admin", `{"queue":"support"}`)
	b.want(204, "DELETE", "/v1/session", "")
	for {
		if _, err := res.Body.Read(make([]byte, 4096)); err != nil {
			break // a stream ends with its session
		}
	}
	if ctx.Err() != nil {
		w.t.Error("the stream outlives its session")
	}
}
