package wake

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func presence(n int) Presence {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return Presence{Workspace: "w", Conversation: "c", User: fmt.Sprint("u", n), Name: "Ann", Doing: Looking, At: at}
}

// TestPresencesAreBounded: a slow subscriber sees the newest ones, in order.
func TestPresencesAreBounded(t *testing.T) {
	bus := Local()
	s := bus.Subscribe()
	defer s.Close()
	for i := range PresenceLimit + 5 {
		bus.Presence(presence(i))
	}
	got := s.Take().Presences
	if len(got) != PresenceLimit || got[0] != presence(5) || got[PresenceLimit-1] != presence(PresenceLimit+4) {
		t.Errorf("%d presences, the first %v", len(got), got[0])
	}
	if again := s.Take().Presences; len(again) != 0 {
		t.Errorf("again: %v", again)
	}
}

// TestPresenceOnTheWire: what is read is what was written; what names nobody, or is nothing that can be done, is not written.
func TestPresenceOnTheWire(t *testing.T) {
	p := presence(1)
	subject, body, err := encode("w", envelope{V: wireVersion, Presence: &p})
	if err != nil {
		t.Fatal(err)
	}
	if w, e, err := decode(subject, body); err != nil || w != "w" || *e.Presence != p {
		t.Errorf("read %v, %v", e.Presence, err)
	}
	nobody, odd, nowhere, huge := presence(1), presence(1), presence(1), presence(1)
	nobody.User, odd.Doing, nowhere.Conversation, huge.Name = "", "sleeping", "", strings.Repeat("x", wireLimit)
	for _, bad := range []Presence{nobody, odd, nowhere, huge} {
		if _, _, err := encode("w", envelope{V: wireVersion, Presence: &bad}); err == nil {
			t.Errorf("written: %.200v", bad)
		}
	}
}

func TestNodesSeePresence(t *testing.T) {
	url := address(broker(t, -1))
	a, subA := node(t, url)
	_, subB := node(t, url)
	missed(t, subA, subB)
	a.Presence(presence(1))
	for _, sub := range []*Subscription{subA, subB} {
		for {
			if n := next(t, sub); len(n.Presences) > 0 {
				if len(n.Presences) != 1 || n.Presences[0] != presence(1) {
					t.Errorf("heard %v", n.Presences)
				}
				break
			}
		}
	}
}
