package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// maxAgentName bounds ids and names of the human side, in bytes.
const maxAgentName = 200

func checkName(what, name string) error {
	if name == "" || len(name) > maxAgentName || name != cleanText(name) {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("%s: 1 to %d bytes of text", what, maxAgentName))
	}
	return nil
}

// PutAgent adds an agent, who is inactive then, or changes name, capacity and skills of one.
type PutAgent struct {
	Workspace chat.WorkspaceID
	Agent     Agent // State and Available are not taken from here
	By        chat.Party
	Action    chat.ActionID

	ws int64
}

func (c *PutAgent) resolve(ctx context.Context, s *Store) (err error) {
	if err := checkName("agent", c.Agent.ID); err != nil {
		return err
	}
	if len(c.Agent.Name) > maxAgentName || c.Agent.Capacity < 0 || c.Agent.Capacity > 1000 || len(c.Agent.Skills) > 100 {
		return chat.Faultf(chat.CodeInvalid, "an agent has a name of at most 200 bytes, a capacity of 0 to 1000 and at most 100 skills")
	}
	for name := range c.Agent.Skills {
		if err := checkName("skill", name); err != nil {
			return err
		}
	}
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *PutAgent) workspace() int64 { return c.ws }
func (c *PutAgent) want(u *unit)     { u.wantAgent(agentKey{c.ws, c.Agent.ID}) }

func (c *PutAgent) apply(ctx context.Context, u *unit) (Result, error) {
	k := agentKey{c.ws, c.Agent.ID}
	row, err := u.agent(ctx, k)
	if chat.CodeOf(err) == chat.CodeNotFound {
		row = &agentRow{Agent: Agent{ID: c.Agent.ID, State: AgentInactive, StateAt: u.now}, created: micros(u.now), fresh: true, moved: true}
		u.keepAgent(k, row)
		err = nil
	}
	if err != nil {
		return Result{}, err
	}
	row.Name, row.Capacity, row.Skills, row.dirty = cleanText(c.Agent.Name), c.Agent.Capacity, c.Agent.Skills, true
	return Result{Events: []chat.Event{u.tellAgent(c.ws, row, c.By, c.Action)}}, nil
}

// tellAgent appends how an agent is now.
func (u *unit) tellAgent(ws int64, row *agentRow, by chat.Party, action chat.ActionID) chat.Event {
	return u.appendOwn(ws, chat.Event{Kind: chat.KindAgentChanged, Sender: &by, Action: action, Data: data(row.Agent)})
}

// SetAgentState moves an agent into a state: active, inactive, or one of the workspace's own.
type SetAgentState struct {
	Workspace chat.WorkspaceID
	Agent     string
	State     string
	By        chat.Party
	Action    chat.ActionID

	ws        int64
	available bool
}

func (c *SetAgentState) resolve(ctx context.Context, s *Store) (err error) {
	if c.ws, err = s.workspaceNo(ctx, c.Workspace); err != nil {
		return err
	}
	if c.State == AgentActive || c.State == AgentInactive {
		c.available = c.State == AgentActive
		return nil
	}
	st, err := one(ctx, s, "state", scanAgentState, "SELECT name, title, available FROM agent_states WHERE workspace = $1 AND name = $2", c.ws, c.State)
	c.available = st.Available
	return err
}

func (c *SetAgentState) workspace() int64 { return c.ws }
func (c *SetAgentState) want(u *unit)     { u.wantAgent(agentKey{c.ws, c.Agent}) }

func (c *SetAgentState) apply(ctx context.Context, u *unit) (Result, error) {
	row, err := u.agent(ctx, agentKey{c.ws, c.Agent})
	if err != nil {
		return Result{}, err
	}
	if err := c.stillThere(ctx, u); err != nil {
		return Result{}, err
	}
	if row.State == c.State && row.Available == c.available {
		return Result{Duplicate: true}, nil
	}
	row.move(u.now, c.State, c.available)
	return Result{Events: []chat.Event{u.tellAgent(c.ws, row, c.By, c.Action)}}, nil
}

// stillThere refuses a state of the workspace's own that was deleted meanwhile.
func (c *SetAgentState) stillThere(ctx context.Context, u *unit) error {
	if c.State == AgentActive || c.State == AgentInactive {
		return nil
	}
	name, err := u.text(ctx, "SELECT name FROM agent_states WHERE workspace = $1 AND name = $2", c.ws, c.State)
	if err == nil && name == "" {
		err = chat.Faultf(chat.CodeNotFound, "no such state")
	}
	return err
}

