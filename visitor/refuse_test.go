package visitor_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/visitor"
)

const identitySecret = "a-secret-of-the-shop's-server-0123456789"

// signed is what the site's server makes.
func signed(secret, head string, claims m) string {
	body, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func identity(id string) string {
	return signed(identitySecret, `{"alg":"HS256","typ":"JWT"}`, m{"sub": id, "name": "Ann", "email": "ann@shop.example", "exp": time.Now().Add(time.Hour).Unix()})
}

func (k *tab) identify(t testing.TB, token string) *tab {
	t.Helper()
	var got struct{ Token, Visitor string }
	k.call("POST", "/identify", m{"identity": token}).into(t, 200, &got)
	return &tab{w: k.w, site: k.site, token: got.Token}
}

// Nobody gets in with what was not made for them, here.
func TestForgedTokens(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, nil)
	other := w.channel("", `{}`)
	k, there := w.tab(), w.tabAt(other)
	k.say("mine")
	old := w.ring.Sign("visitor/"+string(w.site), `{"i":"x","t":1}`, time.Now().Add(-time.Minute))
	elsewhere := w.ring.Sign("file/"+string(w.site), `{"i":"x","t":1}`, time.Now().Add(time.Minute))
	for name, token := range map[string]string{
		"none": "", "junk": "x", "cut": k.token[:len(k.token)-2], "of another channel": there.token, "over": old, "of another use": elsewhere,
		"long": strings.Repeat("x", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			bad := &tab{w: w, site: w.site, token: token}
			for _, c := range []string{"GET /snapshot", "GET /stream?after=0", "POST /messages", "POST /files", "DELETE /me", "GET /transcript", "POST /rating", "POST /receipts", "POST /typing", "POST /conversations"} {
				method, path, _ := strings.Cut(c, " ")
				bad.call(method, path, nil).refused(t, 401, "unauthorized")
			}
		})
	}
	if got := there.snapshot(""); len(got.Messages) != 0 {
		t.Errorf("another channel's visitor sees %q", texts(got.Messages))
	}
	stranger := w.tab()
	if got := stranger.snapshot(""); len(got.Messages) != 0 {
		t.Errorf("another visitor sees %q", texts(got.Messages))
	}
	stranger.call("GET", "/snapshot?before="+string(w.only().ID)+".9", nil).refused(t, 422, "invalid")
}

func TestUnknownChannels(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, nil)
	w.at("nobody", "GET", "/config", nil).refused(t, 404, "not_found")
	w.at("nobody", "POST", "/sessions", m{}).refused(t, 404, "not_found")
	off := "off"
	if _, err := w.hub.PatchChannel(t.Context(), w.ws, w.site, patch(&off, "")); err != nil {
		t.Fatal(err)
	}
	w.call("GET", "/config", nil).refused(t, 404, "not_found")
	if r := w.call("GET", "/nothing", nil); r.status != 404 && r.status != 405 {
		t.Errorf("%d", r.status)
	}
}

