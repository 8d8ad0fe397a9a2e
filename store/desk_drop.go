package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// use is a way in which something may still be needed. sql finds who needs it, as texts; % in words stands for one of them.
type use struct {
	words, sql string
	args       []any
}

// maxUses is how many of a kind a refusal names.
const maxUses = 5

// usesOf are the statements that find them, into found.
func usesOf(all []use, found *[]string) []stmt {
	out := make([]stmt, len(all))
	for i, x := range all {
		n := 0
		out[i] = stmt{sql: x.sql, args: x.args, scan: func(r scanner) error {
			var who string
			if err := r.Scan(&who); err != nil {
				return err
			}
			if n++; n <= maxUses {
				*found = append(*found, strings.Replace(x.words, "%", who, 1))
			}
			return nil
		}}
	}
	return out
}

// inUse refuses to delete what is needed, and says by whom.
func inUse(what string, found []string) error {
	if len(found) == 0 {
		return nil
	}
	return chat.Faultf(chat.CodeConflict, what+" is still used: "+strings.Join(found, "; "))
}

// DropQueue deletes a queue that nothing needs any more. What happened in it keeps its name.
type DropQueue struct {
	Workspace chat.WorkspaceID
	Name      string
	By        chat.Party
	Action    chat.ActionID

	ws int64
}

func (c *DropQueue) resolve(ctx context.Context, s *Store) (err error) {
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *DropQueue) workspace() int64 { return c.ws }
func (c *DropQueue) want(*unit)       {}

func (c *DropQueue) apply(ctx context.Context, u *unit) (Result, error) {
	there, err := u.text(ctx, "SELECT name FROM queues WHERE workspace = $1 AND name = $2", c.ws, c.Name)
	if err == nil && there == "" {
		err = chat.Faultf(chat.CodeNotFound, "no such queue")
	}
	if err != nil {
		return Result{}, err
	}
	var found []string
	if err := u.run(ctx, usesOf(c.uses(), &found)); err != nil {
		return Result{}, err
	}
	if err := inUse("the queue", found); err != nil {
		return Result{}, err
	}
	for _, table := range []string{"queue_members", "accepts"} {
		u.extra = append(u.extra, stmt{sql: "DELETE FROM " + table + " WHERE workspace = $1 AND queue = $2", args: []any{c.ws, c.Name}})
	}
	u.extra = append(u.extra, stmt{sql: "DELETE FROM queues WHERE workspace = $1 AND name = $2", args: []any{c.ws, c.Name}})
	by := c.By
	e := chat.Event{Kind: chat.KindQueueChanged, Sender: &by, Action: c.Action, Data: data(struct {
		Name    string `json:"name"`
		Deleted bool   `json:"deleted"`
	}{c.Name, true})}
	return Result{Events: []chat.Event{u.appendOwn(c.ws, e)}}, nil
}

// draftSuffix ends the names of flows that are only tried out.
const draftSuffix = ".draft"

// uses are all that can lead a conversation into the queue, or is told of it alone.
func (c *DropQueue) uses() []use {
	args, part, plain := []any{c.ws, c.Name}, []any{c.ws, likePart(member("queue", c.Name))}, []any{c.ws, likePart(plainMember("queue", c.Name))}
	line := []any{c.ws, likePart("\n" + c.Name + "\n")}
	const flows = `SELECT f.name FROM flows f WHERE f.workspace = $1 AND f.deleted_at = 0 AND f.definition LIKE $2 ESCAPE '\' AND f.name NOT LIKE '%` + draftSuffix + `'
 AND (f.version = (SELECT MAX(g.version) FROM flows g WHERE g.workspace = f.workspace AND g.name = f.name AND g.deleted_at = 0)
 OR EXISTS (SELECT 1 FROM conversations c WHERE c.workspace = f.workspace AND c.state = 'bot' AND c.flow = f.name AND c.flow_version = f.version))
 GROUP BY f.name ORDER BY f.name`
	return []use{
		{"% open conversations are in it", `SELECT CAST(COUNT(*) AS TEXT) FROM conversations
 WHERE workspace = $1 AND queue = $2 AND queue <> '' AND state IN ('queued', 'assigned') HAVING COUNT(*) > 0`, args},
		{"new conversations of the channel % wait there", "SELECT name FROM channels WHERE workspace = $1 AND queue = $2 ORDER BY no", args},
		{"the queue % passes on to it", `SELECT name FROM queues WHERE workspace = $1 AND settings LIKE $2 ESCAPE '\' ORDER BY name`, part},
		{"the flow % hands over to it", flows, plain},
		{"the canned reply % is for it", `SELECT name FROM replies WHERE workspace = $1 AND queues LIKE $2 ESCAPE '\' ORDER BY name`, line},
		{"the action % is for it", `SELECT name FROM actions WHERE workspace = $1 AND queues LIKE $2 ESCAPE '\' ORDER BY name`, line},
	}
}

