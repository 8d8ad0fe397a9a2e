package telegram

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

const (
	offsetNote = "offset"         // the note with the update_id to ask for next, in digits
	batch      = 50               // updates asked for at once; Telegram gives at most 100
	holdFor    = 25 * time.Second // how long Telegram may hold the question open; at most 50 s
)

// Listen implements connector.Listener by long polling. The offset moves after emit: first in the note, then, with the next
// question, at Telegram.
func (p *poller) Listen(ctx context.Context, emit func(context.Context, []chat.Incoming) error) error {
	offset, err := p.loadOffset(ctx)
	if err != nil {
		return err
	}
	limit := batch
	for ctx.Err() == nil {
		updates, status, err := p.poll(ctx, offset, limit)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && status == http.StatusOK && limit > 1:
			limit = 1 // perhaps the answer was larger than the hub reads: ask for less before giving up
			continue
		case err != nil:
			return err
		}
		limit = batch
		offset, err = p.deliver(ctx, updates, offset, emit)
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// deliver stores a batch and answers the next offset.
func (p *poller) deliver(
	ctx context.Context, updates []json.RawMessage, offset int64, emit func(context.Context, []chat.Incoming) error,
) (int64, error) {
	var events []chat.Incoming
	next := offset
	for _, raw := range updates {
		list, id, err := p.translate(raw)
		if err != nil {
			return offset, err
		}
		events = append(events, list...)
		next = max(next, id+1)
	}
	if len(updates) == 0 {
		return offset, nil
	}
	if err := emit(ctx, events); err != nil {
		return offset, err
	}
	return next, p.env.Notes.Save(ctx, offsetNote, []byte(formatID(next)))
}

// poll asks once; Telegram answers when there is something, or with nothing after a while.
func (p *poller) poll(ctx context.Context, offset int64, limit int) ([]json.RawMessage, int, error) {
	ask := params{
		"limit": limit, "timeout": int64(p.hold() / time.Second), "allowed_updates": allowedUpdates(),
	}
	if offset > 0 {
		ask["offset"] = offset
	}
	var updates []json.RawMessage
	status, err := p.askStatus(ctx, "getUpdates", ask, &updates)
	return updates, status, err
}

// hold stays well below the time limit of the hub's client.
func (p *poller) hold() time.Duration {
	if limit := p.env.HTTP.Timeout; limit > 0 {
		return max(min(holdFor, limit/2), time.Second)
	}
	return holdFor
}

func (p *poller) loadOffset(ctx context.Context) (int64, error) {
	note, err := p.env.Notes.Load(ctx, offsetNote)
	if err != nil || len(note) == 0 {
		return 0, err
	}
	offset, err := strconv.ParseInt(string(note), 10, 64)
	if err != nil {
		return 0, connector.Malformedf("the note %q is not a number", offsetNote)
	}
	return offset, nil
}
