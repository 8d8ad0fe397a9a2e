package widget

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/wake"
)

// feed reads the log once for all sockets. A slow client never holds it up: what that has not taken waits in a buffer of fixed size, and
// when it is full the client is cut off, comes back and gets what it missed. Nothing runs while nobody is connected.
type feed struct {
	s *Server

	mu       sync.Mutex
	rooms    map[roomKey]*room
	convs    map[chat.ConversationID]*room
	channels map[chat.ChannelID]int // rooms of each
	pos      int64                  // everything until here was given
	stop     context.CancelFunc     // of the reader; nil while there is none
	count    int                    // sockets
}

// errCrowded is a conversation that too many clients look at.
var errCrowded = errors.New("too many connections to this conversation")

// enter lets a socket hear a thread. What is said from here on waits in its buffer.
func (f *feed) enter(ctx context.Context, k *socket) (*room, error) {
	w, err := f.s.Store.Workspace(ctx, k.site.workspace)
	if err != nil {
		return nil, err
	}
	key := roomKey{k.site.channel, k.thread.Key()}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rooms[key]
	if r == nil {
		r = &room{key: key, view: view{workspace: k.site.workspace, channel: key.channel, user: k.thread.Address, base: k.base}}
		f.rooms[key] = r
		f.channels[key.channel]++
	}
	if len(r.sockets) >= f.s.Limits.Room {
		return nil, errCrowded
	}
	r.sockets = append(r.sockets, k)
	f.count++
	if f.stop == nil {
		f.begin(ctx, k.site.workspace, w.Head)
	}
	return r, nil
}

// begin starts the reader. f.mu is held.
func (f *feed) begin(ctx context.Context, ws chat.WorkspaceID, head int64) {
	reading, stop := context.WithCancel(context.WithoutCancel(ctx)) // the reader outlives the request that began it
	f.pos, f.stop = head, stop
	go f.read(reading, ws, f.s.Wake.Subscribe())
}

// leave ends what began with enter.
func (f *feed) leave(k *socket, r *room) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.sockets = slices.DeleteFunc(r.sockets, func(x *socket) bool { return x == k })
	f.count--
	if len(r.sockets) > 0 {
		return
	}
	delete(f.rooms, r.key)
	if f.convs[r.view.conversation] == r {
		delete(f.convs, r.view.conversation)
	}
	if f.channels[r.key.channel]--; f.channels[r.key.channel] == 0 {
		delete(f.channels, r.key.channel)
	}
	if f.count == 0 {
		f.stop()
		f.stop = nil
	}
}

// watch lets a room follow a conversation.
func (f *feed) watch(r *room, conv chat.ConversationID, number int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.view.conversation >= conv || f.rooms[r.key] != r { // ids are in the order of time: another client may know a newer one
		return
	}
	delete(f.convs, r.view.conversation)
	r.change(conv, number)
	f.convs[conv] = r
}

// ready tells a room the past of its conversation.
func (f *feed) ready(r *room, conv chat.Conversation, events []chat.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prime(r, conv, events)
}

// viewOf is a room's view now.
func (f *feed) viewOf(r *room) view {
	f.mu.Lock()
	defer f.mu.Unlock()
	return r.view
}

// read hands the log out as it grows. A wake-up that got lost costs one sweep.
func (f *feed) read(ctx context.Context, ws chat.WorkspaceID, news *wake.Subscription) {
	defer news.Close()
	sweep := time.NewTicker(f.s.Limits.Sweep)
	defer sweep.Stop()
	for {
		f.advance(ctx, ws)
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
		case <-news.Ready():
			n := news.Take()
			if n.Missed || n.Heads[ws] > 0 {
				f.advance(ctx, ws) // first: a draft must not come behind its message
			}
			f.drafts(ws, n.Drafts)
		}
	}
}

func (f *feed) drafts(ws chat.WorkspaceID, all []wake.Draft) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range all {
		if r := f.convs[d.Conversation]; r != nil && d.Workspace == ws {
			f.show(r, d)
		}
	}
}

// logPage is how many events are read at once.
const logPage = 256

// advance reads to the log's end.
func (f *feed) advance(ctx context.Context, ws chat.WorkspaceID) {
	for {
		f.mu.Lock()
		after := f.pos
		f.mu.Unlock()
		events, upTo, err := f.s.Store.Log(ctx, ws, after, logPage, store.LogFilter{})
		for _, e := range events {
			if err == nil {
				err = f.opened(ctx, ws, e)
			}
		}
		if err != nil {
			if ctx.Err() == nil {
				f.s.Log.WarnContext(ctx, "widget: the log cannot be read", "workspace", ws, "err", err)
			}
			return // the next wake-up or sweep tries again
		}
		f.mu.Lock()
		for _, e := range events {
			if r := f.convs[e.Conversation]; r != nil {
				f.take(r, e)
			}
		}
		f.pos = max(f.pos, upTo)
		f.mu.Unlock()
		if upTo == after {
			return
		}
	}
}

// opened finds the room of a new conversation: its thread may have had another one before.
func (f *feed) opened(ctx context.Context, ws chat.WorkspaceID, e chat.Event) error {
	if e.Kind != chat.KindOpened {
		return nil
	}
	f.mu.Lock()
	ours := f.channels[e.Channel] > 0 && f.convs[e.Conversation] == nil
	f.mu.Unlock()
	if !ours {
		return nil
	}
	conv, err := f.s.Store.Conversation(ctx, ws, e.Conversation)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rooms[roomKey{conv.Channel, conv.Thread.Key()}]
	if r == nil || e.Pos <= r.pos {
		return nil
	}
	delete(f.convs, r.view.conversation)
	r.change(conv.ID, f.s.numbers.of(e.Pos))
	r.ready = true // this event is its first
	f.convs[conv.ID] = r
	return nil
}

// topic finds a conversation that somebody is connected to, by the client's name for it.
func (f *feed) topic(conversation string) (view, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rooms {
		for _, k := range r.sockets {
			if k.thread.Topic == conversation && r.view.conversation != "" {
				return r.view, true
			}
		}
	}
	return view{}, false
}
