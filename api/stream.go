package api

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// streams give live events to any number of listeners with one reader of the log per workspace.
//
// A slow listener never holds up the reader: what it has not taken waits in a buffer of fixed size, and when that is full the listener is
// cut off and resumes from the database. Nothing runs while nobody listens. Order of locks: streams.mu, then none.
type streams struct {
	a *API

	mu      sync.Mutex
	feeds   map[chat.WorkspaceID]*feed
	news    *wake.Subscription
	stop    context.CancelFunc // of hear
	clients map[string]int     // open streams by token
}

// feed is the reader of one workspace's log.
type feed struct {
	ws        chat.WorkspaceID
	bell      chan struct{} // holds a token while the log may have grown
	stop      context.CancelFunc
	listeners map[*listener]struct{} // guarded by streams.mu
	pos       int64                  // everything until here was handed out; guarded by streams.mu
}

// frame is one event as it goes out, made once for all listeners. Typing has no position.
type frame struct {
	pos          int64
	kind         chat.Kind
	conversation chat.ConversationID
	data         []byte
}

// listener is one open connection.
type listener struct {
	token  string // its id
	filter store.LogFilter
	frames chan frame
	from   int64         // live frames begin after this position
	pos    int64         // seen until here, what does not match included; guarded by streams.mu
	cut    chan struct{} // closed when it was too slow, or its token was revoked
	isCut  bool
}

func newStreams(a *API) *streams {
	return &streams{a: a, feeds: map[chat.WorkspaceID]*feed{}, clients: map[string]int{}}
}

// enter counts a token's streams.
func (s *streams) enter(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[token] >= s.a.Limits.Streams {
		return problem(codeThrottled, "too many open event streams with this token").retryAfter(5 * time.Second)
	}
	s.clients[token]++
	return nil
}

func (s *streams) leave(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[token]--; s.clients[token] <= 0 {
		delete(s.clients, token)
	}
}

// listen begins to collect what is committed from now on; the listener's from tells where that is.
func (s *streams) listen(ctx context.Context, ws chat.WorkspaceID, filter store.LogFilter) (*listener, error) {
	w, err := s.a.Store.Workspace(ctx, ws)
	if err != nil {
		return nil, err
	}
	l := &listener{token: callerOf(ctx).ID, filter: filter, frames: make(chan frame, s.a.Limits.Buffer), cut: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[ws]
	if f == nil {
		f = s.begin(ctx, ws, w.Head)
	}
	l.from, l.pos = f.pos, f.pos
	f.listeners[l] = struct{}{}
	return l, nil
}

// begin starts the reader of a workspace, and with the first one the ear on the wake bus. s.mu is held.
func (s *streams) begin(ctx context.Context, ws chat.WorkspaceID, head int64) *feed {
	ctx = context.WithoutCancel(ctx) // the reader outlives the request that began it
	if s.news == nil {
		hearing, stop := context.WithCancel(ctx)
		s.news, s.stop = s.a.Wake.Subscribe(), stop
		go s.hear(hearing, s.news)
	}
	reading, stop := context.WithCancel(ctx)
	f := &feed{ws: ws, bell: make(chan struct{}, 1), stop: stop, listeners: map[*listener]struct{}{}, pos: head}
	s.feeds[ws] = f
	// the log may have grown between reading the head and hearing of it
	f.bell <- struct{}{}
	go s.read(reading, f)
	return f
}

// forget ends a listener; the last one of a workspace ends its reader, the last of all the ear.
func (s *streams) forget(ws chat.WorkspaceID, l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[ws]
	delete(f.listeners, l)
	if len(f.listeners) > 0 {
		return
	}
	f.stop()
	delete(s.feeds, ws)
	if len(s.feeds) == 0 {
		s.stop()
		s.news.Close()
		s.news = nil
	}
}

// hear rings for the readers and passes typing on.
func (s *streams) hear(ctx context.Context, news *wake.Subscription) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-news.Ready():
		}
		n := news.Take()
		s.mu.Lock()
		for ws, f := range s.feeds {
			if n.Missed || n.Heads[ws] > f.pos {
				f.ring()
			}
		}
		for _, t := range n.Typing {
			if f := s.feeds[t.Workspace]; f != nil {
				f.give(typingFrame(t))
			}
		}
		s.mu.Unlock()
	}
}

func typingFrame(t wake.Typing) frame {
	raw, _ := json.Marshal(t) // plain data: cannot fail
	return frame{kind: chat.KindTyping, conversation: t.Conversation, data: raw}
}

func (f *feed) ring() {
	select {
	case f.bell <- struct{}{}:
	default:
	}
}

// read hands the log of one workspace out as it grows. A wake-up that got lost costs one sweep.
func (s *streams) read(ctx context.Context, f *feed) {
	sweep := time.NewTicker(s.a.Limits.Sweep)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.bell:
		case <-sweep.C:
		}
		for {
			n, err := s.advance(ctx, f)
			if err != nil && !errors.Is(err, context.Canceled) {
				s.a.Log.WarnContext(ctx, "api: event stream cannot read the log", "workspace", f.ws, "err", err)
			}
			if n == 0 || err != nil {
				break // on an error the next bell or sweep tries again
			}
		}
	}
}

// page is how many events are read at once.
const streamPage = 256

// advance reads the next events and gives them to all listeners; the answer is how far it came.
func (s *streams) advance(ctx context.Context, f *feed) (int64, error) {
	s.mu.Lock()
	after := f.pos
	s.mu.Unlock()
	events, upTo, err := s.a.Store.Log(ctx, f.ws, after, streamPage, store.LogFilter{})
	if err != nil {
		return 0, err
	}
	frames := make([]frame, 0, len(events))
	for _, e := range events {
		fr, err := s.a.frame(f.ws, e)
		if err != nil {
			return 0, err
		}
		frames = append(frames, fr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fr := range frames {
		f.give(fr)
	}
	f.pos = upTo
	for l := range f.listeners {
		if !l.isCut {
			l.pos = upTo
		}
	}
	return upTo - after, nil
}

// frame makes an event's bytes.
func (a *API) frame(ws chat.WorkspaceID, e chat.Event) (frame, error) {
	raw, err := json.Marshal(a.render(ws, e))
	return frame{pos: e.Pos, kind: e.Kind, conversation: e.Conversation, data: raw}, err
}

// give puts a frame into the buffers of those that want it. streams.mu is held.
func (f *feed) give(fr frame) {
	for l := range f.listeners {
		if l.isCut || !l.wants(fr) {
			continue
		}
		select {
		case l.frames <- fr:
		default:
			if fr.pos == 0 {
				continue // typing is not worth a connection
			}
			l.end()
		}
	}
}

// end cuts a listener off. streams.mu is held.
func (l *listener) end() {
	if !l.isCut {
		l.isCut = true
		close(l.cut)
	}
}

// revoke ends the streams of a token.
func (s *streams) revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		for l := range f.listeners {
			if l.token == token {
				l.end()
			}
		}
	}
}

func (l *listener) wants(fr frame) bool {
	if l.filter.Conversation != "" && l.filter.Conversation != fr.conversation {
		return false
	}
	if len(l.filter.Kinds) == 0 {
		return true
	}
	for _, k := range l.filter.Kinds {
		if k == fr.kind {
			return true
		}
	}
	return false
}

// seen is a position before which nothing is left for a listener whose buffer is empty.
func (s *streams) seen(l *listener) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.pos, len(l.frames) == 0 && !l.isCut
}
