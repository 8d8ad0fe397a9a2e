package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Audit is one administrative act: who did what to which object, and what that changed. Was and Became hold no secrets: whoever
// fills them leaves those out.
type Audit struct {
	ID        int64            `json:"id"`
	Workspace chat.WorkspaceID `json:"-"`
	At        time.Time        `json:"at"`
	Actor     Actor            `json:"actor"`
	Act       string           `json:"act" doc:"The operation's id in the API." example:"changeChannel"`
	Kind      string           `json:"kind" doc:"What kind of thing it was done to." example:"channel"`
	Object    string           `json:"object,omitempty" doc:"Its id or name."`
	Was       json.RawMessage  `json:"before,omitempty" doc:"The thing before, without secrets."`
	Became    json.RawMessage  `json:"after,omitempty" doc:"The thing afterwards, without secrets."`
	Reason    string           `json:"reason,omitempty" doc:"As the actor gave it."`
	Address   string           `json:"address,omitempty" doc:"The network address that the act came from."`
	Action    chat.ActionID    `json:"action,omitempty"`

	// Written tells that a write of the store has added it in its own transaction.
	Written bool `json:"-"`
}

// Actor is who did it.
type Actor struct {
	Type string `json:"type" enum:"user,token"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

type auditKey struct{}

// WithAudit hands an act to the writes of the store that are made with this context: those that can add it in the transaction of
// the deed, and say so in Written.
func WithAudit(ctx context.Context, a *Audit) context.Context {
	return context.WithValue(ctx, auditKey{}, a)
}

// AuditIn is the act that a context has; nil without one. Whoever does the deed may complete it.
func AuditIn(ctx context.Context) *Audit {
	a, _ := ctx.Value(auditKey{}).(*Audit)
	return a
}

// doing is what a write does: to which thing, and how that is shown afterwards; nil where nothing is to be shown.
type doing struct {
	ws       int64
	kind, id string
	became   any
}

// write executes statements in one transaction, with the act of the context that led to them.
func (s *Store) write(ctx context.Context, d doing, list ...stmt) error {
	a, entry, err := s.auditOf(ctx, d)
	if err != nil {
		return err
	}
	if err := s.engine.exec(ctx, append(list, entry...)...); err != nil {
		return s.refused(err)
	}
	if a != nil {
		a.Written = true
	}
	return nil
}

// auditOf is the statement that adds the context's act; none if there is none, it has been added, or it is about another kind of thing,
// of which this write is only a part.
func (s *Store) auditOf(ctx context.Context, d doing) (*Audit, []stmt, error) {
	a := AuditIn(ctx)
	if a == nil || a.Written || a.Kind != d.kind {
		return nil, nil, nil
	}
	a.Object = d.id
	if d.became != nil {
		raw, err := json.Marshal(d.became)
		if err != nil {
			return nil, nil, err
		}
		a.Became = raw
	}
	return a, []stmt{s.auditStmt(d.ws, a)}, nil
}

func (s *Store) auditStmt(ws int64, a *Audit) stmt {
	a.At = s.now()
	return stmt{
		sql: `INSERT INTO audit (workspace, at, actor_type, actor, actor_name, act, kind, object, was, became, address, action, reason)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		args: []any{
			ws, micros(a.At), a.Actor.Type, a.Actor.ID, a.Actor.Name, a.Act, a.Kind, a.Object, string(a.Was), string(a.Became), a.Address, string(a.Action), a.Reason,
		},
	}
}

// AddAudit adds an act by itself, for what the store could not write together with the deed.
func (s *Store) AddAudit(ctx context.Context, a *Audit) error {
	ws, err := s.workspaceNo(ctx, a.Workspace)
	if err != nil {
		return err
	}
	if err := s.engine.exec(ctx, s.auditStmt(ws, a)); err != nil {
		return s.refused(err)
	}
	a.Written = true
	return nil
}

// AuditFilter narrows a list; empty members do not.
type AuditFilter struct {
	Actor, Act, Kind, Object string
	From, To                 time.Time // To is not included
	Before                   string    // cursor of the page before
	Limit                    int
}

// AuditLog lists acts, newest first, and gives the cursor of the next page ("" on the last).
func (s *Store) AuditLog(ctx context.Context, ws chat.WorkspaceID, f AuditFilter) ([]Audit, string, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, "", err
	}
	before := int64(1) << 62
	if f.Before != "" {
		if before, err = strconv.ParseInt(f.Before, 10, 64); err != nil || before < 1 {
			return nil, "", chat.Faultf(chat.CodeInvalid, "that is no cursor of this list")
		}
	}
	where, args := f.where(no, before)
	limit := max(f.Limit, 1)
	found, err := list(ctx, s, scanAudit, `SELECT id, at, actor_type, actor, actor_name, act, kind, object, was, became, address, action, reason
 FROM audit WHERE `+where+fmt.Sprintf(" ORDER BY id DESC LIMIT %d", limit+1), args...)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	found = found[:limit]
	return found, strconv.FormatInt(found[limit-1].ID, 10), nil
}

func (f AuditFilter) where(ws, before int64) (string, []any) {
	where, args := []string{"workspace = $1", "id < $2"}, []any{ws, before}
	add := func(text string, v any) {
		args = append(args, v)
		where = append(where, fmt.Sprintf(text, len(args)))
	}
	for _, c := range []struct{ text, value string }{
		{"actor = $%d", f.Actor}, {"act = $%d", f.Act}, {"kind = $%d", f.Kind}, {"object = $%d", f.Object},
	} {
		if c.value != "" {
			add(c.text, c.value)
		}
	}
	if !f.From.IsZero() {
		add("at >= $%d", micros(f.From))
	}
	if !f.To.IsZero() {
		add("at < $%d", micros(f.To))
	}
	return strings.Join(where, " AND "), args
}

func scanAudit(r scanner) (a Audit, err error) {
	var at int64
	var was, became string
	err = r.Scan(&a.ID, &at, &a.Actor.Type, &a.Actor.ID, &a.Actor.Name, &a.Act, &a.Kind, &a.Object, &was, &became, &a.Address, &a.Action, &a.Reason)
	a.At, a.Written = moment(at), true
	if was != "" {
		a.Was = json.RawMessage(was)
	}
	if became != "" {
		a.Became = json.RawMessage(became)
	}
	return a, err
}
