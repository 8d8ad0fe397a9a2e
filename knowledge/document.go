package knowledge

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Format is how a document is written.
type Format string

// The formats that are read.
const (
	CSV      Format = "csv"
	Markdown Format = "markdown"
	Text     Format = "text"
)

// MaxDocument is the largest document, in bytes.
const MaxDocument = 10 << 20

// maxName bounds the name of a document, in characters.
const maxName = 100

// Document is an upload. URL is where people find it; the items of a text get it, with the anchor of their heading.
type Document struct {
	Name    string
	Format  Format
	URL     string
	Content []byte
}

// FormatOf tells a document's format by its MIME type, or by the ending of its name; "" if neither says it.
func FormatOf(name, mimeType string) Format {
	switch mimeType {
	case "text/csv", "text/tab-separated-values":
		return CSV
	case "text/markdown", "text/x-markdown":
		return Markdown
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv":
		return CSV
	case ".md", ".markdown", ".mdx":
		return Markdown
	case ".txt", ".text":
		return Text
	}
	if mimeType == "text/plain" {
		return Text
	}
	return ""
}

// Read makes items of a document. Every error is one that the uploader can mend.
func Read(d Document) ([]Item, error) {
	if err := checkDocument(d); err != nil {
		return nil, err
	}
	text := strings.TrimPrefix(string(d.Content), "\ufeff")
	var items []Item
	var err error
	switch d.Format {
	case CSV:
		items, err = readCSV(text)
	case Markdown:
		items = readMarkdown(d.Name, d.URL, lines(text))
	case Text:
		items = itemsOf(Item{Title: d.Name, URL: d.URL}, paragraphs(lines(text)))
	default:
		err = chat.Faultf(chat.CodeInvalid, "format: csv, markdown or text")
	}
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, chat.Faultf(chat.CodeInvalid, "the document has no text")
	}
	if len(items) > store.MaxKnowledgeItems {
		return nil, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("the document has more than %d items", store.MaxKnowledgeItems))
	}
	return items, nil
}

func checkDocument(d Document) error {
	if n := utf8.RuneCountInString(d.Name); n == 0 || n > maxName || strings.TrimSpace(d.Name) != d.Name || strings.ContainsFunc(d.Name, isControl) || !utf8.ValidString(d.Name) {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("name: 1 to %d characters, without blanks around them", maxName))
	}
	if len(d.Content) > MaxDocument {
		return chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a document has %d bytes at the most", MaxDocument))
	}
	if !utf8.Valid(d.Content) || bytes.IndexByte(d.Content, 0) >= 0 {
		return chat.Faultf(chat.CodeInvalid, "the document is no text in UTF-8: save it as UTF-8")
	}
	if d.URL == "" {
		return nil
	}
	u, err := url.Parse(d.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !utf8.ValidString(d.URL) || len(d.URL) > maxURL-2*maxTitle/3 {
		return chat.Faultf(chat.CodeInvalid, "url: an address that begins with http:// or https://")
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// lines parts a text at any kind of line end.
func lines(text string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
}
