package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Workspace is one tenant.
type Workspace struct {
	ID        chat.WorkspaceID `json:"id"`
	Name      string           `json:"name"`
	Head      int64            `json:"head"` // position of the newest event
	CreatedAt time.Time        `json:"created_at"`
}

func scanWorkspace(r scanner) (w Workspace, err error) {
	var created int64
	err = r.Scan(&w.ID, &w.Name, &w.Head, &created)
	w.CreatedAt = moment(created)
	return w, err
}

const workspaceRead = "SELECT uid, name, head, created_at FROM workspaces "

// AddWorkspace makes a tenant. The name is for people and need not be unique.
func (s *Store) AddWorkspace(ctx context.Context, id chat.WorkspaceID, name string) (Workspace, error) {
	if id == "" {
		id = chat.WorkspaceID(s.id())
	}
	now := s.now()
	var err error
	for range 200 { // another node may take the number: then the next one is free
		err = s.engine.exec(ctx, stmt{
			sql:  "INSERT INTO workspaces (id, uid, name, created_at) SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM workspaces",
			args: []any{string(id), name, micros(now)},
		})
		if err == nil {
			return Workspace{ID: id, Name: name, CreatedAt: now}, nil
		}
		if _, known := s.Workspace(ctx, id); !s.engine.conflict(err) || known == nil {
			break
		}
	}
	return Workspace{}, s.refused(err)
}

// Workspace reads one.
func (s *Store) Workspace(ctx context.Context, id chat.WorkspaceID) (Workspace, error) {
	return one(ctx, s, "workspace", scanWorkspace, workspaceRead+"WHERE uid = $1", string(id))
}

// Workspaces lists all of them, oldest first.
func (s *Store) Workspaces(ctx context.Context) ([]Workspace, error) {
	return list(ctx, s, scanWorkspace, workspaceRead+"ORDER BY id")
}
