package store

import (
	"context"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// echoData is the data of an event of kind deleted that takes an echo back, with the message of ours that it repeated.
type echoData struct {
	chat.TargetData
	Of int64 `json:"duplicate_of"`
}

// takeBack recognises an echo that was faster than our own report: it was stored as something said from elsewhere under the id that the
// platform now gives for our message. The id goes over to our message with what is known of it, and a deleted event hides the echo.
func (c *Report) takeBack(ctx context.Context, u *unit, conv *conversationRow, ch *channelRow, row *eventRow, k targetKey) ([]chat.Event, error) {
	t := u.targets[k]
	if t == nil || t.seq <= c.Seq || t.conv != (convKey{conv.ws, conv.no}) {
		return nil, nil
	}
	at := eventKey{conv.ws, conv.no, t.seq}
	echo, err := u.event(ctx, at)
	if err != nil || echo.status == chat.Received {
		return nil, err
	}
	if ok, err := u.isEcho(ctx, at); err != nil || !ok {
		return nil, err
	}
	u.prove(row, echo.status, failureOf(echo.failure))
	echo.externalID, echo.dirty = "", true
	t.seq, t.dirty = c.Seq, true
	e := chat.Event{
		Kind: chat.KindDeleted, Sender: &chat.Party{Type: chat.PartySystem}, Action: c.Action,
		Data: data(echoData{chat.TargetData{Seq: at.seq}, c.Seq}),
	}
	return []chat.Event{u.append(conv, ch, e, "")}, nil
}

// isEcho tells whether a message that is not the contact's came from its channel: such an event is named by the channel's key.
func (u *unit) isEcho(ctx context.Context, k eventKey) (bool, error) {
	for _, f := range u.fresh {
		if f.ws == k.ws && f.conv == k.conv && f.event.Seq == k.seq {
			return isChannelKey(f.once), nil
		}
	}
	var once string
	err := u.run(ctx, []stmt{{
		sql:  "SELECT COALESCE(once_key, '') FROM events WHERE workspace = $1 AND conversation = $2 AND seq = $3",
		args: []any{k.ws, k.conv, k.seq},
		scan: func(r scanner) error { return r.Scan(&once) },
	}})
	return isChannelKey(once), err
}

// isChannelKey tells the keys that Receive.onceKey makes from those of our own commands, which have a letter and a colon.
func isChannelKey(once string) bool {
	no, _, found := strings.Cut(strings.TrimPrefix(once, "c"), ":")
	return found && strings.HasPrefix(once, "c") && no != "" && strings.Trim(no, "0123456789") == ""
}
