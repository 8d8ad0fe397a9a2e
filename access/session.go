package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// NewSession is a session that was made just now. Token goes into the cookie and is never stored.
type NewSession struct {
	store.Session
	Token string
	User  store.User
}

// SignedIn is whom a session stands for, with what it may do.
type SignedIn struct {
	Session store.Session
	User    store.User
	Who     Who
}

// Visit is where a request comes from.
type Visit struct {
	Address string
	Agent   string
	Action  chat.ActionID // of the request, for the audit log
}

const maxAgent = 300

func (g *Gate) open(ctx context.Context, u store.User, v Visit) (NewSession, error) {
	token, hash := newToken(sessionPrefix)
	x, err := g.o.Store.AddSession(ctx, store.Session{
		Hash: hash, User: u.ID, Address: v.Address, Agent: strings.ToValidUTF8(v.Agent[:min(len(v.Agent), maxAgent)], ""), ExpiresAt: g.o.Now().Add(g.o.Life).UTC().Truncate(time.Microsecond),
	})
	if chat.CodeOf(err) == chat.CodeForbidden {
		err = errWrong
	}
	return NewSession{Session: x, Token: token, User: u}, err
}

// touchAfter is how exactly the use of a session is noted.
const touchAfter = time.Minute

// Session finds whom a cookie stands for. Any that is not good is a fault of code not_found. It is looked up each time: what was
// revoked on another node does not count here either.
func (g *Gate) Session(ctx context.Context, token string) (SignedIn, error) {
	hash := hashOf(sessionPrefix, token)
	if hash == "" {
		return SignedIn{}, chat.Faultf(chat.CodeNotFound, "no such session")
	}
	now := g.o.Now()
	in, err := g.o.Store.SessionByHash(ctx, hash, now.Add(-g.o.Idle))
	if err != nil {
		return SignedIn{}, err
	}
	if now.Sub(in.SeenAt) >= touchAfter {
		if err := g.o.Store.TouchSession(ctx, in.ID); err != nil {
			return SignedIn{}, err
		}
	}
	who := Who{Workspace: in.User.Workspace, User: in.User.ID, Grant: grantOf(in)}
	if who.Reach == ReachQueues && !who.All && g.o.Queues != nil {
		if who.Queues, err = g.o.Queues.QueuesOf(ctx, who.Workspace, who.User); err != nil {
			return SignedIn{}, err
		}
	}
	return SignedIn{Session: in.Session, User: in.User, Who: who}, nil
}

// grantOf gives nothing to a user whose role is gone.
func grantOf(in store.SignedIn) Grant {
	if r, ok := BuiltIn(in.User.Role); ok {
		return r.Grant()
	}
	if in.Role != nil {
		return roleOf(*in.Role).Grant()
	}
	return Grant{}
}

// CSRF is what a page has to send along with every write, as proof that it can read what this session is told. It follows from the
// session's own secret, so it cannot be planted with a cookie of somebody else's.
func CSRF(token string) string {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte("dragoman csrf 1"))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// CSRFMatches compares in constant time.
func CSRFMatches(token, given string) bool { return secret.Equal(CSRF(token), given) }

// Sessions lists where a user is signed in, for the user or for who may look after the user.
func (g *Gate) Sessions(ctx context.Context, by Who, user string) ([]store.Session, error) {
	u, err := g.mayTouch(ctx, by, user)
	if err != nil {
		return nil, err
	}
	return g.o.Store.Sessions(ctx, u.ID, g.o.Now().Add(-g.o.Idle))
}

// Revoke ends one session of a user.
func (g *Gate) Revoke(ctx context.Context, by Who, user, session string) error {
	u, err := g.mayTouch(ctx, by, user)
	if err != nil {
		return err
	}
	return g.o.Store.RevokeSession(ctx, u, session)
}

// RevokeAll signs a user out everywhere but in the session that is kept.
func (g *Gate) RevokeAll(ctx context.Context, by Who, user, keep string) error {
	u, err := g.mayTouch(ctx, by, user)
	if err != nil {
		return err
	}
	return g.o.Store.RevokeSessions(ctx, u, keep)
}
