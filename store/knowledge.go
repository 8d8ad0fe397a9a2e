package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// MaxKnowledgeItems is how many items a knowledge base can have.
const MaxKnowledgeItems = 50_000

// KnowledgeBase is a named collection of items that a search looks through.
type KnowledgeBase struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Language  string    `json:"language,omitempty"` // whose endings are cut off; "" cuts none
	Items     int64     `json:"items"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	ws int64
}

// KnowledgeDocument is an upload that items were made of.
type KnowledgeDocument struct {
	Name      string    `json:"name"`
	Format    string    `json:"format"`
	URL       string    `json:"url,omitempty"`
	Bytes     int64     `json:"bytes"`
	Items     int64     `json:"items"`
	CreatedAt time.Time `json:"created_at"`
}

// KnowledgeItem is what a search finds. ID is unique among all bases.
type KnowledgeItem struct {
	ID         int64           `json:"id"`
	Base       int64           `json:"-"`
	Document   string          `json:"document,omitempty"`
	Source     int64           `json:"-"` // that a parser made it of, or the hub of its table; 0: none
	Title      string          `json:"title"`
	Content    string          `json:"content"`
	URL        string          `json:"url,omitempty"`
	Section    string          `json:"section,omitempty"`
	Role       string          `json:"role,omitempty"`
	PageNumber int64           `json:"page_number,omitempty"`
	Metadata   json.RawMessage `json:"metadata"`
	Message    string          `json:"message,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
}

// KnowledgeEntry is an item with the words that it is found by, folded and parted by blanks: the store does not look into texts.
type KnowledgeEntry struct {
	KnowledgeItem
	TitleWords, BodyWords string
}

// knowledgeLanguages are the languages whose endings PostgreSQL can cut off, with the names of its configurations. SQLite knows
// English only; there the others are searched as they are.
var knowledgeLanguages = map[string]string{
	"": "simple", "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
	"eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
	"it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian",
	"ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}

const baseColumns = "b.id, b.workspace, b.name, b.language, b.items, b.created_at, b.updated_at"

func scanBase(r scanner) (b KnowledgeBase, err error) {
	var created, updated int64
	err = r.Scan(&b.ID, &b.ws, &b.Name, &b.Language, &b.Items, &created, &updated)
	b.CreatedAt, b.UpdatedAt = moment(created), moment(updated)
	return b, err
}

// PutKnowledgeBase makes a base, or gives an empty one another language.
func (s *Store) PutKnowledgeBase(ctx context.Context, ws chat.WorkspaceID, name, language string) (KnowledgeBase, error) {
	var b KnowledgeBase
	if _, ok := knowledgeLanguages[language]; !ok {
		return b, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("language: %.20q is none that can be searched: leave it out", language))
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return b, err
	}
	hit := false
	err = s.engine.exec(ctx, stmt{
		sql: `INSERT INTO knowledge_bases (workspace, name, language, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
 ON CONFLICT (workspace, name) DO UPDATE SET language = excluded.language, updated_at = excluded.updated_at
 WHERE knowledge_bases.items = 0 OR knowledge_bases.language = excluded.language
 RETURNING id, workspace, name, language, items, created_at, updated_at`,
		args: []any{no, name, language, micros(s.now())},
		scan: func(r scanner) (err error) { hit = true; b, err = scanBase(r); return err },
	})
	if err != nil {
		return b, s.refused(err)
	}
	if !hit {
		return b, chat.Faultf(chat.CodeConflict, "a base that has items keeps its language: delete it, or make another one")
	}
	return b, nil
}

// KnowledgeBase reads one.
func (s *Store) KnowledgeBase(ctx context.Context, ws chat.WorkspaceID, name string) (KnowledgeBase, error) {
	return one(ctx, s, "knowledge base", scanBase, "SELECT "+baseColumns+
		" FROM knowledge_bases b JOIN workspaces w ON w.id = b.workspace WHERE w.uid = $1 AND b.name = $2", string(ws), name)
}

// KnowledgeBases lists those of a workspace whose names come after a name, by name.
func (s *Store) KnowledgeBases(ctx context.Context, ws chat.WorkspaceID, after string, limit int) ([]KnowledgeBase, string, error) {
	found, err := list(ctx, s, scanBase, "SELECT "+baseColumns+` FROM knowledge_bases b JOIN workspaces w ON w.id = b.workspace
 WHERE w.uid = $1 AND b.name > $2 ORDER BY b.name LIMIT $3`, string(ws), after, limit+1)
	return paged(found, limit, err, func(b KnowledgeBase) string { return b.Name })
}

