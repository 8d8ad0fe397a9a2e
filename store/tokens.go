package store

import (
	"context"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Token is an API token; the store knows its hash only.
type Token struct {
	ID        string           `json:"id"`
	Workspace chat.WorkspaceID `json:"-"`
	Name      string           `json:"name"`
	Hash      string           `json:"-"`
	Scopes    []string         `json:"scopes"`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt time.Time        `json:"expires_at,omitzero"`
	RevokedAt time.Time        `json:"revoked_at,omitzero"`
	UsedAt    time.Time        `json:"last_used_at,omitzero" doc:"To the minute; absent before the first time."`
}

const tokenRead = `SELECT t.uid, w.uid, t.name, t.hash, t.scopes, t.created_at, t.expires_at, t.revoked_at, t.used_at
 FROM tokens t JOIN workspaces w ON w.id = t.workspace `

func scanToken(r scanner) (t Token, err error) {
	var scopes string
	var created, expires, revoked, used int64
	err = r.Scan(&t.ID, &t.Workspace, &t.Name, &t.Hash, &scopes, &created, &expires, &revoked, &used)
	t.Scopes = strings.Fields(scopes)
	t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.UsedAt = moment(created), moment(expires), moment(revoked), moment(used)
	return t, err
}

// AddToken stores a token by its hash.
func (s *Store) AddToken(ctx context.Context, t Token) (Token, error) {
	ws, err := s.workspaceNo(ctx, t.Workspace)
	if err != nil {
		return t, err
	}
	t.ID, t.CreatedAt = s.id(), s.now()
	err = s.write(ctx, doing{ws, "token", t.ID, t}, stmt{
		sql:  "INSERT INTO tokens (uid, workspace, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		args: []any{t.ID, ws, t.Name, t.Hash, strings.Join(t.Scopes, " "), micros(t.CreatedAt), micros(t.ExpiresAt)},
	})
	return t, err
}

// TokenByHash finds a token that is neither revoked nor expired, for who presents it: that is a use of it.
func (s *Store) TokenByHash(ctx context.Context, hash string) (Token, error) {
	t, err := one(ctx, s, "token", scanToken, tokenRead+"WHERE t.hash = $1 AND t.revoked_at = 0 AND (t.expires_at = 0 OR t.expires_at > $2)",
		hash, micros(s.now()))
	if err == nil {
		s.uses.note(ctx, s, t)
	}
	return t, err
}

// Tokens lists the tokens of a workspace, oldest first, revoked ones too.
func (s *Store) Tokens(ctx context.Context, ws chat.WorkspaceID) ([]Token, error) {
	return list(ctx, s, scanToken, tokenRead+"WHERE w.uid = $1 ORDER BY t.created_at, t.uid", string(ws))
}

// RevokeToken ends a token at once and for good.
func (s *Store) RevokeToken(ctx context.Context, ws chat.WorkspaceID, id string) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	hit := false
	return s.decide(ctx, doing{no, "token", id, nil}, []stmt{{
		sql:  "UPDATE tokens SET revoked_at = CASE WHEN revoked_at = 0 THEN $1 ELSE revoked_at END WHERE workspace = $2 AND uid = $3 RETURNING uid",
		args: []any{micros(s.now()), no, id},
		scan: func(scanner) error { hit = true; return nil },
	}}, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeNotFound, "no such token")
		}
		return nil
	})
}
