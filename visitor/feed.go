package visitor

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// feeds read the log of each workspace once for all of its visitors. Nothing runs while nobody listens. Order of locks: feeds.mu, then
// feed.mu.
type feeds struct {
	s   *Server
	mu  sync.Mutex
	all map[chat.WorkspaceID]*feed
}

// feed is the reader of one workspace. A slow visitor never holds it up: what that has not taken waits, and when that is too much the
// visitor is cut off, comes back and gets what was missed.
type feed struct {
	s  *Server
	ws chat.WorkspaceID

	mu       sync.Mutex
	rooms    map[roomKey]*room
	convs    map[chat.ConversationID]*room
	channels map[chat.ChannelID]int // rooms of each
	pos      int64                  // everything until here was given
	stop     context.CancelFunc
}

// roomKey names a contact's thread on a channel; its conversations follow one another.
type roomKey struct {
	channel chat.ChannelID
	address string
}

// room is a thread that somebody listens to.
type room struct {
	key       roomKey
	site      *site
	conv      chat.ConversationID
	listeners []*listener
}

// listener is one open stream. Its frames are guarded by feed.mu.
type listener struct {
	bell   chan struct{} // holds a token while there is something to do
	frames []*frame
	size   int
	cut    bool
}

func (l *listener) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

// put gives a frame to a reader, unless too much waits already: signals are left out then, and for others it is cut off.
func (l *listener) put(fr *frame, lim Limits) {
	switch {
	case l.cut:
	case len(l.frames) < lim.Buffer && (len(l.frames) == 0 || l.size+len(fr.data) <= lim.Backlog):
		l.frames = append(l.frames, fr)
		l.size += len(fr.data)
		l.ring()
	case fr.pos != 0:
		l.cut, l.frames = true, nil
		l.ring()
	}
}

// enter lets a stream hear a thread from here on.
func (d *feeds) enter(ctx context.Context, x *site, address string) (*feed, *room, *listener, error) {
	w, err := d.s.Store.Workspace(ctx, x.workspace)
	if err != nil {
		return nil, nil, nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.all[x.workspace]
	if f == nil {
		reading, stop := context.WithCancel(context.WithoutCancel(ctx)) // the reader outlives the request that began it
		f = &feed{
			s: d.s, ws: x.workspace, rooms: map[roomKey]*room{}, convs: map[chat.ConversationID]*room{}, channels: map[chat.ChannelID]int{},
			pos: w.Head, stop: stop,
		}
		d.all[x.workspace] = f
		go f.read(reading, d.s.Wake.Subscribe())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := roomKey{x.channel, address}
	r := f.rooms[key]
	if r == nil {
		r = &room{key: key, site: x}
		f.rooms[key] = r
		f.channels[key.channel]++
	}
	l := &listener{bell: make(chan struct{}, 1)}
	r.site, r.listeners = x, append(r.listeners, l)
	return f, r, l, nil
}

// leave ends what began with enter.
func (d *feeds) leave(f *feed, r *room, l *listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	r.listeners = slices.DeleteFunc(r.listeners, func(x *listener) bool { return x == l })
	if len(r.listeners) > 0 {
		return
	}
	delete(f.rooms, r.key)
	f.watch(r, "")
	if f.channels[r.key.channel]--; f.channels[r.key.channel] == 0 {
		delete(f.channels, r.key.channel)
	}
	if len(f.rooms) == 0 {
		f.stop()
		delete(d.all, f.ws)
	}
}

// watch lets a room follow a conversation in place of the one before. f.mu is held.
func (f *feed) watch(r *room, conv chat.ConversationID) {
	if f.convs[r.conv] == r {
		delete(f.convs, r.conv)
	}
	if r.conv = conv; conv != "" {
		f.convs[conv] = r
	}
}

// follow is watch for a stream that found a conversation; another one may know a newer one already, for ids are in the order of time.
func (f *feed) follow(r *room, conv chat.ConversationID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rooms[r.key] == r && conv > r.conv {
		f.watch(r, conv)
	}
}

// take gives the frames that wait for a listener; over: it is cut off.
func (f *feed) take(l *listener) (frames []*frame, over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	frames, l.frames, l.size = l.frames, nil, 0
	return frames, l.cut
}

// read hands the log out as it grows. A wake-up that got lost costs one sweep.
func (f *feed) read(ctx context.Context, news *wake.Subscription) {
	defer news.Close()
	sweep := time.NewTicker(f.s.Limits.Sweep)
	defer sweep.Stop()
	for {
		f.advance(ctx)
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
		case <-news.Ready():
			n := news.Take()
			if n.Missed || n.Heads[f.ws] > 0 {
				f.advance(ctx) // first: a signal must not come behind its message
			}
			f.signals(n)
		}
	}
}

// signals shows who writes: people, and bots whose answer grows.
func (f *feed) signals(n wake.News) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range n.Typing {
		if r := f.convs[t.Conversation]; r != nil && t.Workspace == f.ws && t.Sender.Type != chat.PartyContact {
			f.typing(r, t.Sender, t.On)
		}
	}
	for _, d := range n.Drafts {
		if r := f.convs[d.Conversation]; r != nil && d.Workspace == f.ws {
			f.typing(r, chat.Party{Type: chat.PartyBot}, true)
		}
	}
}

