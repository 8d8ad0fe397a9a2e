package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// A database that was empty a moment ago is read by key: what one read touches does not grow with the tables.
func TestYoungDatabaseIsReadByKey(t *testing.T) {
	const people, keys, blocksPerKey = 400, 50, 40
	s, ch := oneChannel(t, pgtest.Start(t))
	at, err := s.channelNo(t.Context(), ch)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, ch, people)
	u := s.newUnit(nil)
	for i := range int64(keys) {
		u.wantLatest(threadKey{at.ws, at.no, chat.Thread{Address: fmt.Sprint(i)}.Key()})
		u.wantConversationNo(convKey{at.ws, i + 1})
		u.wantIdentity(addressKey{at.ws, at.no, fmt.Sprint(i)})
	}
	e := s.engine.(*postgresEngine)
	for _, b := range coalesce(u.asks, e.texts) {
		if n := touched(t, e, b); n > keys*blocksPerKey {
			t.Errorf("%d blocks for %d keys: %s", n, keys, b.sql)
		}
	}
}

// fill writes until the planner has heard of it.
func fill(t *testing.T, s *Store, ch chat.ChannelID, people int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const known = "SELECT COUNT(*) FROM pg_stats WHERE attname = 'workspace' AND tablename IN ('events', 'conversations', 'contacts', 'identities')"
	for i, tables := 0, 0; tables < 4; i++ {
		var cmds []Command
		for p := range people / 4 {
			cmds = append(cmds, said(ch, i%4*people/4+p, i))
		}
		for _, err := range second(s.AppendAll(ctx, cmds)) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := s.engine.reader().QueryRowContext(ctx, known).Scan(&tables); err != nil {
			t.Fatal("the planner was told nothing:", err)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

// touched is how many blocks a statement reads.
func touched(t *testing.T, e *postgresEngine, b bundle) (blocks int) {
	t.Helper()
	rows, err := e.pool.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS) "+b.sql, b.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		// the first such line is of the whole
		if _, found, ok := strings.Cut(line, "Buffers: shared hit="); ok && blocks == 0 {
			if _, err := fmt.Sscanf(found, "%d", &blocks); err != nil {
				t.Fatal(line, err)
			}
		}
	}
	if err := rows.Err(); err != nil || blocks == 0 {
		t.Fatal("no blocks at all:", err)
	}
	return blocks
}
