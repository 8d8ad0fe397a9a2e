//go:build unix

package bench

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkGround measures what the machine gives: how long the disk takes to make 32 kB durable, the size of a small group commit.
func BenchmarkGround(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 32<<10)
	var took []time.Duration
	for b.Loop() {
		if _, err := f.WriteAt(block, int64(len(took)%128*len(block))); err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	o := outcome{latencies: took}
	b.ReportMetric(millis(o.quantile(.5)), "fsync-p50-ms")
	b.ReportMetric(millis(o.quantile(.99)), "fsync-p99-ms")
}
