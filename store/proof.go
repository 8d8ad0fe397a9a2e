package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// UserLink lets whoever has it set the user's password, once. The store knows its hash only.
type UserLink struct {
	Hash      string
	ExpiresAt time.Time
}

func (l UserLink) insert(user string) stmt {
	return stmt{sql: "INSERT INTO user_links (hash, uid, expires_at) VALUES ($1, $2, $3)", args: []any{l.Hash, user, micros(l.ExpiresAt)}}
}

func endLinks(user string) stmt {
	return stmt{sql: "DELETE FROM user_links WHERE uid = $1", args: []any{user}}
}

// AddLink stores a link; the user's earlier ones end.
func (s *Store) AddLink(ctx context.Context, u User, l UserLink) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	return s.write(ctx, doing{ws, "user", u.ID, nil}, endLinks(u.ID), l.insert(u.ID))
}

// LinkUser finds whose link it is, if it is still good and the user active.
func (s *Store) LinkUser(ctx context.Context, hash string) (User, error) {
	return one(ctx, s, "link", scanUser, userRead+`JOIN user_links l ON l.uid = u.uid
 WHERE l.hash = $1 AND l.expires_at > $2 AND u.status = 'active'`, hash, micros(s.now()))
}

// UseLink sets the password of the link's user and ends the link, with all others of the user, and all sessions. Of several who use
// one link at once, one wins.
func (s *Store) UseLink(ctx context.Context, hash, password string) error {
	gone := chat.Faultf(chat.CodeNotFound, "no such link")
	u, err := s.LinkUser(ctx, hash)
	if chat.CodeOf(err) == chat.CodeNotFound {
		return gone
	}
	if err != nil {
		return err
	}
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	hit := false
	list := []stmt{{
		sql:  "DELETE FROM user_links WHERE hash = $1 AND expires_at > $2 RETURNING uid",
		args: []any{hash, micros(s.now())},
		scan: func(r scanner) error { hit = true; return r.Scan(&u.ID) },
	}}
	list = append(list, s.newPassword(u.ID, password, "")...)
	return s.decide(ctx, doing{ws, "user", u.ID, nil}, list, func(writeTx) error {
		if !hit {
			return gone
		}
		return nil
	})
}

// SetPassword stores the hash of a new password and ends the user's links and sessions, but for the session that is kept.
func (s *Store) SetPassword(ctx context.Context, u User, hash, keep string) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	return s.write(ctx, doing{ws, "user", u.ID, nil}, s.newPassword(u.ID, hash, keep)...)
}

func (s *Store) newPassword(user, hash, keep string) []stmt {
	return []stmt{
		{sql: "UPDATE users SET password = $1, updated_at = $2 WHERE uid = $3", args: []any{hash, micros(s.now()), user}},
		endLinks(user), s.signOut(user, keep),
	}
}

// Rehash replaces a password's hash by another one of the same password, unless the password was changed meanwhile.
func (s *Store) Rehash(ctx context.Context, user, before, after string) error {
	return unavailable(s.engine.exec(ctx, stmt{
		sql: "UPDATE users SET password = $1 WHERE uid = $2 AND password = $3", args: []any{after, user, before},
	}))
}

// BindSubject notes who the user is at the OpenID provider; a user that is somebody else there already is a conflict.
func (s *Store) BindSubject(ctx context.Context, u User, subject string) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	hit := false
	list := []stmt{{
		sql:  "UPDATE users SET subject = $1 WHERE uid = $2 AND (subject = '' OR subject = $1) RETURNING uid",
		args: []any{subject, u.ID},
		scan: func(scanner) error { hit = true; return nil },
	}}
	return s.decide(ctx, doing{ws, "user", u.ID, nil}, list, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeConflict, "the user is bound to somebody else at the provider")
		}
		return nil
	})
}

// OfferTOTP stores a sealed secret that is to be confirmed; while TOTP is active that is a conflict.
func (s *Store) OfferTOTP(ctx context.Context, user, sealed string) error {
	return s.must(ctx, "codes of an authenticator app are wanted already: switch that off first", stmt{
		sql: "UPDATE users SET totp = $1 WHERE uid = $2 AND totp_active = 0 RETURNING uid", args: []any{sealed, user},
	})
}

// ConfirmTOTP makes the offered secret count from now on, with the step of the code that proved it and the hashes of recovery codes.
func (s *Store) ConfirmTOTP(ctx context.Context, u User, step int64, codes []string) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	hit := false
	list := []stmt{{
		sql: `UPDATE users SET totp_active = 1, totp_step = $1, updated_at = $2, revision = revision + 1
 WHERE uid = $3 AND totp = $4 AND totp_active = 0 RETURNING uid`,
		args: []any{step, micros(s.now()), u.ID, u.TOTPSecret},
		scan: func(scanner) error { hit = true; return nil },
	}, {sql: "DELETE FROM user_codes WHERE uid = $1", args: []any{u.ID}}}
	for _, hash := range codes {
		list = append(list, stmt{sql: "INSERT INTO user_codes (uid, hash) VALUES ($1, $2)", args: []any{u.ID, hash}})
	}
	return s.decide(ctx, doing{ws, "user", u.ID, nil}, list, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeConflict, "the secret was changed meanwhile: begin again")
		}
		return nil
	})
}

// DropTOTP forgets secret and recovery codes.
func (s *Store) DropTOTP(ctx context.Context, u User) error {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return err
	}
	return s.write(ctx, doing{ws, "user", u.ID, nil},
		stmt{
			sql:  "UPDATE users SET totp = '', totp_active = 0, totp_step = 0, updated_at = $1, revision = revision + 1 WHERE uid = $2",
			args: []any{micros(s.now()), u.ID},
		},
		stmt{sql: "DELETE FROM user_codes WHERE uid = $1", args: []any{u.ID}})
}

// UseStep accepts the code of a step once, and none of an earlier one afterwards; a fault of code forbidden if it was used.
func (s *Store) UseStep(ctx context.Context, user string, step int64) error {
	return s.accept(ctx, stmt{
		sql: "UPDATE users SET totp_step = $1 WHERE uid = $2 AND totp_active = 1 AND totp_step < $1 RETURNING uid", args: []any{step, user},
	})
}

// UseCode accepts a recovery code, by its hash, once.
func (s *Store) UseCode(ctx context.Context, user, hash string) error {
	return s.accept(ctx, stmt{sql: "DELETE FROM user_codes WHERE uid = $1 AND hash = $2 RETURNING uid", args: []any{user, hash}})
}

func (s *Store) accept(ctx context.Context, q stmt) error {
	hit, err := s.hits(ctx, q)
	if err == nil && !hit {
		return chat.Faultf(chat.CodeForbidden, "the code is wrong, or was used")
	}
	return err
}

// must executes a statement that has to hit a row.
func (s *Store) must(ctx context.Context, why string, q stmt) error {
	hit, err := s.hits(ctx, q)
	if err == nil && !hit {
		return chat.Faultf(chat.CodeConflict, why)
	}
	return err
}

func (s *Store) hits(ctx context.Context, q stmt) (hit bool, err error) {
	q.scan = func(scanner) error { hit = true; return nil }
	if err := s.engine.exec(ctx, q); err != nil {
		return false, s.refused(err)
	}
	return hit, nil
}
