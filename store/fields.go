package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Field is a fact that people keep of conversations or contacts, beside what everybody has.
type Field struct {
	Name      string    `json:"name"`
	Of        string    `json:"of" enum:"conversation,contact"`
	Title     string    `json:"title,omitempty"`
	Type      string    `json:"type" enum:"text,number,choice,date,yes_no"`
	Choices   []string  `json:"choices,omitempty" nullable:"false" doc:"Of the type choice."`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// MaxFields bounds the fields of a workspace.
const MaxFields = 200

const fieldColumns = "f.name, f.owner, f.title, f.type, f.choices, f.created_at, f.updated_at"

func scanField(s scanner) (f Field, err error) {
	var choices string
	var created, updated int64
	if err := s.Scan(&f.Name, &f.Of, &f.Title, &f.Type, &choices, &created, &updated); err != nil {
		return f, err
	}
	f.CreatedAt, f.UpdatedAt = moment(created), moment(updated)
	return f, json.Unmarshal([]byte(choices), &f.Choices)
}

// PutField stores a field under its name; whose it is never changes.
func (s *Store) PutField(ctx context.Context, ws chat.WorkspaceID, f Field) (Field, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return f, err
	}
	var before string
	hit, of := false, f.Of
	err = s.decide(ctx, doing{no, "field", f.Name, f}, []stmt{s.lockWorkspace(no), {
		sql: "SELECT owner FROM fields WHERE workspace = $1 AND name = $2", args: []any{no, f.Name},
		scan: func(r scanner) error { return r.Scan(&before) },
	}, {
		sql: `INSERT INTO fields (workspace, name, owner, title, type, choices, created_at, updated_at)
 SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE (SELECT COUNT(*) FROM fields WHERE workspace = $1 AND name <> $2) < ` + strconv.Itoa(MaxFields) + `
 ON CONFLICT (workspace, name) DO UPDATE SET title = excluded.title, type = excluded.type, choices = excluded.choices, updated_at = excluded.updated_at
 RETURNING name, owner, title, type, choices, created_at, updated_at`,
		args: []any{no, f.Name, f.Of, f.Title, f.Type, listText(f.Choices), micros(s.now())},
		scan: func(r scanner) (err error) { hit = true; f, err = scanField(r); return err },
	}}, func(writeTx) error {
		switch {
		case before != "" && before != of:
			return chat.Faultf(chat.CodeConflict, "the field is one of "+before+"s: take another name")
		case !hit:
			return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a workspace has at most %d fields", MaxFields))
		default:
			return nil
		}
	})
	return f, err
}

// Field reads one.
func (s *Store) Field(ctx context.Context, ws chat.WorkspaceID, name string) (Field, error) {
	return one(ctx, s, "field", scanField, "SELECT "+fieldColumns+" FROM fields f JOIN workspaces w ON w.id = f.workspace WHERE w.uid = $1 AND f.name = $2", string(ws), name)
}

// Fields lists all of a workspace, or those of conversations or contacts, by name.
func (s *Store) Fields(ctx context.Context, ws chat.WorkspaceID, of string) ([]Field, error) {
	return list(ctx, s, scanField, "SELECT "+fieldColumns+` FROM fields f JOIN workspaces w ON w.id = f.workspace
 WHERE w.uid = $1 AND ($2 = '' OR f.owner = $2) ORDER BY f.name`, string(ws), of)
}

// DropField deletes one. What conversations and contacts have under its name stays.
func (s *Store) DropField(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return s.dropNamed(ctx, ws, "field", "DELETE FROM fields WHERE workspace = $1 AND name = $2 RETURNING name", name)
}
