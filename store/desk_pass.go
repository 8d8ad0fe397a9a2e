package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Pass is what becomes of a conversation that a queue cannot keep: the contact is told something, it goes elsewhere, or both.
type Pass struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Queue        string          // where it waits
	Overdue      bool            // only if its longest wait is over
	Say          string          // to the contact; "" is nothing
	To           *chat.PlaceData // nil: it waits on, and its longest wait is not looked at any more
	Action       chat.ActionID

	deed
}

// maxSaid bounds what routing tells a contact, in bytes.
const maxSaid = 4 << 10

func (c *Pass) resolve(ctx context.Context, s *Store) error {
	if len(c.Say) > maxSaid {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("what is said has at most %d bytes", maxSaid))
	}
	if c.To != nil && placeKinds[c.To.State] == "" {
		return chat.Faultf(chat.CodeInvalid, "no such state: "+string(c.To.State))
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Pass) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, _, err := u.waiting(ctx, &c.deed)
	if err != nil {
		return Result{}, err
	}
	if conv.queue != c.Queue {
		return Result{}, chat.Faultf(chat.CodeConflict, "the conversation waits in another queue")
	}
	row, err := u.wait(ctx, convKey{conv.ws, conv.no})
	if err != nil {
		return Result{}, err
	}
	if c.Overdue && (row.due == 0 || row.due > micros(u.now)) {
		return Result{}, chat.Faultf(chat.CodeConflict, "the longest wait is not over")
	}
	by := chat.Party{Type: chat.PartySystem}
	var events []chat.Event
	if c.Say != "" {
		events = append(events, u.say(conv, ch, c.Say, by, c.Action))
	}
	if c.To == nil {
		row.due, row.dirty = 0, true
		return Result{Events: events}, nil
	}
	e, err := u.move(ctx, conv, ch, *c.To, by, c.Action)
	return Result{Events: append(events, e)}, err
}

// say appends a message to the contact.
func (u *unit) say(conv *conversationRow, ch *channelRow, text string, by chat.Party, action chat.ActionID) chat.Event {
	msg := chat.TextMessage(text)
	conv.preview = preview(&msg)
	conv.answered(u.now, by.Type)
	return u.append(conv, ch, chat.Event{Kind: chat.KindMessage, Direction: chat.Out, Status: chat.Queued, Sender: &by, Message: &msg, Action: action}, "")
}

// TellWait tells a contact how the wait goes on.
type TellWait struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Queue        string        // where it waits
	Text         string        // not said again if it is what was said last
	Pause        time.Duration // how long after the last time at the earliest
	Action       chat.ActionID

	deed
}

func (c *TellWait) resolve(ctx context.Context, s *Store) error {
	if c.Text = cleanText(c.Text); c.Text == "" || len(c.Text) > maxSaid {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("what is said has 1 to %d bytes", maxSaid))
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *TellWait) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, _, err := u.waiting(ctx, &c.deed)
	if err != nil {
		return Result{}, err
	}
	row, err := u.wait(ctx, convKey{conv.ws, conv.no})
	if err != nil {
		return Result{}, err
	}
	if conv.queue != c.Queue || row.told == c.Text || row.toldAt > 0 && u.now.Sub(moment(row.toldAt)) < c.Pause {
		return Result{Duplicate: true}, nil
	}
	row.told, row.toldAt, row.dirty = c.Text, micros(u.now), true
	return Result{Events: []chat.Event{u.say(conv, ch, c.Text, chat.Party{Type: chat.PartySystem}, c.Action)}}, nil
}

// LongWait is a conversation whose longest wait is over.
type LongWait struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Queue        string
	Passed       []string
}

// LongWaits lists them, of all workspaces; at most limit.
func (s *Store) LongWaits(ctx context.Context, limit int) ([]LongWait, error) {
	return list(ctx, s, func(r scanner) (l LongWait, err error) {
		w := WaitingConversation{}
		err = w.scan(frontScanner{r, []any{&l.Workspace}})
		l.Conversation, l.Queue, l.Passed = w.Conversation, w.Queue, w.Passed
		return l, err
	}, "SELECT w.uid, "+waitColumns+` FROM waits x JOIN conversations c ON c.workspace = x.workspace AND c.no = x.conversation
 JOIN workspaces w ON w.id = x.workspace WHERE x.due_at > 0 AND x.due_at <= $1 AND c.state = 'queued' ORDER BY x.due_at LIMIT $2`, micros(s.now()), limit)
}

// QueueName names a queue of a workspace.
type QueueName struct {
	Workspace chat.WorkspaceID
	Queue     string
}

// Telling lists the queues, of all workspaces, that tell who waits for how long, and in which somebody does.
func (s *Store) Telling(ctx context.Context) ([]QueueName, error) {
	return list(ctx, s, func(r scanner) (q QueueName, err error) {
		err = r.Scan(&q.Workspace, &q.Queue)
		return q, err
	}, `SELECT w.uid, q.name FROM queues q JOIN workspaces w ON w.id = q.workspace WHERE q.tells = 1
 AND EXISTS (SELECT 1 FROM waits x WHERE x.workspace = q.workspace AND x.queue = q.name) ORDER BY w.uid, q.name`)
}
