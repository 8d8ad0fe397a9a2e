package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// Queue is where conversations wait for agents.
type Queue struct {
	Name      string          `json:"name"`
	Title     string          `json:"title,omitempty"`
	Rule      string          `json:"rule"`
	Settings  json.RawMessage `json:"settings,omitempty"` // the desk's own
	Members   []string        `json:"members"`            // ids of agents and teams (see TeamPrefix), sorted
	Agents    []string        `json:"-"`                  // the members with the teams taken apart, sorted
	Secret    string          `json:"-"`                  // of an outside rule, sealed
	Tells     bool            `json:"-"`                  // who waits is told for how long
	LastAgent string          `json:"-"`                  // who was offered the last conversation
}

// Bounds of a queue.
const (
	maxQueueMembers  = 10_000
	maxQueueSettings = 16 << 10 // bytes
)

// PutQueue adds a queue or changes it as a whole.
type PutQueue struct {
	Workspace chat.WorkspaceID
	Queue     Queue
	By        chat.Party
	Action    chat.ActionID

	ws int64
}

func (c *PutQueue) resolve(ctx context.Context, s *Store) (err error) {
	q := &c.Queue
	if err := checkName("queue", q.Name); err != nil {
		return err
	}
	if len(q.Members) > maxQueueMembers || len(q.Settings) > maxQueueSettings || len(q.Title) > maxAgentName {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("a queue has at most %d members, a title of %d bytes and 16 KiB of settings", maxQueueMembers, maxAgentName))
	}
	if len(q.Settings) == 0 {
		q.Settings = json.RawMessage("{}")
	}
	if !json.Valid(q.Settings) {
		return chat.Faultf(chat.CodeInvalid, "settings: not JSON")
	}
	if q.Members, err = members(q.Members); err != nil {
		return err
	}
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *PutQueue) workspace() int64 { return c.ws }
func (c *PutQueue) want(*unit)       {}

func (c *PutQueue) apply(_ context.Context, u *unit) (Result, error) {
	q := c.Queue
	u.extra = append(u.extra, stmt{
		sql: `INSERT INTO queues (workspace, name, title, rule, settings, secret, tells, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
 ON CONFLICT (workspace, name) DO UPDATE SET title = excluded.title, rule = excluded.rule, settings = excluded.settings, secret = excluded.secret,
 tells = excluded.tells, updated_at = excluded.updated_at`,
		args: []any{c.ws, q.Name, cleanText(q.Title), q.Rule, string(q.Settings), q.Secret, flag(q.Tells), micros(u.now), micros(u.now)},
	}, stmt{sql: "DELETE FROM queue_members WHERE workspace = $1 AND queue = $2", args: []any{c.ws, q.Name}})
	for _, m := range q.Members {
		u.extra = append(u.extra, stmt{sql: "INSERT INTO queue_members (workspace, queue, agent) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", args: []any{c.ws, q.Name, m}})
	}
	u.extra = append(u.extra, c.levels())
	by := c.By
	return Result{Events: []chat.Event{u.appendOwn(c.ws, chat.Event{Kind: chat.KindQueueChanged, Sender: &by, Action: c.Action, Data: data(q)})}}, nil
}

// Queues lists the queues of a workspace by name, with their members.
func (s *Store) Queues(ctx context.Context, ws chat.WorkspaceID) ([]Queue, error) {
	queues, err := list(ctx, s, func(r scanner) (q Queue, err error) {
		var settings string
		var tells int64
		err = r.Scan(&q.Name, &q.Title, &q.Rule, &settings, &q.Secret, &tells, &q.LastAgent)
		q.Settings, q.Tells, q.Members = json.RawMessage(settings), tells != 0, []string{}
		return q, err
	}, `SELECT q.name, q.title, q.rule, q.settings, q.secret, q.tells, q.last_agent FROM queues q JOIN workspaces w ON w.id = q.workspace
 WHERE w.uid = $1 ORDER BY q.name`, string(ws))
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(queues))
	for i, q := range queues {
		at[q.Name] = i
	}
	found, err := list(ctx, s, scanPair, `SELECT m.queue, m.agent FROM queue_members m JOIN workspaces w ON w.id = m.workspace
 WHERE w.uid = $1 ORDER BY m.queue, m.agent`, string(ws))
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		if i, ok := at[m[0]]; ok {
			queues[i].Members = append(queues[i].Members, m[1])
		}
	}
	teams, err := s.Teams(ctx, ws)
	expand(queues, teams)
	return queues, err
}

// HasQueue tells whether a queue is stored.
func (s *Store) HasQueue(ctx context.Context, ws chat.WorkspaceID, name string) (bool, error) {
	found, err := list(ctx, s, scanText, "SELECT q.name FROM queues q JOIN workspaces w ON w.id = q.workspace WHERE w.uid = $1 AND q.name = $2", string(ws), name)
	return len(found) > 0, err
}

// AgentUnread is what an agent has not read.
type AgentUnread struct {
	Conversations int            `json:"conversations"`
	Messages      map[string]int `json:"messages"` // by conversation
}

// Unread counts what an agent has not read of the agent's own conversations.
func (s *Store) Unread(ctx context.Context, ws chat.WorkspaceID, agent string) (AgentUnread, error) {
	type unread struct {
		conv string
		n    int
	}
	found, err := list(ctx, s, func(r scanner) (x unread, err error) {
		err = r.Scan(&x.conv, &x.n)
		return x, err
	}, `SELECT c.uid, c.unread FROM conversations c JOIN workspaces w ON w.id = c.workspace
 WHERE w.uid = $1 AND c.state = 'assigned' AND c.assignee = $2 AND c.unread > 0`, string(ws), agent)
	out := AgentUnread{Conversations: len(found), Messages: make(map[string]int, len(found))}
	for _, x := range found {
		out.Messages[x.conv] = x.n
	}
	return out, err
}

// QueuesOf lists the names of the queues that an agent is a member of, also as one of a team.
func (s *Store) QueuesOf(ctx context.Context, ws chat.WorkspaceID, agent string) ([]string, error) {
	return list(ctx, s, func(r scanner) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}, `SELECT m.queue FROM queue_members m JOIN workspaces w ON w.id = m.workspace WHERE w.uid = $1 AND (m.agent = $2
 OR m.agent IN (SELECT '`+TeamPrefix+`' || t.team FROM team_members t WHERE t.workspace = m.workspace AND t.agent = $2))
 GROUP BY m.queue ORDER BY m.queue`, string(ws), agent)
}
