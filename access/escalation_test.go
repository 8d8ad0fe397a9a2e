package access_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// TestLinksEndWithTheRole: who could look after somebody with few rights has no link to the account when it gets more.
func TestLinksEndWithTheRole(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { linksEnd(t, newHouse(t, lite(t))) })
	t.Run("postgres", func(t *testing.T) { linksEnd(t, newHouse(t, pgtest.Start(t))) })
}

func linksEnd(t *testing.T, h *house) {
	t.Helper()
	u := h.user("ada@example.com", "agent")
	lesser := h.by
	lesser.Grant = access.Grant{Rights: append([]access.Right{access.Users}, access.ScopeGrant([]string{"read", "write"}).Rights...), Reach: access.ReachAll}
	name, role := "Ada", access.RoleAdmin
	link, err := h.NewLink(h.ctx(), lesser, u.ID)
	h.must(err)
	_, err = h.PatchUser(h.ctx(), h.by, u.ID, access.UserPatch{Name: &name})
	h.must(err)
	h.must(used(h.UseLink(h.ctx(), link.Token, password)))
	link, err = h.NewLink(h.ctx(), lesser, u.ID)
	h.must(err)
	_, err = h.PatchUser(h.ctx(), h.by, u.ID, access.UserPatch{Role: &role})
	h.must(err)
	h.refused(chat.CodeNotFound, used(h.UseLink(h.ctx(), link.Token, password+"2")), "a link from before the role")
	_, err = h.NewLink(h.ctx(), lesser, u.ID)
	h.refused(chat.CodeForbidden, err, "a link to who has more")
}

// TestOddBrowsers: however a browser calls itself, its user gets in.
func TestOddBrowsers(t *testing.T) {
	h := newHouse(t, pgtest.Start(t))
	u := h.user("ada@example.com", "agent")
	s, err := h.Login(h.ctx(), access.Credentials{Email: u.Email, Password: password}, access.Visit{Address: "192.0.2.1", Agent: "a" + strings.Repeat("ä", 200)})
	h.must(err)
	if !utf8.ValidString(s.Agent) || len(s.Agent) > 300 {
		t.Errorf("%d bytes: %q", len(s.Agent), s.Agent)
	}
}
