package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/store"
)

func (a *API) registerMyOffers() {
	add(a, act{
		method: http.MethodGet, path: "/v1/me/offers", id: "listMyOffers", tag: "agents", scope: ScopeRead, person: true, summary: "List what is offered to me",
		more: "Waiting conversations that I may accept, the oldest first. Changes come as the events offered, offer_extended and offer_ended.",
	}, a.myOffers)
}

func (a *API) myOffers(ctx context.Context, _ *none) (*reply[list[store.Offered]], error) {
	found, err := desk.Offers(ctx, a.Store, here(ctx), whole(ctx).ID)
	return listOf(found, ""), err
}
