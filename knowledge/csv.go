package knowledge

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// columns are those of a table that have a place of their own in an item; others go into its metadata.
var columns = []string{"title", "content", "url", "section", "role", "page_number"}

const maxColumns = 50

// readCSV reads a table with a header, parted by commas, semicolons or tabs: every row is an item.
func readCSV(text string) ([]Item, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = delimiter(text)
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	first, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, chat.Faultf(chat.CodeInvalid, "the table is empty")
	}
	if err != nil {
		return nil, csvFault(err)
	}
	head, err := header(first)
	if err != nil {
		return nil, err
	}
	var items []Item
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, csvFault(err)
		}
		line, _ := r.FieldPos(0)
		item, empty, err := rowItem(head, row)
		if err != nil {
			return nil, atLine(line, err)
		}
		if !empty {
			items = append(items, item)
		}
		if len(items) > store.MaxKnowledgeItems {
			return items, nil // the caller refuses it
		}
	}
}

func csvFault(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("line %d: this is no table: %v", p.Line, p.Err))
	}
	return chat.Faultf(chat.CodeInvalid, "this is no table: "+err.Error())
}

// delimiter is what stands most often in the first line, outside of quotes.
func delimiter(text string) rune {
	counts := map[rune]int{}
	quoted := false
	for _, c := range text {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// header gives the names of the columns. One without a name, as spreadsheets leave them, is not read.
func header(first []string) ([]string, error) {
	head := make([]string, len(first))
	if len(head) > maxColumns {
		return nil, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a table has %d columns at the most", maxColumns))
	}
	for i, name := range first {
		name = strings.TrimSpace(name)
		if known := strings.ReplaceAll(strings.ToLower(name), " ", "_"); slices.Contains(columns, known) {
			name = known
		}
		if name != "" && slices.Contains(head[:i], name) {
			return nil, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("the column %.40q is there twice", name))
		}
		head[i] = name
	}
	if !slices.Contains(head, "content") {
		return nil, chat.Faultf(chat.CodeInvalid, "the first line has to name the columns, content among them; also known are title, url, section, role and page_number")
	}
	return head, nil
}

// rowItem reads a row; empty says that there is nothing in it.
func rowItem(head, row []string) (item Item, empty bool, err error) {
	if len(row) > len(head) {
		return item, false, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("%d fields, but the header has %d: is a text with the delimiter not in quotes?", len(row), len(head)))
	}
	empty = true
	more := map[string]string{}
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if cell == "" || head[i] == "" {
			continue
		}
		empty = false
		if err := setColumn(&item, head[i], cell, more); err != nil {
			return item, false, err
		}
	}
	if empty {
		return item, true, nil
	}
	raw, err := json.Marshal(more)
	if err != nil {
		return item, false, err
	}
	item.Metadata = raw
	return item, false, check(&item)
}

func setColumn(item *Item, column, cell string, more map[string]string) error {
	switch column {
	case "title":
		item.Title = cell
	case "content":
		item.Content = cell
	case "url":
		item.URL = cell
	case "section":
		item.Section = cell
	case "role":
		item.Role = cell
	case "page_number":
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil {
			return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("page_number: %.20q is no whole number", cell))
		}
		item.PageNumber = n
	default:
		more[column] = cell
	}
	return nil
}
