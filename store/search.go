package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// searchIndex is how a database finds messages by their words: FTS5 on SQLite, a column of type tsvector on PostgreSQL. Both get words that
// are folded already, so that they find the same.
type searchIndex interface {
	// putEntry stores the words of an event, in place of those that it had.
	putEntry(k eventKey, words string) []stmt
	// dropEntries forgets what where finds in search_entries.
	dropEntries(where string, args []any) []stmt
	// findEntries asks for the newest ids below $1 of the workspace that have all words, at most $2; args begin with $3.
	findEntries(ws int64, q WordQuery) (sql string, args []any)
}

var (
	_ searchIndex = (*sqliteEngine)(nil)
	_ searchIndex = (*postgresEngine)(nil)
)

// searched are the kinds of events that the index hears of.
var searched = []chat.Kind{chat.KindMessage, chat.KindNote, chat.KindEdited, chat.KindDeleted, chat.KindErased}

// Indexer takes messages into the index that searches look in. It locks no log: whoever writes messages never waits for it longer than
// for one of its transactions. Of several nodes that do so at once, one is heard. It is used by one goroutine.
type Indexer struct {
	s    *Store
	fold func(string) string
	seen map[int64]int64 // by workspace: until here there is nothing more to index
}

// Indexer makes one. Fold gives the words of a text, parted by blanks.
func (s *Store) Indexer(fold func(string) string) *Indexer {
	return &Indexer{s: s, fold: fold, seen: map[int64]int64{}}
}

// Next takes the next events of every workspace, at most limit of each, and tells whether there are more.
func (x *Indexer) Next(ctx context.Context, limit int) (more bool, err error) {
	found, err := list(ctx, x.s, func(r scanner) (b behind, err error) {
		err = r.Scan(&b.ws, &b.pos, &b.head)
		return b, err
	}, `SELECT w.id, COALESCE(c.pos, 0), w.head FROM workspaces w LEFT JOIN search_cursors c ON c.workspace = w.id
 WHERE w.head > COALESCE(c.pos, 0)`)
	if err != nil {
		return false, err
	}
	var errs []error
	for _, b := range found {
		rest, err := x.catchUp(ctx, b, limit)
		more, errs = more || rest, append(errs, err) // the others do not wait for one that fails
	}
	return more, errors.Join(errs...)
}

// behind is a workspace whose index may be behind its log.
type behind struct{ ws, pos, head int64 }

// catchUp takes the next events of a workspace and tells whether there are more.
func (x *Indexer) catchUp(ctx context.Context, b behind, limit int) (more bool, err error) {
	from := max(b.pos, x.seen[b.ws])
	if from >= b.head {
		return false, nil
	}
	events, err := x.s.readLog(ctx, b.ws, from, limit, searched...)
	if err != nil {
		return false, err
	}
	to := b.head
	if len(events) == limit {
		to, more = events[limit-1].Pos, true
	}
	if len(events) > 0 || to-b.pos >= indexRest {
		err = x.s.indexBatch(ctx, b.ws, b.pos, to, x.changes(b.ws, events))
	}
	if err != nil {
		return false, err
	}
	x.seen[b.ws] = to
	return more, nil
}

// indexRest is how many positions without words the stored cursor may lie behind.
const indexRest = 1000

// indexChanges is what a batch of events makes of the index: the last word on each message.
type indexChanges struct {
	erased []int64             // conversations
	words  map[eventKey]string // "" for what is found no more
	order  []eventKey          // of the log
}

func (x *Indexer) changes(ws int64, events []logEvent) indexChanges {
	c := indexChanges{words: map[eventKey]string{}}
	for _, e := range events {
		k := eventKey{ws, e.conv, e.Seq}
		switch {
		case e.conv <= 0:
			continue
		case e.Kind == chat.KindErased:
			c.erased = append(c.erased, e.conv)
			maps.DeleteFunc(c.words, func(k eventKey, _ string) bool { return k.conv == e.conv })
			continue
		case e.Kind == chat.KindEdited || e.Kind == chat.KindDeleted:
			var target chat.TargetData
			if json.Unmarshal(e.Data, &target) != nil || target.Seq == 0 {
				continue
			}
			k.seq = target.Seq
		}
		if _, known := c.words[k]; !known {
			c.order = append(c.order, k)
		}
		c.words[k] = ""
		if e.Kind != chat.KindDeleted {
			c.words[k] = x.fold(searchText(e.Message.Text()))
		}
	}
	return c
}

