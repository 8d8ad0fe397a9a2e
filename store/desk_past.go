package store

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// WaitingOf reads how a conversation waits; not found if it is in no queue.
func (s *Store) WaitingOf(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID) (WaitingConversation, error) {
	return one(ctx, s, "waiting conversation", scanWaiting, waitingRead+" AND c.uid = $2", string(ws), string(id))
}

// PositionAt is the position in the log before which everything happened before a time.
func (s *Store) PositionAt(ctx context.Context, ws chat.WorkspaceID, at time.Time) (int64, error) {
	w, err := s.Workspace(ctx, ws)
	if err != nil {
		return 0, err
	}
	no, err := s.workspaceNo(ctx, ws)
	low, high := int64(0), w.Head // before low it is earlier, from high on it is not
	for err == nil && low < high {
		mid := low + (high-low)/2
		var found []int64
		found, err = list(ctx, s, scanID, "SELECT e.at FROM events e WHERE e.workspace = $1 AND e.pos > $2 ORDER BY e.pos LIMIT 1", no, mid)
		if len(found) > 0 && found[0] < micros(at) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, err
}

// AgentsAt tells in which state each agent was at a time.
func (s *Store) AgentsAt(ctx context.Context, ws chat.WorkspaceID, at time.Time) (map[string]string, error) {
	found, err := list(ctx, s, scanPair, `SELECT x.agent, x.state FROM agent_sessions x JOIN workspaces w ON w.id = x.workspace
 WHERE w.uid = $1 AND x.begun_at <= $2 AND (x.ended_at = 0 OR x.ended_at > $2)`, string(ws), micros(at))
	out := make(map[string]string, len(found))
	for _, p := range found {
		out[p[0]] = p[1]
	}
	return out, err
}
