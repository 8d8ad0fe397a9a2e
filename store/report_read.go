package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// ReportFilter narrows what is read of the counts.
type ReportFilter struct {
	Version int
	Queue   string
	Channel chat.ChannelID
	Queues  []string // only these; nil: all
	Measure string
}

// Counted is a sum of counts between two of the times that were asked for; Bin is the number of the first of them.
type Counted struct {
	Bin     int
	Agent   string
	Queue   string
	Measure string
	Bucket  int
	N       int64
}

// ReportCounts sums up what was counted from one of the times to the next, by measure and bucket.
func (s *Store) ReportCounts(ctx context.Context, ws chat.WorkspaceID, times []time.Time, f ReportFilter) ([]Counted, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil || len(times) < 2 {
		return nil, err
	}
	args := []any{no, f.Version}
	where := f.where(&args)
	// positions and times are numbers of ours: they may stand in the text. The text is new each time and is not kept prepared.
	bins := make([]string, len(times)-1)
	for i := range bins {
		bins[i] = fmt.Sprintf("(%d, %d, %d)", i, slotOf(times[i]), slotOf(times[i+1]))
	}
	return s.readCounts(ctx, "WITH bins (bin, since, until) AS (VALUES "+strings.Join(bins, ", ")+`)
 SELECT b.bin, '', '', r.measure, r.bucket, SUM(r.n) FROM bins b JOIN report_counts r
 ON r.workspace = $1 AND r.version = $2 AND r.slot >= b.since AND r.slot < b.until
 WHERE r.agent = ''`+where+" GROUP BY b.bin, r.measure, r.bucket ORDER BY b.bin", args...)
}

// CountsBetween sums up what was counted in a span of time, in whole slots, by agent, queue, measure and bucket. With agents it is what
// each of them did, else what is told of the queues.
func (s *Store) CountsBetween(ctx context.Context, ws chat.WorkspaceID, from, to time.Time, agents bool, f ReportFilter) ([]Counted, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	args := []any{no, f.Version, slotOf(from), slotOf(to.Add(ReportSlot - time.Microsecond))}
	of := " AND r.agent = ''"
	if agents {
		of = " AND r.agent <> ''"
	}
	return s.readCounts(ctx, `SELECT 0, r.agent, r.queue, r.measure, r.bucket, SUM(r.n) FROM report_counts r
 WHERE r.workspace = $1 AND r.version = $2 AND r.slot >= $3 AND r.slot < $4`+of+f.where(&args)+" GROUP BY r.agent, r.queue, r.measure, r.bucket", args...)
}

func (f ReportFilter) where(args *[]any) string {
	var out strings.Builder
	add := func(text string, values ...string) {
		marks := make([]string, len(values))
		for i, v := range values {
			*args = append(*args, v)
			marks[i] = fmt.Sprintf("$%d", len(*args))
		}
		fmt.Fprintf(&out, " AND "+text, strings.Join(marks, ", "))
	}
	if f.Queue != "" {
		add("r.queue = %s", f.Queue)
	}
	if f.Queues != nil {
		add("r.queue IN (%s)", append([]string{""}, f.Queues...)...)
		out.WriteString(" AND r.queue <> ''")
	}
	if f.Measure != "" {
		add("r.measure = %s", f.Measure)
	}
	if f.Channel != "" {
		add("r.channel = (SELECT x.no FROM channels x WHERE x.workspace = $1 AND x.uid = %s)", string(f.Channel))
	}
	return out.String()
}

func (s *Store) readCounts(ctx context.Context, query string, args ...any) ([]Counted, error) {
	rows, err := s.engine.reader().QueryContext(ctx, query, plain(args)...)
	if err != nil {
		return nil, unavailable(err)
	}
	return collect(rows, func(r scanner) (c Counted, err error) {
		err = r.Scan(&c.Bin, &c.Agent, &c.Queue, &c.Measure, &c.Bucket, &c.N)
		return c, err
	})
}

// Behind is how many events of a workspace a follower has not seen yet.
func (s *Store) Behind(ctx context.Context, ws chat.WorkspaceID, follower string) (int64, error) {
	return one(ctx, s, "workspace", func(r scanner) (n int64, err error) {
		err = r.Scan(&n)
		return n, err
	}, "SELECT w.head - COALESCE(f.pos, 0) FROM workspaces w LEFT JOIN followers f ON f.workspace = w.id AND f.name = $2 WHERE w.uid = $1",
		string(ws), follower)
}
