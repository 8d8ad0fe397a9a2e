package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// remote says which running hub a command talks to. On the hub's own machine nothing has to be said: its data folder knows.
type remote struct {
	URL   string `help:"Address of the hub (default: as noted in the data folder)." env:"DRAGOMAN_URL"`
	Token string `help:"API token (default: the admin token in the data folder)." env:"DRAGOMAN_TOKEN,DRAGOMAN_ADMIN_TOKEN"`
	Data  string `help:"The hub's data folder." default:"./data" type:"path" env:"DRAGOMAN_DATA"`
}

// client speaks to the hub's API.
type client struct {
	base, token string
	http        *http.Client
}

func (r remote) client() (*client, error) {
	note := readNote(r.Data)
	c := &client{base: r.URL, token: r.Token, http: &http.Client{}}
	if c.base == "" {
		c.base = note.URL
	}
	if c.base == "" {
		return nil, fmt.Errorf("no hub found: start one with `dragoman serve --data %s`, or name it with --url", r.Data)
	}
	if c.token == "" {
		raw, err := os.ReadFile(filepath.Join(r.Data, adminTokenFile))
		if err != nil {
			return nil, fmt.Errorf("no token: give one with --token (%w)", err)
		}
		c.token = strings.TrimSpace(string(raw))
	}
	c.base = strings.TrimSuffix(c.base, "/")
	return c, nil
}

// problem is the hub's error answer (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Path   string `json:"path"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

func (p *problem) Error() string {
	lines := []string{p.Detail}
	if p.Detail == "" {
		lines[0] = p.Title
	}
	for _, e := range p.Errors {
		if len(p.Errors) > 1 { // the detail tells of a single one
			lines = append(lines, "  "+strings.TrimPrefix(e.Path+": "+e.Detail, ": "))
		}
	}
	return strings.Join(lines, "\n")
}

// open makes a request and gives the answer's body if it went well.
func (c *client) open(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", chat.NewID())
	}
	res, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok && ctx.Err() == nil {
			return nil, fmt.Errorf("the hub at %s does not answer: is it running? (%w)", c.base, u.Err)
		}
		return nil, err
	}
	if res.StatusCode < 300 {
		return res.Body, nil
	}
	defer res.Body.Close()
	p := &problem{Status: res.StatusCode, Title: res.Status}
	if raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20)); err == nil {
		_ = json.Unmarshal(raw, p) // what is no problem document is shown by its status
	}
	return nil, p
}

// call makes a request and decodes the answer into out, if out is not nil.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	r, err := c.open(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer r.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, r)
		return err
	}
	return json.NewDecoder(r).Decode(out)
}

// page is one page of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// listAll reads a list to its end.
func listAll[T any](ctx context.Context, c *client, path string) ([]T, error) {
	var out []T
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for at := path; ; {
		var p page[T]
		if err := c.call(ctx, http.MethodGet, at, nil, &p); err != nil {
			return nil, err
		}
		out = append(out, p.Items...)
		if p.Next == "" || len(p.Items) == 0 {
			return out, nil
		}
		at = path + sep + "cursor=" + url.QueryEscape(p.Next)
	}
}
