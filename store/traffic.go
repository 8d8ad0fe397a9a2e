package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// FlowStep is a flow_step event as statistics need it.
type FlowStep struct {
	Pos          int64
	Conversation int64 // tells conversations of a workspace apart, and nothing else
	At           time.Time
	Record       json.RawMessage
}

// Stretch is how many positions of the log one call of FlowSteps looks at: that bounds its time and its memory.
const Stretch = 2000

// FlowSteps looks at one stretch of the log, backward from a position (0: from its end), and answers with the steps of a flow in it, the
// newest first. Steps of flows whose name is much like this one's may be among them. The next stretch lies before the second answer; 0: that
// was all of the log.
func (s *Store) FlowSteps(ctx context.Context, ws chat.WorkspaceID, flow string, before int64) ([]FlowStep, int64, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, 0, err
	}
	if before <= 0 {
		w, err := s.Workspace(ctx, ws)
		if err != nil {
			return nil, 0, err
		}
		before = w.Head + 1
	}
	next := max(1, before-Stretch)
	steps, err := list(ctx, s, scanFlowStep, `SELECT pos, conversation, at, body FROM events
 WHERE workspace = $1 AND pos >= $2 AND pos < $3 AND kind = 'flow_step' AND body LIKE $4 ORDER BY pos DESC`, no, next, before, `%"flow":"`+flow+`"%`)
	if next == 1 {
		next = 0
	}
	return steps, next, err
}

func scanFlowStep(r scanner) (e FlowStep, err error) {
	var at int64
	var body []byte
	if err := r.Scan(&e.Pos, &e.Conversation, &at, &body); err != nil {
		return e, err
	}
	var b struct{ Data json.RawMessage }
	err = json.Unmarshal(body, &b)
	e.At, e.Record = moment(at), b.Data
	return e, err
}
