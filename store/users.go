package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// UserStatus says whether a user may sign in.
type UserStatus string

// The statuses.
const (
	UserActive   UserStatus = "active"
	UserDisabled UserStatus = "disabled"
)

// RoleAdmin is the role that may do everything. A workspace that has an active admin keeps one.
const RoleAdmin = "admin"

// User is a person who works at the desk. Password, TOTPSecret and Subject are how the person proves it; they are never shown.
type User struct {
	ID          string           `json:"id"`
	Workspace   chat.WorkspaceID `json:"-"`
	Email       string           `json:"email"`
	Name        string           `json:"name"`
	Role        string           `json:"role"`
	Languages   []string         `json:"languages" nullable:"false" doc:"BCP 47"`
	Status      UserStatus       `json:"status" enum:"active,disabled"`
	HasPassword bool             `json:"has_password"`
	TOTP        bool             `json:"totp" doc:"Signing in wants a code of an authenticator app too."`
	CreatedAt   time.Time        `json:"created_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
	LoginAt     time.Time        `json:"login_at,omitzero" doc:"When the user signed in last."`

	Password   string `json:"-"` // a hash
	TOTPSecret string `json:"-"` // sealed; without TOTP: not confirmed yet
	Subject    string `json:"-"` // at the OpenID provider
	Revision   int64  `json:"-"` // grows with every change of what is shown
}

const (
	userColumns = `u.uid, w.uid, u.email, u.name, u.role, u.languages, u.status, u.password, u.totp, u.totp_active, u.subject, u.revision,
 u.created_at, u.updated_at, u.login_at`
	userRead = "SELECT " + userColumns + " FROM users u JOIN workspaces w ON w.id = u.workspace "
)

func scanUser(r scanner) (User, error) { return scanUserAnd(r) }

// scanUserAnd reads userColumns and then what more asks for.
func scanUserAnd(r scanner, more ...any) (u User, err error) {
	var languages string
	var totp, created, updated, login int64
	err = r.Scan(append([]any{
		&u.ID, &u.Workspace, &u.Email, &u.Name, &u.Role, &languages, &u.Status, &u.Password, &u.TOTPSecret, &totp, &u.Subject, &u.Revision,
		&created, &updated, &login,
	}, more...)...)
	u.Languages = append([]string{}, strings.Fields(languages)...)
	u.HasPassword, u.TOTP = u.Password != "", totp != 0
	u.CreatedAt, u.UpdatedAt, u.LoginAt = moment(created), moment(updated), moment(login)
	return u, err
}

// AddUser stores a new user with a link to begin with, if there is one. An e-mail that is taken is a conflict.
func (s *Store) AddUser(ctx context.Context, u User, links ...UserLink) (User, error) {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return u, err
	}
	now := s.now()
	u.ID, u.Revision, u.CreatedAt, u.UpdatedAt, u.LoginAt = s.id(), 1, now, now, time.Time{}
	u.HasPassword, u.TOTP, u.TOTPSecret = u.Password != "", false, ""
	if u.Languages == nil {
		u.Languages = []string{}
	}
	list := []stmt{{
		sql: `INSERT INTO users (uid, workspace, email, name, role, languages, status, password, subject, created_at, updated_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
		args: []any{u.ID, ws, u.Email, u.Name, u.Role, strings.Join(u.Languages, " "), string(u.Status), u.Password, u.Subject, micros(now)},
	}}
	for _, l := range links {
		list = append(list, l.insert(u.ID))
	}
	err = s.write(ctx, doing{ws, "user", u.ID, u}, list...)
	if chat.CodeOf(err) == chat.CodeConflict {
		err = chat.Faultf(chat.CodeConflict, "there is a user with this e-mail already")
	}
	return u, err
}

// User reads one.
func (s *Store) User(ctx context.Context, ws chat.WorkspaceID, id string) (User, error) {
	return one(ctx, s, "user", scanUser, userRead+"WHERE w.uid = $1 AND u.uid = $2", string(ws), id)
}

// UserByEmail finds a user by the e-mail in lower case.
func (s *Store) UserByEmail(ctx context.Context, ws chat.WorkspaceID, email string) (User, error) {
	return one(ctx, s, "user", scanUser, userRead+"WHERE w.uid = $1 AND u.email = $2", string(ws), email)
}

// UserBySubject finds a user by who it is at the OpenID provider.
func (s *Store) UserBySubject(ctx context.Context, ws chat.WorkspaceID, subject string) (User, error) {
	return one(ctx, s, "user", scanUser, userRead+"WHERE w.uid = $1 AND u.subject = $2 AND u.subject <> ''", string(ws), subject)
}

// UserFilter narrows a list; empty members do not.
type UserFilter struct {
	Status UserStatus
	Role   string
	Text   string // in the name or the e-mail
	After  string // cursor of the page before
	Limit  int
}

