package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Session is one browser in which a user has signed in. The store knows the hash of its cookie only.
type Session struct {
	ID        string    `json:"id"`
	Hash      string    `json:"-"`
	User      string    `json:"-"`
	Address   string    `json:"address" doc:"The network address that the user signed in from."`
	Agent     string    `json:"agent" doc:"What the browser called itself."`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"When it was last used, to the minute."`
	ExpiresAt time.Time `json:"expires_at"`
}

// SignedIn is a session with whom it stands for. Role is the user's own set of rights; nil for one that is built in, or gone.
type SignedIn struct {
	Session
	User User
	Role *Role
}

const sessionColumns = "s.id, s.hash, s.uid, s.address, s.agent, s.created_at, s.seen_at, s.expires_at"

func (x *Session) dest(created, seen, expires *int64) []any {
	return []any{&x.ID, &x.Hash, &x.User, &x.Address, &x.Agent, created, seen, expires}
}

func scanSession(r scanner) (x Session, err error) {
	var created, seen, expires int64
	err = r.Scan(x.dest(&created, &seen, &expires)...)
	x.CreatedAt, x.SeenAt, x.ExpiresAt = moment(created), moment(seen), moment(expires)
	return x, err
}

// keepOld is how long sessions that are over are remembered: they tell from where the user has signed in before.
const keepOld = 90 * 24 * time.Hour

// AddSession signs a user in and forgets sessions that were over long ago. A user who was disabled meanwhile is refused.
func (s *Store) AddSession(ctx context.Context, x Session) (Session, error) {
	now := s.now()
	x.ID, x.CreatedAt, x.SeenAt = s.id(), now, now
	hit := false
	err := s.engine.exec(ctx, stmt{
		sql:  "UPDATE users SET login_at = $1 WHERE uid = $2 AND status = 'active'",
		args: []any{micros(now), x.User},
	}, stmt{
		sql: `INSERT INTO sessions (id, hash, uid, address, agent, created_at, seen_at, expires_at)
 SELECT $1, $2, u.uid, $4, $5, $6, $6, $7 FROM users u WHERE u.uid = $3 AND u.status = 'active' RETURNING id`,
		args: []any{x.ID, x.Hash, x.User, x.Address, x.Agent, micros(now), micros(x.ExpiresAt)},
		scan: func(scanner) error { hit = true; return nil },
	}, stmt{
		sql:  "DELETE FROM sessions WHERE uid = $1 AND expires_at < $2",
		args: []any{x.User, micros(now.Add(-keepOld))},
	})
	if err != nil {
		return x, s.refused(err)
	}
	if !hit {
		return x, chat.Faultf(chat.CodeForbidden, "the user is not active")
	}
	return x, nil
}

// SessionByHash finds a session that is neither over nor revoked, was used after the given time, and whose user is active.
func (s *Store) SessionByHash(ctx context.Context, hash string, seenAfter time.Time) (SignedIn, error) {
	return one(ctx, s, "session", scanSignedIn, "SELECT "+userColumns+", COALESCE(r.rights, ''), COALESCE(r.reach, ''), "+sessionColumns+
		` FROM sessions s JOIN users u ON u.uid = s.uid JOIN workspaces w ON w.id = u.workspace
 LEFT JOIN roles r ON r.workspace = u.workspace AND r.name = u.role
 WHERE s.hash = $1 AND s.revoked_at = 0 AND s.expires_at > $2 AND s.seen_at > $3 AND u.status = 'active'`,
		hash, micros(s.now()), micros(seenAfter))
}

func scanSignedIn(r scanner) (x SignedIn, err error) {
	var rights, reach string
	var created, seen, expires int64
	x.User, err = scanUserAnd(r, append([]any{&rights, &reach}, x.dest(&created, &seen, &expires)...)...)
	x.CreatedAt, x.SeenAt, x.ExpiresAt = moment(created), moment(seen), moment(expires)
	if reach != "" {
		x.Role = roleOf(x.User.Role, rights, reach)
	}
	return x, err
}

// TouchSession notes that it is in use.
func (s *Store) TouchSession(ctx context.Context, id string) error {
	return unavailable(s.engine.exec(ctx, stmt{sql: "UPDATE sessions SET seen_at = $1 WHERE id = $2 AND revoked_at = 0", args: []any{micros(s.now()), id}}))
}

// Sessions lists where a user is signed in, newest first.
func (s *Store) Sessions(ctx context.Context, user string, seenAfter time.Time) ([]Session, error) {
	return list(ctx, s, scanSession, "SELECT "+sessionColumns+` FROM sessions s
 WHERE s.uid = $1 AND s.revoked_at = 0 AND s.expires_at > $2 AND s.seen_at > $3 ORDER BY s.created_at DESC, s.id DESC LIMIT 1000`,
		user, micros(s.now()), micros(seenAfter))
}

// RevokeSession ends one session of a user at once and for good.
func (s *Store) RevokeSession(ctx context.Context, u User, id string) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	hit := false
	list := []stmt{{
		sql:  "UPDATE sessions SET revoked_at = $1 WHERE uid = $2 AND id = $3 AND revoked_at = 0 RETURNING id",
		args: []any{micros(s.now()), u.ID, id},
		scan: func(scanner) error { hit = true; return nil },
	}}
	return s.decide(ctx, doing{ws, "user", u.ID, nil}, list, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeNotFound, "no such session")
		}
		return nil
	})
}

// RevokeSessions signs a user out everywhere but in the session that is kept.
func (s *Store) RevokeSessions(ctx context.Context, u User, keep string) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	return s.write(ctx, doing{ws, "user", u.ID, nil}, s.signOut(u.ID, keep))
}

func (s *Store) signOut(user, keep string) stmt {
	return stmt{
		sql:  "UPDATE sessions SET revoked_at = $1 WHERE uid = $2 AND id <> $3 AND revoked_at = 0",
		args: []any{micros(s.now()), user, keep},
	}
}

// SignedInFrom tells whether the user has ever signed in from a network address, as far as is remembered.
func (s *Store) SignedInFrom(ctx context.Context, user, address string) (bool, error) {
	found, err := list(ctx, s, scanText, "SELECT s.id FROM sessions s WHERE s.uid = $1 AND s.address = $2 LIMIT 1", user, address)
	return len(found) > 0, err
}
