package hub

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

const (
	// lineAge is how long a node may go on with a channel's old settings after another node changed them.
	lineAge = 2 * time.Second
	// staleAge is how old they may become while the database is slow to tell the new ones.
	staleAge = 10 * time.Second
	// lookAgain is after how long somebody else may try to read a row that another caller still waits for.
	lookAgain = time.Second
	// openTime bounds how long a channel may take to be read and opened.
	openTime = 30 * time.Second
)

// line opens a channel, or finds it open. When its row was not looked at for lineAge, one caller does so and the others go on with the
// line as it is. Who finds none, or one that is too old, waits; all that wait for a channel share one look.
func (h *Hub) line(ctx context.Context, id chat.ChannelID) (*line, error) {
	known, err := h.known(id)
	if known != nil || err != nil {
		return known, err
	}
	found, err, _ := h.opening.Do(string(id), func() (any, error) {
		// one caller's end must not be the others'
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTime)
		defer cancel()
		return h.look(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	return found.(*line), nil //nolint:forcetypeassert // look gives nothing else
}

// known is the line that the caller can go on with; nil: it has to look.
func (h *Hub) known(id chat.ChannelID) (*line, error) {
	now := h.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if left := h.unknown[id].Sub(now); left > 0 && left <= lineAge || len(id) > maxName {
		return nil, chat.Faultf(chat.CodeNotFound, "no such channel")
	}
	l := h.lines[id]
	if l == nil {
		return nil, nil
	}
	left, since := l.until.Sub(now), now.Sub(l.looked)
	switch {
	case left > lineAge: // the clock was set back
	case left > 0, left > lineAge-staleAge && since >= 0 && since < lookAgain:
		return l, nil
	}
	l.looked = now
	return nil, nil
}

// look reads a channel's row, and opens the channel unless the line that is known fits the row.
func (h *Hub) look(ctx context.Context, id chat.ChannelID) (*line, error) {
	for {
		h.mu.Lock()
		l, epoch := h.lines[id], h.epoch
		h.mu.Unlock()
		now := h.Now()
		ch, err := h.Store.Channel(ctx, id)
		if err != nil {
			if chat.CodeOf(err) == chat.CodeNotFound {
				h.noteUnknown(id, now)
			}
			return nil, err
		}
		if l == nil || l.channel.Revision != ch.Revision {
			if l, err = h.open(ctx, ch); err != nil {
				return nil, err
			}
		}
		if kept := h.keepLine(l, ch, epoch, now); kept != nil {
			return kept, nil
		}
	}
}

// keepLine lets everybody have a line whose row was read at now. It answers nil if channels were changed meanwhile, and another line
// if somebody else opened one.
func (h *Hub) keepLine(l *line, ch store.Channel, epoch int64, now time.Time) *line {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.epoch != epoch {
		return nil
	}
	if other := h.lines[ch.ID]; other != nil && other != l && other.channel.Revision >= ch.Revision {
		return other // one line keeps one pace
	}
	l.until = now.Add(lineAge)
	l.judged(ch.Status)
	h.lines[ch.ID] = l
	return l
}

// forgetLine makes the next caller read the row anew, for it was changed here.
func (h *Hub) forgetLine(id chat.ChannelID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.epoch++
	h.opening.Forget(string(id))
	delete(h.lines, id)
	delete(h.unknown, id)
}

// maxUnknown bounds the ids that are known to name nothing, so that guessing them costs neither memory nor reads.
const maxUnknown = 10000

func (h *Hub) noteUnknown(id chat.ChannelID, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.lines, id)
	if len(h.unknown) >= maxUnknown {
		clear(h.unknown)
	}
	h.unknown[id] = now.Add(lineAge)
}
