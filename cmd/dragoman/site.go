package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector/webchat"
	"github.com/dragoman-hub/dragoman/desk"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/visitor"
	"github.com/dragoman-hub/dragoman/web"
)

// openVisitors answers our own widget.
func (p *program) openVisitors(context.Context) error {
	p.visitors = visitor.New(visitor.Options{
		Store: p.store, Hub: p.hub, Blobs: p.hub.Blobs, Wake: p.bus, Signer: p.keys, Now: time.Now, Log: p.log, Public: p.settings.PublicURL,
		Address: p.api.Address, Waiting: p.standing, Open: p.isOpen,
	})
	p.site = http.NewServeMux()
	p.site.Handle(visitor.Prefix, p.visitors)
	p.site.Handle("GET "+web.ScriptPath, web.Widget())
	p.site.Handle("GET /try", web.Try(p.sampleSite))
	return nil
}

// standing is where a conversation stands in its queue.
func (p *program) standing(ctx context.Context, ws chat.WorkspaceID, conv chat.Conversation) (at visitor.Place, err error) {
	queue, position, err := p.store.Position(ctx, ws, conv.ID)
	if err != nil || position == 0 {
		return at, err
	}
	at.Position = position
	outlook, err := desk.ReadOutlook(ctx, p.store, ws, queue)
	if chat.CodeOf(err) == chat.CodeNotFound { // nobody has made the queue yet: nobody answers
		return at, nil
	}
	at.Estimate, _ = outlook.Estimate(position) // nobody knows: zero
	return at, err
}

// isOpen tells whether it is within some business hours now; hours that there are not are always open.
func (p *program) isOpen(ctx context.Context, ws chat.WorkspaceID, hours string) (bool, error) {
	all, err := desk.ReadHours(ctx, p.store, ws)
	for _, h := range all {
		if h.Name == hours {
			return h.Open(time.Now()), err
		}
	}
	return true, err
}

// sampleSite is the website channel of the sample flow; "" if there is none.
func (p *program) sampleSite(r *http.Request) string {
	all, err := p.store.Channels(r.Context(), "")
	if err != nil {
		return ""
	}
	for _, ch := range all {
		if isSampleSite(ch) && ch.Status != store.ChannelOff {
			return string(ch.ID)
		}
	}
	return ""
}

func isSampleSite(ch store.Channel) bool {
	return ch.Connector == webchat.Name && ch.Flow == sampleFlow
}

// addSampleSite adds a website channel for the sample flow, unless there is one.
func addSampleSite(ctx context.Context, p *program, ws chat.WorkspaceID) error {
	all, err := p.store.Channels(ctx, ws)
	if err != nil || slices.ContainsFunc(all, isSampleSite) {
		return err
	}
	_, err = p.hub.AddChannel(ctx, ws, hub.ChannelInput{
		Connector: webchat.Name, Name: sampleSite, Flow: sampleFlow, Settings: json.RawMessage(`{"title":"Ask us","speaks_first":true}`),
	})
	return err
}

// ownSite tells whether a path belongs to our own widget.
func (p *program) ownSite(r *http.Request) bool {
	_, pattern := p.site.Handler(r)
	return pattern != ""
}
