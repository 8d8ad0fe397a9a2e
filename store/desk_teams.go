package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// Team is agents who are named together.
type Team struct {
	Name    string   `json:"name"`
	Title   string   `json:"title,omitempty"`
	Members []string `json:"members"` // ids of agents, sorted
}

// MaxTeams bounds the teams of a workspace.
const MaxTeams = 1000

// TeamPrefix stands before the name of a team among the members of a queue.
const TeamPrefix = "team:"

// PutTeam adds a team or changes it as a whole.
type PutTeam struct {
	Workspace chat.WorkspaceID
	Team      Team
	By        chat.Party
	Action    chat.ActionID

	ws int64
}

func (c *PutTeam) resolve(ctx context.Context, s *Store) (err error) {
	if err := checkName("team", c.Team.Name); err != nil {
		return err
	}
	if len(c.Team.Title) > maxAgentName {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("a team has a title of at most %d bytes", maxAgentName))
	}
	if c.Team.Members, err = members(c.Team.Members); err != nil {
		return err
	}
	if slices.ContainsFunc(c.Team.Members, func(m string) bool { return strings.HasPrefix(m, TeamPrefix) }) {
		return chat.Faultf(chat.CodeInvalid, "the members of a team are agents")
	}
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

// members checks a list of members and puts it in order.
func members(list []string) ([]string, error) {
	if len(list) > maxQueueMembers {
		return nil, chat.Faultf(chat.CodeInvalid, fmt.Sprintf("at most %d members", maxQueueMembers))
	}
	list = slices.Clone(list)
	slices.Sort(list)
	list = slices.Compact(list)
	for _, m := range list {
		if err := checkName("member", m); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (c *PutTeam) workspace() int64 { return c.ws }
func (c *PutTeam) want(*unit)       {}

func (c *PutTeam) apply(ctx context.Context, u *unit) (Result, error) {
	t := c.Team
	if err := u.room(ctx, "teams", c.ws, t.Name, MaxTeams, "teams"); err != nil {
		return Result{}, err
	}
	u.extra = append(u.extra, stmt{
		sql: `INSERT INTO teams (workspace, name, title, updated_at) VALUES ($1, $2, $3, $4)
 ON CONFLICT (workspace, name) DO UPDATE SET title = excluded.title, updated_at = excluded.updated_at`,
		args: []any{c.ws, t.Name, cleanText(t.Title), micros(u.now)},
	}, stmt{sql: "DELETE FROM team_members WHERE workspace = $1 AND team = $2", args: []any{c.ws, t.Name}})
	for _, m := range t.Members {
		u.extra = append(u.extra, stmt{sql: "INSERT INTO team_members (workspace, team, agent) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", args: []any{c.ws, t.Name, m}})
	}
	by := c.By
	return Result{Events: []chat.Event{u.appendOwn(c.ws, chat.Event{Kind: chat.KindTeamChanged, Sender: &by, Action: c.Action, Data: data(t)})}}, nil
}

// DropTeam removes a team that no queue names.
type DropTeam struct {
	Workspace chat.WorkspaceID
	Name      string
	By        chat.Party
	Action    chat.ActionID

	ws int64
}

func (c *DropTeam) resolve(ctx context.Context, s *Store) (err error) {
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *DropTeam) workspace() int64 { return c.ws }
func (c *DropTeam) want(*unit)       {}

func (c *DropTeam) apply(ctx context.Context, u *unit) (Result, error) {
	there, err := u.text(ctx, "SELECT name FROM teams WHERE workspace = $1 AND name = $2", c.ws, c.Name)
	if err == nil && there == "" {
		err = chat.Faultf(chat.CodeNotFound, "no such team")
	}
	if err != nil {
		return Result{}, err
	}
	used, err := u.text(ctx, "SELECT MIN(queue) FROM queue_members WHERE workspace = $1 AND agent = $2 HAVING COUNT(*) > 0", c.ws, TeamPrefix+c.Name)
	if err == nil && used != "" {
		err = chat.Faultf(chat.CodeConflict, "the queue "+used+" has this team among its members")
	}
	if err != nil {
		return Result{}, err
	}
	u.extra = append(u.extra,
		stmt{sql: "DELETE FROM team_members WHERE workspace = $1 AND team = $2", args: []any{c.ws, c.Name}},
		stmt{sql: "DELETE FROM teams WHERE workspace = $1 AND name = $2", args: []any{c.ws, c.Name}})
	by := c.By
	e := chat.Event{Kind: chat.KindTeamChanged, Sender: &by, Action: c.Action, Data: data(Team{Name: c.Name, Members: []string{}})}
	return Result{Events: []chat.Event{u.appendOwn(c.ws, e)}}, nil
}

// room refuses one more of what a table has, when the workspace has as many as it may.
func (u *unit) room(ctx context.Context, table string, ws int64, name string, most int, what string) error {
	others, err := u.text(ctx, "SELECT CAST(COUNT(*) AS TEXT) FROM "+table+" WHERE workspace = $1 AND name <> $2", ws, name)
	if n, _ := strconv.Atoi(others); err == nil && n >= most {
		err = chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a workspace has at most %d %s", most, what))
	}
	return err
}

// text reads one text in this transaction, "" if there is none. What the unit has not written yet it does not see.
func (u *unit) text(ctx context.Context, sql string, args ...any) (out string, err error) {
	err = u.run(ctx, []stmt{{sql: sql, args: args, scan: func(r scanner) error { return r.Scan(&out) }}})
	return out, err
}

// Teams lists the teams of a workspace by name, with their members.
func (s *Store) Teams(ctx context.Context, ws chat.WorkspaceID) ([]Team, error) {
	teams, err := list(ctx, s, func(r scanner) (t Team, err error) {
		t.Members = []string{}
		err = r.Scan(&t.Name, &t.Title)
		return t, err
	}, "SELECT t.name, t.title FROM teams t JOIN workspaces w ON w.id = t.workspace WHERE w.uid = $1 ORDER BY t.name", string(ws))
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(teams))
	for i, t := range teams {
		at[t.Name] = i
	}
	found, err := list(ctx, s, scanPair, `SELECT m.team, m.agent FROM team_members m JOIN workspaces w ON w.id = m.workspace
 WHERE w.uid = $1 ORDER BY m.team, m.agent`, string(ws))
	for _, m := range found {
		if i, ok := at[m[0]]; ok {
			teams[i].Members = append(teams[i].Members, m[1])
		}
	}
	return teams, err
}

func scanPair(r scanner) (p [2]string, err error) {
	err = r.Scan(&p[0], &p[1])
	return p, err
}

// expand fills in who the members of queues are when teams are taken apart.
func expand(queues []Queue, teams []Team) {
	of := make(map[string][]string, len(teams))
	for _, t := range teams {
		of[t.Name] = t.Members
	}
	for i := range queues {
		q := &queues[i]
		q.Agents = make([]string, 0, len(q.Members))
		for _, m := range q.Members {
			if team, ok := strings.CutPrefix(m, TeamPrefix); ok {
				q.Agents = append(q.Agents, of[team]...)
			} else {
				q.Agents = append(q.Agents, m)
			}
		}
		slices.Sort(q.Agents)
		q.Agents = slices.Compact(q.Agents)
	}
}
