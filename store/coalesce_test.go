package store

import (
	"sync"
	"testing"
)

func TestMergedText(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{
			"select", "SELECT c.no FROM conversations c WHERE c.workspace = $1 AND c.thread = $2 ORDER BY c.no DESC LIMIT 1",
			"SELECT v.i, q.* FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS v(p1, p2, i) CROSS JOIN LATERAL " +
				"(SELECT c.no FROM conversations c WHERE c.workspace = v.p1 AND c.thread = v.p2 ORDER BY c.no DESC LIMIT 1 OFFSET 0) AS q",
		},
		{
			"insert", "INSERT INTO payloads (workspace, short) VALUES ($1, $2) ON CONFLICT (workspace, short) DO NOTHING",
			"INSERT INTO payloads (workspace, short) SELECT v.p1, v.p2 FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS v(p1, p2, i) " +
				"ORDER BY v.i ON CONFLICT (workspace, short) DO NOTHING",
		},
		{
			"update", "UPDATE channels SET last_seq = $1 WHERE name = $2",
			"UPDATE channels SET last_seq = v.p1 FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS v(p1, p2, i) WHERE name = v.p2",
		},
		{
			"delete", "DELETE FROM jobs WHERE workspace = $1 AND work = $2",
			"DELETE FROM jobs USING unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS v(p1, p2, i) WHERE workspace = v.p1 AND work = v.p2",
		},
	} {
		if got := mergedText(c.sql, []string{"bigint[]", "text[]"}); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Texts keep the order of their first ones; what locks, returns or cannot be told apart is left alone.
func TestCoalesceGroups(t *testing.T) {
	scan := func(scanner) error { return nil }
	lock := stmt{sql: "SELECT id FROM workspaces WHERE id = $1 FOR UPDATE", args: []any{int64(1)}, scan: scan}
	read := stmt{sql: "SELECT no FROM channels WHERE no = $1", args: []any{int64(2)}, scan: scan}
	write := stmt{sql: "UPDATE channels SET last_seq = $1 WHERE no = $2", args: []any{int64(1), int64(2)}}
	returning := stmt{sql: "UPDATE channels SET last_seq = $1 WHERE no = $2 RETURNING no", args: []any{int64(1), int64(2)}, scan: scan}
	got := coalesce([]stmt{lock, lock, read, write, read, returning, write, returning}, &sync.Map{})
	var sizes []int
	for _, b := range got {
		sizes = append(sizes, len(b.parts))
	}
	want := []int{1, 1, 2, 2, 1, 1}
	if len(sizes) != len(want) {
		t.Fatalf("groups of %v, want %v", sizes, want)
	}
	for i := range want {
		if sizes[i] != want[i] {
			t.Fatalf("groups of %v, want %v", sizes, want)
		}
	}
}

// A column of texts keeps NULL apart from the empty text.
func TestColumnKeepsNull(t *testing.T) {
	got, kind := column([]stmt{{args: []any{nil}}, {args: []any{""}}, {args: []any{"a\x00"}}}, 0)
	texts, ok := got.([]*string)
	if kind != "text[]" || !ok || texts[0] != nil || *texts[1] != "" || *texts[2] != "a\uFFFD" {
		t.Errorf("%s %v", kind, texts)
	}
}
