package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// What one transaction has read or written is there for the next, however many want the workspace at once: a conversation that goes on
// is read no more.
func TestBusyConversationsStayWarm(t *testing.T) {
	for name, dsn := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "db"), "PostgreSQL": pgtest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			const people, messages = 8, 40
			reads := talkAtOnce(t, dsn, people, messages)
			if reads > 4*people {
				t.Errorf("%d conversations of %d messages each were read %d times", people, messages, reads)
			}
		})
	}
}

// talkAtOnce lets people write while a follower answers each message, and counts how often a conversation is read.
func talkAtOnce(t *testing.T, dsn string, people, messages int) int64 {
	ctx, stop := context.WithCancel(t.Context())
	s, ch := oneChannel(t, dsn)
	var reads atomic.Int64
	s.engine = countingEngine{s.engine, &reads}
	var answers sync.WaitGroup
	answers.Add(people * messages)
	var all sync.WaitGroup
	all.Go(func() {
		err := s.Follow(ctx, "f", func(tx *Tx, e chat.Event) error {
			if e.Kind != chat.KindMessage {
				return nil
			}
			defer answers.Done()
			_, err := tx.Append(&Record{Workspace: tx.Workspace(), Conversation: e.Conversation, Kind: chat.KindFlowStep})
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	for p := range people {
		all.Go(func() {
			for i := range messages {
				if _, err := s.Append(ctx, said(ch, p, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	answers.Wait()
	stop()
	all.Wait()
	return reads.Load()
}

// oneChannel opens a database with one channel.
func oneChannel(t *testing.T, dsn string) (*Store, chat.ChannelID) {
	t.Helper()
	s, err := Open(t.Context(), Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ws, err := s.AddWorkspace(t.Context(), "", "w")
	if err != nil {
		t.Fatal(err)
	}
	ch, err := s.AddChannel(t.Context(), Channel{Workspace: ws.ID, Connector: "sim", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return s, ch.ID
}

// said is the i-th message of a person.
func said(ch chat.ChannelID, person, i int) *Receive {
	return &Receive{Channel: ch, In: chat.Incoming{
		Key: fmt.Sprintf("%d.%d", person, i), Kind: chat.KindMessage, Thread: chat.Thread{Address: fmt.Sprint(person)},
		Message: &chat.Message{Stack: []chat.Element{chat.Plain("hi")}},
	}}
}

// countingEngine counts how many conversations transactions read.
type countingEngine struct {
	engine
	reads *atomic.Int64
}

func (e countingEngine) begin(ctx context.Context) (writeTx, error) {
	tx, err := e.engine.begin(ctx)
	return countingTx{tx, e.reads}, err
}

type countingTx struct {
	writeTx
	reads *atomic.Int64
}

func (t countingTx) run(ctx context.Context, list []stmt) error {
	for _, q := range list {
		if strings.Contains(q.sql, "FROM conversations c") {
			t.reads.Add(1)
		}
	}
	return t.writeTx.run(ctx, list)
}
