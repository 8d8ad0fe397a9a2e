//go:build unix

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// The crowd of the benchmark: agents who have as many conversations as they may, and those who wait.
const (
	crowdAgents   = 1000
	crowdCapacity = 2
	crowdWaiting  = 10_000
	crowdHands    = 64   // who accept and close at once
	crowdTurns    = 3000 // decisions that are counted
	crowdTime     = time.Minute
)

// crowd is a desk with its router in this process.
type crowd struct {
	testing.TB
	s    *store.Store
	ws   chat.WorkspaceID
	ch   chat.ChannelID
	keys atomic.Int64
	read int64 // of the log

	has    map[chat.ConversationID]string // who was offered which
	closed map[string]time.Time           // when an agent's last one was closed
	waits  []time.Duration                // from then to the next offer
}

// BenchmarkRouting measures decisions with 1,000 agents and 10,000 who wait, written to the log and read from it: an agent accepts what is
// offered and closes it, so that the next one is offered, and another customer comes.
func BenchmarkRouting(b *testing.B) {
	t := newTable("database", "decisions/s", "from closing to the next offer p50 ms")
	for _, database := range databases {
		b.Run(database, func(b *testing.B) {
			rate, p50 := routing(b, database)
			t.row(database, whole(rate), tenth(p50))
			b.ReportMetric(rate, "decisions/s")
			quiet(b)
		})
	}
	t.print("(g) Routing with 1,000 agents and 10,000 waiting")
}

// routing answers decisions a second and how long an agent with room waits for an offer, in milliseconds.
func routing(b *testing.B, database string) (rate, p50 float64) {
	b.Helper()
	at := dsn(b, database)
	if at == "" {
		at = filepath.Join(b.TempDir(), "log.db")
	}
	s, err := store.Open(b.Context(), store.Options{DSN: at, Wake: wake.Local()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := &crowd{TB: b, s: s, has: map[chat.ConversationID]string{}, closed: map[string]time.Time{}}
	c.fill()
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = (&desk.Router{Store: s}).Run(ctx) }) // it ends with ctx
	return c.work(ctx)
}

func (c *crowd) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// each does something n times, many at once.
func (c *crowd) each(n int, do func(i int) error) {
	c.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make(chan error, crowdHands)
	for range crowdHands {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	c.must(<-errs)
}

// fill makes the agents and those who wait.
func (c *crowd) fill() {
	c.Helper()
	ctx := c.Context()
	ws, err := c.s.AddWorkspace(ctx, "", "w")
	c.must(err)
	c.ws, c.ch = ws.ID, chat.ChannelID(chat.NewID())
	_, err = c.s.AddChannel(ctx, store.Channel{
		ID: c.ch, Workspace: c.ws, Connector: "simulator", Name: "c", Settings: "{}", Status: store.ChannelActive, Queue: "support",
	})
	c.must(err)
	members := make([]string, crowdAgents)
	for i := range members {
		members[i] = fmt.Sprintf("agent%04d", i)
	}
	c.each(crowdAgents, func(i int) error {
		_, err := c.s.Append(ctx, &store.PutAgent{Workspace: c.ws, Agent: store.Agent{ID: members[i], Capacity: crowdCapacity}})
		if err == nil {
			_, err = c.s.Append(ctx, &store.SetAgentState{Workspace: c.ws, Agent: members[i], State: store.AgentActive})
		}
		return err
	})
	_, err = c.s.Append(ctx, &store.PutQueue{Workspace: c.ws, Queue: store.Queue{
		Name: "support", Rule: string(desk.LeastBusy), Settings: []byte(`{"accept_seconds":86400}`), Members: members,
	}})
	c.must(err)
	c.each(crowdAgents*crowdCapacity+crowdWaiting, func(int) error { return c.come(ctx) })
}

// come is another customer.
func (c *crowd) come(ctx context.Context) error {
	n := fmt.Sprint("c", c.keys.Add(1))
	m := chat.TextMessage("help")
	_, err := c.s.Append(ctx, &store.Receive{Channel: c.ch, In: chat.Incoming{
		Key: n, Kind: chat.KindMessage, Thread: chat.Thread{Address: n}, Sender: chat.Person{Address: n}, Message: &m,
	}})
	return err
}

// work lets the agents work and counts.
func (c *crowd) work(ctx context.Context) (rate, p50 float64) {
	c.Helper()
	offers := make(chan chat.Event, crowdAgents*crowdCapacity)
	c.collect(ctx, offers, crowdAgents*crowdCapacity)                           // until everybody is asked
	for lag, err := c.s.Lag(ctx); lag[desk.Name] > 0; lag, err = c.s.Lag(ctx) { // and all who wait have been seen
		c.must(err)
		<-time.After(10 * time.Millisecond)
	}
	c.waits = nil
	end := time.Now().Add(crowdTime)
	var wg sync.WaitGroup
	for range crowdHands {
		wg.Go(func() {
			for e := range offers {
				if err := errors.Join(c.serve(ctx, e), c.come(ctx)); err != nil {
					c.Error(err)
					return
				}
			}
		})
	}
	begun, n := time.Now(), 0
	for n < crowdTurns && time.Now().Before(end) && !c.Failed() {
		n += c.collect(ctx, offers, 1)
	}
	took := time.Since(begun)
	close(offers)
	for range offers { // nobody needs them any more
	}
	wg.Wait()
	if len(c.waits) == 0 {
		c.Fatal("nobody was asked again")
	}
	return float64(n) / took.Seconds(), median(c.waits, millis)
}

// serve accepts and closes.
func (c *crowd) serve(ctx context.Context, e chat.Event) error {
	_, err := c.s.Append(ctx, &store.Accept{Workspace: c.ws, Conversation: e.Conversation, Agent: offered(e)})
	if err == nil {
		_, err = c.s.Append(ctx, &store.Place{Workspace: c.ws, Conversation: e.Conversation, To: chat.PlaceData{State: chat.StateClosed}})
	}
	return err
}

// collect reads offers from the log until there were as many.
func (c *crowd) collect(ctx context.Context, offers chan<- chat.Event, wanted int) (n int) {
	c.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for n < wanted {
		events, at, err := c.s.Log(ctx, c.ws, c.read, 500, store.LogFilter{Kinds: []chat.Kind{chat.KindOffered, chat.KindClosed}})
		c.must(err)
		c.read = at
		for _, e := range events {
			if c.note(e) {
				n++
				offers <- e
			}
		}
		if len(events) > 0 {
			continue
		}
		if time.Now().After(deadline) {
			c.Fatal("nobody is asked")
		}
		select {
		case <-ctx.Done():
			return n
		case <-time.After(time.Millisecond):
		}
	}
	return n
}

// note takes an event of the log into the figures; true for an offer.
func (c *crowd) note(e chat.Event) bool {
	if e.Kind == chat.KindClosed {
		c.closed[c.has[e.Conversation]] = e.At
		return false
	}
	agent := offered(e)
	if when, ok := c.closed[agent]; ok {
		c.waits = append(c.waits, e.At.Sub(when))
		delete(c.closed, agent)
	}
	c.has[e.Conversation] = agent
	return true
}

func offered(e chat.Event) string {
	var o chat.OfferData
	if json.Unmarshal(e.Data, &o) != nil || len(o.Agents) == 0 {
		return ""
	}
	return o.Agents[0]
}
