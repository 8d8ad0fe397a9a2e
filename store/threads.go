package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// ThreadConversation is the conversation of a channel's thread that goes on: the open one, else the newest.
func (s *Store) ThreadConversation(ctx context.Context, channel chat.ChannelID, thread chat.Thread) (chat.Conversation, error) {
	at, err := s.channelNo(ctx, channel)
	if err != nil {
		return chat.Conversation{}, err
	}
	return one(ctx, s, "conversation", scanConversation, conversationRead+`WHERE c.workspace = $1 AND c.channel = $2 AND c.thread = $3
 ORDER BY CASE WHEN c.state = 'closed' THEN 1 ELSE 0 END, c.no DESC LIMIT 1`, at.ws, at.no, thread.Key())
}

// AddressConversations lists the conversations of whoever has an address on a channel, newest first.
func (s *Store) AddressConversations(ctx context.Context, channel chat.ChannelID, address string, limit int) ([]chat.Conversation, error) {
	at, err := s.channelNo(ctx, channel)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, scanConversation, conversationRead+fmt.Sprintf(`WHERE c.workspace = $1 AND c.channel = $2
 AND c.contact = (SELECT i.contact FROM identities i WHERE i.workspace = $1 AND i.channel = $2 AND i.address = $3)
 ORDER BY c.no DESC LIMIT %d`, max(limit, 1)), at.ws, at.no, cleanText(address))
}

// maxOfKinds bounds what EventsOfKinds answers.
const maxOfKinds = 10_000

// EventsOfKinds reads the events of a conversation that are of some kinds, in order.
func (s *Store) EventsOfKinds(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID, kinds ...chat.Kind) ([]chat.Event, error) {
	k, err := s.conversationNo(ctx, ws, id)
	if err != nil {
		return nil, err
	}
	args, marks := []any{k.ws, k.no}, make([]string, len(kinds))
	for i, kind := range kinds {
		args = append(args, string(kind))
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	return list(ctx, s, scanOf(id), "SELECT "+eventColumns+" FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.kind IN ("+
		strings.Join(marks, ", ")+fmt.Sprintf(") ORDER BY e.seq LIMIT %d", maxOfKinds), args...)
}

// EventAt reads the event at a position of the log.
func (s *Store) EventAt(ctx context.Context, ws chat.WorkspaceID, pos int64) (chat.Event, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return chat.Event{}, err
	}
	return one(ctx, s, "event", func(r scanner) (chat.Event, error) {
		var conv chat.ConversationID
		e, err := scanEvent(r, &conv)
		e.Conversation = conv
		return e, err
	}, "SELECT "+eventColumns+`, COALESCE(c.uid, '') FROM events e LEFT JOIN conversations c ON c.workspace = e.workspace AND c.no = e.conversation
 WHERE e.workspace = $1 AND e.pos = $2`, no, pos)
}

// CountReceived counts the contact's messages in a conversation.
func (s *Store) CountReceived(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID) (int, error) {
	k, err := s.conversationNo(ctx, ws, id)
	if err != nil {
		return 0, err
	}
	return one(ctx, s, "conversation", func(r scanner) (n int, err error) {
		err = r.Scan(&n)
		return n, err
	}, "SELECT COUNT(*) FROM events e WHERE e.workspace = $1 AND e.conversation = $2 AND e.kind = 'message' AND e.status = 'received'", k.ws, k.no)
}
