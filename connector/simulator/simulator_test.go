package simulator

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/connectortest"
)

// TestSimulator: a send makes no request here, which the law of empty payloads takes for a lie; it uses the first
// transcript, so the failing ones come first. Send looks at no payload.
func TestSimulator(t *testing.T) {
	connectortest.Run(t, Platform(), "testdata", connectortest.WithProof("Authorization"))
}

// TestDelay: the simulated platform takes its time, and gives up when we do.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{key: "k", now: time.Now, delay: time.Second}
		begin := time.Now()
		if _, err := c.Send(t.Context(), connector.Part{Key: "1"}); err != nil || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := c.Send(ctx, connector.Part{Key: "1"})
		if err == nil || connector.AsError(err).Policy != connector.Retry {
			t.Errorf("want retry, got %v", err)
		}
	})
}

func posted(contentType, body string) connector.Request {
	h := http.Header{"Authorization": {"Bearer k"}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return connector.Request{Method: http.MethodPost, Header: h, Body: []byte(body)}
}

// TestCurl has what people type: curl -d sends anything as a form.
func TestCurl(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	c := &channel{key: "k", now: func() time.Time { return time.Unix(1, 0) }}
	tests := []struct{ contentType, body, want string }{
		{form, `hello there`, "hello there"},
		{form, `{"text":"hi"}`, "hi"},
		{form, `1+1=2`, "1+1=2"},
		{form, `text=1%2B1`, "1+1"},
		{"", "hello\n", "hello"},
		{"", `{"text":"hi"}`, "hi"},
		{"text/plain; charset=utf-8", `{"text":"hi"}`, `{"text":"hi"}`},
		{"application/json; charset=utf-8", `{"text":"hi"}`, "hi"},
	}
	for _, tt := range tests {
		d, err := c.Receive(t.Context(), posted(tt.contentType, tt.body))
		if err != nil || len(d.Events) != 1 || d.Events[0].Message.Text() != tt.want {
			t.Errorf("%s %q: %+v, %v", tt.contentType, tt.body, d.Events, err)
		}
	}
	for _, bad := range []connector.Request{posted("image/png", "x"), posted("application/json", "hi"), posted("", ""), posted("", "\xff"), posted(form, "text=%ff")} {
		if _, err := c.Receive(t.Context(), bad); err == nil || connector.AsError(err).Policy != connector.Malformed {
			t.Errorf("%q: %v", bad.Body, err)
		}
	}
}

// TestTwice: without an id, the same words said twice are two messages.
func TestTwice(t *testing.T) {
	now := time.Unix(1, 0)
	c := &channel{key: "k", now: func() time.Time { now = now.Add(time.Microsecond); return now }}
	keys := map[string]bool{}
	for range 3 {
		d, err := c.Receive(t.Context(), posted("", "yes"))
		if err != nil {
			t.Fatal(err)
		}
		keys[d.Events[0].Key] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d keys", len(keys))
	}
}

// FuzzReceive: whatever the body, there is one whole message or an error.
func FuzzReceive(f *testing.F) {
	for _, s := range []string{`{"text":"hi"}`, `text=a&from=b`, `hello`, `{"stack":[{"type":"image","payload":{"url":"u"}}]}`, `{"stack":[{"type":"x","payload":{}}],"id":"1"}`} {
		f.Add("application/json", s)
		f.Add("application/x-www-form-urlencoded", s)
	}
	c := &channel{key: "k", now: func() time.Time { return time.Unix(1, 0) }}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		d, err := c.Receive(t.Context(), posted(strings.TrimSpace(contentType), body))
		if err != nil {
			if p := connector.AsError(err).Policy; p != connector.Malformed || len(d.Events) > 0 {
				t.Fatalf("policy %s, %d events", p, len(d.Events))
			}
			return
		}
		e := d.Events[0]
		if e.Kind != chat.KindMessage || e.Key == "" || len(e.Key) > 200 || e.Thread.Address == "" || len(e.Message.Stack) == 0 {
			t.Fatalf("half an event: %+v", e)
		}
	})
}
