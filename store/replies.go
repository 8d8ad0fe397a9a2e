package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// CannedReply is a canned reply: a text in some languages that agents find by its shortcut.
type CannedReply struct {
	Name      string            `json:"name"`
	Title     string            `json:"title,omitempty"`
	Shortcut  string            `json:"shortcut"`
	Language  string            `json:"language" doc:"Of the text for contacts whose language has none."`
	Texts     map[string]string `json:"texts" doc:"By language."`
	Queues    []string          `json:"queues" nullable:"false" doc:"Of these queues only; empty: of all."`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// MaxReplies bounds the canned replies of a workspace.
const MaxReplies = 5000

const replyColumns = "r.name, r.title, r.shortcut, r.language, r.texts, r.queues, r.created_at, r.updated_at"

func scanReply(s scanner) (r CannedReply, err error) {
	var texts, queues string
	var created, updated int64
	if err := s.Scan(&r.Name, &r.Title, &r.Shortcut, &r.Language, &texts, &queues, &created, &updated); err != nil {
		return r, err
	}
	r.Queues, r.CreatedAt, r.UpdatedAt = namesOf(queues), moment(created), moment(updated)
	return r, json.Unmarshal([]byte(texts), &r.Texts)
}

// namesText keeps names so that one of them can be looked for: each stands between line ends.
func namesText(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "\n" + strings.Join(names, "\n") + "\n"
}

func namesOf(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(strings.Trim(text, "\n"), "\n")
}

// PutReply stores a canned reply under its name; of r the times do not count.
func (s *Store) PutReply(ctx context.Context, ws chat.WorkspaceID, r CannedReply) (CannedReply, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return r, err
	}
	texts, err := json.Marshal(r.Texts)
	if err != nil {
		return r, err
	}
	hit := false
	err = s.write(ctx, doing{no, "reply", r.Name, nil}, stmt{
		sql: `INSERT INTO replies (workspace, name, title, shortcut, language, texts, queues, words, created_at, updated_at)
 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9 WHERE (SELECT COUNT(*) FROM replies WHERE workspace = $1 AND name <> $2) < ` + strconv.Itoa(MaxReplies) + `
 ON CONFLICT (workspace, name) DO UPDATE SET title = excluded.title, shortcut = excluded.shortcut, language = excluded.language,
 texts = excluded.texts, queues = excluded.queues, words = excluded.words, updated_at = excluded.updated_at
 RETURNING name, title, shortcut, language, texts, queues, created_at, updated_at`,
		args: []any{no, r.Name, r.Title, strings.ToLower(r.Shortcut), r.Language, string(texts), namesText(r.Queues), r.words(), micros(s.now())},
		scan: func(row scanner) (err error) { hit = true; r, err = scanReply(row); return err },
	})
	if err == nil && !hit {
		err = chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a workspace has at most %d canned replies", MaxReplies))
	}
	return r, err
}

// words are what a search looks in, the title first.
func (r CannedReply) words() string {
	parts := []string{r.Title}
	for _, k := range keys(r.Texts, strings.Compare) {
		parts = append(parts, r.Texts[k])
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// CannedReply reads one.
func (s *Store) CannedReply(ctx context.Context, ws chat.WorkspaceID, name string) (CannedReply, error) {
	return one(ctx, s, "canned reply", scanReply, "SELECT "+replyColumns+" FROM replies r JOIN workspaces w ON w.id = r.workspace WHERE w.uid = $1 AND r.name = $2", string(ws), name)
}

// ReplyFilter narrows a list of canned replies; empty members do not.
type ReplyFilter struct {
	Text     string // in shortcut, title or a text
	Queues   []string
	InQueue  bool // only those of Queues, or of all queues
	Language string
	Offset   int
	Limit    int
}

// Replies lists canned replies: those first whose shortcut or title begins with the text. It tells whether there are more.
func (s *Store) Replies(ctx context.Context, ws chat.WorkspaceID, f ReplyFilter) (found []CannedReply, more bool, err error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, false, err
	}
	text := strings.ToLower(f.Text)
	has := likePart(text)
	begins := strings.TrimPrefix(has, "%")
	where, args := `r.workspace = $1 AND (r.shortcut LIKE $2 ESCAPE '\' OR r.words LIKE $2 ESCAPE '\')`, []any{no, has, text, begins}
	if f.InQueue {
		parts := []string{"r.queues = ''"}
		for _, q := range f.Queues {
			args = append(args, likePart("\n"+q+"\n"))
			parts = append(parts, fmt.Sprintf(`r.queues LIKE $%d ESCAPE '\'`, len(args)))
		}
		where += " AND (" + strings.Join(parts, " OR ") + ")"
	}
	if f.Language != "" {
		args = append(args, likePart(string(data(f.Language))+":"))
		where += fmt.Sprintf(` AND r.texts LIKE $%d ESCAPE '\'`, len(args))
	}
	limit := max(f.Limit, 1)
	args = append(args, limit+1, f.Offset)
	found, err = list(ctx, s, scanReply, "SELECT "+replyColumns+" FROM replies r WHERE "+where+fmt.Sprintf(`
 ORDER BY CASE WHEN r.shortcut = $3 THEN 0 WHEN r.shortcut LIKE $4 ESCAPE '\' THEN 1 WHEN r.words LIKE $4 ESCAPE '\' THEN 2 ELSE 3 END, r.shortcut, r.name
 LIMIT $%d OFFSET $%d`, len(args)-1, len(args)), args...)
	if err != nil || len(found) <= limit {
		return found, false, err
	}
	return slices.Clip(found[:limit]), true, nil
}

// DropReply deletes one.
func (s *Store) DropReply(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return s.dropNamed(ctx, ws, "canned reply", "DELETE FROM replies WHERE workspace = $1 AND name = $2 RETURNING name", name)
}
