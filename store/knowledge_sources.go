package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// MaxKnowledgeSources is how many sources of a workspace may be pending, and how many that are over are remembered beside those.
const MaxKnowledgeSources = 300

// The times of sources. A pending one has failed if its node is silent for SourceLease, or if nothing comes of it for SourcePatience.
const (
	SourceLease    = 2 * time.Minute
	SourcePatience = time.Hour
)

// SourceStatus tells how far a source is.
type SourceStatus string

// The statuses of a source. One that failed may be finished yet: who reads it was only out of sight.
const (
	SourcePending  SourceStatus = "pending"
	SourceFinished SourceStatus = "finished"
	SourceFailed   SourceStatus = "failed" // Detail says why
)

// KnowledgeSource is something that items are made of: by a parser of a worker, or by the hub if it names none.
type KnowledgeSource struct {
	ID        int64
	Base      int64
	Parser    string
	URL       string
	CSV, PDF  chat.FileID
	Task      string // by which its parser names it; unique
	Status    SourceStatus
	Detail    string
	CreatedAt time.Time
	UpdatedAt time.Time
}

const sourceColumns = "s.id, s.base, s.parser, s.url, s.csv, s.pdf, s.task, s.status, s.detail, s.created_at, s.updated_at"

func scanSource(r scanner) (s KnowledgeSource, err error) {
	var created, updated int64
	err = r.Scan(&s.ID, &s.Base, &s.Parser, &s.URL, &s.CSV, &s.PDF, &s.Task, &s.Status, &s.Detail, &created, &updated)
	s.CreatedAt, s.UpdatedAt = moment(created), moment(updated)
	return s, err
}

// AddKnowledgeSource stores a source with what was made of it already. Its id and times are made here.
func (s *Store) AddKnowledgeSource(ctx context.Context, ws chat.WorkspaceID, base string, src KnowledgeSource, entries []KnowledgeEntry) (KnowledgeSource, error) {
	err := s.changeBase(ctx, ws, base, func(b *baseChange) error {
		if err := b.roomForSource(ctx); err != nil {
			return err
		}
		src.Base, src.CreatedAt, src.UpdatedAt = b.ID, moment(b.now), moment(b.now)
		err := b.tx.run(ctx, []stmt{{
			sql: `INSERT INTO knowledge_sources (workspace, base, parser, url, csv, pdf, task, status, detail, lease, created_at, updated_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING id`,
			args: []any{
				b.ws, b.ID, cleanText(src.Parser), cleanText(src.URL), string(src.CSV), string(src.PDF), src.Task, string(src.Status), src.Detail,
				b.now + SourceLease.Microseconds(), b.now,
			},
			scan: func(r scanner) error { return r.Scan(&src.ID) },
		}})
		if err != nil {
			return err
		}
		for _, file := range []chat.FileID{src.CSV, src.PDF} {
			if file != "" {
				b.rest = append(b.rest, addKnowledgeFile(b.ws, KnowledgeFile{Source: src.ID, File: file}, b.now))
			}
		}
		for i := range entries {
			entries[i].Source = src.ID
			b.add(&entries[i], nil)
		}
		return nil
	})
	return src, err
}

// roomForSource forgets old sources, and refuses one more if too many are pending.
func (b *baseChange) roomForSource(ctx context.Context) error {
	err := b.tx.run(ctx, []stmt{{
		sql: `DELETE FROM knowledge_sources WHERE workspace = $1 AND status <> 'pending' AND id <= (
 SELECT id FROM knowledge_sources WHERE workspace = $1 AND status <> 'pending' ORDER BY id DESC LIMIT 1 OFFSET $2)`,
		args: []any{b.ws, MaxKnowledgeSources - 1},
	}})
	if err != nil {
		return err
	}
	return b.mayRead(ctx)
}

// mayRead refuses one more source that is pending if there are too many.
func (b *baseChange) mayRead(ctx context.Context) error {
	pending := 0
	err := b.tx.run(ctx, []stmt{{
		sql: "SELECT COUNT(*) FROM knowledge_sources WHERE workspace = $1 AND status = 'pending'", args: []any{b.ws},
		scan: func(r scanner) error { return r.Scan(&pending) },
	}})
	if err == nil && pending >= MaxKnowledgeSources {
		err = chat.Faultf(chat.CodeConflict, fmt.Sprintf("%d sources of the workspace are pending: wait until some of them are read", pending))
	}
	return err
}

