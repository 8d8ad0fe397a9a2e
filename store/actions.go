package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// ChatAction is something that agents have another system do by its hook. Secret is sealed by whoever writes it, Settings is an object of
// theirs.
type ChatAction struct {
	Name      string
	Title     string
	URL       string
	Secret    string
	Queues    []string // empty: of all queues
	Settings  json.RawMessage
	CreatedAt time.Time
	UpdatedAt time.Time
}

// MaxActions bounds the actions of a workspace.
const MaxActions = 200

const actionColumns = "a.name, a.title, a.url, a.secret, a.queues, a.settings, a.created_at, a.updated_at"

func scanAction(s scanner) (a ChatAction, err error) {
	var queues, settings string
	var created, updated int64
	err = s.Scan(&a.Name, &a.Title, &a.URL, &a.Secret, &queues, &settings, &created, &updated)
	a.Queues, a.Settings, a.CreatedAt, a.UpdatedAt = namesOf(queues), json.RawMessage(settings), moment(created), moment(updated)
	return a, err
}

// PutChatAction stores an action under its name; without a secret it keeps the one that it has.
func (s *Store) PutChatAction(ctx context.Context, ws chat.WorkspaceID, a ChatAction) (ChatAction, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return a, err
	}
	hit := false
	err = s.write(ctx, doing{no, "action", a.Name, nil}, stmt{
		sql: `INSERT INTO actions (workspace, name, title, url, secret, queues, settings, created_at, updated_at)
 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8 WHERE (SELECT COUNT(*) FROM actions WHERE workspace = $1 AND name <> $2) < ` + strconv.Itoa(MaxActions) + `
 ON CONFLICT (workspace, name) DO UPDATE SET title = excluded.title, url = excluded.url, queues = excluded.queues, settings = excluded.settings,
 secret = CASE WHEN excluded.secret = '' THEN actions.secret ELSE excluded.secret END, updated_at = excluded.updated_at
 RETURNING name, title, url, secret, queues, settings, created_at, updated_at`,
		args: []any{no, a.Name, a.Title, a.URL, a.Secret, namesText(a.Queues), string(a.Settings), micros(s.now())},
		scan: func(r scanner) (err error) { hit = true; a, err = scanAction(r); return err },
	})
	if err == nil && !hit {
		err = chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a workspace has at most %d actions", MaxActions))
	}
	return a, err
}

// ChatAction reads one.
func (s *Store) ChatAction(ctx context.Context, ws chat.WorkspaceID, name string) (ChatAction, error) {
	return one(ctx, s, "action", scanAction, "SELECT "+actionColumns+" FROM actions a JOIN workspaces w ON w.id = a.workspace WHERE w.uid = $1 AND a.name = $2", string(ws), name)
}

// ChatActions lists the actions of a workspace by name.
func (s *Store) ChatActions(ctx context.Context, ws chat.WorkspaceID) ([]ChatAction, error) {
	return list(ctx, s, scanAction, "SELECT "+actionColumns+" FROM actions a JOIN workspaces w ON w.id = a.workspace WHERE w.uid = $1 ORDER BY a.name", string(ws))
}

// DropChatAction deletes one.
func (s *Store) DropChatAction(ctx context.Context, ws chat.WorkspaceID, name string) error {
	return s.dropNamed(ctx, ws, "action", "DELETE FROM actions WHERE workspace = $1 AND name = $2 RETURNING name", name)
}

// TellAction appends what an action did, and sets the fields that its answer gave; whether they fit is for the caller to check.
type TellAction struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Did          chat.ActionData
	By           chat.Party
	Once         string
	Action       chat.ActionID

	deed
}

// tellPrefix keeps the names of told actions apart from those of messages.
const tellPrefix = "t:"

func (c *TellAction) resolve(ctx context.Context, s *Store) error {
	return c.find(ctx, s, c.Workspace, c.Conversation, tellPrefix, c.Once)
}

func (c *TellAction) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, before, err := c.look(ctx, u)
	if err != nil || before != nil {
		return repeated(before), err
	}
	fields, set, err := mergedFields(conv.fields, c.Did.Fields)
	if err != nil {
		return Result{}, err
	}
	by := c.By
	told := u.append(conv, ch, chat.Event{Kind: chat.KindAction, Sender: &by, Data: data(c.Did), Action: c.Action}, c.once.key)
	res := Result{Events: []chat.Event{told}}
	if len(set) > 0 {
		conv.fields, conv.dirty, conv.moved = fields, true, true
		e := chat.Event{Kind: chat.KindChanged, Sender: &by, Data: data(chat.ChangedData{Fields: set}), Action: c.Action}
		res.Events = append(res.Events, u.append(conv, ch, e, ""))
	}
	return res, nil
}

// ToldAction finds what was told under a name; not_found: nothing yet.
func (s *Store) ToldAction(ctx context.Context, ws chat.WorkspaceID, once string) (chat.Event, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return chat.Event{}, err
	}
	return one(ctx, s, "event", func(r scanner) (chat.Event, error) {
		var conv chat.ConversationID
		e, err := scanEvent(r, &conv)
		e.Conversation = conv
		return e, err
	}, "SELECT "+eventColumns+`, COALESCE(c.uid, '') FROM events e LEFT JOIN conversations c ON c.workspace = e.workspace AND c.no = e.conversation
 WHERE e.once_key IS NOT NULL AND e.workspace = $1 AND e.once_key = $2`, no, tellPrefix+cleanText(once))
}
