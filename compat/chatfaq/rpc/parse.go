package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// maxParsers bounds the names of a socket.
const maxParsers = 100

// parse serves the socket of workers that read data sources. The SDK opens it only if it has parsers, and works only while all its
// sockets are open.
func (s *Server) parse(w http.ResponseWriter, r *http.Request) {
	base := context.WithoutCancel(r.Context())
	var mine *socket
	s.accept(w, r, kind{
		opened: func(c *socket) { mine = c },
		closed: func(c *socket) { s.lose(base, c) },
		frame: func(ctx context.Context, c *socket, in incoming) {
			var err error
			switch in.Type {
			case typeParsers:
				err = s.parsers.join(c, in.Data)
			case typeParsed:
				err = s.parsed(ctx, c, in.Data)
			case typeItem:
			default:
				err = notAChoice(in.Type)
			}
			s.reply(c, err)
		},
	})
	if mine != nil {
		s.lose(base, mine) // its last frame may have come after its end
	}
}

// errNoTask is for a task that nobody was given, or that was forgotten.
var errNoTask = &chat.Fault{Code: chat.CodeNotFound, Detail: "Task not found"}

// parsed ends a task, whichever socket it was given to: the SDK goes on reading while it connects again, also to another node.
func (s *Server) parsed(ctx context.Context, c *socket, data json.RawMessage) error {
	var in struct {
		Task name `json:"task_id"`
	}
	if json.Unmarshal(data, &in) != nil || in.Task == "" {
		return required("task_id")
	}
	found, err := s.Store.EndKnowledgeSource(ctx, c.token.Workspace, string(in.Task), store.SourceFinished, "")
	switch {
	case err != nil:
		return err
	case !found:
		return errNoTask
	}
	s.parsers.drop(string(in.Task))
	return nil
}

// loseTime bounds how long the end of a socket may take.
const loseTime = 10 * time.Second

// lose makes what a parser has not finished fail. When it is the hub that goes, the parser may go on: then its tasks stay pending for a
// while, and fail if nobody is heard of.
func (s *Server) lose(ctx context.Context, c *socket) {
	tasks := s.parsers.leave(c)
	s.mu.Lock()
	stopping := s.stopping
	s.mu.Unlock()
	if stopping {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, loseTime)
	defer cancel()
	for _, task := range tasks {
		s.fail(ctx, c.token.Workspace, task)
	}
}

func (s *Server) fail(ctx context.Context, ws chat.WorkspaceID, task string) {
	if _, err := s.Store.EndKnowledgeSource(ctx, ws, task, store.SourceFailed, "its worker went away before it was read"); err != nil {
		s.Log.WarnContext(ctx, "rpc: the end of a source was not stored", "task", task, "err", err) // its time will run out
	}
}

// parsers are the workers of this node that read data sources, and what they were given. What became of it is in the store.
type parsers struct {
	mu    sync.Mutex
	names map[*socket][]string
	held  map[string]*holding // by task
}

type holding struct {
	socket *socket
	stored bool
}

func newParsers() parsers { return parsers{names: map[*socket][]string{}, held: map[string]*holding{}} }

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

// leave forgets a socket and gives the tasks that it had.
func (p *parsers) leave(c *socket) (tasks []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.names, c)
	for task, h := range p.held {
		if h.socket == c {
			delete(p.held, task)
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// pick finds the parser of that name that has least to do, for a task that is about to be stored.
func (p *parsers) pick(ws chat.WorkspaceID, parser, task string) (*socket, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	busy := map[*socket]int{}
	for _, h := range p.held {
		busy[h.socket]++
	}
	var best *socket
	for c, names := range p.names {
		if c.token.Workspace == ws && slices.Contains(names, parser) && (best == nil || busy[c] < busy[best]) {
			best = c
		}
	}
	if best == nil {
		return nil, chat.Faultf(chat.CodeConflict, fmt.Sprintf("no parser %.100q is connected to this node: start it, and try again", parser))
	}
	p.held[task] = &holding{socket: best}
	return best, nil
}

// settle tells that a task is stored, and whether it is held still.
func (p *parsers) settle(task string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.held[task]
	if h == nil {
		return false
	}
	h.stored = true
	return true
}

func (p *parsers) drop(tasks ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, task := range tasks {
		delete(p.held, task)
	}
}

// tasks are those of this node that are stored.
func (p *parsers) tasks() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for task, h := range p.held {
		if h.stored {
			all = append(all, task)
		}
	}
	return all
}

// The times of the look after sources.
const (
	watchEvery = store.SourceLease / 4
	clearEvery = 20 // as many looks later lost files are deleted
)

// watch looks after sources and what belongs to them until ctx ends.
func (s *Server) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.keepSources(ctx)
		if n%clearEvery == 0 {
			err = errors.Join(err, s.clearFiles(ctx))
		}
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "rpc: sources are not looked after", "err", err)
		}
	}
}

// keepSources tells what is being read here, and gives up what nobody reads.
func (s *Server) keepSources(ctx context.Context) error {
	held := s.parsers.tasks()
	pending, err := s.Store.KeepKnowledgeSources(ctx, held)
	if err != nil {
		return err
	}
	s.parsers.drop(slices.DeleteFunc(held, func(task string) bool { return slices.Contains(pending, task) })...)
	return s.Store.FailKnowledgeSources(ctx)
}

// clearFiles deletes what belonged to items and sources that are gone.
func (s *Server) clearFiles(ctx context.Context) error {
	if s.Blobs == nil {
		return nil
	}
	lost, err := s.Store.LostKnowledgeFiles(ctx, 1000)
	for _, f := range lost {
		if err := s.Blobs.Delete(ctx, string(f.File)); err != nil {
			return err
		}
		if err := s.Store.DropKnowledgeFile(ctx, f); err != nil {
			return err
		}
	}
	return err
}
