package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// people are the promises about users, their sessions and roles, and about the audit log.
func people() []examination {
	return []examination{
		{"users", false, users},
		{"the last admin stays", false, lastAdmin},
		{"links are good once", false, userLinks},
		{"codes are good once", false, userCodes},
		{"sessions", false, sessions},
		{"roles", false, roles},
		{"the audit log", false, actsKept},
		{"strange texts of people", false, strangePeople},
	}
}

func (s *site) user(email, role string) store.User {
	s.t.Helper()
	u, err := s.AddUser(s.t.Context(), store.User{Workspace: s.ws, Email: email, Name: "Name", Role: role, Status: store.UserActive})
	must(s.t, err)
	return u
}

func users(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	made, err := s.AddUser(ctx, store.User{
		Workspace: s.ws, Email: "a@x", Name: "Ada", Role: "agent", Languages: []string{"en", "fr"}, Status: store.UserActive, Password: "hash",
	})
	must(t, err)
	read, err := s.User(ctx, s.ws, made.ID)
	must(t, err)
	equal(t, "read again", fmt.Sprint(read), fmt.Sprint(made))
	raw, err := json.Marshal(read)
	must(t, err)
	if strings.Contains(string(raw), "hash") {
		t.Errorf("the hash is shown: %s", raw)
	}
	_, err = s.AddUser(ctx, store.User{Workspace: s.ws, Email: "a@x", Status: store.UserActive})
	equal(t, "the same e-mail", chat.CodeOf(err), chat.CodeConflict)
	other, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	_, err = s.AddUser(ctx, store.User{Workspace: other.ID, Email: "a@x", Status: store.UserActive})
	must(t, err)
	_, err = s.User(ctx, other.ID, made.ID)
	equal(t, "of another workspace", chat.CodeOf(err), chat.CodeNotFound)
	stale := read
	read.Name, read.Status = "Ada L.", store.UserDisabled
	read, err = s.SetUser(ctx, read)
	must(t, err)
	_, err = s.SetUser(ctx, stale)
	equal(t, "a stale change", chat.CodeOf(err), chat.CodeConflict)
	b := s.user("b@x", "agent")
	b.Email = "a@x"
	_, err = s.SetUser(ctx, b)
	equal(t, "an e-mail that is taken", chat.CodeOf(err), chat.CodeConflict)
	found, err := s.UserByEmail(ctx, s.ws, "a@x")
	must(t, err)
	equal(t, "by e-mail", fmt.Sprint(found), fmt.Sprint(read))
	must(t, s.BindSubject(ctx, b, "sub"))
	must(t, s.BindSubject(ctx, b, "sub"))
	equal(t, "bound already", chat.CodeOf(s.BindSubject(ctx, b, "sub2")), chat.CodeConflict)
	equal(t, "bound to another", chat.CodeOf(s.BindSubject(ctx, made, "sub")), chat.CodeConflict)
	found, err = s.UserBySubject(ctx, s.ws, "sub")
	must(t, err)
	equal(t, "by subject", found.ID, b.ID)
	_, err = s.UserBySubject(ctx, s.ws, "")
	equal(t, "without subject", chat.CodeOf(err), chat.CodeNotFound)
	userPages(t, s)
}

func userPages(t *testing.T, s *site) {
	t.Helper()
	for i := range 7 {
		s.user(fmt.Sprintf("p%d@x", i), "supervisor")
	}
	seen := map[string]bool{}
	for after := ""; ; {
		page, next, err := s.Users(t.Context(), s.ws, store.UserFilter{Role: "supervisor", Text: "NAME", Limit: 3, After: after})
		must(t, err)
		for _, u := range page {
			if seen[u.ID] {
				t.Errorf("%s comes twice", u.Email)
			}
			seen[u.ID] = true
		}
		if after = next; next == "" {
			break
		}
	}
	equal(t, "users in pages", len(seen), 7)
	off, _, err := s.Users(t.Context(), s.ws, store.UserFilter{Status: store.UserDisabled, Limit: 9})
	must(t, err)
	equal(t, "disabled", len(off), 1)
}

