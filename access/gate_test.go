package access_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/pquerna/otp/totp"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// house is a gate over a real store, with an admin.
type house struct {
	*access.Gate
	t     testing.TB
	store *store.Store
	ws    chat.WorkspaceID
	by    access.Who
	now   atomic.Int64 // microseconds
	logs  bytes.Buffer
}

const password = "correct horse"

func (h *house) clock() time.Time      { return time.UnixMicro(h.now.Load()) }
func (h *house) pass(d time.Duration)  { h.now.Add(d.Microseconds()) }
func (h *house) ctx() context.Context  { return h.t.Context() }
func here() access.Visit               { return access.Visit{Address: "192.0.2.1", Agent: "Browser"} }
func from(address string) access.Visit { return access.Visit{Address: address} }
func quick(s *access.Settings)         { s.Hashing = access.Hashing{Memory: 64, Passes: 1} }
func (h *house) must(err error, s ...any) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err, s)
	}
}

func newHouse(t testing.TB, dsn string, change ...func(*access.Settings)) *house {
	t.Helper()
	h := &house{t: t}
	h.now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	var err error
	h.store, err = store.Open(t.Context(), store.Options{DSN: dsn, Now: h.clock})
	h.must(err)
	t.Cleanup(func() { h.store.Close() })
	w, err := h.store.AddWorkspace(t.Context(), "", "first")
	h.must(err)
	h.ws, h.by = w.ID, access.Who{Workspace: w.ID, Grant: access.Grant{All: true, Reach: access.ReachAll}}
	keys, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	h.must(err)
	o := access.Options{Store: h.store, Secrets: keys, Now: h.clock, Log: slog.New(slog.NewTextHandler(&h.logs, nil))}
	quick(&o.Settings)
	for _, f := range change {
		f(&o.Settings)
	}
	h.Gate = access.New(o)
	return h
}

func lite(t testing.TB) string { return filepath.Join(t.TempDir(), "d.db") }

// user invites somebody, who sets the password.
func (h *house) user(email, role string) store.User {
	h.t.Helper()
	u, link, err := h.AddUser(h.ctx(), h.by, access.NewUser{Email: email, Role: role})
	h.must(err)
	h.must(used(h.UseLink(h.ctx(), link.Token, password)))
	u, err = h.store.User(h.ctx(), h.ws, u.ID)
	h.must(err)
	return u
}

func (h *house) login(email, code string) access.NewSession {
	h.t.Helper()
	s, err := h.Login(h.ctx(), access.Credentials{Email: email, Password: password, Code: code}, here())
	h.must(err)
	return s
}

func (h *house) in(s access.NewSession) access.SignedIn {
	h.t.Helper()
	in, err := h.Session(h.ctx(), s.Token)
	h.must(err)
	return in
}

