package api

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// streams give live events to any number of listeners with one reader of the log per workspace.
//
// A slow listener never holds up the reader: what it has not taken waits in a bounded list, and when that is full the listener is cut off
// and resumes from the database. What can be done once for all listeners is: an event's bytes are made, and it is found out where its
// conversation is, before any of them hears of it. Who follows one conversation costs nothing while others go on. Nothing runs while
// nobody listens. Order of locks: streams.mu, then present.mu or listener.mu.
type streams struct {
	a *API

	mu      sync.Mutex
	feeds   map[chat.WorkspaceID]*feed
	news    *wake.Subscription
	stop    context.CancelFunc // of hear
	clients map[string]int     // open streams by token
	reading chan struct{}      // has room for those who read the past at once
	scratch sync.Pool          // of *[]byte
}

// pastReaders is how many streams read the past at once: any number may come back at the same moment, and the log must not wait for them.
const pastReaders = 4

// feed is the reader of one workspace's log. What is guarded is so by streams.mu.
type feed struct {
	ws      chat.WorkspaceID
	bell    chan struct{} // holds a token while the log may have grown
	stop    context.CancelFunc
	all     map[*listener]struct{}                         // who follow the whole log; guarded
	of      map[chat.ConversationID]map[*listener]struct{} // who follow one conversation; guarded
	limited int                                            // how many of all do not see everything; guarded
	pos     int64                                          // everything until here was handed out; guarded
	passing []*frame                                       // what has no position and waits for the reader; guarded
	places  places                                         // of the reader
	crowd   atomic.Int64                                   // how many follow the whole log
}

// How long a stream of the whole log gathers what comes after a write, for each of those streams that there are: all of them together write
// at most 20,000 times and 200 MB a second, however fast the log grows, and leave the rest of the machine to who writes to it. What comes
// after a quiet time goes out at once.
const (
	perListener = 50 * time.Microsecond
	perByte     = 5 * time.Nanosecond
)

// pause is how long a stream of the whole log gathers after it has written so many bytes.
func (f *feed) pause(bytes int) time.Duration {
	return time.Duration(f.crowd.Load()) * (perListener + time.Duration(bytes)*perByte)
}

// frame is one event as it goes out, made once for all listeners. Typing and presence have no position.
type frame struct {
	pos          int64
	kind         chat.Kind
	conversation chat.ConversationID
	wire         []byte
	at           stand
}

func newStreams(a *API) *streams {
	return &streams{a: a, feeds: map[chat.WorkspaceID]*feed{}, clients: map[string]int{}, reading: make(chan struct{}, pastReaders), scratch: sync.Pool{New: func() any { return new([]byte) }}}
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
func (s *streams) listen(ctx context.Context, ws chat.WorkspaceID, filter store.LogFilter, see *sight) (*listener, error) {
	w, err := s.a.Store.Workspace(ctx, ws)
	if err != nil {
		return nil, err
	}
	l := &listener{token: callerOf(ctx).ID, filter: filter, sight: see, bell: make(chan struct{}, 1), limit: s.a.Limits.Buffer, cut: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[ws]
	if f == nil {
		f = s.begin(ctx, ws, w.Head)
	}
	l.feed, l.from = f, f.pos
	f.add(l)
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
	f := &feed{
		ws: ws, bell: make(chan struct{}, 1), stop: stop, pos: head, places: places{a: s.a, ws: ws},
		all: map[*listener]struct{}{}, of: map[chat.ConversationID]map[*listener]struct{}{},
	}
	s.feeds[ws] = f
	// the log may have grown between reading the head and hearing of it
	f.bell <- struct{}{}
	go s.read(reading, f)
	return f
}

// forget ends a listener; the last one of a workspace ends its reader, the last of all the ear.
func (s *streams) forget(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := l.feed
	f.remove(l)
	if len(f.all)+len(f.of) > 0 {
		return
	}
	f.stop()
	delete(s.feeds, f.ws)
	if len(s.feeds) == 0 {
		s.stop()
		s.news.Close()
		s.news = nil
	}
}

// hear rings for the readers and passes on what is never stored.
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
				f.pass(typingFrame(t))
			}
		}
		for _, p := range n.Presences {
			s.a.present.note(p)
			if f := s.feeds[p.Workspace]; f != nil {
				f.pass(presenceFrame(p))
			}
		}
		s.mu.Unlock()
	}
}

