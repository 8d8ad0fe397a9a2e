package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dragoman-hub/dragoman/chat"
)

// Hours is a calendar of business hours. What the body means is the desk's own.
type Hours struct {
	Name string
	Body json.RawMessage
}

// maxHours bounds a calendar, in bytes.
const maxHours = 32 << 10

// MaxCalendars bounds the business hours of a workspace.
const MaxCalendars = 200

// PutHours adds business hours or changes them as a whole; without a body they are removed, if no queue names them.
type PutHours struct {
	Workspace chat.WorkspaceID
	Hours     Hours
	By        chat.Party
	Action    chat.ActionID

	ws int64
}

func (c *PutHours) resolve(ctx context.Context, s *Store) (err error) {
	if err := checkName("hours", c.Hours.Name); err != nil {
		return err
	}
	if len(c.Hours.Body) > maxHours || len(c.Hours.Body) > 0 && !json.Valid(c.Hours.Body) {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("business hours are JSON of at most %d bytes", maxHours))
	}
	c.ws, err = s.workspaceNo(ctx, c.Workspace)
	return err
}

func (c *PutHours) workspace() int64 { return c.ws }
func (c *PutHours) want(*unit)       {}

func (c *PutHours) apply(ctx context.Context, u *unit) (Result, error) {
	if len(c.Hours.Body) > 0 {
		if err := u.room(ctx, "hours", c.ws, c.Hours.Name, MaxCalendars, "business hours"); err != nil {
			return Result{}, err
		}
		u.extra = append(u.extra, stmt{
			sql: `INSERT INTO hours (workspace, name, body, updated_at) VALUES ($1, $2, $3, $4)
 ON CONFLICT (workspace, name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`,
			args: []any{c.ws, c.Hours.Name, string(c.Hours.Body), micros(u.now)},
		})
		return c.tell(u), nil
	}
	there, err := u.text(ctx, "SELECT name FROM hours WHERE workspace = $1 AND name = $2", c.ws, c.Hours.Name)
	if err == nil && there == "" {
		err = chat.Faultf(chat.CodeNotFound, "no such business hours")
	}
	if err != nil {
		return Result{}, err
	}
	named, _ := json.Marshal(c.Hours.Name) // a text: cannot fail
	used, err := u.text(ctx, `SELECT MIN(name) FROM queues WHERE workspace = $1 AND settings LIKE $2 ESCAPE '\' HAVING COUNT(*) > 0`,
		c.ws, likePart(`"hours":`+string(named)))
	if err == nil && used != "" {
		err = chat.Faultf(chat.CodeConflict, "the queue "+used+" has these business hours")
	}
	if err != nil {
		return Result{}, err
	}
	u.extra = append(u.extra, stmt{sql: "DELETE FROM hours WHERE workspace = $1 AND name = $2", args: []any{c.ws, c.Hours.Name}})
	return c.tell(u), nil
}

func (c *PutHours) tell(u *unit) Result {
	by := c.By
	e := chat.Event{Kind: chat.KindHoursChanged, Sender: &by, Action: c.Action, Data: data(struct {
		Name  string          `json:"name"`
		Hours json.RawMessage `json:"hours,omitempty"`
	}{c.Hours.Name, c.Hours.Body})}
	return Result{Events: []chat.Event{u.appendOwn(c.ws, e)}}
}

// Hours lists the business hours of a workspace by name.
func (s *Store) Hours(ctx context.Context, ws chat.WorkspaceID) ([]Hours, error) {
	return list(ctx, s, func(r scanner) (h Hours, err error) {
		var body []byte
		err = r.Scan(&h.Name, &body)
		h.Body = body
		return h, err
	}, "SELECT h.name, h.body FROM hours h JOIN workspaces w ON w.id = h.workspace WHERE w.uid = $1 ORDER BY h.name", string(ws))
}
