package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store/pgtest"
)

// broker starts a real NATS server at an address.
func broker(t testing.TB, addr string) *server.Server {
	t.Helper()
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(s.Shutdown)
	if !s.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not answer")
	}
	return s
}

// cluster is two nodes over one database and one NATS server.
type cluster struct {
	t        testing.TB
	nodes    [2]*process
	bus      *server.Server
	busAddr  string
	platform *platform
	channel  string
}

// lease is so long that a node which the machine lets wait for a while is not taken for dead.
const lease = "4s"

func startCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{t: t, busAddr: freePort(t), platform: newPlatform()}
	c.bus = broker(t, c.busAddr)
	platform := httptest.NewServer(c.platform)
	t.Cleanup(platform.Close)
	dsn := pgtest.Start(t)
	key := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	for i := range c.nodes {
		c.nodes[i] = newHub(t, t.TempDir(), "--database", dsn, "--nats", "nats://"+c.busAddr, "--lease", lease, "--key", key)
		c.nodes[i].launch() // both at once, on an empty database
	}
	for _, n := range c.nodes {
		n.ready()
	}
	c.channel = addEcho(t, c.nodes[0].client(), platform.URL)
	return c
}

// TestTwoNodes: what comes in at any node, in many copies, is stored, stepped and sent once and in order; each node shows what the
// other does; a node that dies is replaced within its lease; without NATS all goes on.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	t.Run("one first start", func(t *testing.T) {
		var names []string
		list, err := listAll[channelView](t.Context(), c.nodes[1].client(), "/v1/channels")
		for _, ch := range list {
			names = append(names, ch.Name+" is "+ch.Status)
		}
		if slices.Sort(names); err != nil || !slices.Equal(names, []string{"Terminal is active", "Website is active", "crash is active"}) {
			t.Errorf("channels %q, %v", names, err)
		}
	})
	t.Run("both take", func(t *testing.T) { c.round(t, "a", c.nodes[:], c.nodes[:]) })
	t.Run("both show", func(t *testing.T) {
		wakeUps := c.listen(t)
		t.Logf("an event of one node is on the other's stream after %s", c.hears(t, "b1", c.nodes[0], c.nodes[1]))
		if m, err := wakeUps.NextMsg(patience); err != nil || !strings.Contains(string(m.Data), `"head":`) {
			t.Errorf("over NATS nobody was woken: %v", err)
		}
	})
	for i, n := range c.nodes {
		t.Run(fmt.Sprintf("node %d dies", i), func(t *testing.T) {
			other := c.nodes[1-i]
			n.kill()
			begun := time.Now()
			c.round(t, fmt.Sprintf("c%d", i), []*process{other}, []*process{other})
			t.Logf("answered all after %s", time.Since(begun))
			n.start()
		})
	}
	t.Run("a node dies at work", func(t *testing.T) {
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			<-time.After(200 * time.Millisecond)
			c.nodes[0].kill()
		}()
		c.round(t, "d", c.nodes[:], c.nodes[1:])
		<-killed
		c.nodes[0].start()
	})
	t.Run("without NATS", func(t *testing.T) {
		c.bus.Shutdown()
		c.bus.WaitForShutdown()
		c.round(t, "e", c.nodes[:], c.nodes[:])
		t.Logf("on the other's stream after %s", c.hears(t, "e1", c.nodes[0], c.nodes[1]))
		c.bus = broker(t, c.busAddr)
		c.round(t, "f", c.nodes[:], c.nodes[:])
	})
}

const (
	roundPeople = 10
	roundTexts  = 6
)

