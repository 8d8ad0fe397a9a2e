package api

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/assist"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// ReplyPath names a canned reply.
type ReplyPath struct {
	Name string `path:"name" maxLength:"100" pattern:"^[\\p{L}\\p{N}_][\\p{L}\\p{N} _.:()-]*$" example:"greeting"`
}

type replyPut struct {
	Keyed
	ReplyPath
	Body struct {
		Title    string            `json:"title,omitempty" maxLength:"200"`
		Shortcut string            `json:"shortcut,omitempty" maxLength:"50" pattern:"^[^\\s/{}]*$" doc:"What agents type behind a slash; the name by default." example:"hi"`
		Language string            `json:"language,omitempty" maxLength:"35" doc:"Of the text for contacts whose language has none; the first of texts by default." example:"en"`
		Texts    map[string]string `json:"texts" minProperties:"1" maxProperties:"50" doc:"By language (BCP 47). Variables: {{contact.name}}, {{contact.first_name|otherwise}}, {{contact.fields.x}}, {{agent.name}}, {{conversation.id}}, {{fields.x}} and so on."`
		Queues   []string          `json:"queues,omitempty" maxItems:"100" nullable:"false" doc:"Only for conversations of these queues; of all by default."`
	}
}

type replyDrop struct {
	Keyed
	ReplyPath
}

// OffsetPaging pages through lists that are ordered by how well their entries fit.
type OffsetPaging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at the most."`
	Cursor string `query:"cursor" maxLength:"10" doc:"What the former page gave as next."`
}

type repliesGet struct {
	OffsetPaging
	Text     string `query:"q" maxLength:"200" doc:"In shortcut, title or text; those whose shortcut or title begins so come first."`
	Queue    string `query:"queue" maxLength:"100" doc:"Only what conversations of this queue have."`
	Language string `query:"language" maxLength:"35" doc:"Only what has a text in this language."`
}

type repliesFor struct {
	ConversationPath
	OffsetPaging
	Text     string `query:"q" maxLength:"200" doc:"In shortcut, title or text; those whose shortcut or title begins so come first."`
	Language string `query:"language" maxLength:"35" doc:"Instead of the contact's."`
}

// FilledReply is a canned reply as it would be said in a conversation.
type FilledReply struct {
	Name     string   `json:"name"`
	Shortcut string   `json:"shortcut"`
	Title    string   `json:"title,omitempty"`
	Language string   `json:"language"`
	Text     string   `json:"text"`
	Missing  []string `json:"missing" nullable:"false" doc:"Variables that nothing is known for: they stand in the text as they are, and have to be written before it is sent." example:"[\"contact.first_name\"]"`
}

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

func (a *API) registerReplies() {
	const tag = "replies"
	add(a, act{method: http.MethodPut, path: "/v1/replies/{name}", id: "putReply", tag: tag, scope: ScopeAdmin, summary: "Store a canned reply"}, a.putReply)
	add(a, act{method: http.MethodGet, path: "/v1/replies", id: "listReplies", tag: tag, scope: ScopeRead, summary: "List canned replies"}, a.listReplies)
	add(a, act{method: http.MethodGet, path: "/v1/replies/{name}", id: "getReply", tag: tag, scope: ScopeRead, summary: "Read a canned reply"}, a.cannedReply)
	add(a, act{
		method: http.MethodDelete, path: "/v1/replies/{name}", id: "deleteReply", tag: tag, scope: ScopeAdmin, status: http.StatusNoContent,
		summary: "Delete a canned reply",
	}, a.dropReply)
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations/{id}/replies", id: "findReplies", tag: tag, scope: ScopeWrite,
		summary: "Find canned replies for a conversation", more: "In the contact's language where there is a text in it, filled in for the contact and the caller.",
	}, a.findReplies)
}

func (a *API) putReply(ctx context.Context, in *replyPut) (*reply[store.CannedReply], error) {
	b := in.Body
	r := store.CannedReply{
		Name: in.Name, Title: strings.TrimSpace(b.Title), Shortcut: orElse(b.Shortcut, strings.ReplaceAll(in.Name, " ", "-")), Language: b.Language,
		Texts: b.Texts, Queues: b.Queues,
	}
	if problems := checkReply(&r); len(problems) > 0 {
		return nil, invalid(problems...)
	}
	r, err := a.Store.PutReply(ctx, here(ctx), r)
	return &reply[store.CannedReply]{r}, err
}

