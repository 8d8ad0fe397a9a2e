package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/pquerna/otp/totp"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/outbound"
)

// TestCodesOverHTTP signs in with an authenticator app, and with a recovery code.
func TestCodesOverHTTP(t *testing.T) {
	w := people(t)
	w.pass(0)
	w.pass(time.Second)
	b := w.joined("ada@example.com", "agent")
	b.want(403, "POST", "/v1/me/totp", `{"password":"wrong"}`)
	offer := b.want(200, "POST", "/v1/me/totp", `{"password":"correct horse"}`)
	code := func() string {
		c, err := totp.GenerateCode(offer.at(t, "secret"), w.clock())
		w.must(err)
		return c
	}
	recovery := b.want(200, "POST", "/v1/me/totp/confirm", `{"code":"`+code()+`"}`)
	login := func(code string) answer {
		return w.call("POST", "/login", "", fmt.Sprintf(`{"email":"ada@example.com","password":"correct horse","code":%q}`, code))
	}
	for what, c := range map[string]string{"totp_required": "", "unauthorized": code()} { // the second one has confirmed already
		if got := login(c); got.status != 401 || got.at(t, "code") != what || got.header.Get("Set-Cookie") != "" {
			t.Errorf("with %q: %d %s", c, got.status, got.body)
		}
	}
	w.pass(time.Minute)
	if got := login(code()); got.status != 200 {
		t.Errorf("with a code: %d %s", got.status, got.body)
	}
	if got := login(recovery.at(t, "recovery_codes", 0)); got.status != 200 {
		t.Errorf("with a recovery code: %d %s", got.status, got.body)
	}
	w.ok("DELETE", "/v1/users/"+b.id+"/totp", "admin", "")
	if got := login(""); got.status != 200 {
		t.Errorf("after the reset: %d %s", got.status, got.body)
	}
	for _, secret := range []string{offer.at(t, "secret"), recovery.at(t, "recovery_codes", 0), "correct horse"} {
		if strings.Contains(w.logs.String(), secret) {
			t.Error("the log has a secret")
		}
	}
}

// TestGuessingOverHTTP: the same answer for who is there and who is not, until both have to wait.
func TestGuessingOverHTTP(t *testing.T) {
	w := people(t)
	w.pass(0)
	w.pass(time.Second)
	w.invite("ada@example.com", "agent")
	for i := range 8 {
		var seen []string
		for _, email := range []string{"ada@example.com", "bob@example.com"} {
			got := w.call("POST", "/login", "", fmt.Sprintf(`{"email":%q,"password":"guess"}`, email))
			seen = append(seen, fmt.Sprint(got.status, got.at(t, "code"), got.at(t, "detail"), got.header.Get("Retry-After")))
		}
		if seen[0] != seen[1] {
			t.Errorf("try %d: %q and %q", i, seen[0], seen[1])
		}
		if want := map[bool]string{true: "429", false: "401"}[i >= 5]; !strings.HasPrefix(seen[0], want) {
			t.Errorf("try %d: %s, want %s", i, seen[0], want)
		}
	}
	for _, body := range []string{`{}`, `{"email":"a","password":1}`, `[]`, `{"email":"ada@example.com","password":"` + strings.Repeat("x", 300) + `"}`, `{"email":"a@b","password":"x","more":1}`} {
		if got := w.call("POST", "/login", "", body); got.status != 422 {
			t.Errorf("%.40s: %d %s", body, got.status, got.body)
		}
	}
}

