package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/store"
)

func (a *API) registerCheck() {
	add(a, act{
		method: http.MethodGet, path: "/v1/check", id: "checkConversations", tag: "conversations", scope: ScopeAdmin,
		summary: "Compare the conversations with the log",
		more:    "Each open one is with a bot, in a queue or with an agent, as the log says; what is not stands in the list. It reads everything: for dragoman doctor and the like.",
	}, a.checkConversations)
}

func (a *API) checkConversations(ctx context.Context, _ *none) (*reply[list[store.Flaw]], error) {
	found, err := a.Store.Check(ctx, here(ctx))
	return listOf(found, ""), err
}
