package report

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// world is a workspace with two channels and a clock that the test moves; a keeper counts.
type world struct {
	testing.TB
	*store.Store
	ws       chat.WorkspaceID
	channels []chat.ChannelID
	n        int
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	begun time.Time // of a slot
	mu    sync.Mutex
	now   time.Time
}

func onBoth(t *testing.T, test func(w *world)) {
	t.Helper()
	for name, dsn := range map[string]func() string{
		"SQLite":     func() string { return storetest.SQLite(t) },
		"PostgreSQL": func() string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Date(2026, 3, 28, 21, 0, 0, 0, time.UTC)
			w := &world{TB: t, begun: begun, now: begun.Add(7 * time.Minute)}
			s, err := store.Open(context.Background(), store.Options{DSN: dsn(), Wake: wake.Local(), Now: w.clock, Sweep: 50 * time.Millisecond})
			w.must(err)
			w.Store = s
			t.Cleanup(func() {
				w.stop()
				_ = s.Close()
			})
			ws, err := w.AddWorkspace(t.Context(), "", "w")
			w.must(err)
			w.ws = ws.ID
			for range 2 {
				id := chat.ChannelID(chat.NewID())
				_, err = w.AddChannel(t.Context(), store.Channel{
					ID: id, Workspace: w.ws, Connector: "simulator", Name: "c", Settings: "{}", Status: store.ChannelActive, Queue: "support",
				})
				w.must(err)
				w.channels = append(w.channels, id)
			}
			w.start()
			test(w)
		})
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.wg.Go(func() {
		if err := (&Keeper{Store: w.Store, Every: 10 * time.Millisecond}).Run(ctx); err != nil {
			w.Error(err)
		}
	})
}

func (w *world) stop() {
	if w.cancel != nil {
		w.cancel()
		w.wg.Wait()
		w.cancel = nil
	}
}

func (w *world) do(cmd store.Command) {
	w.Helper()
	_, err := w.Append(context.Background(), cmd)
	w.must(err)
}

// customer writes on a channel; the conversation is found or begun.
func (w *world) customer(channel int, who string) chat.ConversationID {
	w.Helper()
	w.n++
	m := chat.TextMessage("help")
	res, err := w.Append(context.Background(), &store.Receive{Channel: w.channels[channel], In: chat.Incoming{
		Key: fmt.Sprint("k", w.n), Kind: chat.KindMessage, Thread: chat.Thread{Address: who}, Sender: chat.Person{Address: who}, Message: &m,
	}})
	w.must(err)
	return res.Events[0].Conversation
}

func (w *world) say(conv chat.ConversationID, by chat.PartyType, id string) store.Command {
	return &store.Post{Workspace: w.ws, Conversation: conv, Kind: chat.KindMessage, Sender: chat.Party{Type: by, ID: id}, Message: chat.TextMessage("yes")}
}

func (w *world) place(conv chat.ConversationID, to chat.PlaceData) store.Command {
	return &store.Place{Workspace: w.ws, Conversation: conv, To: to}
}

// settled waits until everything is counted.
func (w *world) settled() {
	w.Helper()
	deadline := time.After(60 * time.Second)
	for {
		n, err := w.Behind(context.Background(), w.ws, Follower())
		w.must(err)
		if n == 0 {
			return
		}
		select {
		case <-deadline:
			w.Fatal("behind by ", n)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
