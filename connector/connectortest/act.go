package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// cannotError says that a transcript asks for an ability that the connector has not got.
type cannotError string

func (e cannotError) Error() string { return "the connector cannot " + string(e) }

// arguments are the contents of all acts that have JSON.
type arguments struct {
	partForm
	chat.Source
	Newest  string    `json:"newest"`
	Emoji   string    `json:"emoji"`
	Address string    `json:"address"`
	Ack     string    `json:"ack"`
	Part    *partForm `json:"part"`
}

// perform does an act that answers at once (all but open, receive and listen). The result is nil, or as
// transcripts write it.
func (w *world) perform(ctx context.Context, kind string, content []byte) (result any, err error) {
	var in arguments
	if len(bytes.TrimSpace(content)) > 0 {
		dec := json.NewDecoder(bytes.NewReader(content))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			return nil, fmt.Errorf("connectortest: %s: %w", kind, err)
		}
	}
	for _, f := range in.Media {
		w.handIn(f.URL)
	}
	err = guard(func() (err error) {
		result, err = w.call(ctx, kind, in)
		return err
	})
	return result, err
}

func (w *world) call(ctx context.Context, kind string, in arguments) (any, error) {
	if kind != "send" && !has(w.can.Names(), strings.TrimPrefix(kind, "un")) {
		return nil, cannotError(kind)
	}
	switch kind {
	case "send":
		sent, err := w.conn.Send(ctx, in.part())
		return sentForm(sent), err
	case "typing":
		return nil, w.can.Typing.Typing(ctx, in.Thread, in.Newest)
	case "mark_read":
		return nil, w.can.MarkRead.MarkRead(ctx, in.Thread, in.ID)
	case "edit":
		if in.Part == nil {
			in.Part = &partForm{}
		}
		return nil, w.can.Edit.Edit(ctx, in.ID, in.Part.part())
	case "delete":
		return nil, w.can.Delete.Delete(ctx, in.Thread, in.ID)
	case "react":
		return nil, w.can.React.React(ctx, in.Thread, in.ID, in.Emoji)
	case "acknowledge":
		return nil, w.can.Acknowledge.Acknowledge(ctx, in.Ack)
	case "register":
		return nil, w.can.Register.Register(ctx)
	case "unregister":
		return nil, w.can.Register.Unregister(ctx)
	default:
		return w.ask(ctx, kind, in)
	}
}

// ask does the acts that have a result.
func (w *world) ask(ctx context.Context, kind string, in arguments) (any, error) {
	switch kind {
	case "profile":
		return w.can.Profile.Profile(ctx, in.Address)
	case "check":
		return w.can.Check.Check(ctx)
	case "renew":
		until, err := w.can.Renew.Renew(ctx)
		if err != nil || until.IsZero() {
			return nil, err
		}
		return until.UTC().Format(time.RFC3339), nil
	case "download":
		return w.download(ctx, in.Source)
	default:
		return nil, fmt.Errorf("connectortest: no act %q", kind)
	}
}

func (w *world) download(ctx context.Context, src chat.Source) (any, error) {
	a, err := w.can.Download.Download(ctx, src)
	if err != nil {
		return nil, err
	}
	if a.Body == nil {
		return nil, fmt.Errorf("a download without a body and without an error")
	}
	defer a.Body.Close()
	data, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	f := fileForm{Name: a.Name, MIME: a.MIME, Size: &a.Size}
	if isText(data) {
		f.Text = string(data)
	} else {
		f.Base64 = data
	}
	return f, nil
}

// request makes the webhook call of a receive act, signed if the act says so.
func (x *exam) request(a *act, settings json.RawMessage) (connector.Request, error) {
	first, header, err := head(a.head)
	if err != nil {
		return connector.Request{}, err
	}
	method, target, ok := strings.Cut(first, " ")
	if !ok {
		return connector.Request{}, fmt.Errorf("receive: want METHOD and path: %q", first)
	}
	if strings.HasPrefix(target, "/") {
		target = "https://hub.test" + target
	}
	req := connector.Request{Method: method, Header: header, Remote: "192.0.2.1"}
	if req.URL, err = url.Parse(strings.TrimSpace(target)); err != nil {
		return connector.Request{}, err
	}
	if req.Body, err = a.body.content(); err != nil {
		return connector.Request{}, err
	}
	if a.sign {
		if x.sign == nil {
			return connector.Request{}, fmt.Errorf("receive: a sign section needs the option WithSigner")
		}
		x.sign(settings, &req)
	}
	return req, nil
}

// receive hands a webhook call to the connector.
func (w *world) receive(ctx context.Context, req connector.Request) (d connector.Delivery, err error) {
	if w.can.Receive == nil {
		return d, cannotError("receive")
	}
	err = guard(func() (err error) {
		d, err = w.can.Receive.Receive(ctx, req)
		return err
	})
	return d, err
}

// listen runs Listen until it ends by itself or the script is over.
func (w *world) listen(ctx context.Context, emit func(context.Context, []chat.Incoming) error) error {
	if w.can.Listen == nil {
		return cannotError("listen")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.out.over = cancel
	done := make(chan struct{})
	defer close(done)
	context.AfterFunc(ctx, func() { // a connector that ignores its context must not hang the examination
		select {
		case <-done:
		case <-time.After(w.bound):
			w.leave()
		}
	})
	err := guard(func() error { return w.can.Listen.Listen(ctx, emit) })
	if err != nil && ctx.Err() != nil && endedBy(err, ctx) {
		return nil
	}
	return err
}
