package store

import (
	"context"

	"github.com/dragoman-hub/dragoman/chat"
)

// maxLinks bounds how many linked conversations one page of a history looks at.
const maxLinks = 50

// HistoryMark is where a page of a history ended: the next one has what stands before Seq in Conversation, and in those before it.
type HistoryMark struct {
	Conversation chat.ConversationID
	Seq          int64 // 0: all of it
}

// History reads a conversation and those before it backward from a mark, the newest events first. The second answer is where it ended;
// its conversation is empty at the beginning of everything.
func (s *Store) History(ctx context.Context, ws chat.WorkspaceID, at HistoryMark, limit int) ([]chat.Event, HistoryMark, error) {
	var out []chat.Event
	for range maxLinks {
		part, err := s.LastEvents(ctx, ws, at.Conversation, at.Seq, limit-len(out))
		if err != nil {
			return nil, at, err
		}
		for i := len(part) - 1; i >= 0; i-- {
			out = append(out, part[i])
			at.Seq = part[i].Seq
		}
		if len(part) > 0 && at.Seq > 1 {
			return out, at, nil
		}
		conv, err := s.Conversation(ctx, ws, at.Conversation)
		if err != nil {
			return nil, at, err
		}
		at = HistoryMark{Conversation: conv.Previous}
		if at.Conversation == "" || len(out) == limit {
			break
		}
	}
	return out, at, nil
}

// Continues tells whether a conversation is another one, or goes back to it over those before it.
func (s *Store) Continues(ctx context.Context, ws chat.WorkspaceID, id, earlier chat.ConversationID) (bool, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return false, err
	}
	return one(ctx, s, "conversation", func(r scanner) (is bool, err error) {
		var n int
		err = r.Scan(&n)
		return n > 0, err
	}, `SELECT COUNT(*) FROM conversations a JOIN conversations b ON b.workspace = a.workspace AND b.channel = a.channel AND b.contact = a.contact
 WHERE a.workspace = $1 AND a.uid = $2 AND b.uid = $3 AND b.no <= a.no`, no, string(id), string(earlier))
}