// move ends the session in the state before and begins one in the next. Two moves in one transaction are one.
func (r *agentRow) move(now time.Time, state string, available bool) {
	if !r.moved {
		r.began = micros(r.StateAt)
		if !now.After(r.StateAt) {
			now = r.StateAt.Add(time.Microsecond) // the clock stood still, or was set back
		}
		r.StateAt = now
	}
	r.State, r.Available, r.moved, r.dirty = state, available, true, true
}

// AgentState is a state that agents can be in.
type AgentState struct {
	Name      string `json:"name"`
	Title     string `json:"title,omitempty"`
	Available bool   `json:"available"`
}

func scanAgentState(r scanner) (st AgentState, err error) {
	var available int64
	err = r.Scan(&st.Name, &st.Title, &available)
	st.Available = available != 0
	return st, err
}

// PutAgentState adds a state, or changes one; agents who are in it stay as they are until they choose again.
func (s *Store) PutAgentState(ctx context.Context, ws chat.WorkspaceID, st AgentState) error {
	if err := checkName("state", st.Name); err != nil {
		return err
	}
	if st.Name == AgentActive || st.Name == AgentInactive {
		return chat.Faultf(chat.CodeInvalid, "every workspace has the state "+st.Name+" as it is")
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	available := int64(0)
	if st.Available {
		available = 1
	}
	return unavailable(s.engine.exec(ctx, stmt{
		sql: `INSERT INTO agent_states (workspace, name, title, available) VALUES ($1, $2, $3, $4)
 ON CONFLICT (workspace, name) DO UPDATE SET title = excluded.title, available = excluded.available`,
		args: []any{no, st.Name, cleanText(st.Title), available},
	}))
}

// AgentStates lists all states, the two that every workspace has first.
func (s *Store) AgentStates(ctx context.Context, ws chat.WorkspaceID) ([]AgentState, error) {
	found, err := list(ctx, s, scanAgentState,
		"SELECT t.name, t.title, t.available FROM agent_states t JOIN workspaces w ON w.id = t.workspace WHERE w.uid = $1 ORDER BY t.name", string(ws))
	return append([]AgentState{{Name: AgentActive, Available: true}, {Name: AgentInactive}}, found...), err
}

func scanAgent(r scanner) (Agent, error) {
	row := agentRow{}
	err := row.scan(r)
	return row.Agent, err
}

// Agents lists the agents of a workspace by their ids.
func (s *Store) Agents(ctx context.Context, ws chat.WorkspaceID) ([]Agent, error) {
	return list(ctx, s, scanAgent, "SELECT "+agentColumns+" FROM agents a JOIN workspaces w ON w.id = a.workspace WHERE w.uid = $1 ORDER BY a.uid", string(ws))
}

// Agent reads one.
func (s *Store) Agent(ctx context.Context, ws chat.WorkspaceID, id string) (Agent, error) {
	return one(ctx, s, "agent", scanAgent,
		"SELECT "+agentColumns+" FROM agents a JOIN workspaces w ON w.id = a.workspace WHERE w.uid = $1 AND a.uid = $2", string(ws), id)
}

// AgentSession is a stay in a state; EndedAt is zero while it lasts.
type AgentSession struct {
	State   string    `json:"state"`
	BegunAt time.Time `json:"begun_at"`
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// AgentSessions lists the stays of an agent, the newest first.
func (s *Store) AgentSessions(ctx context.Context, ws chat.WorkspaceID, id string, limit int) ([]AgentSession, error) {
	return list(ctx, s, func(r scanner) (a AgentSession, err error) {
		var begun, ended int64
		err = r.Scan(&a.State, &begun, &ended)
		a.BegunAt, a.EndedAt = moment(begun), moment(ended)
		return a, err
	}, fmt.Sprintf(`SELECT x.state, x.begun_at, x.ended_at FROM agent_sessions x JOIN workspaces w ON w.id = x.workspace
 WHERE w.uid = $1 AND x.agent = $2 ORDER BY x.begun_at DESC LIMIT %d`, max(limit, 1)), string(ws), id)
}
