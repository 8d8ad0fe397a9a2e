package store

import (
	"context"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// The orders of a list of conversations; "" is ByUpdate.
const (
	ByUpdate  = "updated" // the most lately changed first
	ByWaiting = "waiting" // only those that wait for us, the longest first
	ByDue     = "due"     // only those that have to be answered by a time, the next one first
)

// turnWhere are the conditions of chat.TurnOf.
var turnWhere = map[chat.Turn]string{
	chat.TurnFirstReply: "c.state IN ('queued', 'assigned') AND c.waiting_since > 0 AND c.first_reply_at = 0",
	chat.TurnNextReply:  "c.state IN ('queued', 'assigned') AND c.waiting_since > 0 AND c.first_reply_at > 0",
	chat.TurnContact:    "c.state IN ('queued', 'assigned') AND c.waiting_since = 0",
	chat.TurnNone:       "c.state IN ('bot', 'closed')",
}

// sortKeys are what is sorted by, where that is not the time of the last change; 0 leaves a conversation out.
var sortKeys = map[string]string{ByWaiting: "c.waiting_since", ByDue: dueAt}

// sorted lists open conversations in an order of its own. There are as many as people can deal with, so they are sorted without an index.
func (s *Store) sorted(ctx context.Context, ws chat.WorkspaceID, f ConversationFilter) ([]chat.Conversation, string, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, "", err
	}
	at := pageMark{}
	if f.Before != "" {
		if at, err = readCursor(f.Before); err != nil {
			return nil, "", err
		}
	}
	limit := max(f.Limit, 1)
	where, args := f.narrow([]string{"c.workspace = $1", "c.state IN ('queued', 'assigned')"}, []any{no})
	args = append(args, at.first, at.second, limit+1)
	n := len(args)
	key := sortKeys[f.Sort]
	type row struct {
		chat.Conversation
		key, no int64
	}
	page := fmt.Sprintf(`SELECT p.no, p.due FROM (SELECT c.no, %s AS due FROM conversations c%s WHERE %s) p
 WHERE p.due > 0 AND (p.due > $%d OR p.due = $%d AND p.no > $%d) ORDER BY p.due, p.no LIMIT $%d`, key, dueQueue, where, n-2, n-2, n-1, n)
	found, err := list(ctx, s, func(r scanner) (x row, err error) {
		x.Conversation, err = scanConversation(withMore(r, []any{&x.key, &x.no}))
		return x, err
	}, conversationShown[:len(conversationShown)-len(" FROM ")]+", page.due, page.no FROM ("+page+") AS page JOIN conversations c ON c.workspace = $1 AND c.no = page.no"+
		conversationRest+" ORDER BY page.due, page.no", args...)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = fmt.Sprintf("%d.%d", found[limit-1].key, found[limit-1].no)
	}
	out := make([]chat.Conversation, len(found))
	for i, x := range found {
		out[i] = x.Conversation
	}
	return out, next, nil
}
