package webhook

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

func opened(tb testing.TB, settings string) connector.Receiver {
	tb.Helper()
	c, err := open(tb.Context(), environment(settings))
	if err != nil {
		tb.Fatal(err)
	}
	return connector.AbilitiesOf(c).Receive
}

func posted(body string) connector.Request {
	return connector.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "hub.test", Path: "/in/ch1"}, Header: http.Header{}, Body: []byte(body)}
}

const openDoor = `{"receive":{"verify":{"type":"none"}}}`

// TestKeys: without the id of a call, an event is known by its message's id or, with a time, by its digest.
func TestKeys(t *testing.T) {
	tests := []struct{ name, settings, body, key string }{
		{"id", openDoor, `{"id":7,"from":"42","text":"hi"}`, "message:7"},
		{"time", openDoor, `{"from":"42","text":"hi","at":1767323040}`, digest(`{"at":1767323040,"from":"42","text":"hi"}`)},
		{"receipt", openDoor, `{"type":"status","id":"7","status":"read"}`, digest(`{"id":"7","status":"read","type":"status"}`)},
		{"program", `{"receive":{"verify":{"type":"none"},"events":{"key":"\"k\\(.n)\""}}}`, `{"n":1,"from":"42","text":"hi"}`, "k1"},
		{"too long", openDoor, `{"id":"` + strings.Repeat("x", 300) + `","from":"42","text":"hi"}`, digest("message:" + strings.Repeat("x", 300))},
		{"minute", `{"receive":{"verify":{"type":"none"},"events":{"key":"\"\\(.from) \\(.text) \\($minute)\""}}}`, `{"from":"42","text":"hi"}`, "42 hi 29455384"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := opened(t, tt.settings).Receive(t.Context(), posted(tt.body))
			if err != nil || len(d.Events) != 1 || d.Events[0].Key != tt.key {
				t.Errorf("got %v, %v; want %s", d.Events, err, tt.key)
			}
		})
	}
}

// TestNoKey: two equal texts must not become one, so a message that nothing tells apart is refused, and the whole call
// with it.
func TestNoKey(t *testing.T) {
	d, err := opened(t, openDoor).Receive(t.Context(), posted(`[{"id":"1","from":"42","text":"a"},{"from":"42","text":"yes"}]`))
	if e := connector.AsError(err); err == nil || e.Policy != connector.Malformed || !strings.Contains(e.Detail, "event 1") || len(d.Events) > 0 {
		t.Errorf("got %v, %v", d.Events, err)
	}
}

func TestBounds(t *testing.T) {
	tests := map[string]string{
		"deep":        strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"many events": "[" + strings.Repeat("1,", 1001) + "1]",
		"two values":  `{} {}`,
		"nothing":     ``,
		"large":       `"` + strings.Repeat("x", maxValue) + `"`,
	}
	for name, body := range tests {
		if _, err := opened(t, openDoor).Receive(t.Context(), posted(body)); connector.AsError(err).Policy != connector.Malformed || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := opened(t, openDoor).Receive(t.Context(), connector.Request{Method: "DELETE", URL: &url.URL{}, Body: []byte(`{}`)}); err == nil {
		t.Error("DELETE is taken")
	}
}

// TestQuery: some gateways call with everything in the address.
func TestQuery(t *testing.T) {
	r := opened(t, `{"receive":{"verify":{"type":"query","name":"token","secret":"t0ken"},"content":"query","events":{"id":".msgid","from":".msisdn"}}}`)
	req := connector.Request{Method: http.MethodGet, Header: http.Header{}}
	for query, want := range map[string]int{"token=t0ken&msgid=1&msisdn=%2B49&text=hi": 1, "token=other&msgid=1&msisdn=%2B49&text=hi": 0} {
		req.URL = &url.URL{Path: "/in/ch1", RawQuery: query}
		d, err := r.Receive(t.Context(), req)
		if len(d.Events) != want || (err == nil) != (want == 1) {
			t.Errorf("%s: %v, %v", query, d.Events, err)
		}
	}
}

// TestSlowProgram: a program that takes too long on this body does not lose the message.
func TestSlowProgram(t *testing.T) {
	r := opened(t, `{"receive":{"verify":{"type":"none"},"events":{"text":"if .text == \"bomb\" then [range(infinite)] else .text end"}}}`)
	d, err := r.Receive(t.Context(), posted(`{"id":"1","from":"42","text":"bomb"}`))
	if err != nil || len(d.Events) != 1 || d.Events[0].Message.Stack[0].Type != chat.Unsupported {
		t.Errorf("got %+v, %v", d.Events, err)
	}
}

// FuzzReceive: whatever the body, all events are whole or there are none.
func FuzzReceive(f *testing.F) {
	for _, s := range []string{
		`{"id":"7","from":"42","name":"Ada","text":"hi"}`, `[{"id":1,"from":{"id":2},"stack":[{"type":"image","payload":{"url":"u"}}]}]`,
		`{"type":"message.status","data":{"id":"m","status":"failed","error":{"code":1}}}`, `{"type":"reaction","from":1,"target":"m","emoji":"x"}`,
		`{"id":"1","from":"42","attachments":["u",{"id":5,"type":"photo"}],"at":"17673230401234567"}`, `"\u0000"`, `{"data":[]}`, `{"from":"\n"}`,
	} {
		f.Add(s)
	}
	r := opened(f, openDoor)
	f.Fuzz(func(t *testing.T, body string) {
		d, err := r.Receive(t.Context(), posted(body))
		if err != nil {
			if p := connector.AsError(err).Policy; p != connector.Malformed || len(d.Events) > 0 {
				t.Fatalf("policy %s, %d events", p, len(d.Events))
			}
			return
		}
		for _, e := range d.Events {
			if e.Key == "" || len(e.Key) > maxKey || e.Kind == "" {
				t.Fatalf("half an event: %+v", e)
			}
			if e.Kind == chat.KindMessage && (e.Message == nil || len(e.Message.Stack) == 0 || e.Thread.Address == "") {
				t.Fatalf("half a message: %+v", e)
			}
			if e.Kind == chat.KindUnsupported && len(e.Raw) == 0 {
				t.Fatalf("unsupported without what came: %+v", e)
			}
		}
	})
}