// Users lists users by their ids, which grow with time, and gives the cursor of the next page ("" on the last).
func (s *Store) Users(ctx context.Context, ws chat.WorkspaceID, f UserFilter) ([]User, string, error) {
	where, args := []string{"w.uid = $1", "u.uid > $2"}, []any{string(ws), f.After}
	add := func(text string, v any) {
		args = append(args, v)
		where = append(where, strings.ReplaceAll(text, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.Status != "" {
		add("u.status = ?", string(f.Status))
	}
	if f.Role != "" {
		add("u.role = ?", f.Role)
	}
	if f.Text != "" {
		add(`(LOWER(u.name) LIKE ? ESCAPE '\' OR u.email LIKE ? ESCAPE '\')`, likeText(f.Text))
	}
	limit := max(f.Limit, 1)
	found, err := list(ctx, s, scanUser, userRead+"WHERE "+strings.Join(where, " AND ")+fmt.Sprintf(" ORDER BY u.uid LIMIT %d", limit+1), args...)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], found[limit-1].ID, nil
}

// SetUser writes e-mail, name, role, languages and status of a user that is still at u.Revision. One that is disabled is signed out
// everywhere, and its links end; they also end with the role, for who made them might not touch a user of the new one.
func (s *Store) SetUser(ctx context.Context, u User) (User, error) {
	ws, err := s.workspaceNo(ctx, u.Workspace)
	if err != nil {
		return u, err
	}
	u.UpdatedAt = s.now()
	var before User
	hit := false
	list := []stmt{s.lockWorkspace(ws), {
		sql:  "SELECT role, status FROM users WHERE workspace = $1 AND uid = $2",
		args: []any{ws, u.ID},
		scan: func(r scanner) error { return r.Scan(&before.Role, &before.Status) },
	}, {
		sql:  "DELETE FROM user_links WHERE uid = $1 AND EXISTS (SELECT 1 FROM users WHERE workspace = $2 AND uid = $1 AND role <> $3)",
		args: []any{u.ID, ws, u.Role},
	}, {
		sql: `UPDATE users SET email = $1, name = $2, role = $3, languages = $4, status = $5, updated_at = $6, revision = revision + 1
 WHERE workspace = $7 AND uid = $8 AND revision = $9 RETURNING revision`,
		args: []any{u.Email, u.Name, u.Role, strings.Join(u.Languages, " "), string(u.Status), micros(u.UpdatedAt), ws, u.ID, u.Revision},
		scan: func(r scanner) error { hit = true; return r.Scan(&u.Revision) },
	}}
	if u.Status != UserActive {
		list = append(list, s.signOut(u.ID, ""), endLinks(u.ID))
	}
	err = s.decide(ctx, doing{ws, "user", u.ID, u}, list, func(tx writeTx) error {
		switch {
		case !hit:
			return chat.Faultf(chat.CodeConflict, "the user was changed meanwhile: read it again")
		case before.isAdmin() && !u.isAdmin():
			return s.adminLeft(ctx, tx, ws)
		default:
			return nil
		}
	})
	if s.engine.conflict(err) {
		err = chat.Faultf(chat.CodeConflict, "there is a user with this e-mail already")
	}
	return u, err
}

func (u User) isAdmin() bool { return u.Role == RoleAdmin && u.Status == UserActive }

// lockWorkspace keeps others from changing users and roles of the workspace until the transaction ends.
func (s *Store) lockWorkspace(ws int64) stmt {
	return stmt{sql: "UPDATE workspaces SET last_channel = last_channel WHERE id = $1", args: []any{ws}}
}

// adminLeft refuses a change after which nobody could look after the workspace's users.
func (s *Store) adminLeft(ctx context.Context, tx writeTx, ws int64) error {
	var admins int64
	err := tx.run(ctx, []stmt{{
		sql:  "SELECT COUNT(*) FROM users WHERE workspace = $1 AND role = $2 AND status = $3",
		args: []any{ws, RoleAdmin, string(UserActive)},
		scan: func(r scanner) error { return r.Scan(&admins) },
	}})
	if err == nil && admins == 0 {
		return chat.Faultf(chat.CodeConflict, "this is the last admin: make another one first")
	}
	return err
}

// decide executes statements, asks whether what they found is as it must be, and commits or takes all of it back.
func (s *Store) decide(ctx context.Context, d doing, list []stmt, judge func(writeTx) error) error {
	a, entry, err := s.auditOf(ctx, d)
	if err != nil {
		return err
	}
	tx, err := s.engine.begin(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer tx.rollback()
	if err := tx.run(ctx, list); err != nil {
		return s.refused(err)
	}
	if err := judge(tx); err != nil {
		return unavailable(err)
	}
	if err := tx.commit(ctx, entry); err != nil {
		return s.refused(err)
	}
	if a != nil {
		a.Written = true
	}
	return nil
}
