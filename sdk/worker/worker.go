package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Worker connects a flow to a hub. The zero value of every optional field is a sensible default.
type Worker struct {
	URL   string // of the hub: wss://hub.example, with a path if the hub has one; ws, http, https too
	Token string
	Flow  *Flow
	// Parsers read data sources for knowledge bases, by the names that sources call for.
	Parsers map[string]Parser

	Logger       *slog.Logger  // slog.Default()
	Concurrency  int           // calls that run side by side; 32
	ReadLimit    int64         // largest frame from the hub in bytes; 16 MiB
	CallTimeout  time.Duration // of a function's context; 10 minutes
	AITimeout    time.Duration // between two frames of an answer of AI; a minute
	PingInterval time.Duration // 20 seconds
	PongTimeout  time.Duration // how long a pong is waited for; PingInterval
	Backoff      time.Duration // first wait before connecting again; 1 second. It doubles up to 30 times
	HTTPClient   *http.Client  // for proxies and certificates
}

// mostWaiting calls wait for a free place; further ones are refused at once.
const mostWaiting = 1024

// Run connects, registers the flow and answers calls until ctx ends, then gives back nil. It connects again
// for ever, with growing waits; only a faulty flow or URL is an error. When the connection is lost, or ctx
// ends, the contexts of running functions end too; Run waits for them at its end.
func (w *Worker) Run(ctx context.Context) error {
	if w.Flow == nil {
		return errors.New("worker: no flow")
	}
	if err := w.Flow.Check(); err != nil {
		return err
	}
	c, err := w.connector()
	if err != nil {
		return err
	}
	defer c.running.Wait()
	wait := c.Backoff
	for {
		healthy, err := c.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if healthy {
			wait = c.Backoff
		}
		pause := wait/2 + rand.N(wait/2+1)
		c.Logger.Warn("worker: connection lost, trying again", "flow", c.Flow.Name, "in", pause, "error", c.redact(err))
		if !pauseFor(ctx, pause) {
			return nil
		}
		wait = min(2*wait, 30*c.Backoff)
	}
}

// connector is a Worker whose settings are complete.
type connector struct {
	Worker
	base    *url.URL
	running sync.WaitGroup
}

func (w *Worker) connector() (*connector, error) {
	base, err := parseURL(w.URL)
	if err != nil {
		return nil, err
	}
	c := &connector{Worker: *w, base: base}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	fill(&c.Concurrency, 32)
	fill(&c.ReadLimit, 16<<20)
	fill(&c.CallTimeout, 10*time.Minute)
	fill(&c.AITimeout, time.Minute)
	fill(&c.PingInterval, 20*time.Second)
	fill(&c.PongTimeout, c.PingInterval)
	fill(&c.Backoff, time.Second)
	return c, nil
}

// parseURL reads the address of a hub.
func parseURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("worker: URL %q: want ws://host or wss://host", text)
	}
	switch base.Scheme {
	case "ws", "wss", "http", "https":
		return base, nil
	default:
		return nil, fmt.Errorf("worker: URL %q: scheme must be ws, wss, http or https", text)
	}
}

func fill[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// address of a socket, with the token.
func (c *connector) address(socket string) string {
	u := c.base.JoinPath("back/ws/broker/" + socket + "/")
	u.RawQuery = url.Values{"token": {c.Token}}.Encode()
	return u.String()
}

// redact takes the token out of an error's text: a failed handshake names the whole URL.
func (c *connector) redact(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if c.Token == "" {
		return text
	}
	return strings.NewReplacer(url.QueryEscape(c.Token), "***", c.Token, "***").Replace(text)
}

func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
