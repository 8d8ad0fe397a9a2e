package store

import (
	"context"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

const itemColumns = `k.id, k.base, k.document, k.source, k.title, k.content, k.url, k.section, k.role, k.page_number, k.metadata, k.message,
 k.created_at, k.updated_at`

func scanItem(r scanner) (k KnowledgeItem, err error) {
	var metadata []byte
	var created, updated int64
	err = r.Scan(&k.ID, &k.Base, &k.Document, &k.Source, &k.Title, &k.Content, &k.URL, &k.Section, &k.Role, &k.PageNumber, &metadata, &k.Message,
		&created, &updated)
	k.Metadata, k.CreatedAt, k.UpdatedAt = metadata, moment(created), moment(updated)
	return k, err
}

// KnowledgeFilter says which items of a base are read, in the order of their ids.
type KnowledgeFilter struct {
	Document string // of this document only
	After    int64  // items with greater ids
	Offset   int    // leave out so many of them
	Limit    int
}

// KnowledgeItems lists the items of a base.
func (s *Store) KnowledgeItems(ctx context.Context, base KnowledgeBase, f KnowledgeFilter) ([]KnowledgeItem, error) {
	return list(ctx, s, scanItem, "SELECT "+itemColumns+` FROM knowledge_items k
 WHERE k.base = $1 AND k.id > $2 AND ($3 = '' OR k.document = $3) ORDER BY k.id LIMIT $4 OFFSET $5`,
		base.ID, f.After, f.Document, f.Limit, f.Offset)
}

// KnowledgeItem reads one item of a workspace.
func (s *Store) KnowledgeItem(ctx context.Context, ws chat.WorkspaceID, id int64) (KnowledgeItem, error) {
	return one(ctx, s, "knowledge item", scanItem, "SELECT "+itemColumns+
		" FROM knowledge_items k JOIN workspaces w ON w.id = k.workspace WHERE w.uid = $1 AND k.id = $2", string(ws), id)
}

// AddKnowledgeItem stores a new item; its id and times are made here. An item of a source is a sign that somebody is at it.
func (s *Store) AddKnowledgeItem(ctx context.Context, ws chat.WorkspaceID, base string, e KnowledgeEntry) (KnowledgeItem, error) {
	err := s.changeBase(ctx, ws, base, func(b *baseChange) error {
		e.Base = b.ID
		b.add(&e, func(r scanner) error { return r.Scan(&e.ID) })
		e.CreatedAt, e.UpdatedAt = moment(b.now), moment(b.now)
		if e.Source != 0 {
			b.rest = append(b.rest, keepSource("id = $3", b.now, e.Source))
		}
		return nil
	})
	return e.KnowledgeItem, err
}

// SetKnowledgeItem writes an item that is still as it was when e.UpdatedAt was read.
func (s *Store) SetKnowledgeItem(ctx context.Context, ws chat.WorkspaceID, base string, e KnowledgeEntry) (KnowledgeItem, error) {
	err := s.changeBase(ctx, ws, base, func(b *baseChange) error {
		hit := false
		was := micros(e.UpdatedAt)
		now := max(b.now, was+1) // so that it changes, whatever the clock does
		err := b.tx.run(ctx, []stmt{{
			sql: `UPDATE knowledge_items SET title = $1, content = $2, url = $3, section = $4, role = $5, page_number = $6, metadata = $7,
 message = $8, updated_at = $9 WHERE id = $10 AND base = $11 AND updated_at = $12 RETURNING id`,
			args: []any{
				e.Title, e.Content, e.URL, e.Section, e.Role, e.PageNumber, string(e.Metadata), e.Message, now, e.ID, b.ID, was,
			},
			scan: func(scanner) error { hit = true; return nil },
		}})
		if err != nil {
			return err
		}
		if !hit {
			return chat.Faultf(chat.CodeConflict, "the item was changed or deleted meanwhile: read it again")
		}
		e.UpdatedAt = moment(now)
		b.rest = append(b.rest, b.index.setWords(b.KnowledgeBase, &e)...)
		return nil
	})
	return e.KnowledgeItem, err
}

// DropKnowledgeItem deletes an item of a base.
func (s *Store) DropKnowledgeItem(ctx context.Context, ws chat.WorkspaceID, base string, id int64) error {
	return s.changeBase(ctx, ws, base, func(b *baseChange) error {
		dropped, err := b.drop(ctx, "base = $1 AND id = $2", b.ID, id)
		if err == nil && dropped == 0 {
			err = chat.Faultf(chat.CodeNotFound, "no such knowledge item")
		}
		return err
	})
}

// baseChange is a transaction that changes what is in a base. The base's row is locked, so that its number of items stays true.
type baseChange struct {
	KnowledgeBase
	tx    writeTx
	index wordIndex
	now   int64
	rest  []stmt // written at the end
}

// changeBase runs a change; what change returns as an error undoes all of it.
func (s *Store) changeBase(ctx context.Context, ws chat.WorkspaceID, base string, change func(b *baseChange) error) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	tx, err := s.engine.begin(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer tx.rollback()
	b := &baseChange{tx: tx, index: s.engine.(wordIndex), now: micros(s.now())}
	err = tx.run(ctx, []stmt{{
		sql: `UPDATE knowledge_bases SET updated_at = $1 WHERE workspace = $2 AND name = $3
 RETURNING id, workspace, name, language, items, created_at, updated_at`,
		args: []any{b.now, no, base},
		scan: func(r scanner) (err error) { b.KnowledgeBase, err = scanBase(r); return err },
	}})
	if err != nil {
		return s.refused(err)
	}
	if b.ID == 0 {
		return chat.Faultf(chat.CodeNotFound, "no such knowledge base")
	}
	if err := change(b); err != nil {
		return s.refused(err)
	}
	if b.Items > MaxKnowledgeItems {
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a knowledge base has %d items at the most", MaxKnowledgeItems))
	}
	b.rest = append(b.rest, stmt{sql: "UPDATE knowledge_bases SET items = $1 WHERE id = $2", args: []any{b.Items, b.ID}})
	if err := tx.commit(ctx, b.rest); err != nil {
		return s.refused(err)
	}
	return nil
}

// add stores an item; got, if there is one, gets the row with its id.
func (b *baseChange) add(e *KnowledgeEntry, got func(scanner) error) {
	b.Items++
	if len(e.Metadata) == 0 {
		e.Metadata = []byte("{}")
	}
	b.rest = append(b.rest, b.index.addItem(b.KnowledgeBase, e, b.now, got)...)
}

// drop deletes items and tells how many. A table's columns are named in where as they are.
func (b *baseChange) drop(ctx context.Context, where string, args ...any) (int64, error) {
	dropped := int64(0)
	err := b.tx.run(ctx, append(b.index.dropWords(b.KnowledgeBase, where, args), stmt{
		sql: "DELETE FROM knowledge_items WHERE " + where + " RETURNING id", args: args,
		scan: func(scanner) error { dropped++; return nil },
	}))
	b.Items -= dropped
	return dropped, err
}
