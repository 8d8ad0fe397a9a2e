package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Bounds of what parsers may do.
const (
	maxParsers = 100  // names of a socket
	maxSources = 1000 // of a node that are remembered; the oldest goes
)

// parse serves the socket of workers that read data sources. The SDK opens it only if it has parsers, and works only while all its
// sockets are open.
func (s *Server) parse(w http.ResponseWriter, r *http.Request) {
	var mine *socket
	s.accept(w, r, kind{
		opened: func(c *socket) { mine = c },
		closed: s.parsers.leave,
		frame: func(_ context.Context, c *socket, in incoming) {
			var err error
			switch in.Type {
			case typeParsers:
				err = s.parsers.join(c, in.Data)
			case typeParsed:
				err = s.parsers.finish(c, in.Data)
			case typeItem:
			default:
				err = notAChoice(in.Type)
			}
			if err != nil {
				c.send(errorFrame(err))
			}
		},
	})
	if mine != nil {
		s.parsers.leave(mine) // its last frame may have come after its end
	}
}

// sourceStatus tells how far a data source is.
type sourceStatus string

const (
	sourcePending  sourceStatus = "pending"
	sourceFinished sourceStatus = "finished"
	sourceFailed   sourceStatus = "failed" // the parser has gone
)

// source is something that a parser reads. It is this node's own and is lost with it: what counts are the items that come of it.
type source struct {
	ID     int64        `json:"id"`
	Base   int64        `json:"knowledge_base"`
	Parser string       `json:"parser"`
	CSV    *string      `json:"original_csv"`
	PDF    *string      `json:"original_pdf"`
	URL    string       `json:"original_url"`
	Task   string       `json:"task_id"`
	Status sourceStatus `json:"status"`

	workspace chat.WorkspaceID
	socket    *socket
}

// task is what a parser is told.
type task struct {
	Base   int64   `json:"kb_id"`
	Source int64   `json:"ds_id"`
	Task   string  `json:"task_id"`
	CSV    *string `json:"csv"`
	PDF    *string `json:"pdf"`
	URL    string  `json:"url"`
}

// parsers are the workers of this node that read data sources, and what they were given.
type parsers struct {
	mu      sync.Mutex
	names   map[*socket][]string
	sources []*source
	last    int64
}

func (p *parsers) join(c *socket, data json.RawMessage) error {
	var in struct {
		Parsers []string `json:"parsers"`
	}
	if json.Unmarshal(data, &in) != nil || len(in.Parsers) > maxParsers {
		return invalidError{"parsers": []string{fmt.Sprintf("Expected a list of at most %d names.", maxParsers)}}
	}
	for _, n := range in.Parsers {
		if n == "" || len(n) > maxNames || n == typeError {
			return invalidError{"parsers": []string{fmt.Sprintf("%.40q is not a valid name.", n)}}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names[c] = in.Parsers
	return nil
}

func (p *parsers) finish(c *socket, data json.RawMessage) error {
	var in struct {
		Task name `json:"task_id"`
	}
	if json.Unmarshal(data, &in) != nil || in.Task == "" {
		return required("task_id")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.sources {
		if x.Task == string(in.Task) && x.socket == c && x.Status == sourcePending {
			x.Status = sourceFinished
		}
	}
	return nil // it may be of a hub before a restart
}

// leave makes what a parser has not finished fail.
func (p *parsers) leave(c *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.names, c)
	for _, x := range p.sources {
		if x.socket == c {
			x.socket = nil
			if x.Status == sourcePending {
				x.Status = sourceFailed
			}
		}
	}
}

// give hands a source to the parser that has least to do.
func (p *parsers) give(ws chat.WorkspaceID, x source, now int64) (source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	busy := map[*socket]int{}
	for _, y := range p.sources {
		if y.Status == sourcePending {
			busy[y.socket]++
		}
	}
	for c, names := range p.names {
		if c.token.Workspace == ws && slices.Contains(names, x.Parser) && (x.socket == nil || busy[c] < busy[x.socket]) {
			x.socket = c
		}
	}
	if x.socket == nil {
		return x, chat.Faultf(chat.CodeConflict, fmt.Sprintf("no parser %.100q is connected to this node: start it, and try again", x.Parser))
	}
	p.last = max(p.last+1, now)
	x.ID, x.Task, x.Status, x.workspace = p.last, chat.NewID(), sourcePending, ws
	if p.sources = append(p.sources, &x); len(p.sources) > maxSources {
		p.sources = slices.Delete(p.sources, 0, 1)
	}
	x.socket.send(outgoing{x.Parser, statusFine, task{x.Base, x.ID, x.Task, nil, nil, x.URL}})
	return x, nil
}

func (p *parsers) find(ws chat.WorkspaceID, id int64) (source, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.sources {
		if x.ID == id && x.workspace == ws {
			return *x, true
		}
	}
	return source{}, false
}

// addSource has a page read by a parser. Tables and documents are uploaded to the knowledge base itself.
func (s *Server) addSource(w http.ResponseWriter, r *http.Request, token store.Token) error {
	var in struct {
		Base   *name           `json:"knowledge_base"`
		Parser *string         `json:"parser"`
		URL    *string         `json:"original_url"`
		CSV    json.RawMessage `json:"original_csv"`
		PDF    json.RawMessage `json:"original_pdf"`
	}
	if err := readBody(r, &in); err != nil {
		return err
	}
	wrong := invalidError{}
	for member, missing := range map[string]bool{"knowledge_base": in.Base == nil, "parser": in.Parser == nil, "original_url": in.URL == nil} {
		if missing {
			wrong[member] = []string{wordRequired}
		}
	}
	if !isNull(in.CSV) || !isNull(in.PDF) {
		wrong["original_csv"] = []string{"Upload documents to the knowledge base: POST /v1/knowledge-bases/{name}/documents."}
	}
	if u, err := url.Parse(valueOf(in.URL)); in.URL != nil && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(*in.URL) > maxSourceURL) {
		wrong["original_url"] = []string{"Enter a valid URL."}
	}
	if len(wrong) > 0 {
		return wrong
	}
	base, err := s.base(r, token.Workspace, *in.Base)
	if err != nil {
		return err
	}
	x, err := s.parsers.give(token.Workspace, source{Base: base.ID, Parser: *in.Parser, URL: *in.URL}, s.Now().UnixMilli())
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusCreated, x)
	return nil
}

// maxSourceURL bounds the address of a data source, in bytes.
const maxSourceURL = 2000

func (s *Server) oneSource(w http.ResponseWriter, r *http.Request, token store.Token) error {
	id, err := number(r)
	if err != nil {
		return err
	}
	x, found := s.parsers.find(token.Workspace, id)
	if !found {
		return chat.Faultf(chat.CodeNotFound, "Not found.")
	}
	answerJSON(w, http.StatusOK, x)
	return nil
}
