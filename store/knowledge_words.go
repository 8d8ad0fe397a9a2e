package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// WordQuery asks for the items of a base that have at least one of the words, folded as theirs were.
type WordQuery struct {
	Words  []string
	Prefix bool // the last word may go on
}

// wordIndex is how a database finds items by their words: FTS5 on SQLite, a column of type tsvector on PostgreSQL. Both get words
// that are folded already, so that they find the same.
type wordIndex interface {
	// addItem stores an item and its words; got, if it is not nil, gets a row with the new id.
	addItem(b KnowledgeBase, e *KnowledgeEntry, now int64, got func(scanner) error) []stmt
	// setWords writes the words of an item anew.
	setWords(b KnowledgeBase, e *KnowledgeEntry) []stmt
	// dropWords runs before items are deleted.
	dropWords(b KnowledgeBase, where string, args []any) []stmt
	// countWords asks how many items have each word, in the order of the words.
	countWords(b KnowledgeBase, q WordQuery) (sql string, args []any)
	// findWords asks for the best items that have one of the words or more.
	findWords(b KnowledgeBase, q WordQuery, limit int) (sql string, args []any)
}

var (
	_ wordIndex = (*sqliteEngine)(nil)
	_ wordIndex = (*postgresEngine)(nil)
)

// CountWords tells how many items of a base have each of the words.
func (s *Store) CountWords(ctx context.Context, base KnowledgeBase, q WordQuery) ([]int64, error) {
	sql, args := s.engine.(wordIndex).countWords(base, q)
	return list(ctx, s, func(r scanner) (n int64, err error) { err = r.Scan(&n); return n, err }, sql, args...)
}

// FindWords gives the items of a base that have one of the words or more, those first that the database thinks best.
func (s *Store) FindWords(ctx context.Context, base KnowledgeBase, q WordQuery, limit int) ([]KnowledgeItem, error) {
	if len(q.Words) == 0 {
		return nil, nil
	}
	sql, args := s.engine.(wordIndex).findWords(base, q, limit)
	return list(ctx, s, scanItem, sql, args...)
}

const insertItem = `INSERT INTO knowledge_items (workspace, base, document, source, title, content, url, section, role, page_number, metadata,
 message, created_at, updated_at`

func itemArgs(b KnowledgeBase, e *KnowledgeEntry, now int64) []any {
	return []any{
		b.ws, b.ID, e.Document, e.Source, e.Title, e.Content, e.URL, e.Section, e.Role, e.PageNumber, string(e.Metadata), e.Message, now, now,
	}
}

// wordTable is SQLite's index for a base.
func wordTable(b KnowledgeBase) string {
	if b.Language == "en" {
		return "knowledge_words_en"
	}
	return "knowledge_words"
}

func (e *sqliteEngine) addItem(b KnowledgeBase, k *KnowledgeEntry, now int64, got func(scanner) error) []stmt {
	item := stmt{sql: insertItem + ") " + valuesOf(14), args: itemArgs(b, k, now)}
	if got != nil {
		item.sql, item.scan = item.sql+" RETURNING id", got
	}
	return []stmt{item, {
		sql:  "INSERT INTO " + wordTable(b) + " (rowid, base, title, body) VALUES (last_insert_rowid(), $1, $2, $3)",
		args: []any{baseMark(b), k.TitleWords, k.BodyWords},
	}}
}

func (e *sqliteEngine) setWords(b KnowledgeBase, k *KnowledgeEntry) []stmt {
	return []stmt{{sql: "DELETE FROM " + wordTable(b) + " WHERE rowid = $1", args: []any{k.ID}}, {
		sql:  "INSERT INTO " + wordTable(b) + " (rowid, base, title, body) VALUES ($1, $2, $3, $4)",
		args: []any{k.ID, baseMark(b), k.TitleWords, k.BodyWords},
	}}
}

func (e *sqliteEngine) dropWords(b KnowledgeBase, where string, args []any) []stmt {
	return []stmt{{sql: "DELETE FROM " + wordTable(b) + " WHERE rowid IN (SELECT id FROM knowledge_items WHERE " + where + ")", args: args}}
}

func (e *sqliteEngine) countWords(b KnowledgeBase, q WordQuery) (string, []any) {
	t := wordTable(b)
	texts := q.texts(func(word, open string) string { return matchBase(b) + matchWord(word, open) }, " *")
	return "SELECT (SELECT COUNT(*) FROM " + t + " WHERE " + t + " MATCH j.value) FROM json_each($1) j ORDER BY j.key", []any{jsonList(texts)}
}

