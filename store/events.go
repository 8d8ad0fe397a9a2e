package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Events reads a conversation forward: the events after a sequence number.
func (s *Store) Events(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID, after int64, limit int) ([]chat.Event, error) {
	k, err := s.conversationNo(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, scanOf(id), "SELECT "+eventColumns+` FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.seq > $3
 ORDER BY e.seq LIMIT $4`, k.ws, k.no, after, limit)
}

// LastEvents reads a conversation's end: the newest events before a sequence number (0: of all), in order.
func (s *Store) LastEvents(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID, before int64, limit int) ([]chat.Event, error) {
	k, err := s.conversationNo(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	if before <= 0 {
		before = 1 << 62
	}
	found, err := list(ctx, s, scanOf(id), "SELECT "+eventColumns+` FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.seq < $3
 ORDER BY e.seq DESC LIMIT $4`, k.ws, k.no, before, limit)
	slices.Reverse(found)
	return found, err
}

func scanOf(id chat.ConversationID) func(scanner) (chat.Event, error) {
	return func(r scanner) (chat.Event, error) {
		e, err := scanEvent(r)
		e.Conversation = id
		return e, err
	}
}

// Log reads the log of a workspace after a position; kinds and conversation narrow it when they are not empty. The second answer
// is how far was read: the next call begins there, also when nothing matched.
func (s *Store) Log(ctx context.Context, ws chat.WorkspaceID, after int64, limit int, q LogFilter) ([]chat.Event, int64, error) {
	limit, after = max(limit, 1), max(after, 0)
	w, err := s.Workspace(ctx, ws)
	if err != nil {
		return nil, after, err
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, after, err
	}
	// the head is read first: what is committed from here on is for the next call
	upTo := min(min(after, w.Head)+int64(limit)*logWindow, w.Head)
	where, args := []string{"e.workspace = $1", "e.pos > $2", "e.pos <= $3"}, []any{no, after, upTo}
	if q.Conversation != "" {
		k, err := s.conversationNo(ctx, ws, q.Conversation)
		if err != nil {
			return nil, after, err
		}
		args = append(args, k.no)
		where = append(where, fmt.Sprintf("e.conversation = $%d", len(args)))
	}
	if len(q.Kinds) > 0 {
		marks := make([]string, len(q.Kinds))
		for i, kind := range q.Kinds {
			args = append(args, string(kind))
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		where = append(where, "e.kind IN ("+strings.Join(marks, ", ")+")")
	}
	events, err := list(ctx, s, func(r scanner) (chat.Event, error) {
		var conv chat.ConversationID
		e, err := scanEvent(r, &conv)
		e.Conversation = conv
		return e, err
	}, "SELECT "+eventColumns+`, COALESCE(c.uid, '') FROM events e LEFT JOIN conversations c ON c.workspace = e.workspace AND c.no = e.conversation
 WHERE `+strings.Join(where, " AND ")+fmt.Sprintf(" ORDER BY e.pos LIMIT %d", limit), args...)
	if err != nil {
		return nil, after, err
	}
	if len(events) == limit {
		return events, events[len(events)-1].Pos, nil
	}
	return events, max(upTo, after), nil
}

// logWindow bounds how many positions one call of Log looks at for each event that it may answer.
const logWindow = 20

// LogFilter narrows a reading of the log.
type LogFilter struct {
	Conversation chat.ConversationID
	Kinds        []chat.Kind
}

// NewestIncoming is the external id of the contact's newest message; "" if there is none.
func (s *Store) NewestIncoming(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID) (string, error) {
	k, err := s.conversationNo(ctx, ws, id)
	if err != nil {
		return "", err
	}
	found, err := list(ctx, s, scanText, `SELECT external_id FROM events WHERE workspace = $1 AND conversation = $2
 AND kind = 'message' AND status = 'received' AND external_id <> '' ORDER BY seq DESC LIMIT 1`, k.ws, k.no)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// OpenConversation is the open conversation of a channel's thread; "" if there is none.
func (s *Store) OpenConversation(ctx context.Context, channel chat.ChannelID, thread chat.Thread) (chat.ConversationID, error) {
	at, err := s.channelNo(ctx, channel)
	if err != nil {
		return "", err
	}
	found, err := list(ctx, s, scanText, "SELECT uid FROM conversations WHERE workspace = $1 AND channel = $2 AND thread = $3 AND state <> 'closed'",
		at.ws, at.no, thread.Key())
	if err != nil || len(found) == 0 {
		return "", err
	}
	return chat.ConversationID(found[0]), nil
}
