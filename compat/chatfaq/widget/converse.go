package widget

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/coder/websocket"

	"github.com/dragoman-hub/dragoman/chat"
)

// pastWindow is how many events a client that comes back may have missed.
const pastWindow = 300

// converse opens the conversation, or goes on with it, and lives as long as the connection.
func (k *socket) converse(ctx context.Context, r *http.Request) error {
	if err := k.open(ctx, r); err != nil {
		return err
	}
	room, err := k.s.feed.enter(ctx, k)
	if err != nil {
		return err
	}
	defer k.s.feed.leave(k, room)
	// what was opened before the room was entered is in the database, what comes after is in the feed
	conv, err := k.s.Store.ThreadConversation(ctx, k.site.channel, k.thread)
	if err != nil {
		return err
	}
	number, err := k.s.number(ctx, conv)
	if err != nil {
		return err
	}
	k.s.feed.watch(room, conv.ID, number)
	events, err := k.s.Store.LastEvents(ctx, k.site.workspace, conv.ID, 0, pastWindow)
	if err != nil {
		return err
	}
	k.s.feed.ready(room, conv, events)
	past, seen := k.missed(room, conv, events, r.URL.Query().Get("replay") != "0")

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.past = past
	written := make(chan error, 1)
	go func() {
		written <- k.ended(k.write(ctx, seen))
		cancel()
	}()
	err = k.ended(k.read(ctx, room))
	cancel()
	if werr := <-written; !errors.Is(werr, context.Canceled) {
		return werr
	}
	return err
}

// ended tells the client why, before the end of the one loop ends the other, which breaks the connection.
func (k *socket) ended(err error) error {
	code, reason := closing(err)
	_ = k.c.Close(code, clip(reason)) // the client may have gone
	return err
}

// visitor is shown in place of a random id as long as nobody has told a name.
const visitor = "Visitor"

// open finds the conversation of the thread, or opens it: then the bot speaks first.
func (k *socket) open(ctx context.Context, r *http.Request) error {
	_, err := k.s.Store.ThreadConversation(ctx, k.site.channel, k.thread)
	if chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	q := r.URL.Query()
	in := chat.Incoming{
		Key: "open:" + chat.NewID(), Kind: chat.KindOpened, Thread: k.thread, Sender: chat.Person{Address: k.thread.Address, Username: visitor},
		Metadata: metadata(metadataOf(r.URL.RawQuery)), Override: override(q.Get("state_override")),
	}
	k.fresh = true
	return k.s.Hub.Accept(ctx, k.site.channel, []chat.Incoming{in})
}

// Bounds of what a client says when it opens a conversation, in bytes.
const (
	maxMetadata = 8 << 10
	maxOverride = 255
)

// metadata reads what clients send, which may be cut off at a "&", or JSON inside a JSON text; what cannot be read is an empty object.
func metadata(text string) json.RawMessage {
	raw := json.RawMessage(text)
	var inner string
	if json.Unmarshal(raw, &inner) == nil && json.Valid([]byte(inner)) {
		raw = json.RawMessage(inner)
	}
	if len(raw) == 0 || len(raw) > maxMetadata || !json.Valid(raw) || chat.Depth(raw) > maxDepth {
		return json.RawMessage("{}")
	}
	return raw
}

// override leaves out what is certainly no name of a state; names that the flow has not got are ignored there.
func override(name string) string {
	if len(name) > maxOverride || name == "[object Object]" {
		return ""
	}
	return name
}

// missed makes the frames for a client that comes: the newest messages of ours, which one that has them knows by their stack ids, and the end
// of the turn, if it is the contact's. seen is the position until which they tell everything.
func (k *socket) missed(r *room, conv chat.Conversation, events []chat.Event, replay bool) (frames []*frame, seen int64) {
	all, now := items(conv.State, events)
	v := k.s.feed.viewOf(r)
	v.conversation = conv.ID
	id := int64(0)
	for _, i := range all {
		id = max(id, i.id)
		if !i.human && replay {
			frames = append(frames, k.s.live(v, i))
		}
	}
	if n := len(events); n > 0 {
		seen = events[n-1].Pos
	}
	frames = newest(frames, k.s.Limits.Replay, k.s.Limits.Backlog)
	quiet := !k.fresh && !now.waiting && now.due == 0 && len(all) > 0 // a message of the client's may have been lost on the way
	if quiet {
		frames = append(frames, k.s.unlock(k.thread.Address, id))
	}
	return frames, seen
}

// newest keeps the last frames, as many as may wait for a client.
func newest(frames []*frame, count int, size int64) []*frame {
	first := len(frames)
	for first > 0 && len(frames)-first < count {
		if size -= int64(len(frames[first-1].data)); size < 0 && first < len(frames) {
			break
		}
		first--
	}
	return frames[first:]
}

// read takes the client's frames, one after the other.
func (k *socket) read(ctx context.Context, r *room) error {
	for {
		kind, raw, err := k.c.Read(ctx)
		if err != nil {
			return err
		}
		switch {
		case kind != websocket.MessageText:
			return refusal{websocket.StatusUnsupportedData, "frames are JSON texts"}
		case !k.pace.Allow():
			return refusal{websocket.StatusPolicyViolation, "too many frames"}
		case !json.Valid(raw):
			return refusal{websocket.StatusInvalidFramePayloadData, "a frame is no JSON"}
		}
		k.hear(ctx, r, raw)
	}
}
