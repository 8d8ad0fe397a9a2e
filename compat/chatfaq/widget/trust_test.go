package widget

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/storetest"
)

// TestScopesOfTokens: a token finds conversations by their positions only as far as its scopes go.
func TestScopesOfTokens(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.unlocked()
		pos, _ := w.server.numbers.position(w.numberOf(k))
		at := conversations + text(pos) + "/"
		for _, c := range []struct {
			scope, method string
			want          int
		}{
			{"flows", "GET", 404},
			{"channels", "GET", 404},
			{"tokens", "GET", 404},
			{"write", "GET", 404},
			{"read", "GET", 200},
			{"worker", "GET", 200},
			{"read", "PATCH", 404},
			{"read", "DELETE", 404},
			{"worker", "DELETE", 404},
			{"write", "PATCH", 200},
			{"admin", "PATCH", 200},
			{"admin", "GET", 200},
			{"write", "DELETE", 204},
		} {
			token := "drg_for_tests_only_" + c.scope
			if good, err := w.server.good(t.Context(), w.ws, token); err == nil && !good {
				w.addToken(c.scope)
			}
			if code, v, _ := w.call(c.method, at, `{"name":"mine"}`, "Authorization", "Token "+token); code != c.want {
				t.Errorf("%s by a token for %s: %d %v, want %d", c.method, c.scope, code, v, c.want)
			}
		}
	})
}

// TestFeedbackWantsTheToken: what was said of a conversation that requires a token is neither read nor changed without one.
func TestFeedbackWantsTheToken(t *testing.T) {
	const path = "/back/api/broker/user-feedback/"
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("closed", parcel, `{"authentication_required":true}`)
		token := w.addToken()
		key := []string{"Authorization", "Token " + token}
		k := w.tab("c", "closed", "u", "token="+token)
		k.unlocked()
		id := text(k.lastID())
		say := `{"message_source":` + id + `,"feedback_data":{"feedback_comment":"secret"}}`
		code, v, _ := w.call("POST", path, say, key...)
		if code != 201 {
			t.Fatalf("with a token: %d %v", code, v)
		}
		one := path + text(int64(v.(map[string]any)["id"].(float64))) + "/"
		if code, v, _ := w.call("GET", path+"?message_source="+id, ""); code != 200 || v.(map[string]any)["count"] != 0.0 {
			t.Errorf("listed: %d %v", code, v)
		}
		for _, c := range []struct {
			method, path, body string
			want               int
		}{
			{"GET", one, "", 401},
			{"PATCH", one, `{"feedback_data":{}}`, 401},
			{"POST", path, say, 400},
			{"POST", "/back/api/broker/conversation-feedback/", `{"conversation_id":"c","comment":"bad"}`, 401},
		} {
			if code, v, _ := w.call(c.method, c.path, c.body); code != c.want {
				t.Errorf("%s %s: %d %v, want %d", c.method, c.path, code, v, c.want)
			}
		}
		if code, v, _ := w.call("GET", one, "", key...); code != 200 || !strings.Contains(string(encoded(v)), "secret") {
			t.Errorf("with a token: %d %v", code, v)
		}
	})
}

// TestStopDespiteSlowClients: clients that do not read do not hold up the stop.
func TestStopDespiteSlowClients(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{Backlog: 64 << 20}, nil)
	w.flow("f", parcel, `{}`)
	k := w.tab("c", "f", "u", "")
	k.unlocked()
	k.close()
	for range 10 { // more than the buffers of both ends hold, or the stop would take no time at all
		w.write(w.conv(k).ID, chat.PartyAgent, chat.TextMessage(strings.Repeat("x", 400<<10)))
	}
	conn, _, err := w.dial("/back/ws/broker/c/f/u/", nil)
	w.must(err)
	defer conn.CloseNow() //nolint:errcheck // the server has closed it
	conn.SetReadLimit(1 << 20)
	if _, _, err := conn.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	w.server.Close()
	if took := time.Since(begun); took < closeTime || took >= writeTime {
		t.Errorf("the stop took %v", took)
	}
}

// TestSlowClientsAreSmall: what waits for a client is bounded in bytes.
func TestSlowClientsAreSmall(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t), Limits{Backlog: 1000}, nil)
	k := &socket{s: w.server, out: make(chan *frame, 128), over: make(chan struct{})}
	r := &room{sockets: []*socket{k}}
	big := &frame{at: 1, data: make([]byte, 2000)}
	r.give(big) // a single one is never too much
	select {
	case <-k.over:
		t.Fatal("cut off at once")
	default:
	}
	r.give(&frame{at: 2, data: make([]byte, 10)})
	<-k.over
	kept := newest([]*frame{big, {data: make([]byte, 600)}, {data: make([]byte, 300)}}, 50, 1000)
	if len(kept) != 2 || len(newest([]*frame{big}, 50, 1000)) != 1 {
		t.Errorf("%d are kept", len(kept))
	}
}

// TestRevokedTokens: a socket lives no longer than the token that opened it.
func TestRevokedTokens(t *testing.T) {
	inWorld(t, Limits{Ping: 50 * time.Millisecond}, func(t *testing.T, w *world) {
		w.flow("closed", parcel, `{"authentication_required":true}`)
		conn, _, err := w.dial("/back/ws/broker/c/closed/u/?token="+w.addToken(), nil)
		w.must(err)
		if _, _, err := conn.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := w.store.Tokens(t.Context(), w.ws)
		w.must(err)
		w.must(w.store.RevokeToken(t.Context(), w.ws, all[0].ID))
		if code, reason := ends(t, conn); code != closeNoToken || reason != "`Authentication failed`" {
			t.Errorf("%d %s", code, reason)
		}
	})
}

// TestGuessedFeedback: messages, feedback and conversations are found by what a client was told, not by counting.
func TestGuessedFeedback(t *testing.T) {
	const path = "/back/api/broker/user-feedback/"
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		w.flow("f", parcel, `{}`)
		k := w.tab("c", "f", "u", "")
		k.say("hi")
		k.sees("bot: Hello!", "bot: What can I do for you?", "human: hi", "bot: You said hi")
		for pos := range int64(30) {
			say := `{"message_source":` + text(pos) + `,"feedback_data":{"thumb_value":"positive"}}`
			if code, _, _ := w.call("POST", path, say); code != 400 {
				t.Errorf("feedback on message %d: %d", pos, code)
			}
			for _, at := range []string{path + text(pos) + "/", conversations + text(pos) + "/"} {
				if code, _, _ := w.call("GET", at, ""); code != 404 {
					t.Errorf("%s: %d", at, code)
				}
			}
		}
		say := `{"message_source":` + text(k.lastID()) + `,"feedback_data":{"thumb_value":"positive"}}`
		if code, v, _ := w.call("POST", path, say); code != 201 {
			t.Errorf("feedback on what was shown: %d %v", code, v)
		}
	})
}
