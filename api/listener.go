package api

import (
	"slices"
	"sync"

	"github.com/dragoman-hub/dragoman/store"
)

// listener is one open connection.
type listener struct {
	token   string // its id
	filter  store.LogFilter
	sight   *sight
	feed    *feed
	limited bool  // it does not see everything; guarded by streams.mu
	from    int64 // live frames begin after this position

	limit int           // of what may wait
	bell  chan struct{} // holds a token while something waits
	cut   chan struct{} // closed when it was too slow, or its token was revoked

	mu      sync.Mutex
	waiting []*frame
	spare   []*frame // of the time before, to be filled again
	isCut   bool
}

// take puts the frames that the listener wants into its list. Who does not come to read them is cut off, but not for what has no position.
func (l *listener) take(frames []*frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fr := range frames {
		if l.isCut || !l.wants(fr) {
			continue
		}
		switch {
		case len(l.waiting) < l.limit:
			l.waiting = append(l.waiting, fr)
		case fr.pos != 0:
			l.cutOff()
		}
	}
	if len(l.waiting) == 0 {
		return
	}
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *listener) wants(fr *frame) bool {
	if l.filter.Conversation != "" && l.filter.Conversation != fr.conversation {
		return false
	}
	if len(l.filter.Kinds) > 0 && !slices.Contains(l.filter.Kinds, fr.kind) {
		return false
	}
	return l.sight.shows(fr)
}

// idleRoom is how much room is kept for what will wait: bursts are over soon, connections stay.
const idleRoom = 32

// rest is what waits; it is good until the next call.
func (l *listener) rest() []*frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.spare)
	out := l.waiting
	l.waiting, l.spare = l.spare[:0], out
	if cap(l.spare) > idleRoom {
		l.spare = nil
	}
	return out
}

func (l *listener) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) == 0 && !l.isCut
}

// end cuts the listener off.
func (l *listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutOff()
}

func (l *listener) cutOff() {
	if !l.isCut {
		l.isCut, l.waiting = true, nil
		close(l.cut)
	}
}
