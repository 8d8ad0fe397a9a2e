package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Knowledge reads and writes the hub's knowledge bases over its REST calls. It is safe for concurrent use.
type Knowledge struct {
	URL        string // of the hub, as a Worker has it
	Token      string
	HTTPClient *http.Client // nil: http.DefaultClient
}

// Item is a piece of knowledge. Base is the number or the name of its knowledge base.
type Item struct {
	ID         int64           `json:"id,omitempty"`
	Base       ID              `json:"knowledge_base"`
	Title      string          `json:"title"`
	Content    string          `json:"content"`
	URL        string          `json:"url,omitempty"`
	Section    string          `json:"section,omitempty"`
	Role       string          `json:"role,omitempty"`
	Page       int64           `json:"page_number,omitempty"`
	Metadata   json.RawMessage `json:"metadata,omitempty"`
	DataSource ID              `json:"data_source,omitempty"` // that it was read of
	CreatedAt  time.Time       `json:"created_date,omitzero"`
	UpdatedAt  time.Time       `json:"updated_date,omitzero"`
}

// Source is something that a Parser reads, and how far it is: pending, finished, failed.
type Source struct {
	ID     ID     `json:"id"`
	Base   ID     `json:"knowledge_base"`
	Task   ID     `json:"task_id"`
	URL    string `json:"original_url"`
	CSV    string `json:"original_csv"` // links to what was uploaded for it, if anything was
	PDF    string `json:"original_pdf"`
	Parser string `json:"parser"`
	Status string `json:"status"`
}

const (
	restPath    = "back/api/language-model/"
	restTimeout = time.Minute
	mostAnswer  = 64 << 20 // bytes
	itemsAtOnce = 100
)

// Items gives the items of a base whose metadata have the given members, all without any. An error is the last thing that comes.
func (k *Knowledge) Items(ctx context.Context, base string, metadata map[string]any) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		wanted, err := json.Marshal(metadata)
		for offset := 0; err == nil; {
			var page struct {
				Count   int    `json:"count"`
				Results []Item `json:"results"`
			}
			q := url.Values{"knowledge_base__name": {base}, "metadata": {string(wanted)}, "limit": {strconv.Itoa(itemsAtOnce)}, "offset": {strconv.Itoa(offset)}}
			if err = k.call(ctx, http.MethodGet, "knowledge-items/?"+q.Encode(), nil, &page); err != nil {
				break
			}
			for _, item := range page.Results {
				if !yield(item, nil) {
					return
				}
			}
			if offset += len(page.Results); len(page.Results) == 0 || offset >= page.Count {
				return
			}
		}
		yield(Item{}, err)
	}
}

// Add stores a new item; its id and times are the hub's.
func (k *Knowledge) Add(ctx context.Context, item Item) (added Item, err error) {
	err = k.call(ctx, http.MethodPost, "knowledge-items/", item, &added)
	return added, err
}

// Change sets members of an item by their names in JSON: "title", "content", "metadata" and so on.
func (k *Knowledge) Change(ctx context.Context, id int64, members map[string]any) (changed Item, err error) {
	err = k.call(ctx, http.MethodPatch, fmt.Sprintf("knowledge-items/%d/", id), members, &changed)
	return changed, err
}

// Prompt reads a stored prompt.
func (k *Knowledge) Prompt(ctx context.Context, name string) (string, error) {
	var page struct {
		Results []struct {
			Prompt string `json:"prompt"`
		} `json:"results"`
	}
	if err := k.call(ctx, http.MethodGet, "prompt-configs/?name="+url.QueryEscape(name), nil, &page); err != nil {
		return "", err
	}
	if len(page.Results) == 0 {
		return "", fmt.Errorf("worker: no prompt %q", name)
	}
	return page.Results[0].Prompt, nil
}

// Read has a connected worker's Parser read a page into a base, and does not wait for it.
func (k *Knowledge) Read(ctx context.Context, base, parser, page string) (s Source, err error) {
	err = k.call(ctx, http.MethodPost, "data-sources/", object{"knowledge_base": base, "parser": parser, "original_url": page}, &s)
	return s, err
}

// Source tells how far a source is.
func (k *Knowledge) Source(ctx context.Context, id ID) (s Source, err error) {
	err = k.call(ctx, http.MethodGet, "data-sources/"+url.PathEscape(string(id))+"/", nil, &s)
	return s, err
}

// StatusError is an answer of the hub that is none of the good ones.
type StatusError struct {
	Status int
	Body   string // the beginning of it
}

func (e *StatusError) Error() string { return fmt.Sprintf("worker: HTTP %d: %s", e.Status, e.Body) }

func (k *Knowledge) call(ctx context.Context, method, path string, in, out any) error {
	base, err := parseURL(k.URL)
	if err != nil {
		return err
	}
	base.Scheme = strings.Replace(base.Scheme, "ws", "http", 1)
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base.String(), "/")+"/"+restPath+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Token "+k.Token)
	r.Header.Set("Content-Type", "application/json")
	client := k.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return &StatusError{res.StatusCode, string(raw[:min(len(raw), 500)])}
	}
	return json.Unmarshal(raw, out)
}