// lastAdmin lets all admins give up at once: one is left.
func lastAdmin(t *testing.T, db Database) {
	s := newSite(t, db)
	admins := []store.User{s.user("a@x", "admin"), s.user("b@x", "admin"), s.user("c@x", "admin")}
	var wg sync.WaitGroup
	var left atomic.Int64
	for i, u := range admins {
		wg.Go(func() {
			if u.Role = "agent"; i == 0 {
				u.Role, u.Status = "admin", store.UserDisabled
			}
			_, err := s.SetUser(t.Context(), u)
			switch chat.CodeOf(err) {
			case chat.CodeConflict:
				left.Add(1)
			default:
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	equal(t, "admins left", left.Load(), 1)
}

func userLinks(t *testing.T, db Database) {
	var now atomic.Int64
	now.Store(time.Now().UnixMicro())
	s := newSite(t, db, func(o *store.Options) { o.Now = func() time.Time { return time.UnixMicro(now.Load()) } })
	ctx := t.Context()
	u := s.user("a@x", "agent")
	link := func(hash string) {
		must(t, s.AddLink(ctx, u, store.UserLink{Hash: hash, ExpiresAt: time.UnixMicro(now.Load()).Add(time.Hour)}))
	}
	link("one")
	link("two")
	equal(t, "an earlier link", chat.CodeOf(s.UseLink(ctx, "one", "p")), chat.CodeNotFound)
	_, err := s.AddSession(ctx, store.Session{Hash: "h", User: u.ID, ExpiresAt: time.UnixMicro(now.Load()).Add(time.Hour)})
	must(t, err)
	var wg sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		wg.Go(func() {
			if err := s.UseLink(ctx, "two", "p"); err == nil {
				won.Add(1)
			} else if chat.CodeOf(err) != chat.CodeNotFound {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "used", won.Load(), 1)
	_, err = s.SessionByHash(ctx, "h", time.Time{})
	equal(t, "signed in after a new password", chat.CodeOf(err), chat.CodeNotFound)
	link("three")
	now.Add(int64(2 * time.Hour / time.Microsecond))
	equal(t, "expired", chat.CodeOf(s.UseLink(ctx, "three", "p")), chat.CodeNotFound)
	link("four")
	u, err = s.User(ctx, s.ws, u.ID)
	must(t, err)
	equal(t, "password", u.Password, "p")
	u.Status = store.UserDisabled
	u, err = s.SetUser(ctx, u)
	must(t, err)
	equal(t, "of a disabled user", chat.CodeOf(s.UseLink(ctx, "four", "q")), chat.CodeNotFound)
	must(t, s.Rehash(ctx, u.ID, "other", "never"))
	must(t, s.Rehash(ctx, u.ID, "p", "p2"))
	u, err = s.User(ctx, s.ws, u.ID)
	must(t, err)
	equal(t, "password", u.Password, "p2")
}

func userCodes(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	u := s.user("a@x", "agent")
	equal(t, "without TOTP", chat.CodeOf(s.UseStep(ctx, u.ID, 1)), chat.CodeForbidden)
	must(t, s.OfferTOTP(ctx, u.ID, "sealed 1"))
	must(t, s.OfferTOTP(ctx, u.ID, "sealed 2"))
	u.TOTPSecret = "sealed 1"
	equal(t, "an earlier secret", chat.CodeOf(s.ConfirmTOTP(ctx, u, 5, nil)), chat.CodeConflict)
	u.TOTPSecret = "sealed 2"
	must(t, s.ConfirmTOTP(ctx, u, 5, []string{"c1", "c2"}))
	equal(t, "offered while active", chat.CodeOf(s.OfferTOTP(ctx, u.ID, "sealed 3")), chat.CodeConflict)
	var wg sync.WaitGroup
	var steps, codes atomic.Int64
	for range 8 {
		wg.Go(func() {
			if s.UseStep(ctx, u.ID, 6) == nil {
				steps.Add(1)
			}
			if s.UseCode(ctx, u.ID, "c1") == nil {
				codes.Add(1)
			}
		})
	}
	wg.Wait()
	equal(t, "the step was accepted", steps.Load(), 1)
	equal(t, "the recovery code was accepted", codes.Load(), 1)
	equal(t, "an earlier step", chat.CodeOf(s.UseStep(ctx, u.ID, 5)), chat.CodeForbidden)
	read, err := s.User(ctx, s.ws, u.ID)
	must(t, err)
	equal(t, "active", read.TOTP, true)
	must(t, s.DropTOTP(ctx, read))
	equal(t, "after it was dropped", chat.CodeOf(errors.Join(s.UseCode(ctx, u.ID, "c2"))), chat.CodeForbidden)
}

func sessions(t *testing.T, db Database) {
	var now atomic.Int64
	now.Store(time.Now().UnixMicro())
	clock := func() time.Time { return time.UnixMicro(now.Load()).UTC() }
	s := newSite(t, db, func(o *store.Options) { o.Now = clock })
	ctx := t.Context()
	u := s.user("a@x", "own")
	_, err := s.PutRole(ctx, s.ws, store.Role{Name: "own", Rights: []string{"x.y", "z"}, Reach: "own"}, nil)
	must(t, err)
	sign := func(hash string) store.Session {
		x, err := s.AddSession(ctx, store.Session{Hash: hash, User: u.ID, Address: "192.0.2.1", Agent: "Browser", ExpiresAt: clock().Add(10 * time.Hour)})
		must(t, err)
		return x
	}
	idle := func() time.Time { return clock().Add(-time.Hour) }
	gone := func(what, hash string) {
		t.Helper()
		_, err := s.SessionByHash(ctx, hash, idle())
		equal(t, what, chat.CodeOf(err), chat.CodeNotFound)
	}
	a := sign("a")
	sign("b")
	in, err := s.SessionByHash(ctx, "a", idle())
	must(t, err)
	equal(t, "session", fmt.Sprint(in.Session), fmt.Sprint(a))
	equal(t, "who and what", fmt.Sprint(in.User.Email, in.Role.Rights, in.Role.Reach, in.User.LoginAt), fmt.Sprint("a@x", []string{"x.y", "z"}, "own", clock()))
	gone("unknown", "c")
	now.Add(int64(50 * time.Minute / time.Microsecond))
	must(t, s.TouchSession(ctx, a.ID))
	now.Add(int64(20 * time.Minute / time.Microsecond))
	gone("idle", "b")
	list, err := s.Sessions(ctx, u.ID, idle())
	must(t, err)
	equal(t, "listed", len(list), 1)
	other := s.user("b@x", "agent")
	equal(t, "revoked by another user's name", chat.CodeOf(s.RevokeSession(ctx, other, a.ID)), chat.CodeNotFound)
	must(t, s.RevokeSession(ctx, u, a.ID))
	equal(t, "revoked twice", chat.CodeOf(s.RevokeSession(ctx, u, a.ID)), chat.CodeNotFound)
	gone("revoked", "a")
	must(t, s.TouchSession(ctx, a.ID))
	gone("revoked, in use", "a")
	c := sign("c")
	sign("d")
	must(t, s.SetPassword(ctx, u, "p", c.ID))
	gone("after a new password", "d")
	_, err = s.SessionByHash(ctx, "c", idle())
	must(t, err)
	must(t, s.RevokeSessions(ctx, u, ""))
	gone("all revoked", "c")
	e := sign("e")
	now.Add(int64(9 * time.Hour / time.Microsecond))
	must(t, s.TouchSession(ctx, e.ID))
	now.Add(int64(2 * time.Hour / time.Microsecond))
	_, err = s.SessionByHash(ctx, "e", time.Time{})
	equal(t, "over", chat.CodeOf(err), chat.CodeNotFound)
	sign("f")
	from, err := s.SignedInFrom(ctx, u.ID, "192.0.2.1")
	must(t, err)
	nobody, err := s.SignedInFrom(ctx, u.ID, "192.0.2.2")
	must(t, err)
	equal(t, "signed in from", fmt.Sprintln(from, nobody), "true false\n")
	u.Status = store.UserDisabled
	_, err = s.SetUser(ctx, u)
	must(t, err)
	gone("of a disabled user", "f")
	_, err = s.AddSession(ctx, store.Session{Hash: "g", User: u.ID, ExpiresAt: clock().Add(time.Hour)})
	equal(t, "for a disabled user", chat.CodeOf(err), chat.CodeForbidden)
}

func roles(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	r, err := s.PutRole(ctx, s.ws, store.Role{Name: "r", Rights: []string{"a", "b"}, Reach: "all"}, nil)
	must(t, err)
	_, err = s.PutRole(ctx, s.ws, store.Role{Name: "r", Reach: "own"}, nil)
	equal(t, "made twice", chat.CodeOf(err), chat.CodeConflict)
	stale := r
	r.Rights = nil
	r, err = s.PutRole(ctx, s.ws, r, nil)
	must(t, err)
	_, err = s.PutRole(ctx, s.ws, stale, nil)
	equal(t, "a stale change", chat.CodeOf(err), chat.CodeConflict)
	read, err := s.Role(ctx, s.ws, "r")
	must(t, err)
	equal(t, "role", fmt.Sprintln(read.Rights, read.Reach, read.Revision), "[] all 2\n")
	u := s.user("a@x", "r")
	equal(t, "in use", chat.CodeOf(s.DropRole(ctx, s.ws, "r")), chat.CodeConflict)
	u.Role = "agent"
	_, err = s.SetUser(ctx, u)
	must(t, err)
	must(t, s.DropRole(ctx, s.ws, "r"))
	equal(t, "dropped twice", chat.CodeOf(s.DropRole(ctx, s.ws, "r")), chat.CodeNotFound)
	all, err := s.Roles(ctx, s.ws)
	must(t, err)
	equal(t, "roles", len(all), 0)
}

func actsKept(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	act := func(name string) *store.Audit {
		return &store.Audit{
			Workspace: s.ws, Actor: store.Actor{Type: "user", ID: "u1", Name: "Ada"}, Act: name, Kind: "user", Address: "192.0.2.1", Action: "act-1",
			Was: json.RawMessage(`{"a":1}`),
		}
	}
	a := act("createUser")
	u, err := s.AddUser(store.WithAudit(ctx, a), store.User{Workspace: s.ws, Email: "a@x", Role: "agent", Status: store.UserActive})
	must(t, err)
	equal(t, "written with the deed", fmt.Sprintln(a.Written, a.Object), "true "+u.ID+"\n")
	refused := act("createUser")
	_, err = s.AddUser(store.WithAudit(ctx, refused), store.User{Workspace: s.ws, Email: "a@x", Status: store.UserActive})
	equal(t, "refused", fmt.Sprintln(chat.CodeOf(err), refused.Written), "conflict false\n")
	equal(t, "refused", chat.CodeOf(s.DropRole(store.WithAudit(ctx, act("dropRole")), s.ws, "none")), chat.CodeNotFound)
	for i := range 5 {
		b := act("changeChannel")
		b.Kind, b.Object = "channel", fmt.Sprint("c", i)
		must(t, s.AddAudit(ctx, b))
	}
	w, err := s.AddWorkspace(ctx, "", "other")
	must(t, err)
	elsewhere := act("x")
	elsewhere.Workspace = w.ID
	must(t, s.AddAudit(ctx, elsewhere))
	names := func(f store.AuditFilter) (out []string, next string) {
		page, next, err := s.AuditLog(ctx, s.ws, f)
		must(t, err)
		for _, a := range page {
			out = append(out, a.Act+" "+a.Object)
		}
		return out, next
	}
	first, next := names(store.AuditFilter{Kind: "channel", Limit: 3})
	equal(t, "newest first", fmt.Sprint(first), "[changeChannel c4 changeChannel c3 changeChannel c2]")
	rest, end := names(store.AuditFilter{Kind: "channel", Limit: 3, Before: next})
	equal(t, "the next page", fmt.Sprintln(rest, end), "[changeChannel c1 changeChannel c0] \n")
	all, _ := names(store.AuditFilter{Actor: "u1", From: a.At, To: a.At.Add(time.Hour), Limit: 99})
	equal(t, "all", len(all), 6)
	none, _ := names(store.AuditFilter{To: a.At, Limit: 9})
	equal(t, "before", len(none), 0)
	one, _, err := s.AuditLog(ctx, s.ws, store.AuditFilter{Object: u.ID, Act: "createUser", Limit: 9})
	must(t, err)
	equal(t, "one", len(one), 1)
	var became store.User
	must(t, json.Unmarshal(one[0].Became, &became))
	equal(t, "as it was", fmt.Sprint(string(one[0].Was), became.Email, one[0].At, one[0].Address, one[0].Action), fmt.Sprint(`{"a":1}`, "a@x", a.At, "192.0.2.1", "act-1"))
	for _, f := range []string{"x", "-1", "0", "1.1"} {
		_, _, err := s.AuditLog(ctx, s.ws, store.AuditFilter{Before: f, Limit: 1})
		equal(t, "cursor "+f, chat.CodeOf(err), chat.CodeInvalid)
	}
}

// strangePeople puts odd texts into every place that people can fill.
func strangePeople(t *testing.T, db Database) {
	s := newSite(t, db)
	ctx := t.Context()
	for _, text := range []string{"", "\x00", "a\x00b", "\xff", "%_\\", "'; DROP TABLE users; --", "😀", strings.Repeat("ä", 3000)} {
		u, err := s.AddUser(ctx, store.User{Workspace: s.ws, Email: text, Name: text, Role: text, Languages: []string{text}, Status: store.UserStatus(text)},
			store.UserLink{Hash: text, ExpiresAt: time.Now().Add(time.Hour)})
		blames(t, "AddUser", err)
		_, err = s.SetUser(ctx, u)
		blames(t, "SetUser", err)
		_, err = s.AddSession(ctx, store.Session{Hash: text, User: u.ID, Address: text, Agent: text})
		blames(t, "AddSession", err)
		blames(t, "UseLink", s.UseLink(ctx, text, text))
		blames(t, "UseCode", s.UseCode(ctx, text, text))
		blames(t, "OfferTOTP", s.OfferTOTP(ctx, u.ID, text))
		blames(t, "BindSubject", s.BindSubject(ctx, u, text))
		_, err = s.PutRole(ctx, s.ws, store.Role{Name: text, Rights: []string{text}, Reach: text}, nil)
		blames(t, "PutRole", err)
		blames(t, "AddAudit", s.AddAudit(ctx, &store.Audit{Workspace: s.ws, Act: text, Object: text, Was: json.RawMessage(text)}))
		_, _, err = s.Users(ctx, s.ws, store.UserFilter{Text: text, After: text, Role: text, Limit: 3})
		blames(t, "Users", err)
		_, err = s.SessionByHash(ctx, text, time.Time{})
		blames(t, "SessionByHash", err)
		_, _, err = s.AuditLog(ctx, s.ws, store.AuditFilter{Actor: text, Act: text, Limit: 3})
		blames(t, "AuditLog", err)
	}
}
