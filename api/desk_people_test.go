package api_test

import (
	"strings"
	"testing"
)

// TestOverseers: everybody who answers is told who sees all conversations, and nothing more of them.
func TestOverseers(t *testing.T) {
	w := people(t)
	ada := w.joined("ada@example.com", "agent")
	sue, gone := w.invite("sue@example.com", "supervisor"), w.invite("gone@example.com", "supervisor")
	w.ok("PATCH", "/v1/users/"+gone, "admin", `{"status":"disabled"}`)
	w.ok("PUT", "/v1/roles/night", "admin", `{"rights":["conversations.read"],"reach":"all"}`)
	w.ok("PUT", "/v1/roles/blind", "admin", `{"rights":["contacts.read"],"reach":"all"}`)
	own := w.invite("own@example.com", "night")
	blind := w.invite("blind@example.com", "blind")
	got := ada.want(200, "GET", "/v1/desk/overseers", "")
	for id, told := range map[string]bool{ada.id: false, sue: true, gone: false, own: true, blind: false, "@example.com\",\"role": false} {
		if strings.Contains(got.body, id) != told {
			t.Errorf("%s: %s", id, got.body)
		}
	}
}
