package access

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The codes of refused sign-ins, besides those of package chat.
const (
	CodeWrong     chat.Code = "unauthorized"  // whatever it is: no such user, disabled, another password
	CodeWanted    chat.Code = "totp_required" // the password is right, a code is missing
	CodeThrottled chat.Code = "throttled"
)

// errWrong is the one answer to everything that is wrong: it does not tell whether there is such a user.
var errWrong = &chat.Fault{Code: CodeWrong, Detail: "the e-mail address, the password or the code is wrong"}

// ThrottledError says when to come again.
type ThrottledError struct{ After time.Duration }

// Error is for the error interface.
func (e *ThrottledError) Error() string { return "too many attempts to sign in" }

// Unwrap makes it a fault.
func (e *ThrottledError) Unwrap() error {
	return &chat.Fault{Code: CodeThrottled, Detail: "too many attempts to sign in: come back later, or ask for a link that sets a new password"}
}

// Credentials are what somebody signs in with. Without a workspace the first one is meant.
type Credentials struct {
	Workspace chat.WorkspaceID
	Email     string
	Password  string
	Code      string // of an authenticator app, or a recovery code; empty at first
}

// Login checks credentials and makes a session. It takes the same time and gives the same answer whether there is such a user or not.
func (g *Gate) Login(ctx context.Context, c Credentials, v Visit) (NewSession, error) {
	u, err := g.candidate(ctx, &c)
	if err != nil {
		return NewSession{}, err
	}
	known, err := g.o.Store.SignedInFrom(ctx, u.ID, v.Address)
	if err != nil {
		return NewSession{}, err
	}
	try, wait := g.throttle.begin(string(c.Workspace)+"/"+c.Email, v.Address, known, g.o.Now())
	if wait > 0 {
		return NewSession{}, &ThrottledError{wait}
	}
	ok, stale, err := g.hasher.matches(ctx, c.Password, u.Password)
	if err != nil {
		try.undo()
		return NewSession{}, err
	}
	if !ok || u.Status != store.UserActive {
		g.o.Log.InfoContext(ctx, "access: sign-in refused", "user", u.ID, "address", v.Address)
		return NewSession{}, errWrong
	}
	if u.TOTP && c.Code == "" {
		try.undo()
		return NewSession{}, chat.Faultf(CodeWanted, "give a code of your authenticator app, or a recovery code")
	}
	if u.TOTP {
		if err := g.useCode(ctx, u, c.Code); err != nil {
			return NewSession{}, err
		}
	}
	try.forgive()
	if stale {
		g.rehash(ctx, u, c.Password)
	}
	return g.open(ctx, u, v)
}

// candidate finds who is meant; nobody is an empty user.
func (g *Gate) candidate(ctx context.Context, c *Credentials) (store.User, error) {
	var err error
	if c.Workspace, err = g.workspace(ctx, c.Workspace); err != nil {
		return store.User{}, err
	}
	c.Email = foldEmail(c.Email)
	u, err := g.o.Store.UserByEmail(ctx, c.Workspace, c.Email)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return store.User{}, nil
	}
	return u, err
}

// rehash stores the password with today's effort; the sign-in does not depend on it.
func (g *Gate) rehash(ctx context.Context, u store.User, password string) {
	after, err := g.hasher.hash(ctx, password)
	if err == nil {
		err = g.o.Store.Rehash(ctx, u.ID, u.Password, after)
	}
	if err != nil {
		g.o.Log.WarnContext(ctx, "access: a password was not hashed again", "user", u.ID, "err", err)
	}
}

// prove checks the password of somebody who is signed in, and the code if one is wanted, before something grave.
func (g *Gate) prove(ctx context.Context, u store.User, password, code string) error {
	try, wait := g.throttle.begin(string(u.Workspace)+"/"+u.Email, "session/"+u.ID, true, g.o.Now())
	if wait > 0 {
		return &ThrottledError{wait}
	}
	ok, _, err := g.hasher.matches(ctx, password, u.Password)
	if err != nil {
		try.undo()
		return err
	}
	if !ok {
		return chat.Faultf(chat.CodeForbidden, "the password is wrong")
	}
	if u.TOTP {
		if err := g.useCode(ctx, u, code); err != nil {
			return chat.Faultf(chat.CodeForbidden, "the code is wrong, or was used")
		}
	}
	try.forgive()
	return nil
}

// Link is a one-time link with which a user sets a password.
type Link struct {
	Token     string    `json:"token" doc:"Good once. Keep it: it is never shown again."`
	ExpiresAt time.Time `json:"expires_at"`
}

func (g *Gate) newLink() (Link, store.UserLink) {
	token, hash := newToken(linkPrefix)
	at := g.o.Now().Add(g.o.LinkTime).UTC().Truncate(time.Second)
	return Link{token, at}, store.UserLink{Hash: hash, ExpiresAt: at}
}

// UseLink sets the password of whom the link was made for, once, and signs that user out everywhere. It answers with the user.
func (g *Gate) UseLink(ctx context.Context, token, password string) (store.User, error) {
	gone := chat.Faultf(chat.CodeNotFound, "the link is wrong, over or used: ask for another one")
	hash := hashOf(linkPrefix, token)
	if hash == "" {
		return store.User{}, gone
	}
	u, err := g.o.Store.LinkUser(ctx, hash)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return store.User{}, gone
	}
	if err != nil {
		return store.User{}, err
	}
	stored, err := g.newPassword(ctx, u, password)
	if err != nil {
		return store.User{}, err
	}
	ctx = store.WithAudit(ctx, g.ownAct(ctx, u, "usePasswordLink"))
	if err = g.o.Store.UseLink(ctx, hash, stored); chat.CodeOf(err) == chat.CodeNotFound {
		return store.User{}, gone
	}
	return u, err
}

// ownAct is an act of a user about itself, for the audit log.
func (g *Gate) ownAct(ctx context.Context, u store.User, name string) *store.Audit {
	a := &store.Audit{Workspace: u.Workspace, Actor: store.Actor{Type: "user", ID: u.ID, Name: u.Name}, Act: name, Kind: "user", Object: u.ID}
	if v, ok := ctx.Value(visitKey{}).(Visit); ok {
		a.Address, a.Action = v.Address, v.Action
	}
	return a
}

type visitKey struct{}

// WithVisit notes where a request comes from, for the audit log.
func WithVisit(ctx context.Context, v Visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

func (g *Gate) newPassword(ctx context.Context, u store.User, password string) (string, error) {
	if err := checkPassword(password, u.Email); err != nil {
		return "", err
	}
	stored, err := g.hasher.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("access: hash a password: %w", err)
	}
	return stored, nil
}

// ChangePassword sets another password for somebody who is signed in and knows the present one; all other sessions end.
func (g *Gate) ChangePassword(ctx context.Context, in SignedIn, current, code, password string) error {
	if err := g.prove(ctx, in.User, current, code); err != nil {
		return err
	}
	stored, err := g.newPassword(ctx, in.User, password)
	if err != nil {
		return err
	}
	return g.o.Store.SetPassword(ctx, in.User, stored, in.Session.ID)
}
