package api_test

import "testing"

// TestSimulate: what is said without the key goes the way of what is said with it.
func TestSimulate(t *testing.T) {
	w := newWorld(t)
	channel, _ := w.talk("admin")
	path := "/v1/channels/" + channel + "/simulate"
	for _, c := range []struct {
		name, token, path, body, key string
		status                       int
		events                       int64
	}{
		{"stored", "channels", path, `{"from":"eve","name":"Eve","text":"hello"}`, "1", 200, 3},
		{"repeated", "channels", path, `{"from":"eve","name":"Eve","text":"hello"}`, "1", 200, 0},
		{"a button", "channels", path, `{"from":"eve","text":"Yes","payload":"yes"}`, "", 200, 1},
		{"nothing said", "channels", path, `{"from":"eve"}`, "", 400, 0},
		{"nobody", "channels", path, `{"text":"hello"}`, "", 422, 0},
		{"scope is missing", "write", path, `{"from":"eve","text":"hello"}`, "", 403, 0},
		{"of another workspace", "other", path, `{"from":"eve","text":"hello"}`, "", 404, 0},
		{"no channel", "channels", "/v1/channels/none/simulate", `{"from":"eve","text":"hello"}`, "", 404, 0},
	} {
		before := w.head(w.ws)
		var header []string
		if c.key != "" {
			header = append(header, "Idempotency-Key: "+c.key)
		}
		got := w.call("POST", c.path, c.token, c.body, header...)
		if got.status != c.status {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		if grown := w.head(w.ws) - before; grown != c.events {
			t.Errorf("%s: %d events", c.name, grown)
		}
	}
	real := w.ok("POST", "/v1/channels", "admin", `{"connector":"telegram","settings":{"token":"1234567:abcdefghijklmnopqrstuvwxyzABCDEFGHI"}}`).at(t, "id")
	if got := w.call("POST", "/v1/channels/"+real+"/simulate", "channels", `{"from":"eve","text":"hello"}`); got.status != 409 {
		t.Errorf("a real platform: %d %s", got.status, got.body)
	}
}