func typingFrame(t wake.Typing) *frame {
	raw, _ := json.Marshal(t) // plain data: cannot fail
	return newFrame(0, chat.KindTyping, t.Conversation, raw)
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
		s.handPassing(ctx, f)
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
	after, limited := f.pos, f.limited > 0
	s.mu.Unlock()
	events, upTo, err := s.a.Store.Log(ctx, f.ws, after, streamPage, store.LogFilter{})
	if err != nil {
		return 0, err
	}
	frames := make([]*frame, 0, len(events))
	for _, e := range events {
		fr, err := s.a.frame(f.ws, e)
		if err != nil {
			return 0, err
		}
		frames = append(frames, fr)
	}
	if err := f.places.locate(ctx, frames, events, limited); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.limited > 0 && !limited { // somebody joined for whom it has to be known where conversations are: once more
		f.ring()
		return 0, nil
	}
	f.give(frames)
	f.pos = upTo
	return upTo - after, nil
}

// frame makes an event's bytes.
func (a *API) frame(ws chat.WorkspaceID, e chat.Event) (*frame, error) {
	raw, err := json.Marshal(a.render(ws, e))
	return newFrame(e.Pos, e.Kind, e.Conversation, raw), err
}

// newFrame makes a server-sent event (WHATWG HTML, section 9.2). JSON has no line ends, so it is one data line.
func newFrame(pos int64, kind chat.Kind, conversation chat.ConversationID, data []byte) *frame {
	b := make([]byte, 0, len(data)+len(kind)+40)
	if pos != 0 {
		b = append(b, "id: "...)
		b = strconv.AppendInt(b, pos, 10)
		b = append(b, '\n')
	}
	b = append(b, "event: "...)
	b = append(b, kind...)
	b = append(b, "\ndata: "...)
	b = append(b, data...)
	b = append(b, "\n\n"...)
	return &frame{pos: pos, kind: kind, conversation: conversation, wire: b}
}

// maxPassing is how much without a position may wait for the reader: it is not worth more.
const maxPassing = 256

// pass leaves something without a position to the reader. streams.mu is held.
func (f *feed) pass(fr *frame) {
	if len(f.passing) < maxPassing {
		f.passing = append(f.passing, fr)
		f.ring()
	}
}

// handPassing gives what has no position to the listeners.
func (s *streams) handPassing(ctx context.Context, f *feed) {
	s.mu.Lock()
	frames, limited := f.passing, f.limited > 0
	f.passing = nil
	s.mu.Unlock()
	if len(frames) == 0 || f.places.locate(ctx, frames, nil, limited) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if limited || f.limited == 0 {
		f.give(frames)
	}
}

// give hands frames to those that want them. streams.mu is held.
func (f *feed) give(frames []*frame) {
	for l := range f.all {
		l.take(frames)
	}
	for _, fr := range frames {
		for l := range f.of[fr.conversation] {
			l.take([]*frame{fr})
		}
	}
}

// add and remove keep the listeners. streams.mu is held.
func (f *feed) add(l *listener) {
	id := l.filter.Conversation
	switch {
	case id == "":
		f.all[l] = struct{}{}
		f.crowd.Store(int64(len(f.all)))
	case f.of[id] == nil:
		f.of[id] = map[*listener]struct{}{l: {}}
	default:
		f.of[id][l] = struct{}{}
	}
	f.reckon(l, l.sight.limited())
}

func (f *feed) remove(l *listener) {
	f.reckon(l, false)
	delete(f.all, l)
	f.crowd.Store(int64(len(f.all)))
	if of := f.of[l.filter.Conversation]; of != nil {
		if delete(of, l); len(of) == 0 {
			delete(f.of, l.filter.Conversation)
		}
	}
}

// reckon counts the listeners that do not see everything. streams.mu is held.
func (f *feed) reckon(l *listener, limited bool) {
	if limited == l.limited {
		return
	}
	l.limited = limited
	if limited {
		f.limited++
	} else {
		f.limited--
	}
}

// look takes over what the reader of a stream may see by now.
func (s *streams) look(l *listener, by access.Who) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.sight.look(by)
	l.feed.reckon(l, l.sight.limited())
}

// revoke ends the streams of a token.
func (s *streams) revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		for l := range f.each() {
			if l.token == token {
				l.end()
			}
		}
	}
}

// each goes through all listeners. streams.mu is held.
func (f *feed) each() iter.Seq[*listener] {
	return func(yield func(*listener) bool) {
		for l := range f.all {
			if !yield(l) {
				return
			}
		}
		for _, of := range f.of {
			for l := range of {
				if !yield(l) {
					return
				}
			}
		}
	}
}

// seen is a position before which nothing is left for a listener that has taken everything.
func (s *streams) seen(l *listener) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.feed.pos, l.idle()
}