// RepeatKnowledgeSource makes a source that is over pending again, under a new task and without the items that were made of it.
func (s *Store) RepeatKnowledgeSource(ctx context.Context, ws chat.WorkspaceID, base string, src KnowledgeSource, task string) (KnowledgeSource, error) {
	err := s.changeBase(ctx, ws, base, func(b *baseChange) error {
		if err := b.mayRead(ctx); err != nil {
			return err
		}
		hit := false
		err := b.tx.run(ctx, []stmt{{
			sql: `UPDATE knowledge_sources SET task = $1, status = 'pending', detail = '', lease = $2, updated_at = $3
 WHERE id = $4 AND base = $5 AND task = $6 AND status <> 'pending' RETURNING id`,
			args: []any{task, b.now + SourceLease.Microseconds(), b.now, src.ID, b.ID, src.Task},
			scan: func(scanner) error { hit = true; return nil },
		}})
		if err != nil {
			return err
		}
		if !hit {
			return chat.Faultf(chat.CodeConflict, "the source is being read: wait until that is over")
		}
		src.Task, src.Status, src.Detail, src.UpdatedAt = task, SourcePending, "", moment(b.now)
		_, err = b.drop(ctx, "base = $1 AND source = $2", b.ID, src.ID)
		return err
	})
	return src, err
}

// KnowledgeSource reads one of a workspace.
func (s *Store) KnowledgeSource(ctx context.Context, ws chat.WorkspaceID, id int64) (KnowledgeSource, error) {
	return one(ctx, s, "data source", scanSource, "SELECT "+sourceColumns+
		" FROM knowledge_sources s JOIN workspaces w ON w.id = s.workspace WHERE w.uid = $1 AND s.id = $2", string(ws), id)
}

// KnowledgeSources lists those of a workspace, the newest first, with the number of all.
func (s *Store) KnowledgeSources(ctx context.Context, ws chat.WorkspaceID, offset, limit int) ([]KnowledgeSource, int64, error) {
	const of = " FROM knowledge_sources s JOIN workspaces w ON w.id = s.workspace WHERE w.uid = $1"
	count, err := one(ctx, s, "data source", func(r scanner) (n int64, err error) { return n, r.Scan(&n) }, "SELECT COUNT(*)"+of, string(ws))
	if err != nil {
		return nil, 0, err
	}
	page, err := list(ctx, s, scanSource, "SELECT "+sourceColumns+of+" ORDER BY s.id DESC LIMIT $2 OFFSET $3", string(ws), limit, offset)
	return page, count, err
}

// EndKnowledgeSource tells what became of the source of a task. Only a pending one can fail. It is no error if there is none for which
// that is news: found tells whether there is one at all.
func (s *Store) EndKnowledgeSource(ctx context.Context, ws chat.WorkspaceID, task string, status SourceStatus, detail string) (found bool, err error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return false, err
	}
	err = s.engine.exec(ctx, stmt{
		sql: `UPDATE knowledge_sources SET
 detail = CASE WHEN status = 'finished' OR status = 'failed' AND $1 = 'failed' THEN detail ELSE $2 END,
 updated_at = CASE WHEN status = 'finished' OR status = 'failed' AND $1 = 'failed' THEN updated_at ELSE $3 END,
 status = CASE WHEN status = 'finished' THEN status ELSE $1 END
 WHERE workspace = $4 AND task = $5 RETURNING id`,
		args: []any{string(status), cleanText(detail), micros(s.now()), no, cleanText(task)},
		scan: func(scanner) error { found = true; return nil },
	})
	return found, unavailable(err)
}

// keepSource says that somebody is at pending sources.
func keepSource(where string, now int64, more ...any) stmt {
	return stmt{
		sql:  "UPDATE knowledge_sources SET updated_at = $1, lease = $2 WHERE status = 'pending' AND " + where,
		args: append([]any{now, now + SourceLease.Microseconds()}, more...),
	}
}

// KeepKnowledgeSources says that the worker of each task is there still, and gives those that are pending.
func (s *Store) KeepKnowledgeSources(ctx context.Context, tasks []string) (pending []string, err error) {
	until := micros(s.now().Add(SourceLease))
	all := make([]stmt, len(tasks))
	for i, task := range tasks {
		all[i] = stmt{
			sql: "UPDATE knowledge_sources SET lease = $1 WHERE status = 'pending' AND task = $2 RETURNING task", args: []any{until, task},
			scan: func(scanner) error { pending = append(pending, task); return nil },
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return pending, unavailable(s.engine.exec(ctx, all...))
}

// FailKnowledgeSources gives up what nobody is at any more, on all nodes.
func (s *Store) FailKnowledgeSources(ctx context.Context) error {
	now := s.now()
	const fail = "UPDATE knowledge_sources SET status = 'failed', detail = $1, updated_at = $2 WHERE status = 'pending' AND "
	return unavailable(s.engine.exec(ctx,
		stmt{sql: fail + "lease < $2", args: []any{"whoever read it has not been heard of since", micros(now)}},
		stmt{
			sql:  fail + "updated_at < $3",
			args: []any{fmt.Sprintf("nothing came of it for %v", SourcePatience), micros(now), micros(now.Add(-SourcePatience))},
		},
	))
}