// indexBatch writes changes if the cursor is still where they begin.
func (s *Store) indexBatch(ctx context.Context, ws, from, to int64, c indexChanges) error {
	hit := false
	index := s.engine.(searchIndex)
	cursor := stmt{
		sql: `INSERT INTO search_cursors (workspace, pos) VALUES ($1, $2)
 ON CONFLICT (workspace) DO UPDATE SET pos = excluded.pos WHERE search_cursors.pos = $3 RETURNING pos`,
		args: []any{ws, to, from},
		scan: func(scanner) error { hit = true; return nil },
	}
	var rest []stmt
	for _, conv := range c.erased {
		rest = append(rest, index.dropEntries("workspace = $1 AND conversation = $2", []any{ws, conv})...)
	}
	for _, k := range c.order {
		if words, left := c.words[k]; !left {
			continue // erased
		} else if words == "" {
			rest = append(rest, index.dropEntries("workspace = $1 AND conversation = $2 AND seq = $3", []any{ws, k.conv, k.seq})...)
		} else {
			rest = append(rest, index.putEntry(k, c.words[k])...)
		}
	}
	tx, err := s.engine.begin(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer tx.rollback()
	if err := tx.run(ctx, []stmt{cursor}); err != nil || !hit {
		return unavailable(err)
	}
	return unavailable(tx.commit(ctx, rest))
}

// SearchBehind tells whether there are messages that the index has not heard of yet.
func (s *Store) SearchBehind(ctx context.Context, ws chat.WorkspaceID) (bool, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return false, err
	}
	missing, err := list(ctx, s, func(r scanner) (pos int64, err error) {
		err = r.Scan(&pos)
		return pos, err
	}, "SELECT pos FROM events e WHERE workspace = $1 AND pos > COALESCE((SELECT c.pos FROM search_cursors c WHERE c.workspace = $1), 0)"+
		kindsIn(searched)+" LIMIT 1", no)
	return len(missing) > 0, err
}

// maxSearchText is how much of a message is found by its words, in bytes.
const maxSearchText = 8 << 10

func searchText(text string) string {
	if len(text) > maxSearchText {
		text = text[:maxSearchText]
	}
	return text
}

// SearchQuery asks for messages that have all of the words, the newest first.
type SearchQuery struct {
	WordQuery
	Within *Sight // nil: of all conversations
	Before int64  // only older ones than this id; 0: from the newest on
	Limit  int
}

// FoundMessage is a message, or a note, that a search found, and where it stands.
type FoundMessage struct {
	ID      int64
	Event   chat.Event
	Contact chat.ContactRef
	State   chat.State
}

// The bounds of a search: how many entries one step looks at for somebody who does not see everything, and how many steps there are.
const (
	searchStep  = 500
	searchSteps = 4
)

// SearchMessages finds messages. Next is what to go on with: 0 at the end. For somebody who does not see everything there may be more although
// fewer than Limit were found.
func (s *Store) SearchMessages(ctx context.Context, ws chat.WorkspaceID, q SearchQuery) (found []FoundMessage, next int64, err error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil || len(q.Words) == 0 {
		return nil, 0, err
	}
	before, step := q.Before, searchStep
	if before <= 0 {
		before = 1 << 62
	}
	if q.Within == nil {
		step = q.Limit + 1
	}
	for range searchSteps {
		page, last, n, err := s.searchPage(ctx, no, q, before, step)
		if err != nil {
			return nil, 0, err
		}
		if found = append(found, page...); len(found) > q.Limit {
			return found[:q.Limit], found[q.Limit-1].ID, nil
		}
		if n < step {
			return found, 0, nil
		}
		before = last
	}
	return found, before, nil
}

// searchPage looks at the next entries: those that are seen, the id of the last one looked at, and how many there were.
func (s *Store) searchPage(ctx context.Context, ws int64, q SearchQuery, before int64, step int) (found []FoundMessage, last int64, n int, err error) {
	inner, more := s.engine.(searchIndex).findEntries(ws, q.WordQuery)
	args := append([]any{before, step}, more...)
	err = func() error {
		at, err := list(ctx, s, func(r scanner) (at [2]int64, err error) {
			err = r.Scan(&at[0], &at[1])
			return at, err
		}, "SELECT COUNT(*), COALESCE(MIN(f.id), 0) FROM ("+inner+") f", args...)
		if err == nil {
			n, last = int(at[0][0]), at[0][1]
		}
		return err
	}()
	if err != nil || n == 0 {
		return nil, 0, 0, err
	}
	where, args := ConversationFilter{Within: q.Within}.narrow([]string{"1 = 1"}, args)
	found, err = list(ctx, s, func(r scanner) (x FoundMessage, err error) {
		var conv chat.ConversationID
		x.Event, err = scanEvent(r, &conv, &x.ID, &x.Contact.ID, &x.Contact.Name, &x.State)
		x.Event.Conversation = conv
		return x, err
	}, "SELECT "+eventColumns+", c.uid, f.id, ct.uid, ct.name, c.state FROM ("+inner+`) f JOIN search_entries s ON s.id = f.id
 JOIN events e ON e.workspace = s.workspace AND e.conversation = s.conversation AND e.seq = s.seq
 JOIN conversations c ON c.workspace = s.workspace AND c.no = s.conversation
 JOIN contacts ct ON ct.workspace = c.workspace AND ct.no = c.contact WHERE `+where+" ORDER BY f.id DESC", args...)
	return found, last, n, err
}

