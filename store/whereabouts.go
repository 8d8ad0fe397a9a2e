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
		args := []any{no}
		for _, id := range part {
			args = append(args, string(id))
		}
		for n := len(part); n&(n-1) != 0; n++ {
			args = append(args, "") // few forms of the statement
		}
		marks := make([]string, len(args)-1)
		for i := range marks {
			marks[i] = fmt.Sprintf("$%d", i+2)
		}
		_, err := list(ctx, s, func(r scanner) (none struct{}, err error) {
			var id chat.ConversationID
			var at Whereabouts
			err = r.Scan(&id, &at.Assignee, &at.Queue)
			out[id] = at
			return none, err
		}, "SELECT c.uid, c.assignee, c.queue FROM conversations c WHERE c.workspace = $1 AND c.uid IN ("+strings.Join(marks, ", ")+")", args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxPlaces is how many conversations one statement asks for.
const maxPlaces = 256
