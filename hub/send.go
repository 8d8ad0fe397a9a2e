package hub

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub/fit"
	"github.com/dragoman-hub/dragoman/store"
)

// message sends all parts of a message that are not out yet.
func (s *sending) message(ctx context.Context) store.Verdict {
	if len(s.j.Progress) > 0 {
		if err := json.Unmarshal(s.j.Progress, &s.state); err != nil {
			return s.giveUp(ctx, &connector.Error{Policy: connector.Rejected, Code: "progress", Err: err})
		}
	}
	s.moved = s.state.Moved
	if s.j.Interrupted && !s.l.traits.Idempotent {
		return s.unsure(ctx, &chat.Failure{
			Class: string(connector.IsUnsure), Code: "interrupted", Detail: "the hub stopped while this message was being sent",
		})
	}
	if s.silent() {
		return s.nothing()
	}
	if e := s.windowClosed(); e != nil {
		return s.giveUp(ctx, e)
	}
	files, err := s.files(ctx)
	if err != nil {
		return s.noFiles(ctx, err)
	}
	parts, err := s.fit(ctx, files)
	if err != nil {
		return s.giveUp(ctx, &connector.Error{Policy: connector.Rejected, Code: "nothing_to_send", Err: err})
	}
	s.titles = s.l.titles(parts)
	if s.newest, err = s.h.Store.NewestIncoming(ctx, s.j.Workspace, s.conv.ID); err != nil {
		return s.notBegun(ctx, err)
	}
	return s.parts(ctx, parts, files)
}

func (s *sending) parts(ctx context.Context, parts []fit.Part, files map[chat.FileID]connector.Media) store.Verdict {
	for s.state.Done < len(parts) {
		if v, ok := s.pace(ctx); !ok {
			if s.begun {
				return s.putBack(ctx, store.Again(time.Second, nil))
			}
			return v
		}
		if err := s.begin(ctx); err != nil {
			return s.notBegun(ctx, err)
		}
		sent, e := s.send(ctx, s.part(parts[s.state.Done], files))
		if e != nil {
			return s.settle(ctx, e)
		}
		s.state.Done++
		s.state.IDs = append(append(s.state.IDs, sent.ID), sent.More...)
		if sent.Notice != "" {
			s.fitted = append(s.fitted, sent.Notice)
		}
	}
	return s.sent(ctx, len(parts))
}

// sent ends the job well.
func (s *sending) sent(ctx context.Context, parts int) store.Verdict {
	h, id := s.h, s.l.channel.ID
	h.Meter.Message(id, chat.Out, chat.KindMessage, string(chat.Sent))
	h.Log.DebugContext(ctx, "out: sent", "channel", id, "seq", s.j.Event.Seq, "ids", s.state.IDs)
	h.works(ctx, s.l)
	r := chat.ReceiptData{Status: chat.Sent, ExternalIDs: s.state.IDs, Fitted: s.fitted}
	if parts > 1 {
		r.Part, r.Parts = parts, parts
	}
	return store.Done(s.report(r))
}

// send makes one request, and once more where a session has ended or the contact has a new address.
func (s *sending) send(ctx context.Context, p connector.Part) (sent connector.Sent, _ *connector.Error) {
	call := func() (err error) {
		begun := s.h.Now()
		sent, err = s.l.conn.Send(ctx, p)
		s.h.Meter.Send(s.h.Now().Sub(begun))
		return err
	}
	err := s.h.renewed(ctx, s.l, call)
	if err == nil {
		return sent, nil
	}
	e := connector.AsError(err)
	if e.MovedTo == "" || e.MovedTo == p.Thread.Address {
		return sent, e
	}
	s.moved, s.state.Moved, p.Thread.Address = e.MovedTo, e.MovedTo, e.MovedTo
	if err = call(); err != nil {
		return sent, connector.AsError(err)
	}
	return sent, nil
}

// part makes what the connector gets. Its key is the same at every try.
func (s *sending) part(p fit.Part, files map[chat.FileID]connector.Media) connector.Part {
	name := fmt.Sprintf("%s/%d/%d", s.j.Event.Conversation, s.j.Event.Seq, s.state.Done)
	out := connector.Part{
		Key: uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String(), Thread: s.conv.Thread, Elements: p.Elements, Media: files, Context: s.newest,
	}
	if s.state.Moved != "" {
		out.Thread.Address = s.state.Moved
	}
	if p.ReplyTo && s.j.Event.Message.ReplyTo != nil {
		out.ReplyTo = s.j.Event.Message.ReplyTo.ExternalID
	}
	return out
}

