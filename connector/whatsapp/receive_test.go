package whatsapp

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

const testSecret = "dev-app-secret"

func testNumber(tb testing.TB) *number {
	tb.Helper()
	c, err := open(context.Background(), connector.Env{
		Settings: json.RawMessage(`{"phone_number_id":"106540352242922","access_token":"EAAGtest","app_secret":"` + testSecret + `"}`),
		HTTP:     http.DefaultClient, Now: func() time.Time { return time.Unix(1750000000, 0) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c.(*number)
}

func receive(n *number, body []byte) (connector.Delivery, error) {
	req := connector.Request{Method: http.MethodPost, Header: http.Header{}, Body: body}
	req.Header.Set(signatureHeader, signature(testSecret, body))
	return n.Receive(context.Background(), req)
}

// FuzzReceive signs any bytes and demands: no panic, all or nothing, the same answer twice, and events that keep the
// contract and can be stored.
func FuzzReceive(f *testing.F) {
	for _, body := range recordedBodies(f) {
		f.Add(body)
	}
	n := testNumber(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := receive(n, body)
		again, err2 := receive(n, body)
		if !reflect.DeepEqual(d, again) || (err == nil) != (err2 == nil) {
			t.Fatal("the same call gives another answer")
		}
		if err != nil {
			if len(d.Events) > 0 || connector.AsError(err).Policy != connector.Malformed {
				t.Fatalf("%d events beside %v", len(d.Events), err)
			}
			return
		}
		for _, e := range d.Events {
			checkEvent(t, e)
		}
	})
}

// checkEvent holds an event against the obligations of chat.Incoming.
func checkEvent(t testing.TB, e chat.Incoming) {
	t.Helper()
	if e.Key == "" || len(e.Key) > maxKey {
		t.Fatalf("key %q", e.Key)
	}
	if raw, err := json.Marshal(e); err != nil || !utf8.Valid(raw) {
		t.Fatalf("event cannot be stored: %s, %v", raw, err)
	}
	switch e.Kind {
	case chat.KindMessage, chat.KindEdited:
		if e.Thread.Address == "" || e.Message == nil || len(e.Message.Stack) == 0 {
			t.Fatalf("message without place or content: %+v", e)
		}
	case chat.KindReceipt:
		if e.Target == "" || e.Status == "" || (e.Status == chat.Failed) != (e.Failure != nil) {
			t.Fatalf("receipt without message, status or reason: %+v", e)
		}
	case chat.KindReaction, chat.KindDeleted:
		if e.Target == "" {
			t.Fatalf("%s without a message: %+v", e.Kind, e)
		}
	case chat.KindMoved:
		if e.Thread.Address == "" || e.MovedTo == "" || e.MovedTo == e.Thread.Address {
			t.Fatalf("moved from %q to %q", e.Thread.Address, e.MovedTo)
		}
	case chat.KindUnsupported:
		if len(e.Raw) == 0 {
			t.Fatal("unsupported without its bytes")
		}
	case chat.KindJoined, chat.KindLeft, chat.KindIgnored:
	default:
		t.Fatalf("kind %q", e.Kind)
	}
}

// recordedBodies are the webhook calls of the transcripts.
func recordedBodies(tb testing.TB) [][]byte {
	tb.Helper()
	paths, err := filepath.Glob("testdata/in_*.txtar")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no transcripts: %v", err)
	}
	var bodies [][]byte
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		for i, part := range strings.Split(string(raw), "\n-- body --\n") {
			if body, _, found := strings.Cut(part, "\n-- "); i > 0 && found {
				bodies = append(bodies, []byte(body))
			}
		}
	}
	return bodies
}

// TestNeighboursSurvive mixes messages that can be read with ones that cannot: each gives exactly one event, and the
// good ones give the same event as alone.
func TestNeighboursSurvive(t *testing.T) {
	good := []string{
		`{"from":"1555","id":"a","timestamp":"1750000000","type":"text","text":{"body":"x"}}`,
		`{"from":"1556","id":"b","type":"image","image":{"id":"1"}}`,
		`{"from":"1557","id":"c","type":"reaction","reaction":{"message_id":"m","emoji":"x"}}`,
	}
	bad := []string{
		`7`, `null`, `"x"`, `[]`, `{}`, `{"id":7}`, `{"from":"1555","id":"d","type":"text","text":[]}`,
		`{"from":"1555","id":"e","type":"edit","edit":{}}`, `{"from":{},"id":"f"}`, `{"from":"1555","id":"g","type":"contacts","contacts":[]}`,
	}
	n := testNumber(t)
	alone := map[string]chat.Incoming{}
	for _, m := range good {
		d, err := receive(n, wrap(m))
		if err != nil || len(d.Events) != 1 {
			t.Fatalf("%s: %d events, %v", m, len(d.Events), err)
		}
		alone[m] = d.Events[0]
	}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(append(append([]string{}, good...), bad...)), 1, 12).Draw(t, "messages")
		d, err := receive(n, wrap(list...))
		if err != nil || len(d.Events) != len(list) {
			t.Fatalf("%d messages, %d events, %v", len(list), len(d.Events), err)
		}
		for i, m := range list {
			if want, ok := alone[m]; ok && !reflect.DeepEqual(d.Events[i], want) {
				t.Fatalf("among others %s gives %+v", m, d.Events[i])
			}
		}
	})
}

// wrap puts messages into a webhook call for the test number.
func wrap(messages ...string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{` +
		`"metadata":{"phone_number_id":"106540352242922"},"messages":[` + strings.Join(messages, ",") + `]}}]}]}`)
}

// TestDepth refuses what others could not read again after it was stored.
func TestDepth(t *testing.T) {
	n := testNumber(t)
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	if _, err := receive(n, wrap(`{"from":"1","id":"a","type":"x","x":`+deep+`}`)); err == nil {
		t.Error("a deeply nested body is taken")
	}
	answer, err := json.Marshal(deep)
	if err != nil {
		t.Fatal(err)
	}
	d, err := receive(n, wrap(`{"from":"1","id":"a","type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","response_json":`+string(answer)+`}}}`))
	if err != nil || len(d.Events) != 1 {
		t.Fatalf("%d events, %v", len(d.Events), err)
	}
	var p chat.ChoicePayload
	if err := d.Events[0].Message.Stack[0].Into(&p); err != nil || string(p.Data) != string(answer) {
		t.Errorf("a deeply nested form answer must stay a string: %.40s, %v", p.Data, err)
	}
	if tooDeep([]byte(`{"a":"[[[[[[[[[[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}`)) {
		t.Error("brackets inside a string count")
	}
}
