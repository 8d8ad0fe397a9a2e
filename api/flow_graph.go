package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/bot"
	"github.com/dragoman-hub/dragoman/bot/drawing"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// How much of the log is looked at for one picture: whatever comes first.
const (
	graphSteps  = 10_000
	graphEvents = 100_000
)

// graphsAtOnce bounds the pictures that are made at the same time; further ones wait.
const graphsAtOnce = 2

const graphAbout = `States, transitions and jumps, with counts of how often each was taken: from the newest ` +
	`10,000 steps of the flow among the newest 100,000 events, or from those since a time. The picture says what was counted. ` +
	`Flows with more than 200 states or 1,000 arrows are refused.`

type graphGet struct {
	FlowPath
	Version int       `query:"version" minimum:"1" maximum:"2147483647" doc:"The newest by default."`
	Since   time.Time `query:"since" doc:"Count only what happened since then."`
	Theme   string    `query:"theme" enum:"light,dark" doc:"By default the picture follows the reader's setting."`
	Known   string    `header:"If-None-Match"`
}

// graph is an SVG.
type graph struct {
	Status int
	Type   string `header:"Content-Type"`
	Policy string `header:"Content-Security-Policy"`
	Cache  string `header:"Cache-Control"`
	ETag   string `header:"ETag"`
	Body   []byte
}

func (a *API) registerFlowGraph() {
	const path = "/v1/flows/{name}/graph.svg"
	turns := make(chan struct{}, graphsAtOnce)
	add(a, act{
		method: http.MethodGet, path: path, id: "drawFlow", tag: "flows", scope: ScopeRead, summary: "Draw a flow", more: graphAbout,
	}, func(ctx context.Context, in *graphGet) (*graph, error) {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-ctx.Done():
			return nil, chat.Faultf(chat.CodeUnavailable, "too many pictures are being drawn")
		}
		return a.flowGraph(ctx, in)
	})
	responses := a.huma.OpenAPI().Paths[path].Get.Responses
	responses["200"] = textResponse("The picture.", "image/svg+xml")
	responses["304"] = textResponse("It is as it was.", "image/svg+xml")
	responses["304"].Content = nil
}

func (a *API) flowGraph(ctx context.Context, in *graphGet) (*graph, error) {
	stored, err := a.Store.Flow(ctx, here(ctx), in.Name, in.Version)
	if err != nil {
		return nil, err
	}
	flow, err := bot.Parse(stored.Definition)
	if err != nil {
		return nil, err
	}
	traffic, err := a.traffic(ctx, stored.Name, stored.Version, in.Since)
	if err != nil {
		return nil, err
	}
	svg, err := drawing.Draw(flow, drawing.Options{Name: stored.Name, Version: stored.Version, Theme: drawing.Theme(in.Theme), Traffic: traffic})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(svg)
	g := &graph{
		Status: http.StatusOK, Type: "image/svg+xml", Cache: "private, no-cache", ETag: `"` + hex.EncodeToString(sum[:12]) + `"`,
		Policy: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox", Body: svg,
	}
	if in.Known == g.ETag {
		g.Status, g.Body = http.StatusNotModified, nil
	}
	return g, nil
}

// traffic counts backward from the end of the log until there is enough.
func (a *API) traffic(ctx context.Context, flow string, version int, since time.Time) (*drawing.Traffic, error) {
	t := drawing.NewTraffic(flow, version, since)
	before := int64(0)
	for range graphEvents / store.Stretch {
		steps, next, err := a.Store.FlowSteps(ctx, here(ctx), flow, before)
		if err != nil {
			return nil, err
		}
		for _, s := range steps {
			switch {
			case s.At.Before(since):
				t.End(true)
				return t, nil
			case t.Steps() == graphSteps:
				t.End(false)
				return t, nil
			}
			if err := t.Add(s.Conversation, s.At, s.Record); err != nil {
				return nil, err
			}
		}
		if next == 0 {
			t.End(true)
			return t, nil
		}
		before = next
	}
	t.End(false)
	return t, nil
}
