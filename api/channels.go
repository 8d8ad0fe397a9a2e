package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/hub"
)

// ChannelPath names a channel.
type ChannelPath struct {
	ID chat.ChannelID `path:"id" maxLength:"100"`
}

type channelCreate struct {
	Keyed
	Body struct {
		Connector string          `json:"connector" minLength:"1" maxLength:"100" example:"telegram"`
		Name      string          `json:"name,omitempty" maxLength:"200" doc:"For people; the platform's title by default."`
		Settings  json.RawMessage `json:"settings,omitempty" doc:"An object; see the connector's JSON Schema."`
		Flow      string          `json:"flow,omitempty" maxLength:"100" doc:"The flow that answers new conversations."`
		Queue     string          `json:"queue,omitempty" maxLength:"100" doc:"Where new conversations wait when there is no flow."`
	}
}

type channelPatch struct {
	Keyed
	ChannelPath
	Body struct {
		Name     *string         `json:"name,omitempty" minLength:"1" maxLength:"200"`
		Settings json.RawMessage `json:"settings,omitempty" doc:"Merged: *** keeps a secret, null removes a member."`
		Flow     *string         `json:"flow,omitempty" maxLength:"100"`
		Queue    *string         `json:"queue,omitempty" maxLength:"100"`
		Status   *string         `json:"status,omitempty" enum:"active,off"`
	}
}

type channelAct struct {
	Keyed
	ChannelPath
}

// CheckResult is what a platform said about a channel.
type CheckResult struct {
	Answer string `json:"answer" example:"bot @example_bot"`
}

func (a *API) registerChannels() {
	const tag = "channels"
	add(a, act{
		method: http.MethodPost, path: "/v1/channels", id: "createChannel", tag: tag, scope: ScopeChannels, status: http.StatusCreated,
		summary: "Make a channel", more: "The settings are checked against the connector's schema. Secrets come back as ***.",
	}, a.createChannel)
	add(a, act{method: http.MethodGet, path: "/v1/channels", id: "listChannels", tag: tag, scope: ScopeRead, summary: "List channels"}, a.listChannels)
	add(a, act{method: http.MethodGet, path: "/v1/channels/{id}", id: "getChannel", tag: tag, scope: ScopeRead, summary: "Read a channel"}, a.channel)
	add(a, act{
		method: http.MethodPatch, path: "/v1/channels/{id}", id: "changeChannel", tag: tag, scope: ScopeChannels,
		summary: "Change a channel", more: "What is left out stays. Status off takes and sends nothing.",
	}, a.patchChannel)
	add(a, act{
		method: http.MethodDelete, path: "/v1/channels/{id}", id: "deleteChannel", tag: tag, scope: ScopeChannels, status: http.StatusNoContent,
		summary: "Delete a channel", more: "Refused (409) once it has had conversations: switch it off instead.",
	}, a.dropChannel)
	add(a, act{
		method: http.MethodPost, path: "/v1/channels/{id}/check", id: "checkChannel", tag: tag, scope: ScopeChannels,
		summary: "Ask the platform whether the settings work",
	}, a.checkChannel)
	add(a, act{
		method: http.MethodPost, path: "/v1/channels/{id}/register", id: "registerChannel", tag: tag, scope: ScopeChannels, status: http.StatusNoContent,
		summary: "Tell the platform our webhook's address",
	}, a.registerChannel)
}

func (a *API) createChannel(ctx context.Context, in *channelCreate) (*reply[hub.Channel], error) {
	b := in.Body
	ch, err := a.Hub.AddChannel(ctx, here(ctx), hub.ChannelInput{Connector: b.Connector, Name: b.Name, Settings: b.Settings, Flow: b.Flow, Queue: b.Queue})
	return &reply[hub.Channel]{ch}, err
}

func (a *API) listChannels(ctx context.Context, _ *none) (*reply[list[hub.Channel]], error) {
	all, err := a.Hub.Channels(ctx, here(ctx))
	return listOf(all, ""), err
}

func (a *API) channel(ctx context.Context, in *ChannelPath) (*reply[hub.Channel], error) {
	ch, err := a.Hub.Channel(ctx, here(ctx), in.ID)
	return &reply[hub.Channel]{ch}, err
}

func (a *API) patchChannel(ctx context.Context, in *channelPatch) (*reply[hub.Channel], error) {
	b := in.Body
	ch, err := a.Hub.PatchChannel(ctx, here(ctx), in.ID, hub.ChannelPatch{Name: b.Name, Flow: b.Flow, Queue: b.Queue, Status: b.Status, Settings: b.Settings})
	return &reply[hub.Channel]{ch}, err
}

func (a *API) dropChannel(ctx context.Context, in *channelAct) (*empty, error) {
	return nil, a.Hub.DropChannel(ctx, here(ctx), in.ID)
}

func (a *API) checkChannel(ctx context.Context, in *channelAct) (*reply[CheckResult], error) {
	words, err := a.Hub.CheckChannel(ctx, here(ctx), in.ID)
	return &reply[CheckResult]{CheckResult{words}}, err
}

func (a *API) registerChannel(ctx context.Context, in *channelAct) (*empty, error) {
	return nil, a.Hub.RegisterChannel(ctx, here(ctx), in.ID)
}
