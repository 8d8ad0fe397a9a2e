package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store/pgtest"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// listeners counts who listens, on which node and with which mood; never two at once.
type listeners struct {
	t      *testing.T
	now    atomic.Int64
	begun  chan string
	ended  chan string
	losses chan error // what ends the listener
}

func newListeners(t *testing.T) *listeners {
	return &listeners{t: t, begun: make(chan string, 1000), ended: make(chan string, 1000), losses: make(chan error)}
}

func (l *listeners) on(node string) *script {
	return &script{listen: func(ctx context.Context, env connector.Env, _ func(context.Context, []chat.Incoming) error) error {
		if n := l.now.Add(1); n != 1 {
			l.t.Errorf("%d listeners at once", n)
		}
		defer l.now.Add(-1)
		var set struct{ Mood, Token string }
		if err := env.Decode(&set); err != nil {
			return err
		}
		l.begun <- node + set.Mood
		defer func() { l.ended <- node + set.Mood }()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.losses:
			if errors.Is(err, errBroken) {
				panic("broken listener")
			}
			return err
		}
	}}
}

var errBroken = errors.New("panic")

func listenPlatform(s *script) []connector.Platform {
	return []connector.Platform{s.platform("radio", connector.Traits{})}
}

func TestListenersFollowTheirChannel(t *testing.T) {
	t.Parallel()
	l := newListeners(t)
	w := newWorld(t, setup{lease: shortLease, platforms: listenPlatform(l.on("")), limits: hub.Limits{Pause: time.Millisecond}}).run()
	ch := w.channel("radio", map[string]any{"token": "SECRETradioTOKEN00001", "mood": "one"})
	expect := func(what string, c chan string, want string) {
		t.Helper()
		if got := hear(t, what, c); got != want {
			t.Fatalf("%s: %s, want %s", what, got, want)
		}
	}
	patch := func(p hub.ChannelPatch) {
		t.Helper()
		if _, err := w.PatchChannel(t.Context(), w.workspace, ch, p); err != nil {
			t.Fatal(err)
		}
	}
	expect("the first listener", l.begun, "one")
	patch(hub.ChannelPatch{Settings: asJSON(map[string]any{"mood": "two"})})
	expect("the end of the first", l.ended, "one")
	expect("the listener with new settings", l.begun, "two")
	off, on := "off", "active"
	patch(hub.ChannelPatch{Status: &off})
	expect("the end with the channel off", l.ended, "two")
	patch(hub.ChannelPatch{Status: &on})
	expect("the channel on again", l.begun, "two")
	for _, loss := range []error{nil, errors.New("odd"), &connector.Error{Policy: connector.Retry}, errBroken, &connector.Error{Policy: connector.Unauthorized}} {
		l.losses <- loss
		expect("the end of the lost one", l.ended, "two")
		expect("the next after "+fmt.Sprint(loss), l.begun, "two")
	}
	if s := w.shown(ch).Status; s != "error" {
		t.Errorf("a channel without credentials is %s", s)
	}
	if err := w.DropChannel(t.Context(), w.workspace, ch); err != nil {
		t.Fatal(err)
	}
	expect("the end with the channel dropped", l.ended, "two")
	w.close()
	if n := l.now.Load(); n != 0 || len(l.begun) != 0 {
		t.Errorf("%d listeners are left, %d began", n, len(l.begun))
	}
}

func TestPausesAfterLossesGrow(t *testing.T) {
	t.Parallel()
	begun := make(chan time.Time, 100)
	s := &script{listen: func(context.Context, connector.Env, func(context.Context, []chat.Incoming) error) error {
		begun <- time.Now()
		return &connector.Error{Policy: connector.Retry, Code: "lost"}
	}}
	w := newWorld(t, setup{platforms: listenPlatform(s), limits: hub.Limits{Pause: 4 * time.Millisecond}}).run()
	w.channel("radio", map[string]any{"token": "SECRETradioTOKEN00001"})
	last := hear(t, "a listener", begun)
	for n := 1; n <= 6; n++ {
		next := hear(t, "the next listener", begun)
		if least := 2 * time.Millisecond << n; next.Sub(last) < least {
			t.Errorf("after loss %d: %s, at least %s", n, next.Sub(last), least)
		}
		last = next
	}
}

func TestOneListenerForTwoNodes(t *testing.T) {
	t.Parallel()
	l := newListeners(t)
	// no lease runs out while the clock stands: it goes over because it is given back, not because a busy machine was late
	const lease = shortLease
	set := setup{dsn: storetest.Postgres(t), lease: lease, clock: &clock{still: time.Now()}, bus: wake.Local(), limits: hub.Limits{Pause: time.Millisecond}}
	set.platforms = listenPlatform(l.on("a"))
	a := newWorld(t, set)
	ch := a.channel("radio", map[string]any{"token": "SECRETradioTOKEN00001"})
	a.run()
	if got := hear(t, "a listener", l.begun); got != "a" {
		t.Fatal(got)
	}
	b := a.again(setup{lease: lease, bus: a.bus, platforms: listenPlatform(l.on("b")), limits: set.limits})
	b.run()
	if _, err := b.Channel(t.Context(), b.workspace, ch); err != nil {
		t.Fatal(err)
	}
	l.losses <- errors.New("lost") // the node that listens keeps at it
	hear(t, "the end of the lost one", l.ended)
	if got := hear(t, "the next", l.begun); got != "a" {
		t.Errorf("after a loss node %s listens", got)
	}
	a.close()
	hear(t, "the end on the first node", l.ended)
	if got := hear(t, "the other node", l.begun); got != "b" {
		t.Errorf("then node %s listens", got)
	}
}

func TestTheCursorMovesAfterStoring(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var offsets []string
	asked := make(chan string, 1000)
	server := pgtest.NewServer(t)
	api := newBotAPI(t, func(c botCall, w http.ResponseWriter, r *http.Request) bool {
		if c.method != "getUpdates" {
			return false
		}
		offset, _ := c.params["offset"].(string)
		mu.Lock()
		offsets = append(offsets, offset)
		n := len(offsets)
		mu.Unlock()
		var list []any
		if offset == "" || offset == "0" {
			list = []any{said(11, 7, "one"), said(12, 7, "two")}
		}
		if n == 1 {
			server.Stop(t) // the database goes while the updates are on their way
		}
		if len(list) == 0 {
			asked <- offset
			<-r.Context().Done()
			return true
		}
		asked <- offset
		reply(w, 200, map[string]any{"ok": true, "result": list})
		return true
	})
	w := newWorld(t, setup{dsn: server.Database(t), lease: 2 * time.Second, limits: hub.Limits{Pause: 20 * time.Millisecond}})
	set := api.bot()
	set["mode"] = "polling"
	w.channel("telegram", set)
	w.run()
	if got := hear(t, "the first question", asked); got != "" {
		t.Errorf("first asked from %q", got)
	}
	w.await("the listener to be lost", func() bool { return len(w.log.lines("hub: listener lost")) > 0 })
	server.Start(t)
	for {
		if offset := hear(t, "a question behind the updates", asked); offset == "13" {
			break
		}
	}
	list := w.all(chat.KindMessage)
	if len(list) != 2 || list[0].Message.Text() != "one" {
		t.Errorf("stored: %v", list)
	}
	mu.Lock()
	defer mu.Unlock()
	if i := slices.Index(offsets, "13"); i < 2 {
		t.Errorf("asked from %q", offsets)
	}
}
