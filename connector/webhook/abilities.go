package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// The optional requests, one type each, so that a channel has exactly the abilities that its settings describe.
type (
	typer struct {
		channel *channel
		request *request
	}
	reader struct {
		channel *channel
		request *request
	}
	editor struct {
		channel *channel
		request *request
	}
	deleter struct {
		channel *channel
		request *request
	}
)

// Typing implements connector.Typer.
func (t typer) Typing(ctx context.Context, thread chat.Thread, newest string) error {
	m := place(thread, t.channel.env.Now())
	m["newest"] = valid(newest)
	_, err := t.channel.do(ctx, t.request, m, requestID("typing", thread.Key(), t.channel.env.Now().Format(time.RFC3339Nano)))
	return err
}

// MarkRead implements connector.Reader.
func (r reader) MarkRead(ctx context.Context, thread chat.Thread, id string) error {
	m := place(thread, r.channel.env.Now())
	m["id"] = valid(id)
	_, err := r.channel.do(ctx, r.request, m, requestID("mark_read", thread.Key(), id))
	return err
}

// Edit implements connector.Editor.
func (e editor) Edit(ctx context.Context, id string, part connector.Part) error {
	m, err := e.channel.outgoing(part)
	if err != nil {
		return err
	}
	m["id"] = valid(id)
	key := part.Key
	if key == "" {
		key = requestID("edit", id, string(raw(m["stack"])))
	}
	_, err = e.channel.do(ctx, e.request, m, key)
	return err
}

// Delete implements connector.Deleter.
func (d deleter) Delete(ctx context.Context, thread chat.Thread, id string) error {
	m := place(thread, d.channel.env.Now())
	m["id"] = valid(id)
	_, err := d.channel.do(ctx, d.request, m, requestID("delete", thread.Key(), id))
	return err
}

// requestID is the key of a request that the hub gives none: the same for the same request.
func requestID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "req_" + hex.EncodeToString(sum[:16])
}

// optional are a channel's optional requests, nil where there is none.
type optional struct {
	typing, markRead, edit, delete *request
	download                       *downloads
}

// Abilities implements connector.Abler: a channel can do what its settings describe a request for.
func (c *channel) Abilities() connector.Abilities {
	if c == nil {
		return connector.Abilities{
			Receive: c, Typing: typer{}, MarkRead: reader{}, Edit: editor{}, Delete: deleter{}, Download: (*downloads)(nil),
		}
	}
	a := connector.Abilities{Receive: c}
	if c.can.typing != nil {
		a.Typing = typer{c, c.can.typing}
	}
	if c.can.markRead != nil {
		a.MarkRead = reader{c, c.can.markRead}
	}
	if c.can.edit != nil {
		a.Edit = editor{c, c.can.edit}
	}
	if c.can.delete != nil {
		a.Delete = deleter{c, c.can.delete}
	}
	if c.can.download != nil {
		a.Download = c.can.download
	}
	return a
}
