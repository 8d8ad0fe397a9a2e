package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// world is a workspace with one channel, whose conversations wait in the queue "support".
type world struct {
	testing.TB
	*store.Store
	opts   store.Options
	ws     chat.WorkspaceID
	ch     chat.ChannelID
	n      int
	r      *Router
	setUp  func(*Router)
	ahead  atomic.Int64 // of the time of day
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(w *world)) {
	t.Helper()
	for name, dsn := range map[string]func() string{
		"SQLite":     func() string { return storetest.SQLite(t) },
		"PostgreSQL": func() string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{TB: t}
			now := func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }
			w.opts = store.Options{DSN: dsn(), Routes: Routes(), Wake: wake.Local(), Lease: 2 * time.Second, Sweep: 50 * time.Millisecond, Now: now}
			w.open()
			t.Cleanup(w.close)
			ws, err := w.AddWorkspace(t.Context(), "", "w")
			w.must(err)
			w.ws, w.ch = ws.ID, chat.ChannelID(chat.NewID())
			_, err = w.AddChannel(t.Context(), store.Channel{
				ID: w.ch, Workspace: w.ws, Connector: "simulator", Name: "c", Settings: "{}", Status: store.ChannelActive, Queue: "support",
			})
			w.must(err)
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

func (w *world) open() {
	s, err := store.Open(context.Background(), w.opts)
	w.must(err)
	w.Store = s
}

func (w *world) close() {
	w.stop()
	_ = w.Close()
}

func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.r = &Router{Store: w.Store, Tick: 20 * time.Millisecond}
	if w.setUp != nil {
		w.setUp(w.r)
	}
	w.wg.Go(func() { _ = w.r.Run(ctx) })
}

func (w *world) stop() {
	if w.cancel != nil {
		w.cancel()
		w.wg.Wait()
		w.cancel = nil
	}
}

// crash ends the program and starts it again.
func (w *world) crash() {
	w.close()
	w.open()
	w.start()
}

// later lets time pass. What has to happen in a while happens then, and not while the machine is busy with something else.
func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) do(cmd store.Command) {
	w.Helper()
	_, err := w.Append(context.Background(), cmd)
	w.must(err)
}

func (w *world) queue(rule Rule, settings Settings, members ...string) {
	w.Helper()
	raw, err := json.Marshal(settings)
	w.must(err)
	w.do(&store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: "support", Rule: string(rule), Settings: raw, Members: members}})
}

// agent adds an active agent.
func (w *world) agent(id string, capacity int) {
	w.Helper()
	w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: id, Capacity: capacity}})
	w.state(id, store.AgentActive)
}

func (w *world) state(id, state string) {
	w.Helper()
	w.do(&store.SetAgentState{Workspace: w.ws, Agent: id, State: state})
}

// customer writes; the conversation is found or begun.
func (w *world) customer(who string) chat.ConversationID {
	w.Helper()
	w.n++
	m := chat.TextMessage("help")
	res, err := w.Append(context.Background(), &store.Receive{Channel: w.ch, In: chat.Incoming{
		Key: fmt.Sprint("k", w.n), Kind: chat.KindMessage, Thread: chat.Thread{Address: who}, Sender: chat.Person{Address: who}, Message: &m,
	}})
	w.must(err)
	return res.Events[0].Conversation
}

func (w *world) accept(conv chat.ConversationID, agent string) error {
	_, err := Accept(context.Background(), w.Store, Claim{Workspace: w.ws, Conversation: conv, Agent: agent, By: chat.Party{Type: chat.PartyAgent, ID: agent}})
	return err
}

func (w *world) place(conv chat.ConversationID, to chat.PlaceData) {
	w.Helper()
	w.do(&store.Place{Workspace: w.ws, Conversation: conv, To: to})
}

// offered is whom a conversation is offered to now.
func (w *world) offered(conv chat.ConversationID) []string {
	w.Helper()
	list, err := w.Waiting(context.Background(), w.ws)
	w.must(err)
	for _, x := range list {
		if x.Conversation == conv {
			return x.Agents
		}
	}
	return nil
}

// isOffered waits until a conversation is offered to just these.
func (w *world) isOffered(conv chat.ConversationID, to ...string) {
	w.Helper()
	w.until(func() (bool, string) {
		got := w.offered(conv)
		return slices.Equal(got, to) || len(got)+len(to) == 0, fmt.Sprintf("offered to %v, want %v", got, to)
	})
}

// until polls for a condition.
func (w *world) until(ok func() (bool, string)) {
	w.Helper()
	deadline := time.After(time.Minute)
	for pause := time.Millisecond; ; pause = min(2*pause, 30*time.Millisecond) {
		good, why := ok()
		if good {
			return
		}
		select {
		case <-deadline:
			w.Fatal("never: " + why)
		case <-time.After(pause):
		}
	}
}

// settled waits until the router has read the whole log.
func (w *world) settled() {
	w.Helper()
	w.until(func() (bool, string) {
		lag, err := w.Lag(context.Background())
		return err == nil && lag[Name] == 0, fmt.Sprint("behind by ", lag[Name], err)
	})
}