// paged cuts the row off that only tells that there is another page, and names the last one of this.
func paged[T any](found []T, limit int, err error, name func(T) string) ([]T, string, error) {
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], name(found[limit-1]), nil
}

// DropKnowledgeBase deletes a base with all that is in it.
func (s *Store) DropKnowledgeBase(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return s.changeBase(ctx, ws, name, func(b *baseChange) error {
		if _, err := b.drop(ctx, "base = $1", b.ID); err != nil {
			return err
		}
		b.rest = []stmt{
			{sql: "DELETE FROM knowledge_documents WHERE base = $1", args: []any{b.ID}},
			{sql: "DELETE FROM knowledge_sources WHERE base = $1", args: []any{b.ID}},
			{sql: "DELETE FROM knowledge_bases WHERE id = $1", args: []any{b.ID}},
		}
		return nil
	})
}

// KnowledgeDocuments lists the documents of a base whose names come after a name, by name.
func (s *Store) KnowledgeDocuments(ctx context.Context, base KnowledgeBase, after string, limit int) ([]KnowledgeDocument, string, error) {
	found, err := list(ctx, s, func(r scanner) (d KnowledgeDocument, err error) {
		var created int64
		err = r.Scan(&d.Name, &d.Format, &d.URL, &d.Bytes, &d.Items, &created)
		d.CreatedAt = moment(created)
		return d, err
	}, `SELECT d.name, d.format, d.url, d.bytes, d.items, d.created_at FROM knowledge_documents d WHERE d.base = $1 AND d.name > $2
 ORDER BY d.name LIMIT $3`, base.ID, after, limit+1)
	return paged(found, limit, err, func(d KnowledgeDocument) string { return d.Name })
}

// PutKnowledgeDocument stores a document's items instead of those that it had.
func (s *Store) PutKnowledgeDocument(ctx context.Context, ws chat.WorkspaceID, base string, d KnowledgeDocument, entries []KnowledgeEntry) (KnowledgeDocument, error) {
	d.Items, d.CreatedAt = int64(len(entries)), s.now()
	err := s.changeBase(ctx, ws, base, func(b *baseChange) error {
		if _, err := b.drop(ctx, "base = $1 AND document = $2", b.ID, d.Name); err != nil {
			return err
		}
		b.rest = append(b.rest, stmt{
			sql: `INSERT INTO knowledge_documents (base, name, format, url, bytes, items, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
 ON CONFLICT (base, name) DO UPDATE SET format = excluded.format, url = excluded.url, bytes = excluded.bytes, items = excluded.items,
 created_at = excluded.created_at`,
			args: []any{b.ID, d.Name, d.Format, d.URL, d.Bytes, d.Items, micros(d.CreatedAt)},
		})
		for i := range entries {
			entries[i].Document = d.Name
			b.add(&entries[i], nil)
		}
		return nil
	})
	return d, err
}

// DropKnowledgeDocument deletes a document with its items.
func (s *Store) DropKnowledgeDocument(ctx context.Context, ws chat.WorkspaceID, base, name string) error {
	return s.changeBase(ctx, ws, base, func(b *baseChange) error {
		dropped, err := b.drop(ctx, "base = $1 AND document = $2", b.ID, name)
		if err != nil {
			return err
		}
		hit := dropped > 0
		err = b.tx.run(ctx, []stmt{{
			sql: "DELETE FROM knowledge_documents WHERE base = $1 AND name = $2 RETURNING base", args: []any{b.ID, name},
			scan: func(scanner) error { hit = true; return nil },
		}})
		if err == nil && !hit {
			err = chat.Faultf(chat.CodeNotFound, "no such document")
		}
		return err
	})
}

// KnowledgeBaseOf reads the base that an item belongs to.
func (s *Store) KnowledgeBaseOf(ctx context.Context, ws chat.WorkspaceID, k KnowledgeItem) (KnowledgeBase, error) {
	return one(ctx, s, "knowledge base", scanBase, "SELECT "+baseColumns+
		" FROM knowledge_bases b JOIN workspaces w ON w.id = b.workspace WHERE w.uid = $1 AND b.id = $2", string(ws), k.Base)
}
