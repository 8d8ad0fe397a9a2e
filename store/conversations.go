package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// ConversationFilter narrows a list; empty members do not.
type ConversationFilter struct {
	State    chat.State
	Channel  chat.ChannelID
	Contact  chat.ContactID
	Queue    string
	Assignee string
	Tag      string
	Priority *int
	Turn     chat.Turn
	Snoozed  *bool
	Sort     string // ByUpdate, ByWaiting or ByDue
	Text     string // in the contact's name or the preview
	Within   *Sight // nil: all of them
	Before   string // cursor of the page before
	Limit    int
}

// Sight is what somebody sees who does not see everything: conversations assigned to them, and those of some queues.
type Sight struct {
	Assignee string
	Queues   []string
}

const (
	conversationShown = "SELECT " + conversationColumns + ", ct.uid, ct.name, ch.uid, " + dueAt + " FROM "
	conversationRest  = ` JOIN contacts ct ON ct.workspace = c.workspace AND ct.no = c.contact
 JOIN channels ch ON ch.workspace = c.workspace AND ch.no = c.channel` + dueQueue
	conversationRead = conversationShown + "conversations c" + conversationRest
)

func scanConversation(r scanner) (chat.Conversation, error) {
	row, ref := conversationRow{}, chat.ContactRef{}
	var channel chat.ChannelID
	var due int64
	if err := row.scan(r, &ref.ID, &ref.Name, &channel, &due); err != nil {
		return chat.Conversation{}, err
	}
	c := row.public(ref, channel)
	c.Due = moment(due)
	return c, nil
}

// Conversation reads one.
func (s *Store) Conversation(ctx context.Context, ws chat.WorkspaceID, id chat.ConversationID) (chat.Conversation, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return chat.Conversation{}, err
	}
	return one(ctx, s, "conversation", scanConversation, conversationRead+"WHERE c.workspace = $1 AND c.uid = $2", no, string(id))
}

// Conversations lists conversations in the order that the filter wants, and gives the cursor of the next page ("" on the last).
func (s *Store) Conversations(ctx context.Context, ws chat.WorkspaceID, f ConversationFilter) ([]chat.Conversation, string, error) {
	if sortKeys[f.Sort] != "" {
		return s.sorted(ctx, ws, f)
	}
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, "", err
	}
	at, err := readCursor(f.Before)
	if err != nil {
		return nil, "", err
	}
	f.Limit = max(f.Limit, 1)
	where, args := f.where(no, at)
	// one short walk over the index for each state, then a merge of what they found
	states := []chat.State{chat.StateBot, chat.StateQueued, chat.StateAssigned, chat.StateClosed}
	if f.State != "" {
		states = []chat.State{f.State}
	}
	var parts []string
	for _, st := range states {
		args = append(args, string(st))
		parts = append(parts, fmt.Sprintf("SELECT * FROM (SELECT c.no, c.updated_at FROM conversations c WHERE %s AND c.state = $%d ORDER BY c.updated_at DESC, c.no DESC LIMIT %d) AS s%d",
			where, len(args), f.Limit+1, len(args)))
	}
	page := strings.Join(parts, " UNION ALL ") + fmt.Sprintf(" ORDER BY updated_at DESC, no DESC LIMIT %d", f.Limit+1)
	found, err := list(ctx, s, scanConversation, conversationShown+"("+page+") AS page JOIN conversations c ON c.workspace = $1 AND c.no = page.no"+
		conversationRest+"ORDER BY page.updated_at DESC, page.no DESC", args...)
	if err != nil || len(found) <= f.Limit {
		return found, "", err
	}
	found = found[:f.Limit]
	last := found[len(found)-1]
	k, err := s.conversationNo(ctx, ws, last.ID)
	return found, fmt.Sprintf("%d.%d", micros(last.Updated), k.no), err
}

// pageMark is where a page ended.
type pageMark struct{ first, second int64 }

// readCursor reads what a former page gave; "" is the beginning.
func readCursor(text string) (m pageMark, err error) {
	if text == "" {
		return pageMark{1 << 62, 1 << 62}, nil
	}
	if n, err := fmt.Sscanf(text, "%d.%d", &m.first, &m.second); err != nil || n != 2 {
		return m, chat.Faultf(chat.CodeInvalid, "that is no cursor of this list")
	}
	return m, nil
}

func (f ConversationFilter) where(ws int64, at pageMark) (string, []any) {
	return f.narrow([]string{"c.workspace = $1", "(c.updated_at < $2 OR c.updated_at = $2 AND c.no < $3)"}, []any{ws, at.first, at.second})
}

// narrow adds what the filter says to conditions, of whose arguments the first is the workspace.
func (f ConversationFilter) narrow(where []string, args []any) (string, []any) {
	add := func(text string, v any) {
		args = append(args, v)
		where = append(where, strings.ReplaceAll(text, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.Channel != "" {
		add("c.channel = (SELECT x.no FROM channels x WHERE x.workspace = $1 AND x.uid = ?)", string(f.Channel))
	}
	if f.Contact != "" {
		add("c.contact = (SELECT x.no FROM contacts x WHERE x.workspace = $1 AND x.uid = ?)", string(f.Contact))
	}
	if f.Queue != "" {
		add("c.queue = ?", f.Queue)
	}
	if f.Assignee != "" {
		add("c.assignee = ?", f.Assignee)
	}
	if f.State != "" && sortKeys[f.Sort] != "" {
		add("c.state = ?", string(f.State))
	}
	if f.Tag != "" {
		add("EXISTS (SELECT 1 FROM conversation_tags x WHERE x.workspace = $1 AND x.tag = ? AND x.conversation = c.no)", f.Tag)
	}
	if f.Priority != nil {
		add("c.priority = ?", *f.Priority)
	}
	if f.Turn != "" {
		where = append(where, "("+turnWhere[f.Turn]+")")
	}
	if f.Snoozed != nil {
		where = append(where, map[bool]string{true: "c.snoozed_until <> 0", false: "c.snoozed_until = 0"}[*f.Snoozed])
	}
	if f.Text != "" {
		add(`(LOWER(c.preview) LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM contacts x WHERE x.workspace = $1 AND x.no = c.contact
 AND LOWER(x.name) LIKE ? ESCAPE '\'))`, likeText(f.Text))
	}
	if f.Within != nil {
		part := []string{}
		for _, q := range append([]string{f.Within.Assignee}, f.Within.Queues...) {
			args = append(args, q)
			part = append(part, fmt.Sprintf("$%d", len(args)))
		}
		where = append(where, "(c.assignee <> '' AND c.assignee = "+part[0]+" OR c.queue <> '' AND c.queue IN ("+strings.Join(append(part[1:], "''"), ", ")+"))")
	}
	return strings.Join(where, " AND "), args
}

// likeText looks for a text anywhere, with no wildcards of the caller's.
func likeText(s string) string {
	return likePart(strings.ToLower(s))
}

func likePart(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}