// windowClosed tells whether a free answer is too late. Templates may always go out.
func (s *sending) windowClosed() *connector.Error {
	w := s.l.traits.ReplyWindow
	if w == 0 || !s.conv.LastIn.IsZero() && s.h.Now().Sub(s.conv.LastIn) < w {
		return nil
	}
	for _, e := range s.j.Event.Message.Stack {
		if e.Type != chat.Template {
			return &connector.Error{Policy: connector.WindowClosed, Code: "window", Detail: fmt.Sprintf("free answers end %s after the contact's last message: send a template", w)}
		}
	}
	return nil
}

// fit cuts the message to what the platform carries and keeps the payloads that are too long for its buttons.
func (s *sending) fit(ctx context.Context, files map[chat.FileID]connector.Media) ([]fit.Part, error) {
	var keepErr error
	parts, notes, err := fit.Fit(facts(*s.j.Event.Message, files), s.traits(), fit.Options{
		LinkFor: func(m chat.Media) string {
			if f, ok := files[m.File]; ok && m.File != "" {
				return f.URL
			}
			return m.URL
		},
		ShortPayload: func(full string) string {
			short := shortPayload(full)
			if err := s.h.Store.KeepPayload(ctx, s.j.Workspace, short, full); err != nil {
				keepErr = err
			}
			return short
		},
	})
	s.fitted = notes
	return parts, errors.Join(err, keepErr)
}

// shortPayload names a payload by its hash, so that the same one gets the same key.
func shortPayload(full string) string {
	sum := sha256.Sum256([]byte(full))
	return "~" + base64.RawURLEncoding.EncodeToString(sum[:])[:22]
}

// act edits, deletes, reacts or marks as read.
func (s *sending) act(ctx context.Context) store.Verdict {
	var target chat.ReactionData // has TargetData's members too
	if err := json.Unmarshal(s.j.Event.Data, &target); err != nil {
		return store.Dead(&chat.Failure{Class: string(connector.Malformed), Detail: err.Error()})
	}
	if s.j.Event.Kind == chat.KindRead && target.ExternalID == "" {
		return store.Done() // the platform knows nothing of that message
	}
	do := s.deed(ctx, target)
	if do == nil {
		if s.j.Event.Kind == chat.KindRead {
			return store.Done() // a courtesy that this platform has not got
		}
		return store.Dead(&chat.Failure{Class: string(connector.Forbidden), Code: "no_ability", Detail: "this platform cannot do that"})
	}
	if v, ok := s.pace(ctx); !ok {
		return v
	}
	if err := s.begin(ctx); err != nil {
		return s.notBegun(ctx, err)
	}
	err := s.h.renewed(ctx, s.l, do)
	if err == nil {
		s.h.works(ctx, s.l)
		s.h.Meter.Message(s.l.channel.ID, chat.Out, s.j.Event.Kind, string(chat.Sent))
		s.h.Log.DebugContext(ctx, "out: done", "channel", s.l.channel.ID, "seq", s.j.Event.Seq, "kind", s.j.Event.Kind)
		return store.Done()
	}
	e := *connector.AsError(err)
	if e.Policy == connector.IsUnsure {
		e.Policy = connector.Retry // all of these may be done twice
	}
	return s.settle(ctx, &e)
}

// deed finds the ability for the event; nil if the platform has not got it.
func (s *sending) deed(ctx context.Context, target chat.ReactionData) func() error {
	a, thread, id := s.l.abilities, s.conv.Thread, target.ExternalID
	switch s.j.Event.Kind {
	case chat.KindEdited:
		if a.Edit == nil {
			return nil
		}
		return func() error { return s.edit(ctx, id) }
	case chat.KindDeleted:
		if a.Delete == nil {
			return nil
		}
		return func() error { return a.Delete.Delete(ctx, thread, id) }
	case chat.KindReaction:
		if a.React == nil {
			return nil
		}
		emoji := ""
		if len(target.Added) > 0 {
			emoji = target.Added[0]
		}
		return func() error { return a.React.React(ctx, thread, id, emoji) }
	case chat.KindRead:
		if a.MarkRead == nil {
			return nil
		}
		return func() error { return a.MarkRead.MarkRead(ctx, thread, id) }
	default:
		return nil
	}
}

// edit replaces a message; the new content has to fit into one part.
func (s *sending) edit(ctx context.Context, id string) error {
	files, err := s.files(ctx)
	if err != nil {
		return &connector.Error{Policy: connector.Retry, Err: err}
	}
	parts, err := s.fit(ctx, files)
	if err != nil {
		return &connector.Error{Policy: connector.Rejected, Err: err}
	}
	if len(parts) > 1 {
		return &connector.Error{Policy: connector.Rejected, Code: "too_long", Detail: "the new content does not fit into one message"}
	}
	return s.l.abilities.Edit.Edit(ctx, id, s.part(parts[0], files))
}
