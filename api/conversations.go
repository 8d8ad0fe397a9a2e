package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

type conversationQuery struct {
	Paging
	State    chat.State     `query:"state" enum:"bot,queued,assigned,closed"`
	Channel  chat.ChannelID `query:"channel" maxLength:"100"`
	Queue    string         `query:"queue" maxLength:"100"`
	Assignee string         `query:"assignee" maxLength:"200"`
	Contact  chat.ContactID `query:"contact" maxLength:"100"`
	Tag      string         `query:"tag" maxLength:"200"`
	Priority string         `query:"priority" maxLength:"4" pattern:"^-?[0-9]+$" doc:"This one."`
	Turn     chat.Turn      `query:"turn" enum:"first_reply,next_reply,contact,none" doc:"Who has to write next."`
	Snoozed  string         `query:"snoozed" enum:"true,false"`
	Sort     string         `query:"sort" enum:"updated,waiting,due" default:"updated" doc:"updated: the most lately changed first. waiting: those that wait for us, the longest first. due: those that have to be answered by a time, the next first."`
	Text     string         `query:"q" maxLength:"200" doc:"In the contact's name or the newest message."`
	IDs      string         `query:"ids" maxLength:"4000" doc:"These, separated by commas, at most 100, and nothing else of the query; in their order. Those that there are not, or that the caller does not see, are left out."`
}

type eventsQuery struct {
	ConversationPath
	After  int64  `query:"after" minimum:"0" doc:"Events with a higher sequence number, forward. The default is 0: from the beginning."`
	Before int64  `query:"before" minimum:"1" doc:"The newest events with a lower sequence number, in order. last_seq+1 gives the end of the conversation."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor" maxLength:"30" doc:"What the former page gave as next; instead of after and before."`
}

func (a *API) registerConversations() {
	const tag = "conversations"
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations", id: "listConversations", tag: tag, scope: ScopeRead,
		summary: "List conversations",
	}, a.conversations)
	add(a, act{method: http.MethodGet, path: "/v1/conversations/{id}", id: "getConversation", tag: tag, scope: ScopeRead, summary: "Read a conversation"}, a.conversation)
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations/{id}/events", id: "listConversationEvents", tag: tag, scope: ScopeRead,
		summary: "Read a conversation's events in order",
	}, a.conversationEvents)
}

func (a *API) conversations(ctx context.Context, in *conversationQuery) (*reply[list[chat.Conversation]], error) {
	if in.IDs != "" {
		return a.conversationsByID(ctx, strings.Split(in.IDs, ","))
	}
	f := store.ConversationFilter{
		State: in.State, Channel: in.Channel, Contact: in.Contact, Queue: in.Queue, Assignee: in.Assignee, Text: in.Text,
		Tag: in.Tag, Turn: in.Turn, Sort: in.Sort, Before: in.Cursor, Limit: in.Limit, Within: sightOf(who(ctx)),
	}
	if n, err := strconv.Atoi(in.Priority); err == nil {
		f.Priority = &n
	}
	if in.Snoozed != "" {
		is := in.Snoozed == "true"
		f.Snoozed = &is
	}
	all, next, err := a.Store.Conversations(ctx, here(ctx), f)
	return listOf(all, next), err
}

// maxIDs is how many conversations are read by their ids at once.
const maxIDs = 100

// conversationsByID reads what the caller sees of these: what is within her reach, and what is offered to her.
func (a *API) conversationsByID(ctx context.Context, words []string) (*reply[list[chat.Conversation]], error) {
	if len(words) > maxIDs {
		return nil, invalid(ProblemDetail{"query.ids", fmt.Sprintf("at most %d", maxIDs)})
	}
	missing := map[chat.ConversationID]bool{}
	ids := make([]chat.ConversationID, len(words))
	for i, word := range words {
		ids[i] = chat.ConversationID(word)
		missing[ids[i]] = true
	}
	within := sightOf(who(ctx))
	found, err := a.Store.ConversationsByID(ctx, here(ctx), ids, within)
	if err == nil && within != nil && len(found) < len(missing) {
		for _, c := range found {
			delete(missing, c.ID)
		}
		var more []chat.Conversation
		more, err = a.offeredOf(ctx, missing)
		found = append(found, more...)
	}
	slices.SortFunc(found, func(x, y chat.Conversation) int { return cmp.Compare(slices.Index(ids, x.ID), slices.Index(ids, y.ID)) })
	return listOf(found, ""), err
}

// offeredOf reads those of the conversations that are offered to the caller.
func (a *API) offeredOf(ctx context.Context, wanted map[chat.ConversationID]bool) ([]chat.Conversation, error) {
	offers, err := a.Store.Offers(ctx, here(ctx), who(ctx).User)
	if err != nil {
		return nil, err
	}
	var ids []chat.ConversationID
	for _, o := range offers {
		if wanted[o.Conversation] {
			ids = append(ids, o.Conversation)
		}
	}
	return a.Store.ConversationsByID(ctx, here(ctx), ids, nil)
}

func (a *API) conversation(ctx context.Context, in *ConversationPath) (*reply[chat.Conversation], error) {
	c, err := a.Store.Conversation(ctx, here(ctx), in.ID)
	return &reply[chat.Conversation]{c}, err
}

func (a *API) conversationEvents(ctx context.Context, in *eventsQuery) (*reply[list[chat.Event]], error) {
	at, err := in.place()
	if err != nil {
		return nil, err
	}
	read := a.Store.Events
	if at.backward {
		read = a.Store.LastEvents
	}
	events, err := read(ctx, here(ctx), in.ID, at.seq, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(a.renderAll(here(ctx), events), at.next(events, in.Limit)), nil
}

// eventPlace is where a page of a conversation's events begins, and in which direction it goes.
type eventPlace struct {
	backward bool
	seq      int64
}

func (in *eventsQuery) place() (eventPlace, error) {
	given := 0
	for _, is := range []bool{in.Cursor != "", in.After != 0, in.Before != 0} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return eventPlace{}, invalid(ProblemDetail{"query", "give one of after, before and cursor"})
	case in.Cursor != "":
		return readEventCursor(in.Cursor)
	case in.Before != 0:
		return eventPlace{true, in.Before}, nil
	default:
		return eventPlace{false, in.After}, nil
	}
}

// readEventCursor reads "a" (after) or "b" (before) and a sequence number.
func readEventCursor(s string) (eventPlace, error) {
	if len(s) > 1 && (s[0] == 'a' || s[0] == 'b') && s[1] >= '0' && s[1] <= '9' {
		if seq, err := strconv.ParseInt(s[1:], 10, 64); err == nil {
			return eventPlace{s[0] == 'b', seq}, nil
		}
	}
	return eventPlace{}, invalid(ProblemDetail{"query.cursor", "that is no cursor of this list"})
}

// next is the cursor behind a full page; "" at the end.
func (p eventPlace) next(events []chat.Event, limit int) string {
	switch {
	case len(events) < limit:
		return ""
	case !p.backward:
		return fmt.Sprintf("a%d", events[len(events)-1].Seq)
	case events[0].Seq <= 1:
		return ""
	default:
		return fmt.Sprintf("b%d", events[0].Seq)
	}
}
