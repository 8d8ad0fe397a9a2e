package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Answer is what a request with an Idempotency-Key was answered. Request tells requests apart that wrongly share a key.
type Answer struct {
	Request string
	Status  int
	Body    string
}

// Answer finds the kept answer; a fault of code not_found if there is none.
func (s *Store) Answer(ctx context.Context, ws chat.WorkspaceID, name string) (Answer, error) {
	return one(ctx, s, "answer", func(r scanner) (a Answer, err error) {
		err = r.Scan(&a.Request, &a.Status, &a.Body)
		return a, err
	}, "SELECT a.request, a.status, a.body FROM answers a JOIN workspaces w ON w.id = a.workspace WHERE w.uid = $1 AND a.name = $2",
		string(ws), name)
}

// KeepAnswer stores an answer and forgets those older than a day.
func (s *Store) KeepAnswer(ctx context.Context, ws chat.WorkspaceID, name string, a Answer) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	now := s.now()
	return unavailable(s.engine.exec(ctx, stmt{
		sql:  "INSERT INTO answers (workspace, name, request, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace, name) DO NOTHING",
		args: []any{no, name, a.Request, a.Status, a.Body, micros(now)},
	}, stmt{sql: "DELETE FROM answers WHERE created_at < $1", args: []any{micros(now.Add(-24 * time.Hour))}}))
}
