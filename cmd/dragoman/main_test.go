package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// childEnv makes this test binary behave as the program, so that tests can kill a real process.
const childEnv = "DRAGOMAN_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}))
	}
	os.Exit(m.Run())
}

// testToken is the admin token of hubs in tests.
const testToken = "test-admin-token-0123456789"

// process is a hub in a process of its own.
type process struct {
	t      testing.TB
	args   []string
	env    []string
	url    string
	cmd    *exec.Cmd
	exited chan struct{}
	out    *lines
}

// lines collects what a process prints.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// freePort finds a port that nothing listens on. It is none that the system gives to others who ask for any: until the hub listens, and
// while a killed one is started again, some other socket of this machine would take it now and then.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("a hundred ports are in use")
	return ""
}

// patience is long because the machine may be busy.
const patience = time.Minute

// startHub starts a hub and waits until it is ready.
func startHub(t testing.TB, data string, more ...string) *process {
	t.Helper()
	p := newHub(t, data, more...)
	p.start()
	return p
}

// newHub prepares a hub.
func newHub(t testing.TB, data string, more ...string) *process {
	t.Helper()
	addr := freePort(t)
	p := &process{
		t: t, url: "http://" + addr, out: &lines{},
		args: append([]string{"serve", "--listen", addr, "--data", data, "--allow-private", "--log-level", "warn"}, more...),
		env:  append(os.Environ(), childEnv+"=1", "DRAGOMAN_ADMIN_TOKEN="+testToken, "DRAGOMAN_RATE=100000"),
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the hub printed:\n%s", p.out)
		}
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.launch()
	p.ready()
}

func (p *process) launch() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], p.args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited := make(chan struct{})
	p.exited = exited
	cmd := p.cmd
	go func() {
		_ = cmd.Wait() // how it ended is seen by its effects
		close(exited)
	}()
}

func (p *process) ready() {
	p.t.Helper()
	eventually(p.t, patience, "the hub is ready", func() error {
		select {
		case <-p.exited:
			return fmt.Errorf("it exited: %s", p.out)
		default:
		}
		res, err := http.Get(p.url + "/readyz")
		if err != nil {
			return err
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
}

// kill is kill -9.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate is the polite way; it waits for the end.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatal("the hub does not stop")
	}
}

func (p *process) client() *client {
	return &client{base: p.url, token: testToken, http: &http.Client{}}
}

// eventually asks until the answer is good; other processes give no signal that one could wait for.
func eventually(t testing.TB, limit time.Duration, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s: %v", what, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// must makes a call of the API that has to go well.
func must(t testing.TB, c *client, method, path string, body, out any) {
	t.Helper()
	if err := c.call(t.Context(), method, path, body, out); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// platform stands for a messaging platform: it counts what it gets, by text.
type platform struct {
	mu     sync.Mutex
	got    map[string]int
	order  map[string][]string // by receiver
	answer func(w http.ResponseWriter, n int) bool
	total  int
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct{ To, Text string }
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(raw, &m) != nil {
		http.Error(w, "not readable", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.total++
	n := p.total
	p.mu.Unlock()
	if p.answer != nil && p.answer(w, n) {
		return
	}
	p.mu.Lock()
	p.got[m.Text]++
	p.order[m.To] = append(p.order[m.To], m.Text)
	p.mu.Unlock()
	_, _ = fmt.Fprintf(w, `{"id":"p%d"}`, n)
}

func newPlatform() *platform { return &platform{got: map[string]int{}, order: map[string][]string{}} }

// echoFlow answers every message with its text.
const echoFlow = `{"states":[{"name":"Echo","initial":true,"events":[]},{"name":"Said","events":[{"say":"re {{message.text}}"}]}],
 "transitions":[{"dest":"Said","conditions":[{"expr":"true"}]}],"first_message":"evaluate"}`

// addEcho makes a flow that echoes and a webhook channel that it answers on. The platform does not know our keys: what was lost
// on the way must not be sent again.
func addEcho(t testing.TB, c *client, platformURL string) (channel string) {
	t.Helper()
	must(t, c, http.MethodPut, "/v1/flows/echo", json.RawMessage(echoFlow), nil)
	var ch channelView
	must(t, c, http.MethodPost, "/v1/channels", map[string]any{
		"connector": "webhook", "name": "crash", "flow": "echo",
		"settings": map[string]any{
			"url":     platformURL,
			"receive": map[string]any{"verify": map[string]any{"type": "none"}},
			"send":    map[string]any{"sign": map[string]any{"type": "none"}, "body": map[string]any{"to": "{{ .to }}", "text": "{{ .text }}"}},
		},
	}, &ch)
	return ch.ID
}

// post sends one update until the hub has said yes, as platforms do.
func post(ctx context.Context, web *http.Client, url string, body string) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := web.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode < 300 {
				return nil
			}
			err = errors.New(res.Status)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// everything reads all events of all conversations of a channel.
func everything(t testing.TB, c *client, channel string) map[string][]chat.Event {
	t.Helper()
	list, err := listAll[struct{ ID string }](t.Context(), c, "/v1/conversations?channel="+channel)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]chat.Event{}
	for _, conv := range list {
		if out[conv.ID], err = c.events(t.Context(), conv.ID); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
