package wake

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
)

func typing(n int) Typing {
	return Typing{
		Workspace: "w", Conversation: chat.ConversationID(fmt.Sprint("c", n)),
		Sender: chat.Party{Type: chat.PartyAgent, ID: "a"}, On: true,
	}
}

// next waits for news.
func next(t *testing.T, s *Subscription) News {
	t.Helper()
	select {
	case <-s.Ready():
		return s.Take()
	case <-time.After(time.Minute):
		t.Fatal("no news came")
	}
	return News{}
}

// TestHeadsCoalesce holds what a subscriber sees against what was published since its last look.
func TestHeadsCoalesce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bus := Local()
		sub := bus.Subscribe()
		defer sub.Close()
		want := map[chat.WorkspaceID]int64{}
		var signals []Typing
		for range rapid.IntRange(0, 600).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				got := sub.Take()
				if fmt.Sprint(got.Heads) != fmt.Sprint(want) || fmt.Sprint(got.Typing) != fmt.Sprint(signals) {
					t.Fatalf("got %v, want %v and %v", got, want, signals)
				}
				clear(want)
				signals = nil
			case 1, 2, 3, 4, 5, 6:
				signals = append(signals, typing(len(signals)))
				bus.Typing(signals[len(signals)-1])
				if len(signals) > TypingLimit {
					signals = signals[1:]
				}
			default:
				w := chat.WorkspaceID(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "workspace"))
				pos := rapid.Int64Range(1, 9).Draw(t, "pos")
				bus.Head(w, pos)
				want[w] = max(want[w], pos)
			}
			if (len(want) > 0 || len(signals) > 0) && len(sub.Ready()) == 0 {
				t.Fatal("news, and nobody was told")
			}
		}
	})
}

func TestClosedSubscriptionHearsNothing(t *testing.T) {
	bus := Local()
	gone, here := bus.Subscribe(), bus.Subscribe()
	gone.Close()
	gone.Close()
	bus.Head("w", 3)
	if n := gone.Take(); n.Heads != nil {
		t.Errorf("a closed subscription got %v", n)
	}
	if n := next(t, here); n.Heads["w"] != 3 {
		t.Errorf("the open one got %v", n)
	}
}

func TestPublishersDoNotWaitForSlowSubscribers(t *testing.T) {
	bus := Local()
	sub := bus.Subscribe() // never looked at until the end
	done := make(chan struct{})
	for w := range 4 {
		go func() {
			for i := range 10_000 {
				bus.Head(chat.WorkspaceID(fmt.Sprint("w", w)), int64(i+1))
				bus.Typing(typing(i))
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	n := sub.Take()
	if len(n.Heads) != 4 || n.Heads["w2"] != 10_000 || len(n.Typing) != TypingLimit {
		t.Fatalf("got heads %v and %d signals", n.Heads, len(n.Typing))
	}
}

func TestWireRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := chat.WorkspaceID(rapid.StringN(1, 40, idLimit).Draw(t, "workspace"))
		e := envelope{V: wireVersion, Head: rapid.Int64Min(1).Draw(t, "head")}
		subject, body, err := encode(w, e)
		if err != nil {
			t.Fatal(err)
		}
		gotW, gotE, err := decode(subject, body)
		if err != nil || gotW != w || gotE != e {
			t.Fatalf("got %q %v %v, want %q %v", gotW, gotE, err, w, e)
		}
	})
}

func TestMalformedIsRefused(t *testing.T) {
	long := make([]byte, wireLimit+1)
	for i, m := range []struct{ subject, body string }{
		{"dragoman.wake.w", ""},
		{"dragoman.wake.w", "null"},
		{"dragoman.wake.w", "[]"},
		{"dragoman.wake.w", `{"v":1}`},
		{"dragoman.wake.w", `{"v":2,"head":1}`},
		{"dragoman.wake.w", `{"v":1,"head":-1}`},
		{"dragoman.wake.w", `{"v":1,"head":1,"typing":{"conversation":"c","sender":{"type":"bot"}}}`},
		{"dragoman.wake.w", `{"v":1,"typing":{"sender":{"type":"bot"}}}`},
		{"dragoman.wake.w", `{"v":1,"typing":{"conversation":"c"}}`},
		{"dragoman.wake.", `{"v":1,"head":1}`},
		{"dragoman.wake.a.b", `{"v":1,"head":1}`},
		{"dragoman.wake.=41", `{"v":1,"head":1}`}, // "A" has a plain form
		{"dragoman.wake.=2", `{"v":1,"head":1}`},
		{"dragoman.wake.=zz", `{"v":1,"head":1}`},
		{"other.w", `{"v":1,"head":1}`},
		{"dragoman.wake.w", string(long)},
	} {
		if _, e, err := decode(m.subject, []byte(m.body)); err == nil {
			t.Errorf("%d: %s %.80s was taken as %+v", i, m.subject, m.body, e)
		}
	}
	if _, _, err := encode("", envelope{V: wireVersion, Head: 1}); err == nil {
		t.Error("no workspace, and encoded")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("dragoman.wake.w=2E1", []byte(`{"v":1,"head":42}`))
	f.Add("dragoman.wake.w", []byte(`{"v":1,"typing":{"conversation":"c","sender":{"type":"agent","id":"a"},"on":true}}`))
	f.Fuzz(func(t *testing.T, subject string, body []byte) {
		w, e, err := decode(subject, body)
		if err != nil {
			return
		}
		again, _, err := encode(w, e)
		if err != nil || again != subject {
			t.Fatalf("%q became %q, %v", subject, again, err)
		}
	})
}

// running starts a Run and ends it with the test.
func running(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}
