package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
)

// Bounds of what people make of a conversation.
const (
	MaxTags      = 50
	maxTag       = 50 // characters
	maxAllFields = 64 << 10
	MaxPriority  = 100
)

// ChangeConversation sets fields, priority and tags, of closed conversations too; what is nil stays. A field whose value is null is
// taken away. Whether values fit their fields is for the caller to check. Nothing is appended when nothing changes.
type ChangeConversation struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Fields       map[string]json.RawMessage
	Priority     *int
	AddTags      []string
	RemoveTags   []string
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *ChangeConversation) resolve(ctx context.Context, s *Store) error {
	if c.Priority != nil && (*c.Priority < -MaxPriority || *c.Priority > MaxPriority) {
		return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("priority: from %d to %d", -MaxPriority, MaxPriority))
	}
	for _, tag := range slices.Concat(c.AddTags, c.RemoveTags) {
		if !isTag(tag) {
			return chat.Faultf(chat.CodeInvalid, fmt.Sprintf("tags: 1 to %d characters, no commas, no blanks around them", maxTag))
		}
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func isTag(tag string) bool {
	n := utf8.RuneCountInString(tag)
	return n > 0 && n <= maxTag && tag == cleanText(tag) && tag == strings.TrimSpace(tag) &&
		!strings.ContainsFunc(tag, func(r rune) bool { return r < 0x20 || r == ',' })
}

func (c *ChangeConversation) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, err := u.conversationAndChannel(ctx, c.ws, c.Conversation)
	if err != nil {
		return Result{}, err
	}
	fields, set, err := mergedFields(conv.fields, c.Fields)
	if err != nil {
		return Result{}, err
	}
	tags, changed, err := c.tags(conv)
	if err != nil {
		return Result{}, err
	}
	d := chat.ChangedData{Fields: set, Tags: changed}
	if c.Priority != nil && *c.Priority != conv.priority {
		d.Priority = c.Priority
		conv.priority = *c.Priority
	}
	if len(d.Fields) == 0 && d.Priority == nil && d.Tags == nil {
		return Result{}, nil
	}
	conv.fields, conv.tags, conv.dirty, conv.moved = fields, tags, true, true
	u.tag(conv, changed)
	by := c.By
	e := chat.Event{Kind: chat.KindChanged, Sender: &by, Data: data(d), Action: c.Action}
	return Result{Events: []chat.Event{u.append(conv, ch, e, "")}}, nil
}

// mergedFields gives the fields as they are with a change, and those of the change that are another value than before.
func mergedFields(old string, change map[string]json.RawMessage) (text string, set map[string]json.RawMessage, err error) {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(old), &all); err != nil {
		return "", nil, fmt.Errorf("store: stored fields: %w", err)
	}
	set = map[string]json.RawMessage{}
	for name, value := range change {
		name = cleanText(name)
		was, known := all[name]
		gone := len(value) == 0 || string(value) == "null"
		switch {
		case gone && !known || known && string(was) == string(value):
			continue
		case gone:
			delete(all, name)
			set[name] = json.RawMessage("null")
		default:
			all[name], set[name] = value, value
		}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return "", nil, chat.Faultf(chat.CodeInvalid, "fields: a value is not JSON")
	}
	if len(raw) > maxAllFields {
		return "", nil, chat.Faultf(chat.CodeTooLarge, "fields: at most 64 KiB together")
	}
	return string(raw), set, nil
}

// tags gives the tags as they will be, sorted, and what changes; nil: nothing.
func (c *ChangeConversation) tags(conv *conversationRow) (text string, changed *chat.TagsData, err error) {
	var had []string
	if err := json.Unmarshal([]byte(conv.tags), &had); err != nil {
		return "", nil, fmt.Errorf("store: stored tags: %w", err)
	}
	var d chat.TagsData
	tags := slices.Clone(had)
	for _, t := range c.RemoveTags {
		if i := slices.Index(tags, t); i >= 0 && !slices.Contains(c.AddTags, t) {
			tags = slices.Delete(tags, i, i+1)
			d.Removed = append(d.Removed, t)
		}
	}
	for _, t := range c.AddTags {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
			d.Added = append(d.Added, t)
		}
	}
	if len(d.Added) == 0 && len(d.Removed) == 0 {
		return conv.tags, nil, nil
	}
	if len(tags) > MaxTags {
		return "", nil, chat.Faultf(chat.CodeTooLarge, fmt.Sprintf("a conversation has at most %d tags", MaxTags))
	}
	slices.Sort(tags)
	return listText(tags), &d, nil
}

// tag keeps the index of tags with the conversation.
func (u *unit) tag(conv *conversationRow, d *chat.TagsData) {
	if d == nil {
		return
	}
	if u.desk.tagged == nil {
		u.desk.tagged = map[tagKey]bool{}
	}
	for _, t := range d.Removed {
		u.desk.tagged[tagKey{convKey{conv.ws, conv.no}, t}] = false
	}
	for _, t := range d.Added {
		u.desk.tagged[tagKey{convKey{conv.ws, conv.no}, t}] = true
	}
}

func (u *unit) flushTags() []stmt {
	var out []stmt
	for _, k := range keys(u.desk.tagged, func(a, b tagKey) int {
		return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.no, b.no), strings.Compare(a.tag, b.tag))
	}) {
		q := stmt{sql: "DELETE FROM conversation_tags WHERE workspace = $1 AND tag = $2 AND conversation = $3", args: []any{k.ws, k.tag, k.no}}
		if u.desk.tagged[k] {
			q.sql = "INSERT INTO conversation_tags (workspace, tag, conversation) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
		}
		out = append(out, q)
	}
	return out
}

// Tag is a word that conversations are found by.
type Tag struct {
	Name          string `json:"name"`
	Conversations int    `json:"conversations" doc:"How many have it, closed ones included."`
}

// Tags lists the tags that are in use within a sight (nil: everywhere) and begin with a text, by name.
func (s *Store) Tags(ctx context.Context, ws chat.WorkspaceID, within *Sight, begins, after string, limit int) ([]Tag, string, error) {
	from := "conversation_tags t JOIN workspaces w ON w.id = t.workspace"
	if within != nil {
		from += " JOIN conversations c ON c.workspace = t.workspace AND c.no = t.conversation"
	}
	where, args := ConversationFilter{Within: within}.narrow(
		[]string{"w.uid = $1", "t.tag > $2", `LOWER(t.tag) LIKE $3 ESCAPE '\'`}, []any{string(ws), after, strings.TrimPrefix(likeText(begins), "%")})
	args = append(args, limit+1)
	found, err := list(ctx, s, func(r scanner) (t Tag, err error) { err = r.Scan(&t.Name, &t.Conversations); return t, err },
		fmt.Sprintf("SELECT t.tag, COUNT(*) FROM %s WHERE %s GROUP BY t.tag ORDER BY t.tag LIMIT $%d", from, where, len(args)), args...)
	return paged(found, limit, err, func(t Tag) string { return t.Name })
}