func (f *feed) typing(r *room, by chat.Party, isOn bool) {
	name := ""
	if by.Type == chat.PartyAgent {
		name = by.Name
	}
	fr := newFrame(0, "typing", map[string]any{"from": by.Type, "name": name, "on": isOn, "at": f.s.Now()})
	for _, l := range r.listeners {
		l.put(fr, f.s.Limits)
	}
}

// logPage is how many events are read at once.
const logPage = 256

// advance reads to the log's end.
func (f *feed) advance(ctx context.Context) {
	for {
		f.mu.Lock()
		after := f.pos
		f.mu.Unlock()
		events, upTo, err := f.s.Store.Log(ctx, f.ws, after, logPage, store.LogFilter{})
		for _, e := range events {
			if err == nil {
				err = f.give(ctx, e)
			}
		}
		if err != nil {
			if ctx.Err() == nil {
				f.s.Log.WarnContext(ctx, "visitor: the log cannot be read", "workspace", f.ws, "err", err)
			}
			return // the next wake-up or sweep tries again, from where this page began: readers know what they have
		}
		f.mu.Lock()
		f.pos = max(f.pos, upTo)
		f.mu.Unlock()
		if upTo == after {
			return
		}
	}
}

// give passes an event on to the streams of its thread.
func (f *feed) give(ctx context.Context, e chat.Event) error {
	if err := f.begun(ctx, e); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.convs[e.Conversation]
	if r == nil {
		return nil
	}
	if fr := f.s.frame(r.site, e); fr != nil {
		for _, l := range r.listeners {
			l.put(fr, f.s.Limits)
		}
	}
	if e.Kind == chat.KindMoved {
		f.moved(r, e)
	}
	return nil
}

// begun finds the room of a new conversation: its thread may have had another one before.
func (f *feed) begun(ctx context.Context, e chat.Event) error {
	if e.Kind != chat.KindOpened {
		return nil
	}
	f.mu.Lock()
	ours := f.channels[e.Channel] > 0 && f.convs[e.Conversation] == nil
	f.mu.Unlock()
	if !ours {
		return nil
	}
	conv, err := f.s.Store.Conversation(ctx, f.ws, e.Conversation)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.rooms[roomKey{conv.Channel, conv.Thread.Key()}]; r != nil && conv.ID > r.conv {
		f.watch(r, conv.ID)
	}
	return nil
}

// moved lets the room of the new address follow the conversation. f.mu is held.
func (f *feed) moved(r *room, e chat.Event) {
	var d chat.MovedData
	if json.Unmarshal(e.Data, &d) != nil {
		return
	}
	f.watch(r, "")
	if next := f.rooms[roomKey{r.key.channel, d.To}]; next != nil && e.Conversation > next.conv {
		f.watch(next, e.Conversation)
	}
}