// Pages of other origins are refused, those that are listed may call, and our own always.
func TestOrigins(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"allowed_origins":["https://shop.example"]}`, nil)
	for origin, ok := range map[string]bool{
		"": true, "https://shop.example": true, w.http.URL: true, "https://evil.example": false, "null": false, "https://shop.example.evil.example": false, "http://shop.example": false,
	} {
		r := w.call("GET", "/config", nil, "Origin", origin)
		if !ok {
			r.refused(t, 403, "forbidden")
			w.call("POST", "/sessions", m{}, "Origin", origin).refused(t, 403, "forbidden")
		} else if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%q: %d, %q", origin, r.status, r.header.Get("Access-Control-Allow-Origin"))
		}
		if r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("cookies are allowed")
		}
	}
	r := w.call(http.MethodOptions, "/messages", nil, "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
	if r.status != 204 || !strings.Contains(r.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("pre-flight: %d %v", r.status, r.header)
	}
	w.call(http.MethodOptions, "/messages", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST").refused(t, 403, "forbidden")
}

// Bad input gets a clear error and changes nothing.
func TestBadInput(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"max_file_bytes":10}`, nil)
	k := w.tab()
	id := newID()
	for _, c := range []struct {
		body   any
		status int
		code   string
	}{
		{m{"id": id}, 422, "invalid"},
		{m{"id": id, "text": "  "}, 422, "invalid"},
		{m{"id": "short", "text": "x"}, 422, "invalid"},
		{m{"id": id + "/", "text": "x"}, 422, "invalid"},
		{m{"id": id, "text": strings.Repeat("x", 8001)}, 413, "too_large"},
		{m{"id": id, "text": strings.Repeat("x", 70_000)}, 413, "too_large"},
		{m{"id": id, "choice": m{"title": "x"}}, 422, "invalid"},
		{m{"id": id, "files": []string{"x"}}, 422, "invalid"},
		{m{"id": id, "files": make([]string, 11)}, 422, "invalid"},
		{[]byte(`{"id":`), 400, "malformed"},
		{[]byte("{\"id\":\"\xff\"}"), 400, "malformed"},
		{[]byte(strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100)), 400, "malformed"},
	} {
		k.call("POST", "/messages", c.body).refused(t, c.status, c.code)
	}
	k.call("POST", "/messages", []byte("x"), "Content-Type", "text/plain").refused(t, 415, "unsupported_media_type")
	k.call("POST", "/files", []byte("01234567890")).refused(t, 413, "too_large")
	k.call("POST", "/rating", m{"value": 3}).refused(t, 404, "not_found")
	if all, _, err := w.store.Conversations(t.Context(), w.ws, store.ConversationFilter{Limit: 1}); err != nil || len(all) != 0 {
		t.Errorf("stored: %v, %v", all, err)
	}
}

// The form is wanted with the message that opens the conversation, and its answers are the contact's.
func TestForm(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"form":[{"name":"name","label":"Your name","required":true},{"name":"order","label":"Order"}]}`, nil)
	k := w.tab()
	k.call("POST", "/messages", m{"id": newID(), "text": "hi"}).refused(t, 422, "form_wanted")
	k.call("POST", "/messages", m{"id": newID(), "text": "hi", "form": m{"name": strings.Repeat("x", 2000)}}).refused(t, 422, "invalid")
	k.call("POST", "/messages", m{"id": newID(), "text": "hi", "form": m{"name": "Ann", "order": "7", "else": "x"}, "about": m{"page": "https://shop.example/"}}).into(t, 201, nil)
	k.say("and more")
	conv := w.only()
	opened, err := w.store.EventsOfKinds(t.Context(), w.ws, conv.ID, chat.KindOpened)
	w.must(err)
	if data := string(opened[0].Data); conv.Contact.Name != "Ann" || !strings.Contains(data, `"order":"7"`) || strings.Contains(data, "else") || !strings.Contains(data, "https://shop.example/") {
		t.Errorf("contact %q, %s", conv.Contact.Name, data)
	}
}

// Who sends too much is told to wait; others are not held up.
func TestPaces(t *testing.T) {
	w := newWorld(t, lite(t), "", `{}`, func(o *visitor.Options) { o.Limits.Messages, o.Limits.Mine = 6, 1 })
	k, other := w.tab(), w.tab()
	last := reply{}
	for range 5 {
		last = k.call("POST", "/messages", m{"id": newID(), "text": "x"})
	}
	last.refused(t, 429, "throttled")
	if last.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	other.say("hi")
	s := other.stream(0)
	other.call("GET", "/stream", nil, "Last-Event-ID", "0").refused(t, 429, "throttled")
	s.close()
	eventually(t, "there is room again", func() error {
		ctx := t.Context()
		res, err := http.DefaultClient.Do(w.request(ctx, "GET", "/visitor/"+string(w.site)+"/stream?after=0", nil, "Authorization", "Bearer "+other.token))
		w.must(err)
		defer res.Body.Close()
		if res.StatusCode != 200 {
			return fmt.Errorf("%d", res.StatusCode)
		}
		return nil
	})
}

// Only what the site signed, with its secret, for a while, is an identity.
func TestForgedIdentities(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"identity_secret":"`+identitySecret+`"}`, nil)
	hour := time.Now().Add(time.Hour).Unix()
	good := `{"alg":"HS256"}`
	for name, token := range map[string]string{
		"junk": "x", "empty": "", "dots": "..", "other secret": signed("x", good, m{"sub": "1", "exp": hour}),
		"no algorithm": signed(identitySecret, `{"alg":"none"}`, m{"sub": "1", "exp": hour}), "other algorithm": signed(identitySecret, `{"alg":"RS256"}`, m{"sub": "1", "exp": hour}),
		"critical": signed(identitySecret, `{"alg":"HS256","crit":["x"]}`, m{"sub": "1", "exp": hour}),
		"no end":   signed(identitySecret, good, m{"sub": "1"}), "over": signed(identitySecret, good, m{"sub": "1", "exp": 1}),
		"too long": signed(identitySecret, good, m{"sub": "1", "exp": hour * 2}), "nobody": signed(identitySecret, good, m{"sub": "", "exp": hour}),
		"huge end": signed(identitySecret, good, m{"sub": "1", "exp": 1e300}), "long name": signed(identitySecret, good, m{"sub": strings.Repeat("x", 200), "exp": hour}),
		"unsigned": strings.Join(strings.Split(identity("1"), ".")[:2], ".") + ".",
	} {
		t.Run(name, func(t *testing.T) { w.call("POST", "/identify", m{"identity": token}).refused(t, 401, "unsigned") })
	}
	without := w.channel("", `{}`) // no secret: nobody can be identified, not even with an empty one
	w.at(without, "POST", "/identify", m{"identity": signed("", good, m{"sub": "1", "exp": hour})}).refused(t, 401, "unsigned")
}

