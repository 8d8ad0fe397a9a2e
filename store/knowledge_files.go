package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// KnowledgeFile is a picture of an item, or what a parser is given to read. Item or Source is 0.
type KnowledgeFile struct {
	ID        int64
	Item      int64
	Source    int64
	File      chat.FileID
	Name      string // made of the id; by it an item's text shows the picture
	Caption   string
	CreatedAt time.Time
}

// MaxKnowledgeFiles is how many pictures an item can have.
const MaxKnowledgeFiles = 100

const knowledgeFileColumns = "f.id, f.item, f.source, f.file, f.name, f.caption, f.created_at"

func scanKnowledgeFile(r scanner) (f KnowledgeFile, err error) {
	var created int64
	err = r.Scan(&f.ID, &f.Item, &f.Source, &f.File, &f.Name, &f.Caption, &created)
	f.CreatedAt = moment(created)
	return f, err
}

func addKnowledgeFile(ws int64, f KnowledgeFile, now int64) stmt {
	return stmt{
		sql: `INSERT INTO knowledge_files (workspace, item, source, file, name, caption, created_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		args: []any{ws, f.Item, f.Source, string(f.File), cleanText(f.Name), cleanText(f.Caption), now},
	}
}

// AddKnowledgePicture adds a picture to an item of a base. Its name is made of its number and the ending that is given as its name.
func (s *Store) AddKnowledgePicture(ctx context.Context, ws chat.WorkspaceID, base string, f KnowledgeFile) (KnowledgeFile, error) {
	ending := f.Name
	err := s.changeBase(ctx, ws, base, func(b *baseChange) error {
		have := -1
		add := addKnowledgeFile(b.ws, f, b.now)
		add.scan = func(r scanner) error { return r.Scan(&f.ID) }
		err := b.tx.run(ctx, []stmt{{
			sql: `SELECT COUNT(f.id) FROM knowledge_items k LEFT JOIN knowledge_files f ON f.item = k.id AND f.item <> 0
 WHERE k.id = $1 AND k.base = $2 GROUP BY k.id`,
			args: []any{f.Item, b.ID}, scan: func(r scanner) error { return r.Scan(&have) },
		}, add})
		switch {
		case err != nil:
			return err
		case have < 0:
			return chat.Faultf(chat.CodeNotFound, "no such knowledge item")
		case have >= MaxKnowledgeFiles:
			return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("an item has %d pictures at the most", MaxKnowledgeFiles))
		}
		f.Name, f.CreatedAt = fmt.Sprintf("picture-%d%s", f.ID, ending), moment(b.now)
		b.rest = append(b.rest, stmt{sql: "UPDATE knowledge_files SET name = $1 WHERE id = $2", args: []any{f.Name, f.ID}})
		return nil
	})
	return f, err
}

// KnowledgePictures reads the pictures of items, in the order of their ids.
func (s *Store) KnowledgePictures(ctx context.Context, items []int64) ([]KnowledgeFile, error) {
	if len(items) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(items)), make([]any, len(items))
	for i, id := range items {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
	}
	return list(ctx, s, scanKnowledgeFile, "SELECT "+knowledgeFileColumns+" FROM knowledge_files f WHERE f.item <> 0 AND f.item IN ("+
		strings.Join(marks, ", ")+") ORDER BY f.id", args...)
}

// LostKnowledgeFiles lists files of items and sources that are gone.
func (s *Store) LostKnowledgeFiles(ctx context.Context, limit int) ([]KnowledgeFile, error) {
	return list(ctx, s, scanKnowledgeFile, "SELECT "+knowledgeFileColumns+` FROM knowledge_files f
 LEFT JOIN knowledge_items k ON k.id = f.item LEFT JOIN knowledge_sources s ON s.id = f.source
 WHERE k.id IS NULL AND s.id IS NULL ORDER BY f.id LIMIT $1`, limit)
}

// DropKnowledgeFile forgets a file whose bytes are deleted.
func (s *Store) DropKnowledgeFile(ctx context.Context, f KnowledgeFile) error {
	return unavailable(s.engine.exec(ctx,
		stmt{sql: "DELETE FROM knowledge_files WHERE id = $1", args: []any{f.ID}},
		stmt{sql: "DELETE FROM files WHERE uid = $1", args: []any{string(f.File)}},
	))
}
