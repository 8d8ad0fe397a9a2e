package wake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func letter(n int) Letter {
	return Letter{Topic: "t", From: "a", To: "b", Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

func same(a, b Letter) bool {
	return a.Topic == b.Topic && a.From == b.From && a.To == b.To && bytes.Equal(a.Body, b.Body)
}

// TestMailbox: a mailbox has the letters of its topic, in order, and nothing else; who subscribes to news has none.
func TestMailbox(t *testing.T) {
	bus := Local()
	box, other, news := bus.Mailbox("t"), bus.Mailbox("u"), bus.Subscribe()
	for i := range LetterLimit + 5 {
		bus.Post(letter(i))
	}
	bus.Head("w", 1)
	bus.Post(Letter{From: "a", Body: json.RawMessage(`1`)}) // of no topic
	got := box.Take()
	if len(got.Letters) != LetterLimit || len(got.Heads) != 0 || !same(got.Letters[7], letter(7)) {
		t.Errorf("%d letters, %d heads", len(got.Letters), len(got.Heads))
	}
	if n := len(other.Take().Letters) + len(news.Take().Letters); n != 0 {
		t.Errorf("%d letters elsewhere", n)
	}
	large := letter(0)
	large.Body = json.RawMessage(`"` + strings.Repeat("x", LetterBody/2) + `"`)
	for range LetterLimit {
		bus.Post(large)
	}
	if n := len(box.Take().Letters); n == 0 || n > 2*letterBytes/LetterBody {
		t.Errorf("%d large letters wait", n)
	}
	large.Body = json.RawMessage(`"` + strings.Repeat("x", LetterBody) + `"`)
	bus.Post(large)
	bus.Post(letter(1))
	if got := box.Take().Letters; len(got) != 1 || !same(got[0], letter(1)) {
		t.Errorf("%d letters, one was too large", len(got))
	}
}

func TestNodesPost(t *testing.T) {
	url := address(broker(t, -1))
	a, subA := node(t, url)
	b, subB := node(t, url)
	missed(t, subA, subB)
	boxA, boxB := a.Mailbox("t"), b.Mailbox("t")
	for i := range 100 {
		a.Post(letter(i))
	}
	for _, box := range []*Subscription{boxA, boxB} {
		var all []Letter
		for len(all) < 100 {
			all = append(all, next(t, box).Letters...)
		}
		for i, l := range all {
			if !same(l, letter(i)) {
				t.Fatalf("letter %d: %s", i, l.Body)
			}
		}
	}
}

func FuzzDecodeLetter(f *testing.F) {
	subject, body, _ := encodeLetter(letter(1))
	f.Add(subject, body)
	f.Fuzz(func(t *testing.T, subject string, body []byte) {
		l, err := decodeLetter(subject, body)
		if err != nil {
			return
		}
		again, raw, err := encodeLetter(l)
		if err != nil || again != subject {
			t.Fatalf("%q accepted, not written: %v", subject, err)
		}
		if back, err := decodeLetter(again, raw); err != nil || back.From != l.From || back.To != l.To {
			t.Fatalf("%v, %v", back, err)
		}
	})
}