// A channel that names itself takes identities that are meant for it alone; another does not look.
func TestAudience(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"identity_secret":"`+identitySecret+`","identity_audience":"shop-chat"}`, nil)
	open := w.channel("", `{"identity_secret":"`+identitySecret+`"}`)
	for _, c := range []struct {
		aud  any
		here bool
	}{
		{"shop-chat", true}, {[]string{"x", "shop-chat"}, true}, {"shop", false}, {[]string{}, false}, {nil, false},
	} {
		claims := m{"sub": "1", "exp": time.Now().Add(time.Hour).Unix()}
		if c.aud != nil {
			claims["aud"] = c.aud
		}
		body := m{"identity": signed(identitySecret, `{"alg":"HS256"}`, claims)}
		if c.here {
			w.call("POST", "/identify", body).into(t, 200, nil)
		} else {
			w.call("POST", "/identify", body).refused(t, 401, "unsigned")
		}
		w.at(open, "POST", "/identify", body).into(t, 200, nil)
	}
	odd := signed(identitySecret, `{"alg":"HS256"}`, m{"sub": "1", "exp": time.Now().Add(time.Hour).Unix(), "aud": m{"shop-chat": true}})
	w.call("POST", "/identify", m{"identity": odd}).refused(t, 401, "unsigned")
	w.at(open, "POST", "/identify", m{"identity": odd}).into(t, 200, nil)
}

// What was said anonymously goes on under the known identity, whether or not that had a conversation before.
func TestIdentify(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{"identity_secret":"`+identitySecret+`"}`, nil)
		phone := w.tab()
		phone.say("from my phone")
		s := phone.stream(phone.snapshot("").Pos)
		known := phone.identify(t, identity("7"))
		s.until("reset", func(string) bool { return true })
		known.sees("me: from my phone")
		if got := phone.snapshot(""); len(got.Messages) != 0 {
			t.Errorf("the old token still sees %q", texts(got.Messages))
		}
		live := known.stream(known.snapshot("").Pos)
		conv := w.conv("known:7")
		if conv.State != chat.StateQueued || conv.Contact.Name != "Ann" {
			t.Errorf("conversation %+v", conv)
		}
		w.write(conv.ID, chat.KindMessage, chat.TextMessage("hello Ann"))
		live.says("hello Ann")

		laptop := w.tab() // with a conversation of its own
		laptop.say("from my laptop")
		again := laptop.identify(t, identity("7"))
		again.sees("me: from my phone", "agent: hello Ann", "me: from my laptop")
		again.say("both")
		live.says("both")
		if got := w.conv("known:7"); got.ID != conv.ID {
			t.Error("the conversation that the known one had does not go on")
		}
		contacts, _, err := w.store.Contacts(t.Context(), w.ws, "", "", 10)
		w.must(err)
		if len(contacts) != 1 {
			t.Errorf("%d contacts", len(contacts))
		}
		again.identify(t, identity("7")) // again changes nothing
		other := again.identify(t, identity("8"))
		if got := other.snapshot(""); len(got.Messages) != 0 {
			t.Errorf("another user of the same browser sees %q", texts(got.Messages))
		}
		again.call("POST", "/sessions", m{}).refused(t, 401, "unauthorized") // only the site renews
	})
}

