package bot

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// BenchmarkFollower measures how fast the runner comes through a log: b.N messages of 100 contacts, each of which a flow with one "say"
// answers, on SQLite with an fsync at every commit. The messages are in the log before the clock starts.
//
//	go test -run - -bench Follower -benchtime 20000x ./bot
func BenchmarkFollower(b *testing.B) {
	flow := `{"states":[{"name":"s","initial":true},{"name":"t","events":[{"say":"You said {{message.text}}"}]}],
		"transitions":[{"dest":"t","conditions":[{"expr":"message.text != ''"}]}]}`
	w := &world{t: b, name: "Ann", opts: store.Options{DSN: filepath.Join(b.TempDir(), "log.db"), Log: slog.New(slog.DiscardHandler)}}
	w.prepare(flow)
	b.Cleanup(w.close)
	cmds := make([]store.Command, b.N)
	for i := range cmds {
		m := chat.TextMessage("hello")
		to := fmt.Sprint("c", i%100)
		cmds[i] = &store.Receive{Channel: w.ch, In: chat.Incoming{
			Key: fmt.Sprint(i), Kind: chat.KindMessage, Thread: chat.Thread{Address: to}, Sender: chat.Person{Address: to, Name: w.name}, Message: &m,
		}}
	}
	for len(cmds) > 0 {
		part := cmds[:min(len(cmds), 1000)]
		cmds = cmds[len(part):]
		_, errs := w.s.AppendAll(b.Context(), part)
		for _, err := range errs {
			w.must(err)
		}
	}
	head, err := w.s.Workspace(b.Context(), w.ws)
	w.must(err)
	ctx, cancel := context.WithCancel(b.Context())
	w.r = &Runner{Store: w.s}
	b.ReportAllocs()
	b.ResetTimer()
	err = w.s.Follow(ctx, Name, func(tx *store.Tx, e chat.Event) error {
		if e.Pos == head.Head {
			cancel() // the batch is finished and committed
		}
		return w.r.step(tx, e)
	})
	b.StopTimer()
	w.must(err)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}
