package widget

import (
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// roomKey names a thread of a channel; its conversations follow one another.
type roomKey struct {
	channel chat.ChannelID
	thread  string
}

// room is a thread that clients look at. All of it is guarded by feed.mu.
type room struct {
	key     roomKey
	view    view
	turn    turn
	pos     int64 // events until here were taken
	ready   bool  // the past was read; until then events wait in early
	early   []chat.Event
	sockets []*socket
	written []string // stack ids of the newest messages that are complete: drafts of them come too late
}

// maxWritten is how many messages that were drafts a room remembers.
const maxWritten = 32

// change begins with another conversation of the thread, or with the first.
func (r *room) change(conversation chat.ConversationID, number int64) {
	r.view.conversation, r.view.number = conversation, number
	r.turn, r.ready, r.early = turn{}, false, nil
}

// prime takes what was read of the past, and then what came meanwhile.
func (f *feed) prime(r *room, conv chat.Conversation, events []chat.Event) {
	if r.ready || r.view.conversation != conv.ID {
		return
	}
	_, r.turn = items(conv.State, events)
	if n := len(events); n > 0 {
		r.pos = max(r.pos, events[n-1].Pos)
	}
	early := r.early
	r.ready, r.early = true, nil
	for _, e := range early {
		f.take(r, e)
	}
}

// maxEarly bounds the events that wait until the past was read; who misses one is cut off.
const maxEarly = 1000

// take gives an event to the clients of a room.
func (f *feed) take(r *room, e chat.Event) {
	if !r.ready {
		if r.early = append(r.early, e); len(r.early) > maxEarly {
			r.cut()
		}
		return
	}
	if e.Pos <= r.pos {
		return
	}
	r.pos = e.Pos
	for _, i := range r.turn.take(e) {
		if i.human || i.rewound {
			continue
		}
		if i.event.Message != nil && i.event.Message.Meta["stack_id"] != "" {
			r.written = append(r.written, i.stackID)
			r.written = r.written[max(0, len(r.written)-maxWritten):]
		}
		r.give(f.s.live(r.view, i))
	}
}

// show gives a draft to the clients of a room, unless the message is there already.
func (f *feed) show(r *room, d wake.Draft) {
	if !r.ready || slices.Contains(r.written, d.ID) {
		return
	}
	r.give(f.s.growing(r.view, d.ID, d.Message))
}

// give puts a frame into the buffers. A client that does not take them is cut off; for a draft that is not worth it.
func (r *room) give(fr *frame) {
	for _, k := range r.sockets {
		if !k.put(fr) && !fr.draft {
			k.cut()
		}
	}
}

func (r *room) cut() {
	for _, k := range r.sockets {
		k.cut()
	}
}
