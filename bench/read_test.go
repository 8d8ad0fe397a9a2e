//go:build unix

package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// large tells whether the sizes that need gigabytes and minutes are wanted: BENCH_LARGE=1.
func large() bool {
	yes, _ := strconv.ParseBool(os.Getenv("BENCH_LARGE"))
	return yes
}

// BenchmarkRead reads the last 50 events of a conversation, a random one each time, from logs of different lengths. "First touch" is
// the first reading of each conversation after the store was opened, from the operating system's cache or the disk.
func BenchmarkRead(b *testing.B) {
	t := newTable("database", "events stored", "conversations", "p50 µs", "p99 µs", "first touch p50 µs", "first touch p99 µs", "newest page of the list µs", "loaded in s")
	sizes := []int{10_000, 1_000_000}
	if large() {
		sizes = append(sizes, 10_000_000)
	}
	for _, d := range databases {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/events=%d", d, n), func(b *testing.B) { read(b, d, n, t) })
		}
	}
	t.print("last 50 events of a conversation; " + machine())
}

// reads is how many readings one figure comes from.
const reads = 2000

func read(b *testing.B, database string, n int, t *table) {
	address := dsn(b, database)
	if address == "" {
		address = sqlitePath(b)
	}
	begin := time.Now()
	s, ws, ids := fill(b, address, n)
	defer s.Close()
	loaded := time.Since(begin)
	touched := rand.Perm(len(ids))
	touched = touched[:min(len(touched), reads)]
	first := make([]time.Duration, 0, reads)
	for _, i := range touched {
		first = append(first, lastEvents(b, s, ws, ids[i]))
	}
	again := make([]time.Duration, 0, reads)
	for range reads {
		again = append(again, lastEvents(b, s, ws, ids[touched[rand.IntN(len(touched))]]))
	}
	lists := make([]time.Duration, 0, 50)
	for range cap(lists) {
		begin := time.Now()
		if found, _, err := s.Conversations(b.Context(), ws, store.ConversationFilter{Limit: 50}); err != nil || len(found) != 50 {
			b.Fatalf("%d conversations, %v", len(found), err)
		}
		lists = append(lists, time.Since(begin))
	}
	us := func(list []time.Duration, q float64) string {
		slices.Sort(list)
		return whole(float64(outcome{latencies: list}.quantile(q).Nanoseconds()) / 1e3)
	}
	t.row(database, n, len(ids), us(again, .5), us(again, .99), us(first, .5), us(first, .99), us(lists, .5), tenth(loaded.Seconds()))
	for b.Loop() {
		lastEvents(b, s, ws, ids[rand.IntN(len(ids))])
	}
}

func lastEvents(b *testing.B, s *store.Store, ws chat.WorkspaceID, id chat.ConversationID) time.Duration {
	begin := time.Now()
	events, err := s.LastEvents(b.Context(), ws, id, 0, 50)
	took := time.Since(begin)
	if err != nil || len(events) != 50 || events[49].Seq != perConversation {
		b.Fatalf("%d events of %s: %v", len(events), id, err)
	}
	return took
}
