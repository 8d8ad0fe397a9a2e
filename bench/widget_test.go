//go:build unix

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/compat/chatfaq/widget"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/wake"
)

// chats adds the sockets of the widget to the server.
func (r *running) chats(blobs blob.Store, bus wake.Bus, keys *secret.Keyring, log *slog.Logger) {
	chats := widget.New(widget.Options{Store: r.store, Hub: r.hub, Blobs: blobs, Wake: bus, Signer: keys, Now: time.Now, Log: log})
	mux := http.NewServeMux()
	mux.Handle("/", r.handler)
	chats.Mount(mux)
	r.handler, r.caller = mux, streams(bus)
}

// The answer of the stand-in for a worker: so many drafts, a pause between two of them.
const (
	drafts     = 40
	draftPause = 50 * time.Millisecond
)

// streams answers as a language model does: piece by piece. Each draft begins with its time.
func streams(bus wake.Bus) bot.Caller {
	return func(ctx context.Context, r bot.Request, _ func(bot.CallResult) error) (bot.CallResult, error) {
		m := chat.Message{Meta: map[string]string{"stack_id": r.ID}}
		words := ""
		tick := time.NewTicker(draftPause)
		defer tick.Stop()
		for i := range drafts {
			words += " word"
			m.Stack = []chat.Element{chat.Plain(strconv.FormatInt(time.Now().UnixNano(), 10) + words)}
			bus.Draft(wake.Draft{Workspace: r.Workspace, Conversation: r.Conversation.ID, ID: r.ID, Message: m})
			if i < drafts-1 {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return bot.CallResult{}, ctx.Err()
				}
			}
		}
		return bot.CallResult{Messages: []chat.Message{m}}, nil
	}
}

const (
	greeting  = `{"states":[{"name":"a","initial":true,"events":[{"say":"Hello!"}]},{"name":"b","events":["answer"]}],"transitions":[{"dest":"b"}]}`
	question  = `{"sender":{"type":"human"},"stack":[{"type":"message","payload":{"content":"hi"}}]}`
	manyIdle  = 10_000
	manyTalks = 1000
	dialing   = 64 // at once
)

// BenchmarkIdleSockets measures what a connected client that nobody writes to costs the server, greeting and conversation included.
func BenchmarkIdleSockets(b *testing.B) {
	r := start(b, chatSpec(dsn(b, "SQLite")))
	r.settle()
	before := r.do("gc", "")
	t := newTable("sockets", "resident KB each", "heap KB each", "connections/s")
	var open []*websocket.Conn
	for _, n := range []int{1000, manyIdle} {
		begun, fresh := time.Now(), n-len(open)
		open = append(open, r.connect(b, len(open), n)...)
		took := time.Since(begun)
		r.settle()
		now := r.do("gc", "")
		each := func(now, before uint64) float64 { return (float64(now) - float64(before)) / float64(n) / 1024 }
		t.row(n, tenth(each(now.RSS, before.RSS)), tenth(each(now.Heap, before.Heap)), whole(float64(fresh)/took.Seconds()))
		b.ReportMetric(each(now.RSS, before.RSS), metric(fmt.Sprint(n), "KB/socket"))
	}
	for _, c := range open {
		_ = c.CloseNow()
	}
	quiet(b)
	t.print("idle sockets of the widget; " + machine())
}

func chatSpec(dsn string) spec {
	return spec{DSN: dsn, Bots: true, Out: true, Chats: true, Flow: greeting, Channels: []channelSpec{{Connector: "webchat", Settings: json.RawMessage("{}"), Flow: "f"}}}
}

// connect opens the sockets from..to and reads each one's greeting and the end of its turn.
func (r *remote) connect(tb testing.TB, from, to int) []*websocket.Conn {
	tb.Helper()
	out := make([]*websocket.Conn, to-from)
	var g errgroup.Group
	g.SetLimit(dialing)
	for i := range out {
		g.Go(func() (err error) {
			out[i], err = dialChat(tb.Context(), r.Addr, from+i)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		tb.Fatal(err)
	}
	return out
}

func dialChat(ctx context.Context, addr string, n int) (*websocket.Conn, error) {
	c, resp, err := websocket.Dial(ctx, fmt.Sprintf("ws://%s/back/ws/broker/c%d/f/u%d/", addr, n, n), nil)
	if err != nil {
		return nil, err
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	return c, untilEnd(ctx, c, func(string) {})
}

// untilEnd reads frames until the bot's turn is over.
func untilEnd(ctx context.Context, c *websocket.Conn, saw func(content string)) error {
	for {
		_, raw, err := c.Read(ctx)
		if err != nil {
			return err
		}
		var f struct {
			Last  bool `json:"last"`
			Stack []struct {
				Payload struct {
					Content string `json:"content"`
				} `json:"payload"`
			} `json:"stack"`
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			return err
		}
		for _, l := range f.Stack {
			saw(l.Payload.Content)
		}
		if f.Last {
			return nil
		}
	}
}

// BenchmarkStreams lets answers grow in so many conversations at once and measures how late each piece is.
func BenchmarkStreams(b *testing.B) {
	r := start(b, chatSpec(dsn(b, "SQLite")))
	sockets := r.connect(b, 0, manyTalks)
	r.settle()
	before := r.do("usage", "")
	var mu sync.Mutex
	var late []time.Duration
	var frames atomic.Int64
	var g errgroup.Group
	begun := time.Now()
	for _, c := range sockets {
		g.Go(func() error {
			if err := c.Write(b.Context(), websocket.MessageText, []byte(question)); err != nil {
				return err
			}
			return untilEnd(b.Context(), c, func(content string) {
				head, _, _ := strings.Cut(content, " ")
				at, _ := strconv.ParseInt(head, 10, 64)
				d := time.Since(time.Unix(0, at))
				frames.Add(1)
				mu.Lock()
				defer mu.Unlock()
				late = append(late, d)
			})
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	used := r.do("usage", "")
	slices.Sort(late)
	share := func(p float64) string { return tenth(millis(late[int(p*float64(len(late)-1))])) }
	t := newTable("conversations", "frames/s", "late p50 ms", "p99 ms", "CPU µs a frame", "seconds")
	t.row(manyTalks, whole(float64(frames.Load())/took.Seconds()), share(0.5), share(0.99),
		whole(float64((used.CPU-before.CPU).Microseconds())/float64(frames.Load())), tenth(took.Seconds()))
	b.ReportMetric(millis(late[len(late)/2]), "p50-ms")
	quiet(b)
	t.print("answers that grow in many conversations at once; " + machine())
	for _, c := range sockets {
		_ = c.CloseNow()
	}
}
