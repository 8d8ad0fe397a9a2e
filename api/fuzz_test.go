package api

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// FuzzMessage: no body breaks the reader; what it takes is bounded, says nothing that it would refuse, and means the same when it is read again.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"text":"hi"}`, `{"stack":[{"type":"text","payload":{"content":"hi","spans":[{"type":"bold","offset":0,"length":2}]}}],"reply_to":{"seq":1}}`,
		`{"stack":[{"type":"image","payload":{"url":"https://x.example/a.png"}},{"type":"location","payload":{"latitude":1,"longitude":2}}]}`,
		`{"stack":[{"type":"buttons","payload":{"content":"?","buttons":[{"title":"A","url":"https://x.example"}]}}]}`,
		`{"stack":[{"type":"carousel","payload":{"cards":[{"title":"t","buttons":[{"title":"b"}]}]}},{"type":"poll","payload":{"question":"q","options":["a","b"]}}]}`,
		`{"stack":[{"type":"template","payload":{"name":"n","language":"en","components":[{}]}},{"type":"tool_use","payload":{"x":[1,2]}}]}`,
		`{"stack":[{"type":"contact","payload":{"name":"n","phones":["1"]}},{"type":"rating","payload":{"max":5}},{"type":"html","payload":{"content":"<b>"}}]}`,
		`{"stack":[{"type":"hologram"}]}`, `{"stack":[{"type":"text","payload":"\u0000"}]}`, `{"stack":null}`, `{"text":"\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var in MessageInput
		if chat.Depth(raw) > maxDepth || json.Unmarshal(raw, &in) != nil {
			return
		}
		msg, _, problems := in.read()
		if len(problems) > 0 {
			if len(problems) > 100 {
				t.Errorf("%d problems", len(problems))
			}
			return
		}
		if len(msg.Stack) == 0 || len(msg.Stack) > maxStack {
			t.Fatalf("%d elements", len(msg.Stack))
		}
		again, _, problems := MessageInput{Stack: msg.Stack, ReplyTo: in.ReplyTo}.read()
		if len(problems) > 0 || !sameMessage(msg, again) {
			t.Errorf("read again: %v\n%+v\n%+v", problems, msg, again)
		}
		stored, err := json.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		var back chat.Message
		if err := json.Unmarshal(stored, &back); err != nil || !sameMessage(msg, back) {
			t.Errorf("stored: %v\n%s", err, stored)
		}
	})
}

// FuzzPlaces: cursors and positions are read exactly or not at all.
func FuzzPlaces(f *testing.F) {
	for _, seed := range []string{"a1", "b9223372036854775807", "12", "", "a", "-1", "b+1", "1e3", "９", "00", "message,typing", ",", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := readEventCursor(s); err == nil {
			if p.seq < 0 || s[0] != 'a' && s[0] != 'b' {
				t.Errorf("%q: %+v", s, p)
			}
		}
		if n, err := readPosition(s); err == nil && (n < 0 || strings.Trim(s, "0123456789") != "") {
			t.Errorf("%q: %d", s, n)
		}
		if kinds, err := readKinds(s); err == nil && s != "" && len(kinds) != strings.Count(s, ",")+1 {
			t.Errorf("%q: %v", s, kinds)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/events", nil)
		r.Header.Set("Last-Event-ID", s)
		if req, err := readStreamRequest(r); err == nil && req.after < 0 && s != "" {
			t.Errorf("%q begins now", s)
		}
	})
}

// FuzzDepth: the quick look agrees with the decoder about valid JSON.
func FuzzDepth(f *testing.F) {
	for _, seed := range []string{`{"a":[{"b":"\"]}"}]}`, `"\\"`, `[[[]]]`, `1`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := chat.Depth(raw)
		var v any
		if json.Unmarshal(raw, &v) == nil && got != depthOf(v) {
			t.Errorf("%q: %d, want %d", raw, got, depthOf(v))
		}
	})
}

func depthOf(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			deepest = max(deepest, depthOf(x))
		}
	case []any:
		for _, x := range v {
			deepest = max(deepest, depthOf(x))
		}
	default:
		return 0
	}
	return deepest + 1
}
