//go:build unix

package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/rpc"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/sdk/worker"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// plainFlow does by itself what the worker's flow asks a worker for: one condition and one answer a message.
const plainFlow = `{"states":[{"name":"s","initial":true},{"name":"t","events":[{"say":"re {{message.text}}"}]}],
 "transitions":[{"dest":"t","conditions":[{"expr":"1"}]}]}`

const (
	turnRate   = 100 // a second
	turnPeople = 50
	turnTime   = 5 * time.Second
	turnRounds = 3
)

// BenchmarkWorker measures what a worker costs: the time of a turn, from the message until the platform has the answer, with a condition
// and an event at a worker beside that of the same turn without one, and how many calls a second one worker's socket carries. The worker
// is a Go one on loopback, in this process, so that the CPU of a turn is that of all of them together.
func BenchmarkWorker(b *testing.B) {
	w := newWorkshop(b)
	t := newTable("flow", "turns/s", "p50 ms", "p99 ms", "CPU µs")
	rounds := map[string][]outcome{}
	for range turnRounds {
		for _, flow := range []string{"plain", "asking"} {
			rounds[flow] = append(rounds[flow], w.turns(b, flow))
		}
	}
	p99 := map[string]float64{}
	for _, flow := range []string{"plain", "asking"} {
		p50 := median(rounds[flow], func(o outcome) float64 { return millis(o.quantile(.5)) })
		p99[flow] = median(rounds[flow], func(o outcome) float64 { return millis(o.quantile(.99)) })
		rate := median(rounds[flow], outcome.perSecond)
		cpu := median(rounds[flow], func(o outcome) float64 { return float64(o.own.Microseconds()) / float64(o.n) })
		t.row(flow, whole(rate), tenth(p50), tenth(p99[flow]), whole(cpu))
	}
	slices.Sort(w.late)
	late := outcome{latencies: w.late}
	t.row("of that until the message's goroutine runs", "", tenth(millis(late.quantile(.5))), tenth(millis(late.quantile(.99))), "")
	calls := w.calls(b)
	for _, c := range []struct {
		name string
		o    outcome
	}{{"one call at a time", calls[0]}, {"64 at a time", calls[1]}} {
		t.row(c.name+", calls alone", whole(c.o.perSecond()), fmt.Sprintf("%.2f", millis(c.o.quantile(.5))), fmt.Sprintf("%.2f", millis(c.o.quantile(.99))), "")
	}
	t.print("turns at 100 a second, without and with a worker (condition and event); calls of a worker; " + machine())
	b.ReportMetric(calls[1].perSecond(), "calls/s")
	b.ReportMetric(millis(calls[0].quantile(.99)), "call-p99-ms")
	b.ReportMetric(p99["asking"]-p99["plain"], "added-p99-ms")
	quiet(b)
}

// workshop is a hub with a worker.
type workshop struct {
	store    *store.Store
	server   *rpc.Server
	ws       chat.WorkspaceID
	channels map[string]chat.ChannelID
	round    int // each has people of its own, so that conversations stay short
	n        atomic.Int64

	mu        sync.Mutex
	since     map[string]time.Time // by address: who waits for an answer
	latencies []time.Duration
	late      []time.Duration // how long a goroutine waited for a processor, at each message
	heard     atomic.Int64
}

// platform answers at once and takes the time.
func (w *workshop) platform() connector.Platform {
	return connector.Platform{
		Name: "ear", Title: "Ear", Shapes: []connector.Connector{ear{}},
		Open: func(context.Context, connector.Env) (connector.Connector, error) { return ear{w}, nil },
	}
}

type ear struct{ w *workshop }

func (e ear) Send(_ context.Context, p connector.Part) (connector.Sent, error) {
	now := time.Now()
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	if at, ok := e.w.since[p.Thread.Address]; ok {
		delete(e.w.since, p.Thread.Address)
		e.w.latencies = append(e.w.latencies, now.Sub(at))
	}
	return connector.Sent{ID: fmt.Sprint(e.w.heard.Add(1))}, nil
}

// waiting is how many have no answer yet.
func (w *workshop) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.since)
}

func newWorkshop(b *testing.B) *workshop {
	b.Helper()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	w := &workshop{channels: map[string]chat.ChannelID{}, since: map[string]time.Time{}}
	bus, log := wake.Local(), slog.New(slog.DiscardHandler)
	s, err := store.Open(b.Context(), store.Options{DSN: filepath.Join(b.TempDir(), "log.db"), Routes: append(hub.Routes(), bot.Routes()...), Wake: bus, Log: log})
	check(err)
	blobs, err := blob.Dir(b.TempDir())
	check(err)
	keys, err := secret.NewKeyring(make([]byte, secret.KeySize))
	check(err)
	h := hub.New(hub.Options{
		Store: s, Blobs: blobs, Wake: bus, Secrets: keys, Platforms: []connector.Platform{w.platform()}, HTTP: http.DefaultClient, Random: rand.Reader,
		Now: time.Now, Log: log, Meter: telemetry.NewMetrics(),
	})
	w.store = s
	w.server = rpc.New(rpc.Options{Store: s, Channels: h, Wake: bus, Now: time.Now, Log: log, Limits: rpc.Limits{Rate: 1 << 30}})
	mux := http.NewServeMux()
	w.server.Mount(mux)
	front := httptest.NewServer(mux)
	ws, err := s.AddWorkspace(b.Context(), "", "w")
	check(err)
	w.ws = ws.ID
	token, hash := secret.NewToken("drg")
	_, err = s.AddToken(b.Context(), store.Token{Workspace: w.ws, Name: "w", Hash: hex.EncodeToString(hash[:]), Scopes: []string{rpc.ScopeWorker}})
	check(err)
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	var wg sync.WaitGroup
	bots := &bot.Runner{Store: s, Log: log}
	wg.Go(func() { _ = h.Run(ctx) })
	wg.Go(func() { _ = bots.Run(ctx) })
	wg.Go(func() { _ = bots.RunCalls(ctx, w.server.Call) })
	wg.Go(func() { _ = w.server.Run(ctx) })
	wg.Go(func() {
		_ = (&worker.Worker{URL: front.URL, Token: token, Flow: asking(), Logger: log, Concurrency: 64}).Run(ctx)
	})
	b.Cleanup(func() {
		stop()
		wg.Wait()
		front.Close()
		check(s.Close())
		check(blobs.Close())
	})
	_, err = s.PutFlow(b.Context(), w.ws, "plain", json.RawMessage(plainFlow))
	check(err)
	for _, err = s.Flow(b.Context(), w.ws, "asking", 0); err != nil; _, err = s.Flow(b.Context(), w.ws, "asking", 0) {
		<-time.After(10 * time.Millisecond)
	}
	for _, flow := range []string{"plain", "asking"} {
		ch, err := h.AddChannel(b.Context(), w.ws, hub.ChannelInput{Connector: "ear", Name: flow, Flow: flow})
		check(err)
		w.channels[flow] = ch.ID
	}
	return w
}

