package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

type historyQuery struct {
	ConversationPath
	Before string `query:"before" maxLength:"150" doc:"What the former page gave as next; the end of the conversation by default."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (a *API) registerHistory() {
	add(a, act{
		method: http.MethodGet, path: "/v1/conversations/{id}/history", id: "listHistory", tag: "conversations", scope: ScopeRead,
		summary: "Read a conversation and those before it backward",
		more:    "The newest events first, over the conversations that previous links; each event names its conversation. Who sees a conversation sees its history.",
	}, a.history)
}

func (a *API) history(ctx context.Context, in *historyQuery) (*reply[list[chat.Event]], error) {
	at := store.HistoryMark{Conversation: in.ID}
	if in.Before != "" {
		var err error
		if at, err = a.historyMark(ctx, in.ID, in.Before); err != nil {
			return nil, err
		}
	}
	events, end, err := a.Store.History(ctx, here(ctx), at, in.Limit)
	if err != nil {
		return nil, err
	}
	next := ""
	if end.Conversation != "" {
		next = fmt.Sprintf("%d.%s", end.Seq, end.Conversation)
	}
	return listOf(a.renderAll(here(ctx), events), next), nil
}

// historyMark reads a cursor: a sequence number and a conversation, which must be of the same history.
func (a *API) historyMark(ctx context.Context, id chat.ConversationID, text string) (at store.HistoryMark, err error) {
	seq, conv, ok := strings.Cut(text, ".")
	at.Conversation = chat.ConversationID(conv)
	if at.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil || !ok || at.Seq < 0 {
		return at, invalid(ProblemDetail{"query.before", "that is no cursor of this list"})
	}
	is, err := a.Store.Continues(ctx, here(ctx), id, at.Conversation)
	if err == nil && !is {
		err = invalid(ProblemDetail{"query.before", "that is no cursor of this list"})
	}
	return at, err
}
