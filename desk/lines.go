package desk

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Lines knows which agents follow the log live on this node, notes so in the store, and makes inactive who has been away from all nodes
// for too long: whose browser crashed, or lost its line, does not say goodbye. Which streams are whose is for the caller to tell.
type Lines struct {
	Store *store.Store
	Now   func() time.Time
	Log   *slog.Logger
	Away  time.Duration // how long an agent may be without a line; 0: for ever

	mu   sync.Mutex
	open map[store.AgentLine]int
	news map[store.AgentLine]bool // began or ended since it was noted
	bell chan struct{}
}

// NewLines makes it. Run has to run.
func NewLines(s *store.Store, now func() time.Time, log *slog.Logger, away time.Duration) *Lines {
	return &Lines{Store: s, Now: now, Log: log, Away: away, open: map[store.AgentLine]int{}, news: map[store.AgentLine]bool{}, bell: make(chan struct{}, 1)}
}

// Open tells that an agent has a line; the answer is to be called when it ends. A nil Lines keeps no books.
func (l *Lines) Open(ws chat.WorkspaceID, agent string) (closed func()) {
	if l == nil {
		return func() {}
	}
	at := store.AgentLine{Workspace: ws, Agent: agent}
	l.count(at, 1)
	return func() { l.count(at, -1) }
}

func (l *Lines) count(at store.AgentLine, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.news[at] = true
	if l.open[at] += by; l.open[at] == 0 {
		delete(l.open, at)
	}
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

// looks is how often it is looked at who is there while an agent may be away; longest bounds the time in between, and what is shorter than
// patience is no gap: a busy machine is late.
const (
	linesLooks    = 4
	linesLongest  = 15 * time.Second
	linesPatience = 5 * time.Second
)

// Run notes and looks until ctx ends. Who was there before this node began, or before it could not note for a while, has the whole time to
// come back, and the other nodes to note.
func (l *Lines) Run(ctx context.Context) error {
	if l.Away <= 0 {
		<-ctx.Done()
		return nil
	}
	every := min(l.Away/linesLooks, linesLongest)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for w := begun(l.Now(), every); ; {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-l.bell:
			err = l.Store.NoteLines(ctx, l.takeNews())
		case <-tick.C:
			if err = l.Store.NoteLines(ctx, l.there()); err == nil && w.noted(l.Now()) > l.Away {
				err = l.lose(ctx)
			}
		}
		if err != nil && ctx.Err() == nil {
			w = begun(l.Now(), every)
			l.Log.WarnContext(ctx, "desk: which agents are there", "err", err)
		}
	}
}

// watch tells since when lines are noted without a gap. A database that hangs is one as well: the notes of other nodes hang with ours.
type watch struct {
	every       time.Duration
	since, last time.Time
}

func begun(now time.Time, every time.Duration) watch { return watch{every, now, now} }

func (w *watch) noted(now time.Time) time.Duration {
	if now.Sub(w.last) > max(2*w.every, linesPatience) {
		w.since = now
	}
	w.last = now
	return now.Sub(w.since)
}

// takeNews are those whose lines began or ended.
func (l *Lines) takeNews() []store.AgentLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := slices.Collect(maps.Keys(l.news))
	clear(l.news)
	return news
}

func (l *Lines) there() []store.AgentLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.open))
}

// lose makes inactive who is away. All nodes look; inside the transaction it is checked again.
func (l *Lines) lose(ctx context.Context) error {
	lost, err := l.Store.LostLines(ctx, l.Away, overdueBatch)
	cmds := make([]store.Command, len(lost))
	for i, at := range lost {
		cmds[i] = &store.LoseLine{AgentLine: at, Away: l.Away}
	}
	_, failed := l.Store.AppendAll(ctx, cmds)
	for _, f := range failed {
		if chat.CodeOf(f) != chat.CodeConflict { // another node was faster, or the agent is back
			err = errors.Join(err, f)
		}
	}
	return err
}
