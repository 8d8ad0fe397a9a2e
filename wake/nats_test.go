package wake

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/dragoman-hub/dragoman/chat"
)

// broker starts a real NATS server; port -1 takes any.
func broker(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true, Username: "u", Password: "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { stop(s) })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server does not answer")
	}
	return s
}

// steady finds a port that a server can have again after it was stopped: one below those that the system gives to connections.
func steady(t *testing.T) int {
	t.Helper()
	for {
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			l.Close()
			return port
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
}

func stop(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func address(s *server.Server) string {
	return fmt.Sprintf("nats://u:hunter2@%s", s.Addr())
}

func node(t *testing.T, url string, opts ...nats.Option) (*NATSBus, *Subscription) {
	t.Helper()
	b, err := NATS(url, NATSOptions{Name: t.Name(), ReconnectWait: 10 * time.Millisecond, Connect: opts})
	if err != nil {
		t.Fatal(err)
	}
	s := b.Subscribe() // before Run, to hear of the first connect
	running(t, b.Run)
	return b, s
}

// missed waits until the node tells that it has (re)connected.
func missed(t *testing.T, subs ...*Subscription) {
	t.Helper()
	for _, s := range subs {
		for !next(t, s).Missed {
		}
	}
}

// until collects typing signals until the last one is that of conversation c<n>.
func until(t *testing.T, s *Subscription, n int) []Typing {
	t.Helper()
	var all []Typing
	for {
		all = append(all, next(t, s).Typing...)
		if len(all) > 0 && all[len(all)-1] == typing(n) {
			return all
		}
	}
}

func TestNodesHearEachOtherOnce(t *testing.T) {
	url := address(broker(t, -1))
	a, subA := node(t, url)
	b, subB := node(t, url)
	missed(t, subA, subB)

	a.Typing(typing(1))
	if got := until(t, subB, 1); len(got) != 1 {
		t.Errorf("the other node heard %v", got)
	}
	b.Typing(typing(2)) // what comes back to b itself would come before its third
	if got := until(t, subA, 2); len(got) != 2 {
		t.Errorf("the first node heard %v, want its own and the other's, once each", got)
	}
	a.Typing(typing(3))
	if got := until(t, subB, 3); len(got) != 2 {
		t.Errorf("the second node heard %v, want its own and the other's, once each", got)
	}

	a.Draft(draft("c", "m", "so far"))
	for {
		if n := next(t, subB); len(n.Drafts) == 1 && n.Drafts[0].Message.Text() == "so far" && n.Drafts[0].Workspace == "w" {
			break
		}
	}

	odd := chat.WorkspaceID("a.b *>é")
	a.Head(odd, 7)
	for {
		if n := next(t, subB); n.Heads[odd] == 7 {
			break
		}
	}
}

// gate is a dialer that the test can hold up.
type gate struct{ sync.RWMutex }

func (g *gate) Dial(network, address string) (net.Conn, error) {
	g.RLock()
	defer g.RUnlock()
	return net.Dial(network, address)
}

func TestServerLostAndBack(t *testing.T) {
	port := steady(t)
	s := broker(t, port)
	url := address(s)
	var g gate
	a, subA := node(t, url, nats.SetCustomDialer(&g))
	_, subB := node(t, url)
	missed(t, subA, subB)

	g.Lock()
	stop(s)
	for i := range 100 { // in the own process all goes on
		a.Head("w", int64(i+1))
		if n := next(t, subA); n.Heads["w"] != int64(i+1) {
			t.Fatalf("got %v", n)
		}
	}
	broker(t, port)
	missed(t, subB)
	g.Unlock() // now that the other node listens again: what waited must reach it
	for next(t, subB).Heads["w"] != 100 {
	}
	if !a.Connected() {
		t.Error("the node that published says that it is not connected")
	}
}

func TestStartsBeforeTheServer(t *testing.T) {
	port := steady(t)
	s := broker(t, port)
	url := address(s)
	stop(s)
	a, subA := node(t, url)
	_, subB := node(t, url)
	a.Head("w", 5)
	broker(t, port)
	missed(t, subA, subB)
	a.Head("w", 6)
	for next(t, subB).Heads["w"] != 6 {
	}
}

func TestMalformedMessagesAreDroppedAndCounted(t *testing.T) {
	url := address(broker(t, -1))
	b, sub := node(t, url)
	missed(t, sub)
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, body := range []string{"", "{", `{"v":9,"head":3}`, `{"v":1,"head":4}`} {
		if err := nc.Publish("dragoman.wake.w", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if n := next(t, sub); n.Heads["w"] != 4 || b.Malformed() != 3 {
		t.Fatalf("got %v and %d malformed, want head 4 and 3", n, b.Malformed())
	}
}

func TestBadAddress(t *testing.T) {
	for _, url := range []string{"", "localhost:4222", "nats://", "nats://u:hunter2@%zz", "nats://a:1,,nats://b:2"} {
		b, err := NATS(url, NATSOptions{})
		if err == nil || b != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestPasswordIsNotLogged(t *testing.T) {
	var log strings.Builder
	port := steady(t)
	s := broker(t, port)
	b, err := NATS(address(s), NATSOptions{ReconnectWait: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("run", func(t *testing.T) {
		sub := b.Subscribe()
		running(t, b.Run)
		missed(t, sub)
		stop(s)
		broker(t, port)
		missed(t, sub)
	})
	if strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "lost NATS") {
		t.Errorf("log: %s", log.String())
	}
}
