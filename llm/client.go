package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
)

// Options say which endpoint a Client asks.
type Options struct {
	HTTP     *http.Client // guarded, of package outbound; Limits bound the time, not its Timeout
	BaseURL  string       // up to where /chat/completions follows
	Model    string
	Key      string // sent as a bearer token; "" sends none
	Defaults ModelDefaults
	Limits   Limits
}

// Limits bound what an endpoint may take of us. Zero values have the defaults that are named here.
type Limits struct {
	Time   time.Duration // for a whole answer; 5 min
	Idle   time.Duration // without a byte of a stream; 90 s, for models have to be loaded
	Wait   time.Duration // the longest Retry-After that is waited for; 20 s
	Answer int64         // bytes; 8 MiB
}

func (l *Limits) defaults() {
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&l.Time, 5 * time.Minute}, {&l.Idle, 90 * time.Second}, {&l.Wait, 20 * time.Second}} {
		if *d.v == 0 {
			*d.v = d.d
		}
	}
	if l.Answer == 0 {
		l.Answer = 8 << 20
	}
}

// Client asks one model at one endpoint. It is safe for concurrent use.
type Client struct {
	http       *http.Client
	url        string
	model, key string
	defaults   ModelDefaults
	limits     Limits
}

// New makes a client; the error is about the base URL.
func New(o Options) (*Client, error) {
	base, err := cleanURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	o.Limits.defaults()
	unhurried := *o.HTTP
	unhurried.Timeout = 0 // an answer may take longer than other exchanges
	return &Client{http: &unhurried, url: base + "/chat/completions", model: o.Model, key: o.Key, defaults: o.Defaults, limits: o.Limits}, nil
}

// cleanURL brings a base URL into one form. People also paste the address of the endpoint itself.
func cleanURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", chat.Faultf(chat.CodeInvalid, "base_url: an address like https://api.example.org/v1, without user, query and fragment")
	}
	return strings.TrimRight(strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/chat/completions"), "/"), nil
}

// Complete asks and waits for the whole answer.
func (c *Client) Complete(ctx context.Context, r Request) (Answer, error) {
	body, err := r.body(c.model, c.defaults, false)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Time, errTime)
	defer cancel()
	res, err := c.send(ctx, body)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	if isStream(res) { // some stream whatever they are asked
		return Collect(c.read(ctx, res.Body))
	}
	return c.whole(ctx, res.Body)
}

func isStream(res *http.Response) bool {
	mt, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return err == nil && mt == "text/event-stream"
}

// whole reads an answer that is one JSON text.
func (c *Client) whole(ctx context.Context, body io.Reader) (Answer, error) {
	raw, err := io.ReadAll(c.bounded(body))
	if err != nil {
		return Answer{}, away(ctx, err)
	}
	var g gathering
	if _, err := c.take(&g, raw); err != nil {
		return Answer{}, err
	}
	if !g.any {
		return Answer{}, strange()
	}
	return g.answer()
}

func strange() error {
	return chat.Faultf(chat.CodeInvalid, "what came back is no chat completion: check base_url, which mostly ends in /v1")
}

func half() error {
	return chat.Faultf(chat.CodeUnavailable, "the endpoint stopped in the middle of the answer: try again")
}

// take reads one JSON text: an answer, a piece of one, or an error that comes in spite of the status 200.
func (c *Client) take(g *gathering, raw []byte) (Delta, error) {
	var k chunk
	if json.Unmarshal(raw, &k) != nil {
		if g.any {
			return Delta{}, half()
		}
		return Delta{}, strange()
	}
	if failed := len(k.Error) > 0 && string(k.Error) != "null"; failed || k.Object == "error" {
		return Delta{}, c.inside(raw)
	}
	return g.add(&k)
}

// inside words an error that came within an answer; some tell the status there.
func (c *Client) inside(raw []byte) error {
	var e struct {
		Code  json.RawMessage `json:"code"`
		Error struct {
			Code   json.RawMessage `json:"code"`
			Status json.RawMessage `json:"status"`
		} `json:"error"`
	}
	_ = json.Unmarshal(raw, &e) // in another form there is no status
	for _, code := range []json.RawMessage{e.Error.Code, e.Error.Status, e.Code} {
		if n, err := strconv.Atoi(string(code)); err == nil && n >= 400 && n < 600 {
			return c.refusal(n, raw)
		}
	}
	return c.refusal(http.StatusBadGateway, raw)
}

// send asks, and once more when the endpoint says that it has too much to do. Nothing of an answer was read before that.
func (c *Client) send(ctx context.Context, body []byte) (*http.Response, error) {
	for again := true; ; again = false {
		res, err := c.post(ctx, body)
		if err != nil {
			return nil, away(ctx, err)
		}
		if res.StatusCode/100 == 2 {
			return res, nil
		}
		said, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		res.Body.Close()
		if err != nil {
			return nil, away(ctx, err)
		}
		_, code := c.words(said)
		busy := res.StatusCode == http.StatusTooManyRequests && code != "insufficient_quota" || res.StatusCode == http.StatusServiceUnavailable
		wait := retryAfter(res.Header)
		if !again || !busy || wait > c.limits.Wait {
			return nil, c.refusal(res.StatusCode, said)
		}
		if err := pause(ctx, wait); err != nil {
			return nil, away(ctx, err)
		}
	}
}

func (c *Client) post(ctx context.Context, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return outbound.Do(c.http, req)
}

// retryAfter reads how long to wait: seconds, or a moment by the endpoint's own clock. Without it, a second.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	then, err1 := http.ParseTime(text)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err1 == nil && err2 == nil {
		return max(then.Sub(now), 0)
	}
	return time.Second
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bounded makes an error of an answer that is too long.
func (c *Client) bounded(r io.Reader) io.Reader { return &bounded{r, c.limits.Answer} }

type bounded struct {
	r    io.Reader
	left int64
}

// Read is io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, chat.Faultf(chat.CodeTooLarge, "the endpoint's answer is too long")
	}
	return n, err
}