// round lets people write at once; each of their messages goes to all nodes in parallel until one of those that stay has said yes.
// All have to be answered once and in order by a node; a message whose sender died at it may be unsure.
func (c *cluster) round(t *testing.T, name string, nodes, stay []*process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	web := &http.Client{Timeout: 10 * time.Second}
	defer web.CloseIdleConnections()
	var wg sync.WaitGroup
	for p := range roundPeople {
		wg.Go(func() {
			for i := range roundTexts {
				body := fmt.Sprintf(`{"id":"%s-%d-%d","from":"%s-%d","text":"%s %d %d"}`, name, p, i, name, p, name, p, i)
				c.everywhere(ctx, t, web, body, nodes, stay)
			}
		})
	}
	wg.Wait()
	for p := range roundPeople {
		c.settled(t, stay[0].client(), fmt.Sprintf("%s-%d", name, p), fmt.Sprintf("re %s %d ", name, p), len(nodes) > len(stay))
	}
}

func (c *cluster) everywhere(ctx context.Context, t *testing.T, web *http.Client, body string, nodes, stay []*process) {
	var copies sync.WaitGroup
	for _, n := range nodes {
		copies.Go(func() {
			if !slices.Contains(stay, n) {
				once, cancel := context.WithTimeout(ctx, time.Second) // it may be gone
				defer cancel()
				_ = post(once, web, n.url+"/in/"+c.channel, body)
				return
			}
			if err := post(ctx, web, n.url+"/in/"+c.channel, body); err != nil {
				t.Error(err)
			}
		})
	}
	copies.Wait()
}

// settled waits until somebody has all answers and looks whether they came once and in order.
func (c *cluster) settled(t *testing.T, api *client, person, prefix string, unsure bool) {
	t.Helper()
	var want []string
	for i := range roundTexts {
		want = append(want, prefix+strconv.Itoa(i))
	}
	eventually(t, patience, person+" has all answers", func() error {
		statuses := c.answers(t, api, person)
		for _, text := range want {
			if s := statuses[text]; s != chat.Sent && (s != chat.Unsure || !unsure) {
				return fmt.Errorf("%q is %q", text, s)
			}
		}
		return nil
	})
	c.platform.mu.Lock()
	defer c.platform.mu.Unlock()
	got := c.platform.order[person]
	if unsure { // what is unsure may be missing
		want = slices.DeleteFunc(want, func(s string) bool { return !slices.Contains(got, s) })
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s got %q, want %q", person, got, want)
	}
}

// answers are the statuses of what was said to somebody, by text.
func (c *cluster) answers(t *testing.T, api *client, person string) map[string]chat.Status {
	t.Helper()
	out := map[string]chat.Status{}
	var contacts struct{ Items []chat.ContactRef }
	must(t, api, http.MethodGet, "/v1/contacts?q="+person, nil, &contacts)
	for _, who := range contacts.Items {
		if who.Name != person {
			continue
		}
		list, err := listAll[chat.Conversation](t.Context(), api, "/v1/conversations?contact="+string(who.ID))
		if err != nil {
			t.Fatal(err)
		}
		for _, conv := range list {
			events, err := api.events(t.Context(), string(conv.ID))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if e.Kind == chat.KindMessage && e.Direction == chat.Out {
					out[e.Message.Text()] = e.Status
				}
			}
		}
	}
	return out
}

// listen hears what the nodes tell each other of the log.
func (c *cluster) listen(t *testing.T) *nats.Subscription {
	t.Helper()
	conn, err := nats.Connect("nats://" + c.busAddr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	sub, err := conn.SubscribeSync("dragoman.wake.*")
	if err == nil {
		err = conn.Flush() // from here on it hears
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// hears is how long it takes until an event that comes in at one node is on the stream of the other.
func (c *cluster) hears(t *testing.T, id string, in, stream *process) time.Duration {
	t.Helper()
	live := follow(t, stream.client(), "?kinds=message")
	begun := time.Now()
	body := fmt.Sprintf(`{"id":%q,"from":%q,"text":"do you hear %s?"}`, id, id, id)
	if status, words := call(t, http.MethodPost, in.url+"/in/"+c.channel, map[string]string{"Content-Type": "application/json"}, body); status != http.StatusOK {
		t.Fatal(status, words)
	}
	live.until(t, body, func(e chat.Event) bool { return e.Message.Text() == "do you hear "+id+"?" })
	return time.Since(begun)
}
