package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Whereabouts are who has a conversation, and its queue.
type Whereabouts struct{ Assignee, Queue string }

// Places tells where conversations are now. Of those that there are not it tells nothing.
func (s *Store) Places(ctx context.Context, ws chat.WorkspaceID, ids []chat.ConversationID) (map[chat.ConversationID]Whereabouts, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := make(map[chat.ConversationID]Whereabouts, len(ids))
	for part := range slices.Chunk(ids, maxPlaces) {
		in, args := among(part, []any{no})
		_, err := list(ctx, s, func(r scanner) (none struct{}, err error) {
			var id chat.ConversationID
			var at Whereabouts
			err = r.Scan(&id, &at.Assignee, &at.Queue)
			out[id] = at
			return none, err
		}, "SELECT c.uid, c.assignee, c.queue FROM conversations c WHERE c.workspace = $1 AND c.uid IN "+in, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxPlaces is how many conversations one statement asks for.
const maxPlaces = 256

// among makes a list for IN of ids, which become arguments.
func among(ids []chat.ConversationID, args []any) (string, []any) {
	begin := len(args)
	for _, id := range ids {
		args = append(args, string(id))
	}
	for n := len(ids); n&(n-1) != 0; n++ {
		args = append(args, "") // few forms of the statement
	}
	marks := make([]string, len(args)-begin)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", begin+i+1)
	}
	return "(" + strings.Join(marks, ", ") + ")", args
}

// ConversationsByID reads those of the conversations that there are, within a sight (nil: everywhere), in any order. At most maxPlaces.
func (s *Store) ConversationsByID(ctx context.Context, ws chat.WorkspaceID, ids []chat.ConversationID, within *Sight) ([]chat.Conversation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	in, args := among(ids, []any{no})
	where, args := ConversationFilter{Within: within}.narrow([]string{"c.workspace = $1", "c.uid IN " + in}, args)
	return list(ctx, s, scanConversation, conversationRead+"WHERE "+where, args...)
}