// FoundPerson is a contact that a search found, with the newest conversation that the asker sees.
type FoundPerson struct {
	Contact
	Conversation chat.ConversationID
}

// SearchPeople finds contacts by a part of their names, or a whole address, the newest first.
func (s *Store) SearchPeople(ctx context.Context, ws chat.WorkspaceID, text string, within *Sight, limit int) ([]FoundPerson, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	bare := strings.TrimPrefix(text, "+")
	args := []any{no, likeText(text), text, bare, "+" + bare, limit}
	seen, args := ConversationFilter{Within: within}.narrow([]string{"c.workspace = $1", "c.contact = ct.no"}, args)
	return list(ctx, s, func(r scanner) (p FoundPerson, err error) {
		p.Contact, err = scanContact(withMore(r, []any{&p.Conversation}))
		return p, err
	}, `SELECT ct.no, ct.uid, ct.name, ct.language, ct.properties, ct.created_at, ct.updated_at, ct.erased_at,
 COALESCE((SELECT c.uid FROM conversations c WHERE `+seen+` ORDER BY c.no DESC LIMIT 1), '') FROM contacts ct
 WHERE ct.workspace = $1 AND ct.erased_at = 0 AND (LOWER(ct.name) LIKE $2 ESCAPE '\' OR ct.no IN (SELECT i.contact FROM channels ch
 JOIN identities i ON i.workspace = ch.workspace AND i.channel = ch.no AND i.address IN ($3, $4, $5) WHERE ch.workspace = $1))
 ORDER BY ct.no DESC LIMIT $6`, args...)
}

// entryMark is the word that all entries of a workspace have, in a place where no other words stand.
func entryMark(ws int64) string { return fmt.Sprintf("w%d", ws) }

func (e *sqliteEngine) putEntry(k eventKey, words string) []stmt {
	const of = " FROM search_entries WHERE workspace = $1 AND conversation = $2 AND seq = $3"
	return []stmt{
		{sql: "DELETE FROM search_words WHERE rowid IN (SELECT id" + of + ")", args: []any{k.ws, k.conv, k.seq}},
		{sql: "INSERT INTO search_entries (workspace, conversation, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", args: []any{k.ws, k.conv, k.seq}},
		{sql: "INSERT INTO search_words (rowid, mark, words) SELECT id, $4, $5" + of, args: []any{k.ws, k.conv, k.seq, entryMark(k.ws), words}},
	}
}

func (e *sqliteEngine) dropEntries(where string, args []any) []stmt {
	return []stmt{
		{sql: "DELETE FROM search_words WHERE rowid IN (SELECT id FROM search_entries WHERE " + where + ")", args: args},
		{sql: "DELETE FROM search_entries WHERE " + where, args: args},
	}
}

func (e *sqliteEngine) findEntries(ws int64, q WordQuery) (string, []any) {
	text := "mark : " + entryMark(ws) + " AND words : (" + strings.Join(q.texts(matchWord, " *"), " AND ") + ")"
	return "SELECT rowid AS id FROM search_words WHERE search_words MATCH $3 AND rowid < $1 ORDER BY rowid DESC LIMIT $2", []any{text}
}

func (e *postgresEngine) putEntry(k eventKey, words string) []stmt {
	return []stmt{{
		sql: `INSERT INTO search_entries (workspace, conversation, seq, words)
 VALUES ($1, $2, $3, to_tsvector('simple', $4::text) || array_to_tsvector(ARRAY['=' || $5::text]))
 ON CONFLICT (workspace, conversation, seq) DO UPDATE SET words = excluded.words`,
		args: []any{k.ws, k.conv, k.seq, words, entryMark(k.ws)},
	}}
}

func (e *postgresEngine) dropEntries(where string, args []any) []stmt {
	return []stmt{{sql: "DELETE FROM search_entries WHERE " + where, args: args}}
}

func (e *postgresEngine) findEntries(ws int64, q WordQuery) (string, []any) {
	return `SELECT p.id FROM search_entries p WHERE p.words @@ ((('''=' || $3::text || '''')::tsquery) && to_tsquery('simple', $4::text))
 AND p.id < $1 ORDER BY p.id DESC LIMIT $2`, []any{entryMark(ws), strings.Join(q.texts(queryWord, ":*"), " & ")}
}
