package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Role is a set of rights that a workspace has made for itself. The store does not know what the words mean.
type Role struct {
	Name      string
	Rights    []string
	Reach     string
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

const roleRead = "SELECT r.name, r.rights, r.reach, r.revision, r.created_at, r.updated_at FROM roles r JOIN workspaces w ON w.id = r.workspace "

func scanRole(r scanner) (Role, error) {
	var x Role
	var rights string
	var created, updated int64
	err := r.Scan(&x.Name, &rights, &x.Reach, &x.Revision, &created, &updated)
	x.Rights = append([]string{}, strings.Fields(rights)...)
	x.CreatedAt, x.UpdatedAt = moment(created), moment(updated)
	return x, err
}

func roleOf(name, rights, reach string) *Role {
	return &Role{Name: name, Rights: append([]string{}, strings.Fields(rights)...), Reach: reach}
}

// Role reads one.
func (s *Store) Role(ctx context.Context, ws chat.WorkspaceID, name string) (Role, error) {
	return one(ctx, s, "role", scanRole, roleRead+"WHERE w.uid = $1 AND r.name = $2", string(ws), name)
}

// Roles lists them by name.
func (s *Store) Roles(ctx context.Context, ws chat.WorkspaceID) ([]Role, error) {
	return list(ctx, s, scanRole, roleRead+"WHERE w.uid = $1 ORDER BY r.name", string(ws))
}

// PutRole stores a role: a new one with revision 0, else over the one that is still at r.Revision. shown is how the audit log shows it.
func (s *Store) PutRole(ctx context.Context, ws chat.WorkspaceID, r Role, shown any) (Role, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return r, err
	}
	now := s.now()
	hit := false
	q := stmt{
		sql: `INSERT INTO roles (workspace, name, rights, reach, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
 ON CONFLICT (workspace, name) DO NOTHING RETURNING revision, created_at`,
		args: []any{no, r.Name, strings.Join(r.Rights, " "), r.Reach, micros(now)},
	}
	if r.Revision > 0 {
		q.sql = `UPDATE roles SET rights = $3, reach = $4, updated_at = $5, revision = revision + 1
 WHERE workspace = $1 AND name = $2 AND revision = $6 RETURNING revision, created_at`
		q.args = append(q.args, r.Revision)
	}
	q.scan = func(row scanner) error {
		var created int64
		hit = true
		err := row.Scan(&r.Revision, &created)
		r.CreatedAt, r.UpdatedAt = moment(created), now
		return err
	}
	err = s.decide(ctx, doing{no, "role", r.Name, shown}, []stmt{s.lockWorkspace(no), q}, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeConflict, "the role was changed meanwhile: read it again")
		}
		return nil
	})
	return r, err
}

// DropRole deletes a role that nobody has.
func (s *Store) DropRole(ctx context.Context, ws chat.WorkspaceID, name string) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	hit, users := false, int64(0)
	return s.decide(ctx, doing{no, "role", name, nil}, []stmt{s.lockWorkspace(no), {
		sql:  "SELECT COUNT(*) FROM users WHERE workspace = $1 AND role = $2",
		args: []any{no, name},
		scan: func(r scanner) error { return r.Scan(&users) },
	}, {
		sql:  "DELETE FROM roles WHERE workspace = $1 AND name = $2 RETURNING name",
		args: []any{no, name},
		scan: func(scanner) error { hit = true; return nil },
	}}, func(writeTx) error {
		switch {
		case !hit:
			return chat.Faultf(chat.CodeNotFound, "no such role")
		case users > 0:
			return chat.Faultf(chat.CodeConflict, fmt.Sprintf("%d users have this role: give them another one first", users))
		default:
			return nil
		}
	})
}
