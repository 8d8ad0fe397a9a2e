package knowledge

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Table is a table whose columns are known by their numbers, from 0 on. What a row does not reach is empty.
type Table struct {
	Header bool // the first line is one, and is left out
	Columns
	Content []byte
}

// Columns are where a table has what.
type Columns struct{ Title, Text, URL, Section, Role, Page int }

// Read makes an item of every row that is not empty. Every error is one that the uploader can mend.
func (t Table) Read() ([]Item, error) {
	for _, n := range []int{t.Title, t.Text, t.URL, t.Section, t.Role, t.Page} {
		if n < 0 || n >= maxColumns {
			return nil, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("columns: 0 to %d", maxColumns-1))
		}
	}
	if len(t.Content) > MaxDocument {
		return nil, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a table has %d bytes at the most", MaxDocument))
	}
	if !utf8.Valid(t.Content) {
		return nil, chat.Faultf(chat.CodeInvalid, "the table is not UTF-8")
	}
	text := strings.TrimPrefix(string(t.Content), "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = delimiter(text), -1, true
	var items []Item
	for first := true; ; first = false {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, csvFault(err)
		}
		if first && t.Header || isEmpty(row) {
			continue
		}
		line, _ := r.FieldPos(0)
		item := t.item(row)
		if err := check(&item); err != nil {
			return nil, atLine(line, err)
		}
		if items = append(items, item); len(items) > store.MaxKnowledgeItems {
			return items, nil // the caller refuses it
		}
	}
}

func atLine(line int, err error) error {
	if f, ok := errors.AsType[*chat.Fault](err); ok {
		return chat.Faultf(f.Code, fmt.Sprintf("line %d: %s", line, f.Detail))
	}
	return err
}

func isEmpty(row []string) bool {
	for _, cell := range row {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

func (t Table) item(row []string) Item {
	cell := func(n int) string {
		if n >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[n])
	}
	item := Item{Title: cell(t.Title), Content: cell(t.Text), URL: cell(t.URL), Section: cell(t.Section), Role: cell(t.Role)}
	if page, err := strconv.ParseInt(cell(t.Page), 10, 64); err == nil {
		item.PageNumber = page // what is no number is not meant as one: the column is there unasked
	}
	return item
}

// AddSource stores a source with the items that were read of it.
func (l *Library) AddSource(ctx context.Context, ws chat.WorkspaceID, base string, src store.KnowledgeSource, items []Item) (store.KnowledgeSource, error) {
	entries := make([]store.KnowledgeEntry, len(items))
	for i := range items {
		entries[i] = entryOf(items[i])
	}
	return l.store.AddKnowledgeSource(ctx, ws, base, src, entries)
}