// asking is the flow that asks its worker for everything.
func asking() *worker.Flow {
	return &worker.Flow{
		Name: "asking", States: []worker.State{{Name: "s", Initial: true}, {Name: "t", Events: []string{"answer"}}},
		Transitions: []worker.Transition{{Dest: "t", Conditions: []string{"always"}}},
		Conditions: map[string]worker.Condition{
			"always": func(context.Context, *worker.Conversation) (float64, any, error) { return 1, nil, nil },
		},
		Events: map[string][]worker.Event{"answer": {func(_ context.Context, c *worker.Conversation, yield worker.Yield) error {
			return yield(worker.Text{Content: "re " + c.Text()})
		}}},
	}
}

// write lets somebody write and gives the conversation.
func (w *workshop) write(b *testing.B, flow, who string) chat.ConversationID {
	n := fmt.Sprint(w.n.Add(1))
	m := chat.TextMessage("hello")
	res, err := w.store.Append(b.Context(), &store.Receive{Channel: w.channels[flow], Action: chat.ActionID(n), In: chat.Incoming{
		Key: n, ID: n, Kind: chat.KindMessage, Thread: chat.Thread{Address: who}, Sender: chat.Person{Address: who}, Message: &m,
	}})
	if err != nil {
		b.Error(err)
		return ""
	}
	return res.Events[0].Conversation
}

// turns lets people write at a steady pace, whether the hub keeps up or not, and takes the time until the platform has the answer.
func (w *workshop) turns(b *testing.B, flow string) outcome {
	b.Helper()
	w.round++
	who := func(i int) string { return fmt.Sprint(flow, w.round, ".", i%turnPeople) }
	for i := range turnPeople {
		w.write(b, flow, who(i)) // the flow begins with it, and answers the next one
	}
	w.latencies = nil
	begun, before := time.Now(), cpuTime()
	tick := time.NewTicker(time.Second / turnRate)
	defer tick.Stop()
	var wg sync.WaitGroup
	for i := 0; time.Since(begun) < turnTime; i++ {
		at := <-tick.C
		wg.Go(func() {
			w.mu.Lock()
			w.late = append(w.late, time.Since(at))
			w.since[who(i)] = at
			w.mu.Unlock()
			w.write(b, flow, who(i))
		})
	}
	wg.Wait()
	w.answered(b)
	o := outcome{n: len(w.latencies), took: time.Since(begun), own: cpuTime() - before, latencies: w.latencies}
	slices.Sort(o.latencies)
	return o
}

// answered waits until nobody waits.
func (w *workshop) answered(b *testing.B) {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); w.waiting() > 0; {
		if time.Now().After(end) {
			b.Fatalf("%d turns are not answered", w.waiting())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// calls makes calls without a flow around them, one after the other and 64 at a time.
func (w *workshop) calls(b *testing.B) (out [2]outcome) {
	b.Helper()
	w.round++
	for round, side := range []int{1, 64} {
		results := make([][]time.Duration, side)
		begun := time.Now()
		var wg sync.WaitGroup
		for i := range side {
			id := w.write(b, "plain", fmt.Sprint(w.round, ".", 1000*round+i))
			conv, err := w.store.Conversation(b.Context(), w.ws, id)
			if err != nil {
				b.Fatal(err)
			}
			conv.Flow = "asking"
			wg.Go(func() {
				for n := 0; time.Since(begun) < turnTime; n++ {
					at := time.Now()
					r := bot.Request{
						Call:      bot.Call{ID: fmt.Sprintf("c%d", 1<<40+n*1000+i), Name: "always", Condition: true, Deadline: at.Add(30 * time.Second)},
						Workspace: w.ws, Conversation: conv,
					}
					if _, err := w.server.Call(b.Context(), r, func(bot.CallResult) error { return nil }); err != nil {
						b.Error(err)
						return
					}
					results[i] = append(results[i], time.Since(at))
				}
			})
		}
		wg.Wait()
		o := outcome{took: time.Since(begun)}
		for _, list := range results {
			o.latencies = append(o.latencies, list...)
		}
		o.n = len(o.latencies)
		slices.Sort(o.latencies)
		out[round] = o
	}
	return out
}
