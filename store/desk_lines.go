package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// AgentLine is an agent who follows the log live.
type AgentLine struct {
	Workspace chat.WorkspaceID
	Agent     string
}

// NoteLines notes who is there now. Who is no agent, or not available, is passed over.
func (s *Store) NoteLines(ctx context.Context, there []AgentLine) error {
	if len(there) == 0 {
		return nil
	}
	there = slices.Clone(there)
	slices.SortFunc(there, func(a, b AgentLine) int { // in one order, so that nodes do not wait for one another in a circle
		return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Agent, b.Agent))
	})
	now := micros(s.now())
	all := make([]stmt, len(there))
	for i, l := range there {
		all[i] = stmt{
			sql: `INSERT INTO agent_lines (workspace, agent, seen_at) SELECT a.workspace, a.uid, $3 FROM agents a JOIN workspaces w ON w.id = a.workspace
 WHERE w.uid = $1 AND a.uid = $2 AND a.available = 1 ON CONFLICT (workspace, agent) DO UPDATE SET seen_at = excluded.seen_at`,
			args: []any{string(l.Workspace), l.Agent, now},
		}
	}
	return unavailable(s.engine.exec(ctx, all...))
}

// lost is what makes an available agent absent: she was there since she became available, and has not been for so long ($1).
const lost = "a.available = 1 AND l.seen_at <= $1 AND l.seen_at >= a.state_at"

// LostLines lists agents, of all workspaces, who are available and have been away for so long; at most limit.
func (s *Store) LostLines(ctx context.Context, away time.Duration, limit int) ([]AgentLine, error) {
	return list(ctx, s, func(r scanner) (l AgentLine, err error) {
		err = r.Scan(&l.Workspace, &l.Agent)
		return l, err
	}, `SELECT w.uid, a.uid FROM agent_lines l JOIN agents a ON a.workspace = l.workspace AND a.uid = l.agent JOIN workspaces w ON w.id = a.workspace
 WHERE `+lost+` ORDER BY l.seen_at LIMIT $2`, micros(s.now().Add(-away)), limit)
}

// LoseLine makes an agent inactive who is available and has been away for so long. The agent's conversations stay as they are.
type LoseLine struct {
	AgentLine
	Away   time.Duration
	Action chat.ActionID

	ws int64
}

func (c *LoseLine) resolve(ctx context.Context, s *Store) (err error) {
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *LoseLine) workspace() int64 { return c.ws }
func (c *LoseLine) want(u *unit)     { u.wantAgent(agentKey{c.ws, c.Agent}) }

func (c *LoseLine) apply(ctx context.Context, u *unit) (Result, error) {
	row, err := u.agent(ctx, agentKey{c.ws, c.Agent})
	if err != nil {
		return Result{}, err
	}
	id, err := u.text(ctx, `SELECT a.uid FROM agent_lines l JOIN agents a ON a.workspace = l.workspace AND a.uid = l.agent
 WHERE a.workspace = $2 AND a.uid = $3 AND `+lost, micros(u.now.Add(-c.Away)), c.ws, c.Agent)
	if err != nil {
		return Result{}, err
	}
	if id == "" || !row.Available || row.moved {
		return Result{}, chat.Faultf(chat.CodeConflict, "the agent is there again")
	}
	row.move(u.now, AgentInactive, false)
	return Result{Events: []chat.Event{u.tellAgent(c.ws, row, chat.Party{Type: chat.PartySystem}, c.Action)}}, nil
}
