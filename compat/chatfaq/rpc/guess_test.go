package rpc

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/compat/chatfaq/door"
)

// TestGuesses: of one address only so many wrong tokens are looked at, whatever the socket; others, and those who came in before, are
// not held up.
func TestGuesses(t *testing.T) {
	begun := time.Now()
	w := newWorld(t, func(o *Options) {
		o.Door = door.New(func(r *http.Request) string { return r.Header.Get("X-From") }, func() time.Time { return begun })
	})
	knock := func(from, path, token string) (int, string) {
		conn, res, err := websocket.Dial(t.Context(), w.url(path)+"?token="+token, &websocket.DialOptions{HTTPHeader: http.Header{"X-From": {from}}}) //nolint:bodyclose // the socket has it
		if err == nil {
			_ = conn.CloseNow()
		} else if res == nil {
			t.Fatal(err)
		}
		return res.StatusCode, res.Header.Get("Retry-After")
	}
	if status, _ := knock("a", "/back/ws/broker/rpc/", w.token); status != http.StatusSwitchingProtocols {
		t.Fatal(status)
	}
	paths := []string{"/back/ws/broker/rpc/", "/back/ws/broker/ai/", "/back/ws/broker/parse/"}
	refusals := map[int]int{}
	for i := range 40 {
		status, _ := knock("a", paths[i%len(paths)], fmt.Sprint("guess", i))
		refusals[status]++
	}
	if refusals[http.StatusForbidden] != 30 || refusals[http.StatusTooManyRequests] != 10 {
		t.Errorf("refused %v", refusals)
	}
	fresh := w.addToken(ScopeWorker).secret
	if status, after := knock("a", paths[0], fresh); status != http.StatusTooManyRequests || after != "3" {
		t.Errorf("a new token from there: %d, again after %q", status, after)
	}
	for from, token := range map[string]string{"a": w.token, "b": fresh} {
		if status, _ := knock(from, paths[0], token); status != http.StatusSwitchingProtocols {
			t.Errorf("from %s: %d", from, status)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.http.URL+"/back/api/login/", nil)
	w.must(err)
	r.Header.Set("X-From", "a")
	r.SetBasicAuth("me", "guess")
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	res.Body.Close()
	if res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a sign-in from there: %d", res.StatusCode)
	}
}
