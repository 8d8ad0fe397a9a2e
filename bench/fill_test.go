//go:build unix

package bench

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of fill
	_ "modernc.org/sqlite"             // the driver of fill

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// perConversation is how many events each conversation of a filled log has.
const perConversation = 100

// fill puts n events into a new log, past the store: the database makes the rows itself, with the columns of
// store/migrations, and builds the two indexes afterwards. The conversations' events are spread evenly over the log: event seq of
// conversation c has position (seq-1)*conversations + c. Only what reading needs is there, no jobs and no identities. It answers
// the ids of the conversations.
func fill(tb testing.TB, dsn string, n int) (*store.Store, chat.WorkspaceID, []chat.ConversationID) {
	tb.Helper()
	s, ws, ch := emptyLog(tb, dsn)
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	driver, source, numbers := "sqlite", "file:"+dsn+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-262144)",
		"WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %d)"
	if isPostgres(dsn) {
		driver, source, numbers = "pgx", dsn, "WITH g AS (SELECT n FROM generate_series(1, %d) AS g(n))"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	conversations := n / perConversation
	for _, q := range fillSteps(numbers, n, conversations, ch) {
		if _, err := db.ExecContext(tb.Context(), q); err != nil {
			tb.Fatalf("%v\n%s", err, q)
		}
	}
	return openLog(tb, dsn), ws, conversationIDs(conversations)
}

func conversationIDs(n int) []chat.ConversationID {
	ids := make([]chat.ConversationID, n)
	for i := range ids {
		ids[i] = chat.ConversationID(fmt.Sprintf("019abcde-0000-7000-8000-%012d", i+1))
	}
	return ids
}

// fillSteps are the statements of fill.
func fillSteps(numbers string, n, conversations int, channel chat.ChannelID) []string {
	const padded = `SUBSTR('000000000000' || CAST(n AS TEXT), LENGTH(CAST(n AS TEXT)) + 1, 12)`
	body := fmt.Sprintf(`{"channel":"%s","direction":"in","sender":{"type":"contact","id":"1000000042","name":"Robin Sample"},"message":{"stack":[`+
		`{"type":"text","payload":{"content":"hello there, is my order on its way? It should have come on Monday"}}]},`+
		`"action":"019abcde-1111-7111-8111-0123456789ab","sent_at":"2025-11-21T04:00:00Z"}`, channel)
	conv := fmt.Sprintf("(1 + (n - 1) / %d)", perConversation)
	seq := fmt.Sprintf("(1 + (n - 1) %% %d)", perConversation)
	pos := fmt.Sprintf("((n - 1) %% %d * %d + 1 + (n - 1) / %d)", perConversation, conversations, perConversation)
	return []string{
		"DROP INDEX events_pos",
		"DROP INDEX events_once",
		`INSERT INTO contacts (workspace, no, uid, name, created_at, updated_at) ` + fmt.Sprintf(numbers, conversations) +
			` SELECT 1, n, '019abcde-2222-7000-8000-' || ` + padded + `, 'Robin Sample', 1, 1 FROM g`,
		`INSERT INTO conversations (workspace, no, uid, channel, contact, thread, thread_body, state, last_seq, unread, preview, opened_at, updated_at) ` +
			fmt.Sprintf(numbers, conversations) + ` SELECT 1, n, '019abcde-0000-7000-8000-' || ` + padded + `, 1, n, CAST(n AS TEXT), '{}', 'queued', ` +
			fmt.Sprint(perConversation) + `, 1, 'hello there', 1, 1763697600000000 + n FROM g`,
		`INSERT INTO events (workspace, conversation, seq, pos, kind, at, status, external_id, once_key, body) ` + fmt.Sprintf(numbers, n) +
			` SELECT 1, ` + conv + `, ` + seq + `, ` + pos + `, 'message', 1763697600000000 + ` + pos + `, 'received', CAST(` + pos + ` AS TEXT), 'c1:u' || CAST(` + pos +
			` AS TEXT), '` + body + `' FROM g`,
		fmt.Sprintf("UPDATE workspaces SET head = %d, last_conversation = %d, last_contact = %d", n, conversations, conversations),
		"CREATE UNIQUE INDEX events_pos ON events (workspace, pos)",
		"CREATE UNIQUE INDEX events_once ON events (workspace, once_key) WHERE once_key IS NOT NULL",
		"ANALYZE",
	}
}

func isPostgres(dsn string) bool { return len(dsn) > 8 && dsn[:8] == "postgres" }

// emptyLog makes a workspace with one channel.
func emptyLog(tb testing.TB, dsn string) (*store.Store, chat.WorkspaceID, chat.ChannelID) {
	tb.Helper()
	s := openLog(tb, dsn)
	ws, err := s.AddWorkspace(tb.Context(), "", "bench")
	if err != nil {
		tb.Fatal(err)
	}
	ch, err := s.AddChannel(tb.Context(), store.Channel{Workspace: ws.ID, Connector: "simulator", Name: "bench"})
	if err != nil {
		tb.Fatal(err)
	}
	return s, ws.ID, ch.ID
}

func openLog(tb testing.TB, dsn string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Options{DSN: dsn, Wake: wake.Local()})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// largeFolder is where a filled SQLite database goes: ten million events take 8 GB, so BENCH_DIR may name a disk that has room.
// It is emptied after the benchmark.
func largeFolder(tb testing.TB) string {
	tb.Helper()
	root := os.Getenv("BENCH_DIR")
	if root == "" {
		return tb.TempDir()
	}
	dir, err := os.MkdirTemp(root, "dragoman-bench-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func sqlitePath(tb testing.TB) string { return filepath.Join(largeFolder(tb), "dragoman.db") }