// findWords reads only the items of the best rows. A title's word is worth three of the body's.
func (e *sqliteEngine) findWords(b KnowledgeBase, q WordQuery, limit int) (string, []any) {
	t := wordTable(b)
	text := matchBase(b) + "(" + strings.Join(q.texts(matchWord, " *"), " OR ") + ")"
	return "SELECT " + itemColumns + " FROM (SELECT rowid AS id, bm25(" + t + ", 0, 3, 1) AS score FROM " + t + " WHERE " + t +
		" MATCH $1 ORDER BY score, rowid LIMIT $2) f JOIN knowledge_items k ON k.id = f.id ORDER BY f.score, f.id", []any{text, limit}
}

func matchBase(b KnowledgeBase) string { return "base : " + baseMark(b) + " AND {title body} : " }

// matchWord quotes a word for FTS5: in quotes nothing is syntax.
func matchWord(word, open string) string {
	return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` + open
}

func (e *postgresEngine) addItem(b KnowledgeBase, k *KnowledgeEntry, now int64, got func(scanner) error) []stmt {
	item := stmt{sql: insertItem + ", words) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, " + vectorOf(b, "$15", "$16", "$17") + ")"}
	item.args = append(itemArgs(b, k, now), k.TitleWords, k.BodyWords, baseMark(b))
	if got != nil {
		item.sql, item.scan = item.sql+" RETURNING id", got
	}
	return []stmt{item}
}

func (e *postgresEngine) setWords(b KnowledgeBase, k *KnowledgeEntry) []stmt {
	return []stmt{{
		sql:  "UPDATE knowledge_items SET words = " + vectorOf(b, "$1", "$2", "$3") + " WHERE id = $4",
		args: []any{k.TitleWords, k.BodyWords, baseMark(b), k.ID},
	}}
}

func (e *postgresEngine) dropWords(KnowledgeBase, string, []any) []stmt { return nil }

func (e *postgresEngine) countWords(b KnowledgeBase, q WordQuery) (string, []any) {
	return "SELECT (SELECT COUNT(*) FROM knowledge_items k WHERE k.words @@ " + queryOf(b, "j.word", "$2") +
		") FROM jsonb_array_elements_text($1::text::jsonb) WITH ORDINALITY j(word, i) ORDER BY j.i", []any{jsonList(q.texts(queryWord, ":*")), baseMark(b)}
}

func (e *postgresEngine) findWords(b KnowledgeBase, q WordQuery, limit int) (string, []any) {
	return "SELECT " + itemColumns + " FROM knowledge_items k WHERE k.words @@ " + queryOf(b, "$1::text", "$2") +
			" ORDER BY ts_rank(k.words, to_tsquery('" + configOf(b) + "', $1::text)) DESC, k.id LIMIT $3",
		[]any{strings.Join(q.texts(queryWord, ":*"), " | "), baseMark(b), limit}
}

// queryWord quotes a word for to_tsquery, which takes a blank for no word, but nothing at all for an error.
func queryWord(word, open string) string {
	if word == "" {
		word = " "
	}
	return "'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(word) + "'" + open
}

// texts writes every word with write, which also gets what makes a prefix of the last one.
func (q WordQuery) texts(write func(word, open string) string, open string) []string {
	out := make([]string, len(q.Words))
	for i, w := range q.Words {
		mark := ""
		if q.Prefix && i == len(q.Words)-1 {
			mark = open
		}
		out[i] = write(cleanText(w), mark)
	}
	return out
}

func jsonList(texts []string) string {
	raw, _ := json.Marshal(texts) // strings only: cannot fail
	return string(raw)
}

// baseMark is the word that all items of a base have, in a place where no other words stand.
func baseMark(b KnowledgeBase) string { return fmt.Sprintf("b%d", b.ID) }

// configOf is PostgreSQL's name for how a base's words are cut. It comes from our table, never from a caller.
func configOf(b KnowledgeBase) string {
	if c, ok := knowledgeLanguages[b.Language]; ok {
		return c
	}
	return "simple"
}

// vectorOf makes the words of an item. The base's mark begins with a sign that no word can have.
func vectorOf(b KnowledgeBase, title, body, mark string) string {
	part := func(words, weight string) string {
		return "setweight(to_tsvector('" + configOf(b) + "', " + words + "::text), '" + weight + "')"
	}
	return part(title, "A") + " || " + part(body, "D") + " || array_to_tsvector(ARRAY['=' || " + mark + "::text])"
}

func queryOf(b KnowledgeBase, text, mark string) string {
	return "(('''=' || " + mark + "::text || '''')::tsquery && to_tsquery('" + configOf(b) + "', " + text + "))"
}
