package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// LLMConfig says where a language model answers. Key is sealed by whoever writes it, Defaults is an object: the store does not look
// into either.
type LLMConfig struct {
	Name      string
	BaseURL   string
	Model     string
	Key       string
	Defaults  json.RawMessage
	Revision  int64 // grows with every change
	CreatedAt time.Time
	UpdatedAt time.Time
}

const llmRead = `SELECT l.name, l.base_url, l.model, l.api_key, l.defaults, l.revision, l.created_at, l.updated_at
 FROM llm_configs l JOIN workspaces w ON w.id = l.workspace `

func scanLLM(r scanner) (c LLMConfig, err error) {
	var defaults []byte
	var created, updated int64
	err = r.Scan(&c.Name, &c.BaseURL, &c.Model, &c.Key, &defaults, &c.Revision, &created, &updated)
	c.Defaults, c.CreatedAt, c.UpdatedAt = defaults, moment(created), moment(updated)
	return c, err
}

// AddLLMConfig stores a new one; a name that is taken is refused.
func (s *Store) AddLLMConfig(ctx context.Context, ws chat.WorkspaceID, c LLMConfig) (LLMConfig, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return c, err
	}
	c.CreatedAt, c.Revision = s.now(), 1
	c.UpdatedAt = c.CreatedAt
	hit := false
	err = s.engine.exec(ctx, stmt{
		sql: `INSERT INTO llm_configs (workspace, name, base_url, model, api_key, defaults, created_at, updated_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (workspace, name) DO NOTHING RETURNING name`,
		args: []any{no, c.Name, c.BaseURL, c.Model, c.Key, string(c.Defaults), micros(c.CreatedAt)},
		scan: func(scanner) error { hit = true; return nil },
	})
	if err != nil {
		return c, s.refused(err)
	}
	if !hit {
		return c, chat.Faultf(chat.CodeConflict, "there is a language model of this name already")
	}
	return c, nil
}

// SetLLMConfig writes one that is still at c.Revision.
func (s *Store) SetLLMConfig(ctx context.Context, ws chat.WorkspaceID, c LLMConfig) (LLMConfig, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return c, err
	}
	c.UpdatedAt = s.now()
	hit := false
	err = s.engine.exec(ctx, stmt{
		sql: `UPDATE llm_configs SET base_url = $1, model = $2, api_key = $3, defaults = $4, updated_at = $5, revision = revision + 1
 WHERE workspace = $6 AND name = $7 AND revision = $8 RETURNING revision`,
		args: []any{c.BaseURL, c.Model, c.Key, string(c.Defaults), micros(c.UpdatedAt), no, c.Name, c.Revision},
		scan: func(r scanner) error { hit = true; return r.Scan(&c.Revision) },
	})
	if err != nil {
		return c, s.refused(err)
	}
	if !hit {
		return c, chat.Faultf(chat.CodeConflict, "the language model was changed meanwhile: read it again")
	}
	return c, nil
}

// LLMConfig reads one.
func (s *Store) LLMConfig(ctx context.Context, ws chat.WorkspaceID, name string) (LLMConfig, error) {
	return one(ctx, s, "language model", scanLLM, llmRead+"WHERE w.uid = $1 AND l.name = $2", string(ws), name)
}

// LLMConfigs lists those whose names come after a name, by name.
func (s *Store) LLMConfigs(ctx context.Context, ws chat.WorkspaceID, after string, limit int) ([]LLMConfig, string, error) {
	found, err := list(ctx, s, scanLLM, llmRead+"WHERE w.uid = $1 AND l.name > $2 ORDER BY l.name LIMIT $3", string(ws), after, limit+1)
	return paged(found, limit, err, func(c LLMConfig) string { return c.Name })
}

// DropLLMConfig deletes one.
func (s *Store) DropLLMConfig(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return s.dropNamed(ctx, ws, "language model", "DELETE FROM llm_configs WHERE workspace = $1 AND name = $2 RETURNING name", name)
}

func (s *Store) dropNamed(ctx context.Context, ws chat.WorkspaceID, what, query, name string) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	hit := false
	err = s.engine.exec(ctx, stmt{sql: query, args: []any{no, name}, scan: func(scanner) error { hit = true; return nil }})
	if err != nil {
		return s.refused(err)
	}
	if !hit {
		return chat.Faultf(chat.CodeNotFound, "no such "+what)
	}
	return nil
}

// Prompt is a text that workers fetch by its name.
type Prompt struct {
	Name      string    `json:"name"`
	Prompt    string    `json:"prompt"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

const promptRead = "SELECT p.name, p.prompt, p.created_at, p.updated_at FROM prompt_configs p JOIN workspaces w ON w.id = p.workspace "

func scanPrompt(r scanner) (p Prompt, err error) {
	var created, updated int64
	err = r.Scan(&p.Name, &p.Prompt, &created, &updated)
	p.CreatedAt, p.UpdatedAt = moment(created), moment(updated)
	return p, err
}

// PutPrompt stores a prompt under its name.
func (s *Store) PutPrompt(ctx context.Context, ws chat.WorkspaceID, name, prompt string) (Prompt, error) {
	var p Prompt
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return p, err
	}
	err = s.engine.exec(ctx, stmt{
		sql: `INSERT INTO prompt_configs (workspace, name, prompt, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
 ON CONFLICT (workspace, name) DO UPDATE SET prompt = excluded.prompt, updated_at = excluded.updated_at
 RETURNING name, prompt, created_at, updated_at`,
		args: []any{no, name, prompt, micros(s.now())},
		scan: func(r scanner) (err error) { p, err = scanPrompt(r); return err },
	})
	if err != nil {
		return p, s.refused(err)
	}
	return p, nil
}

// Prompt reads one.
func (s *Store) Prompt(ctx context.Context, ws chat.WorkspaceID, name string) (Prompt, error) {
	return one(ctx, s, "prompt", scanPrompt, promptRead+"WHERE w.uid = $1 AND p.name = $2", string(ws), name)
}

// Prompts lists those whose names come after a name, by name.
func (s *Store) Prompts(ctx context.Context, ws chat.WorkspaceID, after string, limit int) ([]Prompt, string, error) {
	found, err := list(ctx, s, scanPrompt, promptRead+"WHERE w.uid = $1 AND p.name > $2 ORDER BY p.name LIMIT $3", string(ws), after, limit+1)
	return paged(found, limit, err, func(p Prompt) string { return p.Name })
}

// DropPrompt deletes one.
func (s *Store) DropPrompt(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return s.dropNamed(ctx, ws, "prompt", "DELETE FROM prompt_configs WHERE workspace = $1 AND name = $2 RETURNING name", name)
}