// member is how a member stands in a JSON text without blanks.
func member(name, value string) string {
	raw, _ := json.Marshal(value) // a text: cannot fail
	return `"` + name + `":` + string(raw)
}

// plainMember is member where the signs of HTML stand as they are, as in the canonical form of flows.
func plainMember(name, value string) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // a text: cannot fail
	return `"` + name + `":` + strings.TrimSuffix(out.String(), "\n")
}

// DropAgentState deletes a state in which no agent is. Stays in it keep its name.
func (s *Store) DropAgentState(ctx context.Context, ws chat.WorkspaceID, name string) error {
	if name == AgentActive || name == AgentInactive {
		return chat.Faultf(chat.CodeConflict, "every workspace has the state "+name)
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	args := []any{no, name}
	var found []string
	hit := false
	list := []stmt{s.lockWorkspace(no)}
	list = append(list, usesOf([]use{{
		"% is in it", "SELECT CASE WHEN name = '' THEN uid ELSE name END FROM agents WHERE workspace = $1 AND state = $2 ORDER BY uid", args,
	}}, &found)...)
	list = append(list, stmt{
		sql: "DELETE FROM agent_states WHERE workspace = $1 AND name = $2 RETURNING name", args: args, scan: func(scanner) error { hit = true; return nil },
	})
	return s.decide(ctx, doing{no, "agent state", name, nil}, list, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeNotFound, "no such state")
		}
		return inUse("the state", found)
	})
}

// DropFlow deletes a flow that nothing runs or will run. Its versions are kept for what was done with them, under numbers that are
// never given again.
func (s *Store) DropFlow(ctx context.Context, ws chat.WorkspaceID, name string) error {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return err
	}
	args := []any{no, name}
	var found []string
	hit := false
	list := append([]stmt{s.lockWorkspace(no)}, usesOf([]use{
		{"% open conversations are pinned to it", `SELECT CAST(COUNT(*) AS TEXT) FROM conversations
 WHERE workspace = $1 AND flow = $2 AND state IN ('bot', 'queued', 'assigned') HAVING COUNT(*) > 0`, args},
		{"it answers the channel %", "SELECT name FROM channels WHERE workspace = $1 AND flow = $2 ORDER BY no", args},
		{
			"the queue % passes on to it", `SELECT name FROM queues WHERE workspace = $1 AND settings LIKE $2 ESCAPE '\' ORDER BY name`,
			[]any{no, likePart(member("flow", name))},
		},
	}, &found)...)
	list = append(list, stmt{
		sql:  "UPDATE flows SET deleted_at = $3 WHERE workspace = $1 AND name = $2 AND deleted_at = 0 RETURNING name",
		args: []any{no, name, micros(s.now())},
		scan: func(scanner) error { hit = true; return nil },
	})
	return s.decide(ctx, doing{no, "flow", name, nil}, list, func(writeTx) error {
		if !hit {
			return chat.Faultf(chat.CodeNotFound, "no such flow")
		}
		return inUse("the flow", found)
	})
}
