package worker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/coder/websocket"
)

// Parser reads a source and yields what it finds; each item is stored at once. An error, of its own or of yield, ends it, and the source
// stays unfinished.
type Parser func(ctx context.Context, s Source, yield func(Item) error) error

// task is what the hub wants read.
type task struct {
	Base   ID     `json:"kb_id"`
	Source ID     `json:"ds_id"`
	Task   ID     `json:"task_id"`
	CSV    string `json:"csv"`
	PDF    string `json:"pdf"`
	URL    string `json:"url"`
	parser string
}

// announce tells the hub which parsers there are.
func (s *session) announce(ctx context.Context, parse *websocket.Conn) error {
	names := make([]string, 0, len(s.Parsers))
	for name := range s.Parsers {
		names = append(names, name)
	}
	raw, err := json.Marshal(outgoing{"register_parsers", object{"parsers": names}})
	if err != nil {
		return err
	}
	return s.write(ctx, parse, raw)
}

func (s *session) onParse(_ context.Context, in incoming) {
	if in.Type == "error" {
		s.logHubError(in)
		return
	}
	t := task{parser: in.Type}
	if err := json.Unmarshal(in.Payload, &t); err != nil || s.Parsers[in.Type] == nil {
		s.Logger.Warn("worker: a source that nobody can read", "parser", in.Type, "error", err)
		return
	}
	select {
	case s.tasks <- t:
	default:
		s.Logger.Error("worker: too many sources wait", "parser", in.Type)
	}
}

// readSources reads them one after the other.
func (s *session) readSources(ctx context.Context, parse *websocket.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-s.tasks:
			err := guard(func() error { return s.readSource(ctx, t) })
			if err == nil {
				err = s.finish(ctx, parse, t)
			}
			if err != nil && ctx.Err() == nil {
				s.Logger.Error("worker: source not read", "parser", t.parser, "source", string(t.Source), "error", s.redact(err))
			}
		}
	}
}

func (s *session) readSource(ctx context.Context, t task) error {
	to := &Knowledge{URL: s.URL, Token: s.Token, HTTPClient: s.HTTPClient}
	source := Source{ID: t.Source, Base: t.Base, Task: t.Task, URL: t.URL, CSV: t.CSV, PDF: t.PDF, Parser: t.parser, Status: "pending"}
	return s.Parsers[t.parser](ctx, source, func(item Item) error {
		item.Base, item.DataSource = t.Base, t.Source
		if _, err := to.Add(ctx, item); err != nil {
			return fmt.Errorf("worker: item %.60q: %w", item.Title, err)
		}
		return nil
	})
}

func (s *session) finish(ctx context.Context, parse *websocket.Conn, t task) error {
	raw, err := json.Marshal(outgoing{"parser_finished", object{"task_id": t.Task}})
	if err != nil {
		return err
	}
	return s.write(ctx, parse, raw)
}
