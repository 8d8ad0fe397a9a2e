package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/simulator"
)

type simulatePost struct {
	Keyed
	ChannelPath
	Body Simulated
}

// Simulated is what somebody says on a simulated channel, in the words of its webhook.
type Simulated struct {
	From    string         `json:"from" minLength:"1" maxLength:"150" doc:"Who says it: an address of the simulated platform." example:"ada"`
	Name    string         `json:"name,omitempty" maxLength:"150"`
	Text    string         `json:"text,omitempty" maxLength:"65536" doc:"Give one of text, payload (with the button's title as text) and stack."`
	Payload string         `json:"payload,omitempty" maxLength:"4000" doc:"Of a button that is pressed."`
	Stack   []chat.Element `json:"stack,omitempty" maxItems:"100" nullable:"false"`
}

// SimulateResult tells that it was stored.
type SimulateResult struct {
	ID string `json:"id" doc:"Of the message on the simulated platform."`
}

func (a *API) registerSimulate() {
	add(a, act{
		method: http.MethodPost, path: "/v1/channels/{id}/simulate", id: "simulateMessage", tag: "channels", scope: ScopeChannels,
		summary: "Say something on a simulated channel", more: "What the channel's webhook takes, without the channel's key: for the playground. Channels of real platforms refuse it (409).",
	}, a.simulate)
}

// simulate goes the way of a real message: through the channel's webhook, proof and all.
func (a *API) simulate(ctx context.Context, in *simulatePost) (*reply[SimulateResult], error) {
	ch, err := a.Hub.Channel(ctx, here(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if ch.Connector != simulator.Platform().Name {
		return nil, chat.Faultf(chat.CodeConflict, "nobody can be simulated on a channel of a real platform")
	}
	_, raw, err := a.Hub.PlainSettings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var settings struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return nil, err
	}
	body, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	h := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + settings.Key}}
	if in.Key != "" {
		h.Set("Idempotency-Key", in.Key)
	}
	answer, err := a.Hub.Receive(ctx, in.ID, connector.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/in/" + string(in.ID)}, Header: h, Body: body,
	})
	if err != nil {
		return nil, webhookProblem(err)
	}
	var out SimulateResult
	err = json.Unmarshal(answer.Body, &out)
	return &reply[SimulateResult]{out}, err
}
