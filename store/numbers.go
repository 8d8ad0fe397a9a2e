package store

import (
	"context"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
)

// numbers remembers the inner names of conversations, which never change.
type numbers struct {
	mu sync.Mutex
	of map[chat.ConversationID]convKey
}

// maxNumbers bounds them.
const maxNumbers = 50000

func (n *numbers) find(ws int64, id chat.ConversationID) (convKey, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.of[id]
	return k, k.no != 0 && k.ws == ws
}

func (n *numbers) keep(id chat.ConversationID, k convKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of == nil || len(n.of) >= maxNumbers {
		n.of = map[chat.ConversationID]convKey{}
	}
	n.of[id] = k
}

// conversationNo finds the inner name of a conversation of a workspace.
func (s *Store) conversationNo(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID) (convKey, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return convKey{}, err
	}
	if k, ok := s.numbers.find(no, id); ok {
		return k, nil
	}
	k, err := one(ctx, s, "conversation", func(r scanner) (k convKey, err error) {
		err = r.Scan(&k.ws, &k.no)
		return k, err
	}, "SELECT c.workspace, c.no FROM conversations c WHERE c.workspace = $1 AND c.uid = $2", no, string(id))
	if err == nil {
		s.numbers.keep(id, k)
	}
	return k, err
}
