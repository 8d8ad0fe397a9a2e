package knowledge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The limits of an item, in characters; metadata in bytes.
const (
	maxTitle    = 1000
	maxContent  = 50_000
	maxURL      = 2000
	maxRole     = 100
	maxMessage  = 10_000
	maxMetadata = 8 << 10
	maxPage     = 1_000_000
)

// check says the first thing that is wrong with an item, and brings its metadata into the form in which it is kept.
func check(item *Item) error {
	if strings.TrimSpace(item.Content) == "" {
		return chat.Faultf(chat.CodeInvalid, "content: there is none")
	}
	for _, f := range []struct {
		name, text string
		limit      int
	}{
		{"title", item.Title, maxTitle},
		{"content", item.Content, maxContent},
		{"url", item.URL, maxURL},
		{"section", item.Section, maxTitle},
		{"role", item.Role, maxRole},
		{"message", item.Message, maxMessage},
	} {
		if utf8.RuneCountInString(f.text) > f.limit {
			return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("%s: %d characters at the most", f.name, f.limit))
		}
	}
	if item.PageNumber < 0 || item.PageNumber > maxPage {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("page_number: 0 to %d", maxPage))
	}
	return checkMetadata(item)
}

func checkMetadata(item *Item) error {
	if text := bytes.TrimSpace(item.Metadata); len(text) == 0 || string(text) == "null" {
		item.Metadata = json.RawMessage("{}")
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(item.Metadata, &members) != nil {
		return chat.Faultf(chat.CodeInvalid, "metadata: an object is wanted")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, item.Metadata); err != nil {
		return chat.Faultf(chat.CodeInvalid, "metadata: "+err.Error())
	}
	if out.Len() > maxMetadata {
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("metadata: %d bytes at the most", maxMetadata))
	}
	item.Metadata = out.Bytes()
	return nil
}

// entryOf adds the words that an item is found by.
func entryOf(item Item) store.KnowledgeEntry {
	body := append(Fold(item.Section), Fold(item.Content)...)
	return store.KnowledgeEntry{KnowledgeItem: item, TitleWords: strings.Join(Fold(item.Title), " "), BodyWords: strings.Join(body, " ")}
}
