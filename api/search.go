package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/knowledge"
	"github.com/dragoman-hub/dragoman/search"
	"github.com/dragoman-hub/dragoman/store"
)

type searchAllGet struct {
	Text   string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Words that all stand in a message, the last one perhaps half typed; a part of a name, or a whole address."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many messages, and people, at the most."`
	Cursor string `query:"cursor" maxLength:"20" doc:"What the former page gave as next: more messages."`
}

// SearchHits is what a search found.
type SearchHits struct {
	People   []PersonHit  `json:"people" nullable:"false" doc:"The newest first, on the first page only."`
	Messages []MessageHit `json:"messages" nullable:"false" doc:"The newest first."`
	Next     string       `json:"next,omitempty" doc:"Give it as cursor to read on. A page may have fewer messages than limit and still one behind it."`
	Behind   bool         `json:"behind,omitempty" doc:"Some new messages are not found yet: ask again in a second."`
}

// PersonHit is a contact that was found.
type PersonHit struct {
	ID           chat.ContactID      `json:"id"`
	Name         string              `json:"name"`
	Language     string              `json:"language,omitempty"`
	Conversation chat.ConversationID `json:"conversation,omitempty" doc:"The newest one that you see."`
}

// MessageHit is a message or a note that was found.
type MessageHit struct {
	Conversation chat.ConversationID `json:"conversation"`
	Seq          int64               `json:"seq"`
	Kind         chat.Kind           `json:"kind" enum:"message,note"`
	At           time.Time           `json:"at"`
	Direction    chat.Direction      `json:"direction,omitempty"`
	Sender       *chat.Party         `json:"sender,omitempty"`
	Excerpt      string              `json:"excerpt"`
	Contact      chat.ContactRef     `json:"contact"`
	State        chat.State          `json:"state" doc:"Of the conversation."`
}

func (a *API) registerSearch() {
	add(a, act{
		method: http.MethodGet, path: "/v1/search", id: "search", tag: "search", scope: ScopeRead, summary: "Search people and messages",
		more: "In what you see. A new message is found a second or so after it came: until then the answer says that it is behind.",
	}, a.search)
}

func (a *API) search(ctx context.Context, in *searchAllGet) (*reply[SearchHits], error) {
	by := who(ctx)
	out := SearchHits{People: []PersonHit{}, Messages: []MessageHit{}}
	q := store.SearchQuery{WordQuery: search.Query(knowledge.Fold, in.Text), Within: sightOf(by), Limit: in.Limit}
	if in.Cursor != "" {
		n, err := strconv.ParseInt(in.Cursor, 10, 63)
		if err != nil || n < 1 {
			return nil, invalid(ProblemDetail{"query.cursor", "that is no cursor of this list"})
		}
		q.Before = n
	}
	var err error
	if out.Behind, err = a.Store.SearchBehind(ctx, here(ctx)); err != nil { // asked first: what comes in between is found or told of
		return nil, err
	}
	found, next, err := a.Store.SearchMessages(ctx, here(ctx), q)
	if err != nil {
		return nil, err
	}
	for _, x := range found {
		e := x.Event
		out.Messages = append(out.Messages, MessageHit{
			Conversation: e.Conversation, Seq: e.Seq, Kind: e.Kind, At: e.At, Direction: e.Direction, Sender: e.Sender,
			Excerpt: search.Excerpt(knowledge.Fold, q.WordQuery, e.Message.Text()), Contact: x.Contact, State: x.State,
		})
	}
	if next != 0 {
		out.Next = strconv.FormatInt(next, 10)
	}
	if in.Cursor != "" || !by.Has(access.ContactsRead) {
		return &reply[SearchHits]{out}, nil
	}
	people, err := a.Store.SearchPeople(ctx, here(ctx), in.Text, q.Within, in.Limit)
	for _, p := range people {
		out.People = append(out.People, PersonHit{p.ID, p.Name, p.Language, p.Conversation})
	}
	return &reply[SearchHits]{out}, err
}