// checkReply says what is wrong, and fills in the fallback language.
func checkReply(r *store.CannedReply) (problems []ProblemDetail) {
	languages := make([]string, 0, len(r.Texts))
	for l, text := range r.Texts {
		languages = append(languages, l)
		if !languageTag.MatchString(l) || len(l) > 35 {
			problems = append(problems, ProblemDetail{"body.texts", fmt.Sprintf("%.40q is no language: en, pt-BR", l)})
		} else if err := assist.CheckText(text); err != nil {
			problems = append(problems, ProblemDetail{"body.texts." + l, err.Error()})
		}
	}
	slices.Sort(languages)
	if r.Language == "" && len(languages) > 0 {
		r.Language = languages[0]
	}
	if !slices.Contains(languages, r.Language) {
		problems = append(problems, ProblemDetail{"body.language", "there is no text in it"})
	}
	return append(problems, checkQueueNames(r.Queues)...)
}

// checkQueueNames looks at their form only: a queue may be stored later.
func checkQueueNames(queues []string) (problems []ProblemDetail) {
	for i, q := range queues {
		if q == "" || len(q) > 100 || strings.ContainsFunc(q, func(r rune) bool { return r < 0x20 }) {
			problems = append(problems, ProblemDetail{fmt.Sprintf("body.queues[%d]", i), "is no name of a queue"})
		}
	}
	return problems
}

func (p OffsetPaging) offset() (int, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(p.Cursor, 10, 31)
	if err != nil {
		return 0, invalid(ProblemDetail{"query.cursor", "that is no cursor of this list"})
	}
	return int(n), nil
}

func (p OffsetPaging) next(offset int, more bool) string {
	if !more {
		return ""
	}
	return strconv.Itoa(offset + p.Limit)
}

func (a *API) listReplies(ctx context.Context, in *repliesGet) (*reply[list[store.CannedReply]], error) {
	offset, err := in.offset()
	if err != nil {
		return nil, err
	}
	found, more, err := a.Store.Replies(ctx, here(ctx), store.ReplyFilter{
		Text: in.Text, Queues: []string{in.Queue}, InQueue: in.Queue != "", Language: in.Language, Offset: offset, Limit: in.Limit,
	})
	return listOf(found, in.next(offset, more)), err
}

func (a *API) cannedReply(ctx context.Context, in *ReplyPath) (*reply[store.CannedReply], error) {
	r, err := a.Store.CannedReply(ctx, here(ctx), in.Name)
	return &reply[store.CannedReply]{r}, err
}

func (a *API) dropReply(ctx context.Context, in *replyDrop) (*empty, error) {
	return nil, a.Store.DropReply(ctx, here(ctx), in.Name)
}

func (a *API) findReplies(ctx context.Context, in *repliesFor) (*reply[list[FilledReply]], error) {
	offset, err := in.offset()
	if err != nil {
		return nil, err
	}
	values, language, queue, err := a.valuesFor(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found, more, err := a.Store.Replies(ctx, here(ctx), store.ReplyFilter{
		Text: in.Text, Queues: []string{queue}, InQueue: true, Offset: offset, Limit: in.Limit,
	})
	out := make([]FilledReply, len(found))
	for i, r := range found {
		out[i] = filled(r, values, in.Language, language)
	}
	return listOf(out, in.next(offset, more)), err
}

func filled(r store.CannedReply, values assist.Values, wanted ...string) FilledReply {
	out := FilledReply{Name: r.Name, Shortcut: r.Shortcut, Title: r.Title, Missing: []string{}}
	var text string
	out.Language, text = assist.InLanguage(r.Texts, r.Language, wanted...)
	filled, missing := assist.Fill(text, values)
	out.Text, out.Missing = filled, append(out.Missing, missing...)
	return out
}

// valuesFor gives what a caller's text in a conversation is filled in with, the contact's language and the conversation's queue. Without the
// right to see contacts only the conversation's own facts are known.
func (a *API) valuesFor(ctx context.Context, id chat.ConversationID) (v assist.Values, language, queue string, err error) {
	conv, err := a.Store.Conversation(ctx, here(ctx), id)
	if err != nil {
		return nil, "", "", err
	}
	contact, err := a.Store.Contact(ctx, here(ctx), conv.Contact.ID)
	if err != nil {
		return nil, "", "", err
	}
	language = contact.Language
	if !who(ctx).Has(access.ContactsRead) {
		contact = store.Contact{ID: conv.Contact.ID, Name: conv.Contact.Name}
	}
	ch, err := a.Store.Channel(ctx, conv.Channel)
	if err != nil {
		return nil, "", "", err
	}
	title := conv.Queue
	if conv.Queue != "" {
		found, err := a.queue(ctx, &QueuePath{conv.Queue})
		if err == nil {
			title = orElse(found.Body.Title, conv.Queue)
		} else if chat.CodeOf(err) != chat.CodeNotFound {
			return nil, "", "", err
		}
	}
	return assist.ValuesOf(conv, contact, party(ctx), title, ch.Name), language, conv.Queue, nil
}
