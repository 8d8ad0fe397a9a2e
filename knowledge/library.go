package knowledge

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Item is a text that a search finds.
type Item = store.KnowledgeItem

// Hit is an item that was found. Similarity is from 0 to 1.
type Hit struct {
	Item
	Similarity float64 `json:"similarity" minimum:"0" maximum:"1"`
}

// MaxTop bounds how many items a search gives.
const MaxTop = 50

// Library is all knowledge bases. It is safe for concurrent use.
type Library struct{ store *store.Store }

// New makes the library over a store.
func New(s *store.Store) *Library { return &Library{s} }

// Search finds the items of a base that meet a query best. Whatever is in the query, it is never syntax and never an error; a query
// without a word finds nothing.
func (l *Library) Search(ctx context.Context, ws chat.WorkspaceID, base, query string, topK int) ([]Hit, error) {
	b, err := l.store.KnowledgeBase(ctx, ws, base)
	if err != nil {
		return nil, err
	}
	q := queryOf(query)
	if len(q.Words) == 0 || topK < 1 {
		return []Hit{}, nil
	}
	counts, err := l.store.CountWords(ctx, b, q)
	if err != nil {
		return nil, err
	}
	topK = min(topK, MaxTop)
	found, err := l.store.FindWords(ctx, b, telling(q, counts, b.Items), max(5*topK, 50))
	if err != nil {
		return nil, err
	}
	return rank(q, weights(counts, b.Items), b.Language, found, topK), nil
}

// Items lists the items of a base, with the number of all that it has.
func (l *Library) Items(ctx context.Context, ws chat.WorkspaceID, base string, f store.KnowledgeFilter) ([]Item, int64, error) {
	b, err := l.store.KnowledgeBase(ctx, ws, base)
	if err != nil {
		return nil, 0, err
	}
	items, err := l.store.KnowledgeItems(ctx, b, f)
	return items, b.Items, err
}

// Item reads one, of any base of the workspace.
func (l *Library) Item(ctx context.Context, ws chat.WorkspaceID, id int64) (Item, error) {
	return l.store.KnowledgeItem(ctx, ws, id)
}

// AddItem stores a new item; its id and times are made.
func (l *Library) AddItem(ctx context.Context, ws chat.WorkspaceID, base string, item Item) (Item, error) {
	if err := check(&item); err != nil {
		return Item{}, err
	}
	item.Document = "" // documents are uploaded
	return l.store.AddKnowledgeItem(ctx, ws, base, entryOf(item))
}

// ItemPatch changes what is not nil.
type ItemPatch struct {
	Title, Content, URL, Section, Role, Message *string
	PageNumber                                  *int64
	Metadata                                    []byte // replaces the whole object
}

// PatchItem changes an item. It stays with its document until that is uploaded again.
func (l *Library) PatchItem(ctx context.Context, ws chat.WorkspaceID, id int64, p ItemPatch) (Item, error) {
	item, err := l.store.KnowledgeItem(ctx, ws, id)
	if err != nil {
		return Item{}, err
	}
	b, err := l.store.KnowledgeBaseOf(ctx, ws, item)
	if err != nil {
		return Item{}, err
	}
	for dst, v := range map[*string]*string{
		&item.Title: p.Title, &item.Content: p.Content, &item.URL: p.URL, &item.Section: p.Section, &item.Role: p.Role, &item.Message: p.Message,
	} {
		if v != nil {
			*dst = *v
		}
	}
	if p.PageNumber != nil {
		item.PageNumber = *p.PageNumber
	}
	if p.Metadata != nil {
		item.Metadata = p.Metadata
	}
	if err := check(&item); err != nil {
		return Item{}, err
	}
	return l.store.SetKnowledgeItem(ctx, ws, b.Name, entryOf(item))
}

// DropItem deletes an item.
func (l *Library) DropItem(ctx context.Context, ws chat.WorkspaceID, id int64) error {
	item, err := l.store.KnowledgeItem(ctx, ws, id)
	if err != nil {
		return err
	}
	b, err := l.store.KnowledgeBaseOf(ctx, ws, item)
	if err != nil {
		return err
	}
	return l.store.DropKnowledgeItem(ctx, ws, b.Name, id)
}

// Upload reads a document and stores its items instead of those that a document of this name had, all or none.
func (l *Library) Upload(ctx context.Context, ws chat.WorkspaceID, base string, d Document) (store.KnowledgeDocument, error) {
	if _, err := l.store.KnowledgeBase(ctx, ws, base); err != nil { // before the work
		return store.KnowledgeDocument{}, err
	}
	items, err := Read(d)
	if err != nil {
		return store.KnowledgeDocument{}, err
	}
	entries := make([]store.KnowledgeEntry, len(items))
	for i := range items {
		entries[i] = entryOf(items[i])
	}
	return l.store.PutKnowledgeDocument(ctx, ws, base, store.KnowledgeDocument{
		Name: d.Name, Format: string(d.Format), URL: d.URL, Bytes: int64(len(d.Content)),
	}, entries)
}
