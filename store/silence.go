package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// CloseSilent closes a conversation in which nothing is said any more, if that is still so: one of a bot after Bot, one of an agent as
// the settings of its queue say, with its last words. What waits in a queue is never closed.
type CloseSilent struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Bot          time.Duration // 0: never

	deed
}

func (c *CloseSilent) resolve(ctx context.Context, s *Store) error {
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *CloseSilent) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	silent, goodbye := false, ""
	switch conv.state {
	case chat.StateBot:
		silent = c.Bot > 0 && conv.updated <= micros(u.now.Add(-c.Bot))
	case chat.StateAssigned:
		life, err := u.queueLife(ctx, queueKey{conv.ws, conv.queue})
		if err != nil {
			return Result{}, err
		}
		silent, goodbye = conv.silent(life, u.now), life.CloseText
	default: // what waits is not closed
	}
	if !silent {
		return Result{}, chat.Faultf(chat.CodeConflict, "there is no silence")
	}
	by := chat.Party{Type: chat.PartySystem}
	var events []chat.Event
	if goodbye != "" {
		events = append(events, u.say(conv, ch, goodbye, by, ""))
	}
	e, err := u.move(ctx, conv, ch, chat.PlaceData{State: chat.StateClosed, Reason: chat.ReasonSilence}, by, "")
	return Result{Events: append(events, e)}, err
}

// silent tells whether a conversation that an agent has is to be closed by the clock. Time runs from the last message, or from when the
// conversation came to this agent or ended its rest.
func (c *conversationRow) silent(life QueueLife, now time.Time) bool {
	if life.CloseAfter <= 0 || c.snoozed != 0 {
		return false
	}
	until := micros(now.Add(-time.Duration(life.CloseAfter) * time.Minute))
	if life.CloseCounts == CountAny {
		return max(c.lastIn, c.lastOut, c.placed) <= until
	}
	return c.waiting == 0 && max(c.lastOut, c.placed) <= until
}

// Silent lists conversations, of all workspaces, that CloseSilent would close now; at most about limit.
func (s *Store) Silent(ctx context.Context, bot time.Duration, limit int) ([]Overdue, error) {
	var found []Overdue
	if bot > 0 {
		var err error
		found, err = list(ctx, s, scanOverdue, `SELECT w.uid, c.uid FROM workspaces w JOIN conversations c ON c.workspace = w.id
 WHERE c.state = 'bot' AND c.updated_at <= $1 LIMIT $2`, micros(s.now().Add(-bot)), limit)
		if err != nil {
			return nil, err
		}
	}
	queues, err := s.timedQueues(ctx)
	for _, q := range queues {
		if len(found) >= limit || err != nil {
			break
		}
		var more []Overdue
		more, err = s.silentIn(ctx, q, limit)
		found = append(found, more...)
	}
	return found, err
}

// timedQueue is a queue whose silent conversations are closed.
type timedQueue struct {
	queueKey
	QueueLife
}

func (s *Store) timedQueues(ctx context.Context) (timed []timedQueue, err error) {
	all, err := list(ctx, s, func(r scanner) (q timedQueue, err error) {
		var settings string
		if err = r.Scan(&q.ws, &q.name, &settings); err == nil {
			_ = json.Unmarshal([]byte(settings), &q.QueueLife)
		}
		return q, err
	}, `SELECT workspace, name, settings FROM queues WHERE settings LIKE '%"close_after_minutes"%'`)
	for _, q := range all {
		if q.CloseAfter > 0 {
			timed = append(timed, q)
		}
	}
	return timed, err
}

func (s *Store) silentIn(ctx context.Context, q timedQueue, limit int) ([]Overdue, error) {
	rule := "c.waiting_since = 0"
	if q.CloseCounts == CountAny {
		rule = "c.last_in_at <= $3"
	}
	until := s.now().Add(-time.Duration(q.CloseAfter) * time.Minute)
	return list(ctx, s, scanOverdue, fmt.Sprintf(`SELECT w.uid, c.uid FROM conversations c JOIN workspaces w ON w.id = c.workspace
 WHERE c.workspace = $1 AND c.state = 'assigned' AND c.queue = $2 AND c.last_out_at <= $3 AND c.placed_at <= $3 AND c.snoozed_until = 0 AND %s
 LIMIT $4`, rule), q.ws, q.name, micros(until), limit)
}
