package rpc

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/wake"
)

// neighbour is a second node: it has workers' sockets and runs no flows. Its stop is sudden: nobody hears that it is gone.
type neighbour struct {
	*world // the same database; its server and address are the neighbour's
	stop   func()
}

// broker starts a NATS server.
func broker(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not answer")
	}
	return s.ClientURL()
}

func bus(t *testing.T, url string) *wake.NATSBus {
	t.Helper()
	b, err := wake.NATS(url, wake.NATSOptions{Name: t.Name(), ReconnectWait: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return b
}

// nodes makes two nodes of one database, the second without flows.
func nodes(t *testing.T) (*world, *neighbour) {
	t.Helper()
	dsn, url := pgtest.Start(t), broker(t)
	w := newWorldOn(t, dsn, func(o *Options) { o.Wake = bus(t, url) })
	far := bus(t, url)
	log := slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), store.Options{DSN: dsn, Routes: append(hub.Routes(), bot.Routes()...), Wake: far, Log: log})
	w.must(err)
	there := New(Options{Store: s, Channels: w.hub, Wake: far, Now: time.Now, Log: log})
	mux := http.NewServeMux()
	there.Mount(mux)
	site := httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = there.Run(ctx) })
	end := sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		site.Close()
		w.must(s.Close())
	})
	t.Cleanup(end)
	return w, &neighbour{world: &world{t: t, store: s, hub: w.hub, bus: w.bus, server: there, http: site, ws: w.ws, token: w.token}, stop: end}
}

// met waits until the first node knows so many workers.
func (w *world) met(n int) {
	w.t.Helper()
	w.until("the other node's workers", func() bool { return len(w.server.pool.list(w.ws)) == n })
}

// TestNeighbour: a worker that is connected to another node answers, streamed and whole, conversation after conversation, in order.
func TestNeighbour(t *testing.T) {
	w, far := nodes(t)
	worker := far.parcelWorker().connect()
	w.met(1)
	ch := w.channel("parcel_fsm")
	if !w.server.Connected(w.ws, "parcel_fsm") {
		t.Error("this node says that no worker is connected")
	}
	for _, who := range []string{"ann", "bob"} {
		w.write(ch, who, "hi")
		w.hears(ch, who, "> hi, < Hello!")
		w.write(ch, who, "one")
		w.hears(ch, who, "> hi, < Hello!, > one, < You said one.")
		w.replays(w.conversation(ch, who))
	}
	worker.die()
	w.met(0)
	if w.server.Connected(w.ws, "parcel_fsm") {
		t.Error("this node says that a worker is connected")
	}
}

// TestNeighbourDies: a worker at another node goes away in a call: a worker of this node does it. So it is when the whole node goes.
func TestNeighbourDies(t *testing.T) {
	for name, die := range map[string]func(far *neighbour, s *standin){
		"worker": func(_ *neighbour, s *standin) {
			s.cancel()
			s.breakOff()
		},
		"node": func(far *neighbour, _ *standin) { far.stop() }, // before the answer is given: it must not arrive
	} {
		t.Run(name, func(t *testing.T) {
			w, far := nodes(t)
			first := far.parcelWorker()
			first.again = time.Hour // it does not come back
			first.functions["says_bye"] = []function{{condition: func(sdkContext) (float64, any) { die(far, first); return 1, nil }}}
			first.connect()
			w.met(1)
			ch := w.channel("parcel_fsm")
			w.write(ch, "ann", "hi")
			w.hears(ch, "ann", "> hi, < Hello!")
			second := w.parcelWorker()
			second.connect()
			w.write(ch, "ann", "one")
			w.hears(ch, "ann", "> hi, < Hello!, > one, < You said one.")
			if len(second.calls()) == 0 {
				t.Error("the worker of this node was not called")
			}
		})
	}
}

// TestNeighbourIsWrong: a malformed answer ends the call, and the worker is told, though another node waits for it; what is too large for a
// letter is refused with a reason.
func TestNeighbourIsWrong(t *testing.T) {
	w, far := nodes(t)
	worker := far.parcelWorker()
	worker.mute = true // and does not even send the call's id back
	worker.functions["send_greeting"] = []function{{event: func(t *sdkTurn) {
		t.send("condition", 0, []any{}, true, true)
		t.fail()
	}}}
	worker.functions["send_answer"] = []function{{event: func(t *sdkTurn) { t.say(strings.Repeat("x", wake.LetterBody)) }}}
	worker.connect()
	w.met(1)
	ch := w.channel("parcel_fsm")
	w.write(ch, "ann", "hi")
	w.until("the complaint", func() bool { return len(worker.errors()) == 1 })
	w.until("what was wrong", func() bool { return strings.Contains(w.failure(ch, "ann"), errWrong.Error()) })
	w.write(ch, "ann", "one")
	w.until("the reason", func() bool { return strings.Contains(w.failure(ch, "ann"), errFar.Error()) })
}

// TestSilentNeighbour: a node that is not heard of any more has no workers, and one that speaks again has them again.
func TestSilentNeighbour(t *testing.T) {
	w := newWorld(t)
	say := func(d distant) {
		body, err := encode(d)
		w.must(err)
		w.bus.Post(wake.Letter{Topic: topic, From: "far", Body: body})
	}
	known := neighbours{}
	roster := []distantWorker{{ID: "a", Workspace: w.ws, Flow: "f"}, {ID: "b", Workspace: w.ws, Flow: "f"}}
	w.until("the other node is heard", func() bool { // the server may not listen yet
		say(distant{Word: wordRoster, Workers: roster})
		return len(w.server.pool.list(w.ws)) == 2
	})
	say(distant{Word: wordRoster, Workers: roster[:1]})
	w.met(1)
	say(distant{Word: "nonsense"})
	w.bus.Post(wake.Letter{Topic: topic, From: "far", Body: []byte(`[]`)})
	w.bus.Post(wake.Letter{Topic: topic, From: "far", To: w.server.node, Body: []byte(`{"word":"call","worker":"nobody","call":"c"}`)})
	w.bus.Post(wake.Letter{Topic: topic, From: "far", To: w.server.node, Body: []byte(`{"word":"result","worker":"a","call":"c","frame":{}}`)})
	w.until("the answer to nobody", func() bool { return w.server.Dropped() == 1 })
	known["far"] = time.Now().Add(-silence - time.Second)
	known.forget(w.server)
	w.met(0)
}