func (h *house) refused(code chat.Code, err error, what string) {
	h.t.Helper()
	if chat.CodeOf(err) != code {
		h.t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

// TestTOTPIsGoodOnce: codes and recovery codes, each once, also when they come at once.
func TestTOTPIsGoodOnce(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": lite, "postgres": pgtest.Start} {
		t.Run(name, func(t *testing.T) { totpOnce(t, newHouse(t, dsn(t))) })
	}
}

func totpOnce(t *testing.T, h *house) {
	h.user("ada@example.com", "agent")
	in := h.in(h.login("ada@example.com", ""))
	_, err := h.OfferTOTP(h.ctx(), in, "wrong")
	h.refused(chat.CodeForbidden, err, "without the password")
	_, err = h.ConfirmTOTP(h.ctx(), in, "000000")
	h.refused(chat.CodeConflict, err, "before it is offered")
	offer, err := h.OfferTOTP(h.ctx(), in, password)
	h.must(err)
	h.login("ada@example.com", "") // not confirmed: not wanted
	in = h.in(h.login("ada@example.com", ""))
	code := func() string {
		c, err := totp.GenerateCode(offer.Secret, h.clock())
		h.must(err)
		return c
	}
	_, err = h.ConfirmTOTP(h.ctx(), in, "000000")
	h.refused(chat.CodeForbidden, err, "a wrong code")
	recovery, err := h.ConfirmTOTP(h.ctx(), in, code())
	h.must(err)
	login := func(code string) error {
		_, err := h.Login(h.ctx(), access.Credentials{Email: "ada@example.com", Password: password, Code: code}, here())
		return err
	}
	h.refused(access.CodeWanted, login(""), "without a code")
	h.refused(access.CodeWrong, login(code()), "the code that confirmed")
	h.pass(30 * time.Second)
	atOnce := func(code string) int64 {
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if login(code) == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		return won.Load()
	}
	if n := atOnce(code()); n != 1 {
		t.Errorf("one code was accepted %d times", n)
	}
	h.pass(10 * time.Minute)
	if n := atOnce(recovery[0]); n != 1 {
		t.Errorf("one recovery code was accepted %d times", n)
	}
	h.pass(10 * time.Minute)
	h.must(login(strings.ToUpper(recovery[1])))
	h.refused(access.CodeWrong, login(recovery[1]), "a recovery code again")
	old := code()
	h.pass(5 * time.Minute)
	h.refused(access.CodeWrong, login(old), "an old code")
	in = h.in(access.NewSession{Token: h.login("ada@example.com", code()).Token})
	h.refused(chat.CodeForbidden, h.StopTOTP(h.ctx(), in, password, recovery[0]), "stop with a used code")
	h.must(h.StopTOTP(h.ctx(), in, password, recovery[2]))
	h.must(login(""))
}

// TestStrangersLockNobodyOut: while many addresses guess, the user still gets in from where she has been before, and after a bounded
// time from anywhere.
func TestStrangersLockNobodyOut(t *testing.T) {
	h := newHouse(t, lite(t))
	h.user("ada@example.com", "agent")
	h.login("ada@example.com", "")
	guess := func(address string) error {
		_, err := h.Login(h.ctx(), access.Credentials{Email: "ada@example.com", Password: "guess", Code: ""}, from(address))
		return err
	}
	for i := range 60 {
		err := guess("198.51.100." + string(rune('0'+i%10)) + string(rune('0'+i/10)))
		if i == 59 {
			h.refused(access.CodeThrottled, err, "guessing from everywhere")
		}
	}
	h.login("ada@example.com", "")
	for range 6 {
		_ = guess("192.0.2.1")
	}
	h.refused(access.CodeThrottled, guess("192.0.2.1"), "guessing from a known address")
	h.pass(time.Minute)
	h.login("ada@example.com", "")
}

// TestNobodyLearnsWhoIsThere: unknown, disabled and invited users and wrong passwords are refused with the same words, and unknown ones
// are slowed down like known ones.
func TestNobodyLearnsWhoIsThere(t *testing.T) {
	h := newHouse(t, lite(t))
	h.user("ada@example.com", "agent")
	off := h.user("off@example.com", "agent")
	_, _, err := h.AddUser(h.ctx(), h.by, access.NewUser{Email: "new@example.com", Role: "agent"})
	h.must(err)
	disabled := store.UserDisabled
	_, err = h.PatchUser(h.ctx(), h.by, off.ID, access.UserPatch{Status: &disabled})
	h.must(err)
	for i := range 8 {
		var words []string
		for _, email := range []string{"ada@example.com", "off@example.com", "new@example.com", "none@example.com", "", "no address"} {
			p := "guess"
			if email == "off@example.com" {
				p = password
			}
			_, err := h.Login(h.ctx(), access.Credentials{Email: email, Password: p}, here())
			words = append(words, strings.ReplaceAll(err.Error(), email, ""))
		}
		for _, w := range words {
			if w != words[0] {
				t.Errorf("try %d: %q and %q", i, w, words[0])
			}
		}
	}
}

// TestParallelLogins: many good ones all get in, with their own sessions; of many guesses at once only the free ones are tried.
func TestParallelLogins(t *testing.T) {
	h := newHouse(t, lite(t))
	h.user("ada@example.com", "agent")
	h.login("ada@example.com", "")
	var wg sync.WaitGroup
	var tried, good atomic.Int64
	tokens := sync.Map{}
	for range 4 { // at once fewer than the free tries
		wg.Go(func() {
			s, err := h.Login(h.ctx(), access.Credentials{Email: " ADA@example.com ", Password: password}, here())
			if err != nil {
				t.Error(err)
			}
			if _, twice := tokens.LoadOrStore(s.Token, true); !twice {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	for range 40 {
		wg.Go(func() {
			_, err := h.Login(h.ctx(), access.Credentials{Email: "ada@example.com", Password: "guess"}, from("198.51.100.1"))
			if chat.CodeOf(err) == access.CodeWrong {
				tried.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 4 || tried.Load() != 5 {
		t.Errorf("%d got in, %d guesses were tried", good.Load(), tried.Load())
	}
}

// TestRehash: who signs in after the effort has grown is hashed anew.
func TestRehash(t *testing.T) {
	dsn := lite(t)
	h := newHouse(t, dsn)
	u := h.user("ada@example.com", "agent")
	keys, err := secret.NewKeyring(bytes.Repeat([]byte{7}, secret.KeySize))
	h.must(err)
	grown := access.New(access.Options{Store: h.store, Secrets: keys, Now: h.clock, Settings: access.Settings{Hashing: access.Hashing{Memory: 128, Passes: 2}}})
	_, err = grown.Login(h.ctx(), access.Credentials{Email: u.Email, Password: password}, here())
	h.must(err)
	u, err = h.store.User(h.ctx(), h.ws, u.ID)
	h.must(err)
	if !strings.HasPrefix(u.Password, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("still %s", u.Password)
	}
	h.login(u.Email, "")
}

// TestLinks: a link is good once, for a time, for an active user, and only for a password that fits.
func TestLinks(t *testing.T) {
	h := newHouse(t, lite(t))
	u, link, err := h.AddUser(h.ctx(), h.by, access.NewUser{Email: "Ada@Example.com", Role: "agent"})
	h.must(err)
	h.refused(chat.CodeInvalid, used(h.UseLink(h.ctx(), link.Token, "ada@example.com")), "a bad password")
	h.refused(chat.CodeNotFound, used(h.UseLink(h.ctx(), link.Token+"x", password)), "another link")
	h.refused(chat.CodeNotFound, used(h.UseLink(h.ctx(), "drs"+link.Token[3:], password)), "another kind")
	h.must(used(h.UseLink(h.ctx(), link.Token, password)))
	h.refused(chat.CodeNotFound, used(h.UseLink(h.ctx(), link.Token, password+"2")), "a link twice")
	s := h.login("ada@example.com", "")
	link, err = h.NewLink(h.ctx(), h.by, u.ID)
	h.must(err)
	newer, err := h.NewLink(h.ctx(), h.by, u.ID)
	h.must(err)
	h.refused(chat.CodeNotFound, used(h.UseLink(h.ctx(), link.Token, password)), "an earlier link")
	h.must(used(h.UseLink(h.ctx(), newer.Token, password)))
	_, err = h.Session(h.ctx(), s.Token)
	h.refused(chat.CodeNotFound, err, "a session from before the new password")
	late, err := h.NewLink(h.ctx(), h.by, u.ID)
	h.must(err)
	h.pass(49 * time.Hour)
	h.refused(chat.CodeNotFound, used(h.UseLink(h.ctx(), late.Token, password)), "a link that is over")
}

// oidcHouse is a house with a provider; the answer signs in there, as a browser would.
func oidcHouse(t *testing.T, role string) (*house, *provider, func() (access.NewSession, error)) {
	t.Helper()
	var h *house
	p := newProvider(t, func() time.Time { return h.clock() })
	h = newHouse(t, lite(t), func(s *access.Settings) {
		s.OIDC = access.OIDC{Issuer: p.server.URL, Client: "desk", Secret: "client secret", Role: role}
		s.HTTP = outbound.Client(outbound.Options{AllowPrivate: true})
	})
	return h, p, func() (access.NewSession, error) {
		location, cookie, err := h.StartOIDC(h.ctx(), "https://hub.example/back")
		h.must(err)
		code, state := p.authorize(location)
		return h.FinishOIDC(h.ctx(), cookie, access.Return{Code: code, State: state, Issuer: p.server.URL}, "https://hub.example/back", here())
	}
}

// TestOIDC: known users by their verified address, then by who they are there; new ones only where that is allowed.
func TestOIDC(t *testing.T) {
	h, p, sign := oidcHouse(t, "")
	_, err := sign()
	h.refused(chat.CodeForbidden, err, "somebody unknown")
	u := h.user("ada@example.com", "supervisor")
	p.set(func() { p.claims = map[string]any{"email_verified": false} })
	_, err = sign()
	h.refused(chat.CodeForbidden, err, "an address that is not verified")
	p.set(func() { p.claims = map[string]any{"email_verified": "true"} })
	s, err := sign()
	h.must(err)
	if in := h.in(s); in.User.ID != u.ID || !in.Who.Has(access.ReportsRead) {
		t.Errorf("signed in as %+v", in)
	}
	acts, _, err := h.store.AuditLog(h.ctx(), h.ws, store.AuditFilter{Act: "bindAtProvider", Limit: 9})
	if err != nil || len(acts) != 1 || acts[0].Object != u.ID {
		t.Errorf("binding in the audit log: %+v, %v", acts, err)
	}
	p.set(func() { p.claims = map[string]any{"email": "other@example.com"} }) // the address has changed there
	if s, err = sign(); err != nil || s.User.ID != u.ID {
		t.Errorf("the same person with a new address: %v", err)
	}
	p.set(func() { p.claims = map[string]any{"sub": "2"} }) // the address belongs to somebody else now
	_, err = sign()
	h.refused(chat.CodeForbidden, err, "an address that has changed hands")
	disabled := store.UserDisabled
	_, err = h.PatchUser(h.ctx(), h.by, u.ID, access.UserPatch{Status: &disabled})
	h.must(err)
	p.set(func() { p.claims = nil })
	_, err = sign()
	h.refused(chat.CodeForbidden, err, "a disabled user")
}

func TestOIDCMakesUsers(t *testing.T) {
	h, p, sign := oidcHouse(t, "agent")
	p.set(func() { p.down = true })
	_, _, err := h.StartOIDC(h.ctx(), "https://hub.example/back")
	h.refused(chat.CodeUnavailable, err, "a provider that is away")
	p.set(func() { p.down = false })
	s, err := sign()
	h.must(err)
	if s.User.Email != "ada@example.com" || s.User.Name != "Ada" || s.User.Role != "agent" || s.User.HasPassword {
		t.Errorf("%+v", s.User)
	}
	if again, err := sign(); err != nil || again.User.ID != s.User.ID {
		t.Errorf("again: %v", err)
	}
	_, err = h.Login(h.ctx(), access.Credentials{Email: "ada@example.com", Password: ""}, here())
	h.refused(access.CodeWrong, err, "without a password")
	acts, _, err := h.store.AuditLog(h.ctx(), h.ws, store.AuditFilter{Act: "signUpAtProvider", Limit: 9})
	if err != nil || len(acts) != 1 || acts[0].Object != s.User.ID {
		t.Errorf("told of as %+v, %v", acts, err)
	}
}

// TestOIDCAttacks: tokens and returns that are spoiled in one way each are refused, and nothing is stored.
func TestOIDCAttacks(t *testing.T) {
	h, p, sign := oidcHouse(t, "agent")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	h.must(err)
	der, err := x509.MarshalPKIXPublicKey(p.key.Public())
	h.must(err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	for name, c := range map[string]struct {
		twist func(map[string]any)
		sign  func([]byte) string
	}{
		"wrong nonce":        {twist: set("nonce", "other")},
		"no nonce":           {twist: set("nonce", nil)},
		"wrong issuer":       {twist: set("iss", "https://evil.example")},
		"wrong audience":     {twist: set("aud", "other")},
		"two audiences":      {twist: set("aud", []string{"desk", "other"})},
		"another party":      {twist: set("azp", "other")},
		"expired":            {twist: set("exp", h.clock().Add(-time.Minute).Unix())},
		"not yet":            {twist: set("nbf", h.clock().Add(time.Hour).Unix())},
		"address unverified": {twist: set("email_verified", false)},
		"no address":         {twist: set("email", "")},
		"unsigned": {sign: func(b []byte) string {
			enc := base64.RawURLEncoding
			return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(b) + "."
		}},
		"another key": {sign: func(b []byte) string {
			return signedWith(t, jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: other, KeyID: "one"}}, b)
		}},
		"the public key as a shared secret": {sign: func(b []byte) string {
			return signedWith(t, jose.SigningKey{Algorithm: jose.HS256, Key: public}, b)
		}},
		"no token": {sign: func([]byte) string { return "" }},
		"junk":     {sign: func([]byte) string { return "a.b.c" }},
	} {
		p.set(func() { p.twist, p.sign = c.twist, c.sign })
		if s, err := sign(); err == nil || s.Token != "" {
			t.Errorf("%s: signed in", name)
		} else if code := chat.CodeOf(err); code != access.CodeWrong && code != chat.CodeForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.set(func() { p.twist, p.sign = nil, nil })
	returns(t, h, p)
	if all, _, err := h.store.Users(h.ctx(), h.ws, store.UserFilter{Limit: 9}); err != nil || len(all) != 0 {
		t.Errorf("made: %v, %v", all, err)
	}
	if strings.Contains(h.logs.String(), "planted-secret") {
		t.Error("the log has what the provider answered")
	}
	if _, err := sign(); err != nil {
		t.Errorf("and without any attack: %v", err)
	}
}

// returns spoils what the browser comes back with.
func returns(t *testing.T, h *house, p *provider) {
	t.Helper()
	const back = "https://hub.example/back"
	for name, spoil := range map[string]func(cookie *string, r *access.Return, callback *string){
		"another state":    func(_ *string, r *access.Return, _ *string) { r.State += "x" },
		"no state":         func(_ *string, r *access.Return, _ *string) { r.State = "" },
		"another issuer":   func(_ *string, r *access.Return, _ *string) { r.Issuer = "https://evil.example" },
		"refused":          func(_ *string, r *access.Return, _ *string) { r.Error = "access_denied" },
		"another code":     func(_ *string, r *access.Return, _ *string) { r.Code = "guess" },
		"no code":          func(_ *string, r *access.Return, _ *string) { r.Code = "" },
		"no cookie":        func(c *string, _ *access.Return, _ *string) { *c = "" },
		"a forged cookie":  func(c *string, _ *access.Return, _ *string) { *c = (*c)[:len(*c)-3] + "AAA" },
		"another callback": func(_ *string, _ *access.Return, u *string) { *u += "/elsewhere" },
		"another browser": func(c *string, _ *access.Return, _ *string) {
			_, cookie, err := h.StartOIDC(h.ctx(), back)
			h.must(err)
			*c = cookie
		},
		"too late": func(*string, *access.Return, *string) { h.pass(11 * time.Minute) },
	} {
		location, cookie, err := h.StartOIDC(h.ctx(), back)
		h.must(err)
		code, state := p.authorize(location)
		r, callback := access.Return{Code: code, State: state}, back
		spoil(&cookie, &r, &callback)
		if _, err := h.FinishOIDC(h.ctx(), cookie, r, callback, here()); chat.CodeOf(err) != access.CodeWrong {
			t.Errorf("%s: %v", name, err)
		}
	}
	location, cookie, err := h.StartOIDC(h.ctx(), back)
	h.must(err)
	code, state := p.authorize(location)
	p.set(func() { p.claims = map[string]any{"email_verified": false} }) // so that nobody is made
	for range 2 {
		if _, err := h.FinishOIDC(h.ctx(), cookie, access.Return{Code: code, State: state}, back, here()); err == nil {
			t.Error("a return was good twice")
		}
	}
	p.set(func() { p.claims = nil })
}

// used is the error of a link that was used.
func used(_ store.User, err error) error { return err }
