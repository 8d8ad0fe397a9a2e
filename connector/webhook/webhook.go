// Package webhook is the generic webhook channel: a platform that nobody wrote code for is described by settings.
//
// The settings say how an incoming call is verified and where its fields are, and how outgoing requests are built and
// signed; without any they speak Standard Webhooks. docs/protocols/webhook.md is for the people who write them. The package must not
// know any platform.
package webhook

import (
	"context"
	"net/http"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// Platform describes the channel.
func Platform() connector.Platform {
	return connector.Platform{Name: "webhook", Title: "Webhook", Settings: describe(), Traits: traits(), Open: open, Shapes: []connector.Connector{(*channel)(nil)}}
}

// elements are carried as they are: the outgoing body holds the stack itself.
var elements = []chat.ElementType{
	chat.Text, chat.Image, chat.Audio, chat.Voice, chat.Video, chat.File, chat.Sticker, chat.Location, chat.Contact,
	chat.Buttons, chat.QuickReplies, chat.Card, chat.Carousel, chat.Template, chat.Poll, chat.Rating, chat.Feedback,
	chat.HTML, chat.FileUpload, chat.FileUploaded, chat.ToolUse, chat.ToolResult,
}

// traits are those of the body that we send by default; channel.Traits has what the settings change.
func traits() connector.Traits {
	t := connector.Traits{
		Spans: true, Elements: elements, Album: 10, Idempotent: true, Initiate: true, Groups: true,
		TypingFor: 5 * time.Second, // of channels with a typing request
		Receipts:  []chat.Status{chat.Delivered, chat.Read, chat.Failed},
		Media:     map[chat.ElementType]connector.MediaTrait{},
		Controls:  map[chat.ElementType]connector.ControlsTrait{},
	}
	for _, e := range elements {
		if e.IsMedia() {
			t.Media[e] = connector.MediaTrait{MaxBytes: 1 << 30, Caption: true, ByURL: true}
		}
	}
	for _, e := range []chat.ElementType{chat.Buttons, chat.QuickReplies, chat.Card} {
		t.Controls[e] = connector.ControlsTrait{Max: 100, TitleLimit: 1000, PayloadLimit: 4000, URL: true, Phone: true, Request: true}
	}
	return t
}

// channel is an open channel. It never changes after open.
type channel struct {
	env     connector.Env
	client  *http.Client // follows no redirect
	receive *receiver
	send    *sender // nil: the channel only receives
	can     optional
}

func open(_ context.Context, env connector.Env) (connector.Connector, error) {
	var s settings
	if err := env.Decode(&s); err != nil {
		return nil, err
	}
	client := *env.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &channel{env: env, client: &client}
	var err error
	if c.receive, err = newReceiver(s.Receive, s.Secret); err != nil {
		return nil, err
	}
	d, err := s.outgoing()
	if err != nil {
		return nil, err
	}
	if s.URL != "" || s.Send.URL != "" {
		if c.send, err = newSender(s.Send, d.of("send")); err != nil {
			return nil, err
		}
	}
	if c.can, err = s.optional(c, d); err != nil {
		return nil, err
	}
	c.receive.downloads = c.can.download != nil
	return c, nil
}

// Traits are the platform's with what this channel's settings change: whether a send may be repeated when nobody knows
// what became of it. A foreign format has our key only if its author put it there, and says so by send.idempotent.
func (c *channel) Traits() connector.Traits {
	t := traits()
	t.Idempotent = c.send != nil && c.send.idempotent
	return t
}

// outgoing are the defaults of all requests: signed by Standard Webhooks if there is a secret, unless send.sign says otherwise.
func (s settings) outgoing() (defaults, error) {
	d := defaults{method: http.MethodPost, url: s.URL, secret: s.Secret}
	spec := authSpec{Type: "none"}
	if s.Secret != "" {
		spec.Type = "standard"
	}
	if s.Send.Sign != nil {
		spec = *s.Send.Sign
	}
	var err error
	d.sign, err = newAuth("send.sign", spec, s.Secret)
	return d, err
}

// of adds the default body of one request.
func (d defaults) of(name string) defaults {
	d.body = defaultBodies[name]
	return d
}

func (s settings) optional(c *channel, d defaults) (optional, error) {
	var o optional
	for _, x := range []struct {
		name string
		spec *requestSpec
		into **request
	}{
		{"typing", s.Typing, &o.typing}, {"mark_read", s.MarkRead, &o.markRead}, {"edit", s.Edit, &o.edit}, {"delete", s.Delete, &o.delete},
	} {
		if x.spec == nil {
			continue
		}
		r, err := newRequest(x.name, *x.spec, d.of(x.name))
		if err != nil {
			return o, err
		}
		*x.into = r
	}
	if s.Download == nil {
		return o, nil
	}
	var err error
	o.download, err = newDownloads(c, *s.Download, d)
	return o, err
}

var (
	_ connector.Abler      = (*channel)(nil)
	_ connector.Traiter    = (*channel)(nil)
	_ connector.Receiver   = (*channel)(nil)
	_ connector.Typer      = typer{}
	_ connector.Reader     = reader{}
	_ connector.Editor     = editor{}
	_ connector.Deleter    = deleter{}
	_ connector.Downloader = (*downloads)(nil)
)