// A message whose answer got lost is one, also when its visitor was identified meanwhile.
func TestOnceAcrossIdentity(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"identity_secret":"`+identitySecret+`"}`, nil)
	k := w.tab()
	id := k.say("once")
	known := k.identify(t, identity("7"))
	known.call("POST", "/messages", m{"id": id, "text": "once"}).into(t, 201, nil)
	known.sees("me: once")
}

// A channel may let in only whom the site signed in.
func TestIdentityWanted(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"authentication_required":true,"identity_secret":"`+identitySecret+`"}`, nil)
	w.call("POST", "/sessions", m{}).refused(t, 401, "unauthorized")
	var got struct{ Token string }
	w.call("POST", "/identify", m{"identity": identity("7")}).into(t, 200, &got)
	(&tab{w: w, site: w.site, token: got.Token}).say("hi")
}

// What was true when a token was made may be over: nobody anonymous was wanted since, or the site has another secret.
func TestTokensOfBefore(t *testing.T) {
	w := newWorld(t, lite(t), "", `{"identity_secret":"`+identitySecret+`"}`, nil)
	nobody := w.tab()
	known := w.tab().identify(t, identity("7"))
	change := func(settings string) {
		_, err := w.hub.PatchChannel(t.Context(), w.ws, w.site, patch(nil, settings))
		w.must(err)
	}
	change(`{"authentication_required":true,"identity_secret":"` + identitySecret + `"}`)
	nobody.call("GET", "/snapshot", nil).refused(t, 401, "unauthorized")
	nobody.call("POST", "/messages", m{"id": newID(), "text": "hi"}).refused(t, 401, "unauthorized")
	nobody.call("POST", "/sessions", m{}).refused(t, 401, "unauthorized")
	known.say("let me in")
	nobody.identify(t, identity("8")).say("me too")
	change(`{"authentication_required":false,"identity_secret":"` + strings.Repeat("another", 8) + `"}`)
	known.call("GET", "/snapshot", nil).refused(t, 401, "unauthorized")
	nobody.say("and me")
}

// The anonymous token reaches nothing of what a user took along, however the conversation stood.
func TestAdoptedIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, "", `{"identity_secret":"`+identitySecret+`"}`, nil)
		k := w.tab()
		k.say("mine alone")
		theirs := w.only().ID
		w.place(theirs, chat.PlaceData{State: chat.StateClosed})
		known := k.identify(t, identity("7"))
		known.sees("me: mine alone")
		if got := k.snapshot(""); len(got.Messages) != 0 || got.State.Place != "none" {
			t.Errorf("the old token sees %+v", got)
		}
		k.call("POST", "/rating", m{"value": 1}).refused(t, 404, "not_found")
		s := k.stream(0)
		k.say("anew")
		for e := range s.all() {
			if strings.Contains(e.data, "mine alone") {
				t.Errorf("the old stream hears %s", e.data)
			}
			if strings.Contains(e.data, "anew") {
				break
			}
		}
	})
}
