package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Flow is one version of a flow's definition. Versions are never changed, for conversations are pinned to them.
type Flow struct {
	Name       string          `json:"name"`
	Version    int             `json:"version"`
	Definition json.RawMessage `json:"definition"`
	CreatedAt  time.Time       `json:"created_at"`
}

func scanFlow(r scanner) (f Flow, err error) {
	var created int64
	var definition []byte
	err = r.Scan(&f.Name, &f.Version, &definition, &created)
	f.Definition, f.CreatedAt = definition, moment(created)
	return f, err
}

const flowRead = `SELECT f.name, f.version, f.definition, f.created_at FROM flows f JOIN workspaces w ON w.id = f.workspace `

// PutFlow stores a definition as the newest version; the very text of the newest version makes no new one. After a deletion the numbers go on.
func (s *Store) PutFlow(ctx context.Context, ws chat.WorkspaceID, name string, definition json.RawMessage) (Flow, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return Flow{}, err
	}
	newest, err := s.Flow(ctx, ws, name, 0)
	if err == nil && string(newest.Definition) == string(definition) {
		return newest, nil
	}
	if err != nil && chat.CodeOf(err) != chat.CodeNotFound {
		return Flow{}, err
	}
	f := Flow{Name: name, Definition: definition, CreatedAt: s.now()}
	err = s.engine.exec(ctx, stmt{
		sql: `INSERT INTO flows (workspace, name, version, definition, created_at)
 SELECT $1, $2, COALESCE((SELECT MAX(version) FROM flows WHERE workspace = $1 AND name = $2), 0) + 1, $3, $4 RETURNING version`,
		args: []any{no, name, string(definition), micros(f.CreatedAt)},
		scan: func(r scanner) error { return r.Scan(&f.Version) },
	})
	if err != nil {
		return Flow{}, s.refused(err)
	}
	return f, nil
}

// Flow reads a version; 0 is the newest.
func (s *Store) Flow(ctx context.Context, ws chat.WorkspaceID, name string, version int) (Flow, error) {
	return one(ctx, s, "flow", scanFlow, flowRead+
		"WHERE w.uid = $1 AND f.name = $2 AND f.deleted_at = 0 AND ($3 = 0 OR f.version = $3) ORDER BY f.version DESC LIMIT 1", string(ws), name, version)
}

// Flows lists the newest version of each flow, by name.
func (s *Store) Flows(ctx context.Context, ws chat.WorkspaceID) ([]Flow, error) {
	return list(ctx, s, scanFlow, flowRead+`WHERE w.uid = $1 AND f.deleted_at = 0 AND f.version =
 (SELECT MAX(g.version) FROM flows g WHERE g.workspace = f.workspace AND g.name = f.name) ORDER BY f.name`, string(ws))
}

// FlowVersions lists all versions of a flow, newest first.
func (s *Store) FlowVersions(ctx context.Context, ws chat.WorkspaceID, name string) ([]Flow, error) {
	return list(ctx, s, scanFlow, flowRead+"WHERE w.uid = $1 AND f.name = $2 AND f.deleted_at = 0 ORDER BY f.version DESC LIMIT 1000", string(ws), name)
}
