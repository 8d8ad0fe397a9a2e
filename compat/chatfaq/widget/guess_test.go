package widget

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
)

// TestGuesses: an address that showed too many wrong tokens is told to come later; a token that was good before is good still, and what
// needs no token stays open.
func TestGuesses(t *testing.T) {
	inWorld(t, Limits{}, func(t *testing.T, w *world) {
		begun := time.Now()
		w.server.Door = door.New(nil, func() time.Time { return begun })
		w.flow("closed", parcel, `{"authentication_required":true}`)
		w.flow("open", parcel, `{}`)
		token := w.addToken()
		mine, theirs := w.tab("c1", "closed", "u1", "token="+token), w.tab("c2", "open", "u2", "")
		mine.unlocked()
		theirs.unlocked()
		closing := func(token string) (websocket.StatusCode, string) {
			c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(w.http.URL, "http")+"/back/ws/broker/c/closed/u/?token="+token, nil) //nolint:bodyclose // the socket has it
			w.must(err)
			defer c.CloseNow() //nolint:errcheck // it is closed
			ctx, cancel := context.WithTimeout(t.Context(), testPatience)
			defer cancel()
			_, _, err = c.Read(ctx)
			return websocket.CloseStatus(err), err.Error()
		}
		first, err := w.store.Events(t.Context(), w.ws, w.conv(mine).ID, 0, 1)
		w.must(err)
		closed := conversations + text(w.server.numbers.of(first[0].Pos)) + "/"
		open := conversations + text(w.numberOf(theirs)) + "/"
		for range 15 {
			if code, why := closing("guess"); code != closeNoToken {
				t.Fatal(code, why)
			}
			if status, _, _ := w.call("GET", closed, "", "Authorization", "Token guess"); status != http.StatusUnauthorized {
				t.Fatal(status)
			}
		}
		if code, why := closing("guess"); code != websocket.StatusTryAgainLater || !strings.Contains(why, "too many wrong tokens") {
			t.Error(code, why)
		}
		if status, _, header := w.call("POST", "/back/api/broker/file-upload/", "", "Authorization", "Token guess"); status != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
			t.Error(status, header)
		}
		if status, _, _ := w.call("GET", closed, "", "Authorization", "Token another"); status != http.StatusTooManyRequests {
			t.Error(status)
		}
		for _, c := range []struct{ at, token string }{{closed, token}, {open, "guess"}, {open, ""}} {
			if status, v, _ := w.call("GET", c.at, "", "Authorization", "Token "+c.token); status != http.StatusOK {
				t.Error(c, status, v)
			}
		}
	})
}
