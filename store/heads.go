package store

import "sync"

// headBoard is where followers in this process hear of new heads. Each listener has one entry for each workspace that
// moved since it last looked, however slow it is.
type headBoard struct {
	mu        sync.Mutex
	listeners map[*headListener]struct{}
	last      map[int64]int64
}

type headListener struct {
	work  string // hears only of commits that may mean work of this kind; "": of all
	mu    sync.Mutex
	moved map[int64]int64 // workspace -> head
	jobs  map[int64]handover
	bell  chan struct{}
	board *headBoard
}

func (b *headBoard) init() { b.listeners, b.last = map[*headListener]struct{}{}, map[int64]int64{} }

func (b *headBoard) listen(work string) *headListener {
	l := &headListener{work: work, moved: map[int64]int64{}, jobs: map[int64]handover{}, bell: make(chan struct{}, 1), board: b}
	b.mu.Lock()
	b.listeners[l] = struct{}{}
	b.mu.Unlock()
	return l
}

func (l *headListener) stop() {
	l.board.mu.Lock()
	delete(l.board.listeners, l)
	l.board.mu.Unlock()
}

// heard tells all listeners of a head that another node moved, if it is news.
func (b *headBoard) heard(ws, head int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if head > b.last[ws] {
		b.tell(ws, head, nil)
	}
}

// moved tells of a head that this node moved, and of the jobs that came of it.
func (b *headBoard) moved(w *workspaceRow, works map[string]handover) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.head <= b.last[w.id] {
		return
	}
	if b.last[w.id] != w.found {
		works = nil // another node, of which we have not heard yet, may have made jobs of any kind before
	}
	b.tell(w.id, w.head, works)
}

// tell reaches everybody when works is nil.
func (b *headBoard) tell(ws, head int64, works map[string]handover) {
	b.last[ws] = head
	for l := range b.listeners {
		jobs, concerned := works[l.work]
		if works == nil {
			jobs.read = true
		}
		if l.work != "" && works != nil && !concerned {
			continue
		}
		l.mu.Lock()
		l.moved[ws] = max(l.moved[ws], head)
		if l.work != "" {
			l.jobs[ws] = l.jobs[ws].and(jobs)
		}
		l.mu.Unlock()
		select {
		case l.bell <- struct{}{}:
		default:
		}
	}
}

// take answers the workspaces that moved and forgets them.
func (l *headListener) take() map[int64]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.moved
	l.moved = map[int64]int64{}
	return out
}

// takeJobs is take for who does work: it answers what there is to do in each workspace.
func (l *headListener) takeJobs() map[int64]handover {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.jobs
	l.moved, l.jobs = map[int64]int64{}, map[int64]handover{}
	return out
}

// worked tells whether somebody on this node does a kind of work.
func (b *headBoard) worked(work string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		if l.work == work {
			return true
		}
	}
	return false
}