// idp is the least that an OpenID provider has to be, for the way through the browser; its tokens are examined in package access.
func idp(t *testing.T) *httptest.Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	say := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		say(w, map[string]any{"issuer": server.URL, "authorization_endpoint": server.URL + "/a", "token_endpoint": server.URL + "/t", "jwks_uri": server.URL + "/k"})
	})
	mux.HandleFunc("GET /k", func(w http.ResponseWriter, _ *http.Request) {
		say(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /t", func(w http.ResponseWriter, r *http.Request) { // the code is the nonce
		payload, _ := json.Marshal(map[string]any{
			"iss": server.URL, "aud": "desk", "sub": "1", "nonce": r.FormValue("code"), "exp": time.Now().Add(time.Hour).Unix(),
			"email": "ada@example.com", "email_verified": true,
		})
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
		if err != nil {
			t.Error(err)
			return
		}
		jws, err := signer.Sign(payload)
		if err != nil {
			t.Error(err)
			return
		}
		text, _ := jws.CompactSerialize()
		say(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": text})
	})
	return server
}

// TestOIDCOverHTTP goes the way of a browser: there, back with the cookie, in.
func TestOIDCOverHTTP(t *testing.T) {
	provider := idp(t)
	w := people(t, func(o *api.Options) {
		o.Access.OIDC = access.OIDC{Issuer: provider.URL, Client: "desk", Secret: "s"}
		o.Access.HTTP = outbound.Client(outbound.Options{AllowPrivate: true})
	})
	id := w.invite("ada@example.com", "supervisor")
	start := w.call("GET", "/login/oidc", "", "")
	there, err := url.Parse(start.header.Get("Location"))
	w.must(err)
	q := there.Query()
	cookie, rest, _ := strings.Cut(start.header.Get("Set-Cookie"), ";")
	if start.status != 303 || q.Get("redirect_uri") != "https://hub.example/login/oidc/callback" || !strings.Contains(rest, "HttpOnly; Secure; SameSite=Lax") {
		t.Fatalf("%d %v %s", start.status, q, rest)
	}
	back := "/login/oidc/callback?code=" + q.Get("nonce") + "&state="
	if got := w.call("GET", back+q.Get("state"), "", ""); got.status != 401 {
		t.Errorf("without the cookie: %d", got.status)
	}
	if got := w.call("GET", back+"other", "", "", "Cookie: "+cookie); got.status != 401 || strings.Contains(fmt.Sprint(got.header["Set-Cookie"]), "dragoman_session") {
		t.Errorf("with another state: %d %v", got.status, got.header)
	}
	// a neighbour under the same domain cannot plant a sign-in of its own: browsers keep this name to this very host
	if !strings.HasPrefix(cookie, "__Host-") || !strings.Contains(rest, "Path=/;") {
		t.Errorf("%.20s;%s", cookie, rest)
	}
	for _, planted := range []string{strings.TrimPrefix(cookie, "__Host-"), cookie + "; " + cookie} {
		if got := w.call("GET", back+q.Get("state"), "", "", "Cookie: "+planted); got.status != 401 {
			t.Errorf("%.40s: %d", planted, got.status)
		}
	}
	in := w.call("GET", back+q.Get("state"), "", "", "Cookie: "+cookie)
	if in.status != 303 || in.header.Get("Location") != "/" || len(in.header["Set-Cookie"]) != 2 {
		t.Fatalf("%d %v %s", in.status, in.header, in.body)
	}
	session, _, _ := strings.Cut(in.header["Set-Cookie"][1], ";")
	if me := w.ok("GET", "/v1/me", "", "", "Cookie: "+session); me.at(t, "user", "id") != id {
		t.Error(me.body)
	}
	if off := people(t).call("GET", "/login/oidc", "", ""); off.status != 404 {
		t.Errorf("without a provider: %d", off.status)
	}
}

// FuzzCookies puts anything into the cookie and the headers beside it: nobody gets in, and nothing panics.
func FuzzCookies(f *testing.F) {
	w := people(f, func(o *api.Options) { o.Limits.Failures = 1 << 30 })
	b := w.joined("ada@example.com", "agent")
	f.Add(b.cookie, "https://hub.example", b.csrf[1:])
	f.Add(b.cookie[:len(b.cookie)-1], "null", b.csrf)
	f.Add(b.cookie+"; "+b.cookie, "https://hub.example", b.csrf)
	f.Add("__Host-dragoman_session=\"drs_\"; a=b;;=", "", "\xff")
	f.Fuzz(func(t *testing.T, cookie, origin, csrf string) {
		if csrf == b.csrf && strings.Contains(cookie, b.cookie) {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), "DELETE", "/v1/sessions", nil)
		r.Header["Cookie"], r.Header["Origin"], r.Header["X-Csrf-Token"] = []string{cookie}, []string{origin}, []string{csrf}
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		if rec.Code != 401 && rec.Code != 403 && rec.Code != 429 {
			t.Errorf("%q: %d", cookie, rec.Code)
		}
	})
}
