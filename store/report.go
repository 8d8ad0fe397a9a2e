package store

import (
	"cmp"
	"slices"
	"time"
)

// ReportSlot is the grain of the counts of reports: local days begin at a quarter of an hour everywhere.
const ReportSlot = 15 * time.Minute

// Count is something that happened so many times.
type Count struct {
	At      time.Time `json:"t"`
	Queue   string    `json:"q,omitempty"`
	Agent   string    `json:"a,omitempty"` // who did it; empty: it is told of the queue and the channel
	Measure string    `json:"m"`
	Bucket  int       `json:"b,omitempty"` // of a duration
	N       int64     `json:"n"`
}

// countKey is a row of report_counts.
type countKey struct {
	ws, version, slot int64
	queue             string
	channel           int64
	agent, measure    string
	bucket            int64
}

// Count adds to the counts of the event's channel, in a version of the projection.
func (t *Tx) Count(version int, list ...Count) error {
	conv, err := t.u.conversationNo(t.ctx, convKey{t.ws, t.conv})
	if err != nil {
		return err
	}
	if t.u.counts == nil {
		t.u.counts = map[countKey]int64{}
	}
	for _, c := range list {
		t.u.counts[countKey{
			ws: t.ws, version: int64(version), slot: slotOf(c.At), queue: c.Queue, channel: conv.channel, agent: c.Agent,
			measure: c.Measure, bucket: int64(c.Bucket),
		}] += c.N
	}
	return nil
}

func slotOf(t time.Time) int64 { return floorDiv(t.UnixMicro(), ReportSlot.Microseconds()) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// flushCounts adds what was counted.
func (u *unit) flushCounts() []stmt {
	keys := make([]countKey, 0, len(u.counts))
	for k, n := range u.counts {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareCounts)
	out := make([]stmt, len(keys))
	for i, k := range keys {
		out[i] = stmt{
			sql: `INSERT INTO report_counts (workspace, version, slot, queue, channel, agent, measure, bucket, n)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
 ON CONFLICT (workspace, version, slot, queue, channel, agent, measure, bucket) DO UPDATE SET n = report_counts.n + excluded.n`,
			args: []any{k.ws, k.version, k.slot, k.queue, k.channel, k.agent, k.measure, k.bucket, u.counts[k]},
		}
	}
	return out
}

func compareCounts(a, b countKey) int {
	return cmp.Or(
		cmp.Compare(a.ws, b.ws), cmp.Compare(a.version, b.version), cmp.Compare(a.slot, b.slot), cmp.Compare(a.queue, b.queue),
		cmp.Compare(a.channel, b.channel), cmp.Compare(a.agent, b.agent), cmp.Compare(a.measure, b.measure), cmp.Compare(a.bucket, b.bucket),
	)
}
