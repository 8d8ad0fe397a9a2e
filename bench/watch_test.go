//go:build unix

package bench

import (
	"bytes"
	"maps"
	"runtime"
	"strings"
	"sync"
	"time"
)

// watch looks at what the committer is doing, forty times a second: a CPU profile does not show how long it waits. Each look stops
// the program for a moment, so nothing else is measured meanwhile.
type watch struct {
	mu   sync.Mutex
	seen map[string]int
	quit chan struct{}
	done chan struct{}
}

func (w *watch) start() {
	w.seen, w.quit, w.done = map[string]int{}, make(chan struct{}), make(chan struct{})
	go w.run()
}

func (w *watch) stop() {
	close(w.quit)
	<-w.done
}

func (w *watch) counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.seen)
}

func (w *watch) run() {
	defer close(w.done)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	text := make([]byte, 8<<20)
	for {
		select {
		case <-w.quit:
			return
		case <-tick.C:
		}
		n := runtime.Stack(text, true)
		for block := range bytes.SplitSeq(text[:n], []byte("\n\n")) {
			if bytes.Contains(block, []byte("store.(*Store).commitLoop(")) {
				w.mu.Lock()
				w.seen[committerDoes(string(block))]++
				w.mu.Unlock()
			}
		}
	}
}

// committerActs are the parts of the committer's work, by what its stack holds; the first that fits counts.
var committerActs = []struct{ name, part string }{
	{"fsync", "libc.Xfsync"},
	{"fsync", "libc.Xfdatasync"},
	{"writes the database's files", "libc.Xpwrite"},
	{"waits for PostgreSQL", "internal/poll.(*FD).Read("},
	{"SQL", "modernc.org/sqlite"},
	{"SQL", "jackc/pgx"},
	{"SQL", "database/sql"},
	{"JSON", "encoding/json"},
	{"rules and bookkeeping", "store.(*Store).commitBatch("},
}

func committerDoes(stack string) string {
	for _, a := range committerActs {
		if strings.Contains(stack, a.part) {
			return a.name
		}
	}
	return "waits for messages"
}
