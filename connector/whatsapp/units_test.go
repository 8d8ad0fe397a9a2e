package whatsapp

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// TestKeys holds the rule for keys: never empty, at most 200 bytes, different for different occurrences.
func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringN(1, 400, -1).Draw(t, "id")
		a, b := key(id, "sent"), key(id, "read")
		if a == b || len(a) > maxKey || len(b) > maxKey || a == "" || a != key(id, "sent") {
			t.Fatalf("keys %q and %q", a, b)
		}
		if h := hashKey(id, []byte("x")); len(h) > maxKey || !utf8.ValidString(h) {
			t.Fatalf("hash key %q", h)
		}
	})
	if hashKey("a", []byte("bc")) == hashKey("a", []byte("b"), []byte("c")) {
		t.Error("the parts of a hash run together")
	}
}

func TestLooseAndSeconds(t *testing.T) {
	for raw, want := range map[string]string{
		`"15550100200"`: "15550100200", `15550100200`: "15550100200", `null`: "", `""`: "", `12345678901234567890`: "12345678901234567890",
	} {
		var l loose
		if err := json.Unmarshal([]byte(raw), &l); err != nil || string(l) != want {
			t.Errorf("loose %s = %q, %v", raw, l, err)
		}
	}
	for _, raw := range []string{`{}`, `[]`, `true`} {
		var l loose
		if json.Unmarshal([]byte(raw), &l) == nil {
			t.Errorf("loose takes %s", raw)
		}
	}
	for in, want := range map[loose]time.Time{
		"1750000000": time.Unix(1750000000, 0).UTC(), "": {}, "x": {}, "-1": {}, "0": {}, "1.5": {}, "253402300800": {}, "99999999999999999999": {},
	} {
		if got := seconds(in); !got.Equal(want) {
			t.Errorf("seconds(%q) = %v, want %v", in, got, want)
		}
	}
}

// TestPolicies checks that every code of the table gives its policy in answers and in statuses alike.
func TestPolicies(t *testing.T) {
	n := testNumber(t)
	codes := map[int]connector.Policy{132000: connector.Rejected, 132016: connector.Rejected, 200: connector.Unauthorized, 299: connector.Unauthorized, 500: connector.Retry}
	for code, policy := range policies {
		codes[code] = policy
	}
	for code, want := range codes {
		body := []byte(`{"error":{"message":"m","code":` + strconv.Itoa(code) + `}}`)
		e := n.refusal(connector.Answer{Status: http.StatusBadRequest, Header: http.Header{}, Body: body})
		if e.Policy != want || e.Code != strconv.Itoa(code) || e.Thread != (code == pairRate) {
			t.Errorf("code %d: %+v, want %s", code, e, want)
		}
		if f := failure([]platformError{{Code: &code}}); f.Class != string(want) {
			t.Errorf("status with code %d: %s, want %s", code, f.Class, want)
		}
	}
}

// TestSecretsAreHidden: the platform's words may repeat a secret, whole or at the place where they are cut.
func TestSecretsAreHidden(t *testing.T) {
	n := testNumber(t)
	for pad := maxDetail - 30; pad < maxDetail+5; pad++ {
		words := strings.Repeat("x", pad) + n.set.AccessToken
		body, err := json.Marshal(map[string]any{"error": map[string]any{"code": 190, "message": words}})
		if err != nil {
			t.Fatal(err)
		}
		e := n.refusal(connector.Answer{Status: 401, Header: http.Header{}, Body: body})
		if strings.Contains(e.Error(), n.set.AccessToken[:4]) || len(e.Detail) > maxDetail {
			t.Fatalf("padding %d: %d bytes of detail end in %q", pad, len(e.Detail), e.Detail[len(e.Detail)-10:])
		}
	}
}

func TestCutAndShorten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(1, 30).Draw(t, "limit")
		if got := cut(s, limit); len(got) > limit || !strings.HasPrefix(s, got) || !utf8.ValidString(got) {
			t.Fatalf("cut(%q, %d) = %q", s, limit, got)
		}
		if got := shorten(s, limit); runes(got) > limit || (runes(s) <= limit) != (got == s) {
			t.Fatalf("shorten(%q, %d) = %q", s, limit, got)
		}
	})
}

// TestPanelKeepsEverything: whatever buttons come, every answer and every link reaches the contact, and nothing goes
// out that WhatsApp would refuse for its number of buttons.
func TestPanelKeepsEverything(t *testing.T) {
	n := testNumber(t)
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, maxRows).Draw(t, "count")
		var p chat.ButtonsPayload
		p.Content = strings.Repeat("Which one? ", rapid.IntRange(1, 93).Draw(t, "length"))
		for i := range count {
			b := chat.Button{Title: "T" + strconv.Itoa(i)}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				b.Payload = "payload-" + strconv.Itoa(i) + "."
			case 1:
				b.URL = "https://example.com/" + strconv.Itoa(i) + "."
			default:
				b.Phone = "+1555" + strconv.Itoa(i) + "."
			}
			p.Buttons = append(p.Buttons, b)
		}
		said, err := n.buttons(p)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(said.body)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range p.Buttons {
			if !strings.Contains(string(raw), b.Payload+b.URL+b.Phone) || !strings.Contains(string(raw), b.Title) {
				t.Fatalf("%+v is not in %s", b, raw)
			}
		}
		if body, ok := said.body.(map[string]any)["body"].(map[string]string); ok && runes(body["text"]) > maxBody {
			t.Fatalf("a text of %d characters above buttons", runes(body["text"]))
		}
		if replies := strings.Count(string(raw), `"type":"reply"`); replies > maxButtons {
			t.Fatalf("%d buttons", replies)
		}
	})
}
