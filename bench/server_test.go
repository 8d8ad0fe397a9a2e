//go:build unix

package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/api"
	"github.com/dragoman-hub/dragoman/blob"
	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/all"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/report"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
	"github.com/dragoman-hub/dragoman/wake"
)

// spec says what the server process is.
type spec struct {
	Bare     bool          // only decodes JSON
	Dir      string        // for everything that is kept
	DSN      string        // PostgreSQL; "" is SQLite in Dir
	Flow     string        // definition, stored as "f"
	Channels []channelSpec // made anew at every start
	Bots     bool          // bots follow the log, as in the program
	Out      bool          // and the way out works, as in the program
	Chats    bool          // chats on web pages too; functions of workers are answered by a stand-in that streams
	Desk     int           // so many agents answer the queue "support", and routing and reports follow the log, as in the program
	Own      bool          // the agents see what is offered to them or theirs, and nothing else
}

type channelSpec struct {
	Connector string
	Settings  json.RawMessage
	Flow      string
	Queue     string
}

// hello is the first line of the server's output.
type hello struct {
	Addr      string
	Workspace chat.WorkspaceID
	Channels  []chat.ChannelID
	Token     string   // may do everything
	Agents    []string // headers by which the agents of the desk prove who they are
}

// serve is the server process: it obeys commands from its standard input and ends when that closes.
func serve(text string) error {
	var sp spec
	if err := json.Unmarshal([]byte(text), &sp); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var handler http.Handler = http.HandlerFunc(decode)
	hi := hello{}
	ended := make(chan error, 1)
	if sp.Bare {
		ended <- nil
	} else {
		h, err := openHub(ctx, sp, &hi)
		if err != nil {
			return err
		}
		handler = h.handler
		go func() { ended <- h.run(ctx, sp) }()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hi.Addr = l.Addr().String()
	if !sp.Bare {
		defer runtime.KeepAlive(make([]byte, 64<<20)) // as cmd/dragoman: see there
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ConnContext: api.WithConn}
	go func() { _ = srv.Serve(l) }()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(hi); err != nil {
		return err
	}
	err = obey(bufio.NewScanner(os.Stdin), out)
	_ = srv.Close()
	cancel()
	return errors.Join(err, <-ended)
}

// decode is the bare server: what any receiver of this JSON has to do, and nothing else.
func decode(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var u telegramUpdate
	if err == nil {
		err = json.Unmarshal(body, &u)
	}
	if err != nil || u.Message.Text == "" {
		w.WriteHeader(http.StatusBadRequest)
	}
}

// telegramUpdate has the members that a receiver of text messages needs.
type telegramUpdate struct {
	ID      int64 `json:"update_id"`
	Message struct {
		ID   int64 `json:"message_id"`
		From struct {
			ID        int64  `json:"id"`
			IsBot     bool   `json:"is_bot"`
			FirstName string `json:"first_name"`
			Username  string `json:"username"`
			Language  string `json:"language_code"`
		} `json:"from"`
		Chat struct {
			ID        int64  `json:"id"`
			Type      string `json:"type"`
			FirstName string `json:"first_name"`
			Username  string `json:"username"`
		} `json:"chat"`
		Date     int64  `json:"date"`
		Text     string `json:"text"`
		Entities []struct {
			Type   string `json:"type"`
			Offset int    `json:"offset"`
			Length int    `json:"length"`
		} `json:"entities"`
	} `json:"message"`
}

// running is the hub, wired as in cmd/dragoman.
type running struct {
	store   *store.Store
	hub     *hub.Hub
	bots    *bot.Runner
	handler http.Handler
	caller  bot.Caller
	logFile *os.File
}

func openHub(ctx context.Context, sp spec, hi *hello) (*running, error) {
	r := &running{}
	var err error
	if r.logFile, err = os.Create(filepath.Join(sp.Dir, "log")); err != nil {
		return nil, err
	}
	log := telemetry.NewLog(r.logFile, telemetry.LogOptions{Secrets: &telemetry.Secrets{}})
	keys, err := secret.Load(filepath.Join(sp.Dir, "key"))
	if err != nil {
		return nil, err
	}
	blobs, err := blob.Dir(filepath.Join(sp.Dir, "blobs"))
	if err != nil {
		return nil, err
	}
	dsn := sp.DSN
	if dsn == "" {
		dsn = filepath.Join(sp.Dir, "dragoman.db")
	}
	bus := wake.Local()
	metrics := telemetry.NewMetrics()
	r.store, err = store.Open(ctx, store.Options{DSN: dsn, Wake: bus, Log: log, Routes: append(hub.Routes(), bot.Routes()...)})
	if err != nil {
		return nil, err
	}
	r.bots = &bot.Runner{Store: r.store, Log: log}
	r.hub = hub.New(hub.Options{
		Store: r.store, Blobs: blobs, Wake: bus, Secrets: keys, Platforms: all.Platforms(), Random: rand.Reader, Now: time.Now, Log: log,
		Meter: metrics, HTTP: outbound.Client(outbound.Options{AllowPrivate: true, Log: log}),
	})
	r.handler = api.New(api.Options{
		Store: r.store, Hub: r.hub, Wake: bus, Secrets: keys, Now: time.Now, Log: log, Version: "bench", Metrics: metrics.Handler(),
		Limits: unlimited, Access: access.Settings{Hashing: access.Hashing{Memory: 64, Passes: 1}},
	})
	if sp.Chats {
		r.chats(blobs, bus, keys, log)
	}
	return r, r.setUp(ctx, sp, hi)
}

// setUp makes a workspace with the channels that are asked for.
func (r *running) setUp(ctx context.Context, sp spec, hi *hello) error {
	ws, err := r.store.AddWorkspace(ctx, "", "bench")
	if err != nil {
		return err
	}
	hi.Workspace = ws.ID
	if sp.Flow != "" {
		f, err := bot.Parse([]byte(sp.Flow))
		if err != nil {
			return err
		}
		if _, err := r.store.PutFlow(ctx, ws.ID, "f", f.Definition()); err != nil {
			return err
		}
	}
	for _, c := range sp.Channels {
		ch, err := r.hub.AddChannel(ctx, ws.ID, hub.ChannelInput{Connector: c.Connector, Settings: c.Settings, Flow: c.Flow, Queue: c.Queue})
		if err != nil {
			return fmt.Errorf("channel of %s: %w", c.Connector, err)
		}
		hi.Channels = append(hi.Channels, ch.ID)
	}
	return r.staff(ctx, sp, hi)
}

// run lets the stations work until ctx ends and closes everything.
func (r *running) run(ctx context.Context, sp spec) error {
	var g errgroup.Group
	if sp.Bots {
		g.Go(func() error { return r.bots.Run(ctx) })
		if r.caller != nil {
			g.Go(func() error { return r.bots.RunCalls(ctx, r.caller) })
		}
	}
	if sp.Desk > 0 {
		g.Go(func() error { return (&desk.Router{Store: r.store}).Run(ctx) })
		g.Go(func() error { return (&report.Keeper{Store: r.store}).Run(ctx) })
	}
	if sp.Out {
		g.Go(func() error { return r.hub.Run(ctx) })
	}
	<-ctx.Done()
	return errors.Join(g.Wait(), r.store.Close(), r.logFile.Close())
}
