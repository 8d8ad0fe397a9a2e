package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
)

// DeskChannel is a channel as those see it who answer there: what it is and what it can carry, without its settings.
type DeskChannel struct {
	ID        chat.ChannelID `json:"id"`
	Name      string         `json:"name"`
	Connector string         `json:"connector" example:"telegram"`
	Title     string         `json:"title" doc:"Of the platform." example:"Telegram"`
	Traits    TraitsView     `json:"traits"`
	Abilities []string       `json:"abilities" nullable:"false" doc:"What it can do: edit, delete, react, typing ..."`
}

func (a *API) registerDeskChannels() {
	add(a, act{
		method: http.MethodGet, path: "/v1/desk/channels", id: "listDeskChannels", tag: "conversations", scope: ScopeRead,
		summary: "List channels with what they can carry", more: "For whoever answers: names and limits, no settings.",
	}, a.deskChannels)
}

func (a *API) deskChannels(ctx context.Context, _ *none) (*reply[list[DeskChannel]], error) {
	channels, err := a.Hub.Channels(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	platforms := map[string]ConnectorView{}
	for _, p := range a.Hub.Platforms() {
		platforms[p.Name] = ConnectorView{Title: p.Title, Traits: traitsOf(p.Traits), Abilities: append([]string{}, a.Hub.Abilities(p.Name)...)}
	}
	out := make([]DeskChannel, len(channels))
	for i, c := range channels {
		p := platforms[c.Connector]
		out[i] = DeskChannel{ID: c.ID, Name: c.Name, Connector: c.Connector, Title: orElse(p.Title, c.Connector), Traits: p.Traits, Abilities: p.Abilities}
	}
	return listOf(out, ""), nil
}
