package main

import (
	"context"
	"time"

	"github.com/dragoman-hub/dragoman/compat/chatfaq/widget"
)

// openChats answers the chats on web pages, beside the workers.
func (p *program) openChats(context.Context) error {
	o := widget.Options{
		Store: p.store, Hub: p.hub, Blobs: p.hub.Blobs, Wake: p.bus, Signer: p.keys, Now: time.Now, Log: p.log, Public: p.settings.PublicURL,
		Door:   p.workers.Door,
		Limits: widget.Limits{Attachment: p.settings.MaxAttachment},
	}
	if p.nats == nil { // of several nodes, another one may have the workers
		o.Workers = p.workers.Connected
	}
	p.chats = widget.New(o)
	p.chats.Mount(p.back)
	return nil
}
