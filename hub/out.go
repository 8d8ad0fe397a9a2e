package hub

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/telemetry"
)

// The kinds of work of the hub.
const (
	workOut     = "out"
	workMedia   = "media"
	workProfile = "profile"
)

// outLane: everything that goes out of a conversation goes one after the other.
func outLane(e *chat.Event) string {
	if e.Direction != chat.Out || e.Conversation == "" {
		return ""
	}
	switch e.Kind {
	case chat.KindMessage:
		if e.Status != chat.Queued {
			return "" // an echo: it is out already
		}
		return string(e.Conversation)
	case chat.KindEdited, chat.KindDeleted, chat.KindReaction, chat.KindRead:
		return string(e.Conversation)
	default:
		return ""
	}
}

// out does one outgoing job: a message in its parts, or an act about an earlier message.
func (h *Hub) out(ctx context.Context, j *store.Job) store.Verdict {
	ctx = telemetry.WithAction(ctx, j.Event.Action)
	l, err := h.line(ctx, chat.ChannelID(j.Group))
	if err != nil {
		return h.noLine(ctx, j, err)
	}
	if l.channel.Status == store.ChannelOff {
		h.Log.DebugContext(ctx, "out: the channel is off", "channel", j.Group, "seq", j.Event.Seq)
		return h.untilMended(l)
	}
	if l.refuses(workOut, h.Now()) {
		return h.untilMended(l)
	}
	conv, err := h.Store.Conversation(ctx, j.Workspace, j.Event.Conversation)
	if err != nil {
		return h.noLine(ctx, j, err)
	}
	ctx, span := h.Tracer.Start(ctx, "out "+l.channel.Connector)
	defer span.End()
	s := &sending{h: h, j: j, l: l, conv: conv}
	if j.Event.Kind == chat.KindMessage {
		return s.message(ctx)
	}
	return s.act(ctx)
}

// noLine: the database is away (again soon), or there is no way out any more (given up).
func (h *Hub) noLine(ctx context.Context, j *store.Job, err error) store.Verdict {
	h.Log.ErrorContext(ctx, "hub: no way out", "channel", j.Group, "err", err)
	if e := noWay(err); e.Policy == connector.Rejected {
		return (&sending{h: h, j: j}).giveUp(ctx, e)
	}
	return store.Later(5 * time.Second)
}

// noWay tells whether a channel that cannot be opened may open later.
func noWay(err error) *connector.Error {
	if chat.CodeOf(err) == chat.CodeNotFound || errors.Is(err, errNoPlatform) {
		return &connector.Error{Policy: connector.Rejected, Code: "no_channel", Err: err}
	}
	return &connector.Error{Policy: connector.Retry, Code: "no_channel", Err: err}
}

// sending is one job under way.
type sending struct {
	h    *Hub
	j    *store.Job
	l    *line
	conv chat.Conversation

	newest string // external id of the contact's newest message
	state  progress
	begun  bool
	moved  string
	fitted []string
	titles map[string]string // of quick replies whose payloads the platform does not carry
}

// progress is what a job remembers of a message in several parts.
type progress struct {
	Done  int      `json:"done"` // parts that are surely out
	IDs   []string `json:"ids,omitempty"`
	Moved string   `json:"moved,omitempty"` // the contact's new address
}

// report is what the log learns.
func (s *sending) report(r chat.ReceiptData) *store.Report {
	return &store.Report{
		Workspace: s.j.Workspace, Conversation: s.j.Event.Conversation, Seq: s.j.Event.Seq, Receipt: r, MovedTo: s.moved, Titles: s.titles,
		Action: s.j.Event.Action,
	}
}

// begin writes down that a request leaves from here on. The first part marks the job, later ones save what came before.
func (s *sending) begin(ctx context.Context) error {
	if !s.begun {
		s.begun = true
		return s.j.Begin(ctx)
	}
	return s.keep(ctx)
}

// keep saves how far the message came. The next try in this process begins there, whether the database took it or not.
func (s *sending) keep(ctx context.Context) error {
	raw, err := json.Marshal(s.state)
	if err != nil {
		return err
	}
	s.j.Progress = raw
	return s.j.Save(ctx, raw)
}

// notBegun puts a job back that the database did not let begin; with a pause, for the database may be away.
func (s *sending) notBegun(ctx context.Context, err error) store.Verdict {
	s.h.Log.ErrorContext(ctx, "out: not begun", "seq", s.j.Event.Seq, "err", err)
	return store.Later(time.Second)
}

// patience is how long a job waits for its channel's pace without giving its place back.
const patience = 20 * time.Millisecond

// pace waits for the channel's rate; ok is false when the job has to come again, and v says when.
func (s *sending) pace(ctx context.Context) (v store.Verdict, ok bool) {
	limit := patience
	if s.begun {
		limit = 10 * time.Second // parts of one message stay together
	}
	d, all := s.l.wait(s.h.Now(), s.conv.Thread, limit)
	switch {
	case d <= 0:
		return v, true
	case d <= limit:
		wait(ctx, d)
		return store.Later(0), ctx.Err() == nil
	case all:
		return store.LaterAll(d), false
	default:
		return store.Later(d), false
	}
}

// settle turns an error into a verdict.
func (s *sending) settle(ctx context.Context, e *connector.Error) store.Verdict {
	f := e.Failure()
	s.h.Log.InfoContext(ctx, "out: not sent", "channel", s.l.channel.ID, "seq", s.j.Event.Seq, "policy", e.Policy, "code", e.Code, "attempt", s.j.Attempts+1)
	if e.MovedTo != "" {
		s.state.Moved = e.MovedTo
	}
	switch e.Policy {
	case connector.Retry:
		return s.again(ctx, store.Again(-1, f), e)
	case connector.Throttled:
		if e.Thread {
			return s.again(ctx, store.Again(orDefault(e.After, time.Second), f), e)
		}
		return s.again(ctx, store.Hold(orDefault(e.After, time.Second), f), e)
	case connector.Unauthorized, connector.Suspended:
		s.h.markError(ctx, s.l, e)
		s.l.refuse(workOut, s.h.Now())
		return s.again(ctx, store.Hold(mendPause, f), e)
	case connector.IsUnsure:
		if s.l.traits.Idempotent {
			return s.again(ctx, store.Again(-1, f), e)
		}
		return s.unsure(ctx, f)
	default:
		return s.giveUp(ctx, e)
	}
}

func orDefault(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}

// again repeats the job, unless it is too old or was tried too often.
func (s *sending) again(ctx context.Context, v store.Verdict, e *connector.Error) store.Verdict {
	// an account that does not work says nothing about the message: it waits until people have mended it
	waits := e.Policy == connector.Unauthorized || e.Policy == connector.Suspended
	if s.h.Now().Sub(s.j.Created) > s.h.Limits.SendAge || !waits && s.j.Attempts+1 >= s.h.Limits.Attempts {
		if e.Policy == connector.IsUnsure {
			return s.unsure(ctx, e.Failure()) // it may have been taken every time
		}
		return s.giveUp(ctx, e)
	}
	return s.putBack(ctx, v)
}

// putBack lets the job come again, with what it has achieved.
func (s *sending) putBack(ctx context.Context, v store.Verdict) store.Verdict {
	if s.state.Done == 0 && s.state.Moved == "" {
		return v
	}
	if err := s.keep(context.WithoutCancel(ctx)); err != nil {
		// in the database the job is still under way, without this: better unsure after a crash than twice
		s.h.Log.ErrorContext(ctx, "out: progress not saved", "seq", s.j.Event.Seq, "err", err)
		return store.Later(time.Second)
	}
	return v
}

// giveUp ends the job: the message has failed and stands among the dead letters.
func (s *sending) giveUp(ctx context.Context, e *connector.Error) store.Verdict {
	s.h.Meter.DeadLetter(workOut)
	s.h.Meter.Message(chat.ChannelID(s.j.Group), chat.Out, s.j.Event.Kind, string(e.Policy))
	f := e.Failure()
	if s.j.Event.Kind != chat.KindMessage {
		return store.Dead(f)
	}
	r := s.report(chat.ReceiptData{Status: chat.Failed, Error: f, ExternalIDs: s.state.IDs, Part: s.state.Done, Fitted: s.fitted})
	r.Blocked = e.Policy == connector.Gone
	s.h.Log.WarnContext(ctx, "out: given up", "channel", s.j.Group, "seq", s.j.Event.Seq, "policy", e.Policy, "code", e.Code)
	return store.Dead(f, r)
}

// unsure ends the job without knowing whether the platform has the message. People decide whether to repeat it.
func (s *sending) unsure(ctx context.Context, f *chat.Failure) store.Verdict {
	s.h.Meter.DeadLetter(workOut)
	s.h.Meter.Message(chat.ChannelID(s.j.Group), chat.Out, s.j.Event.Kind, string(connector.IsUnsure))
	s.h.Log.WarnContext(ctx, "out: unsure", "channel", s.j.Group, "seq", s.j.Event.Seq, "why", f.Detail)
	if s.j.Event.Kind != chat.KindMessage {
		return store.Dead(f)
	}
	return store.Dead(f, s.report(chat.ReceiptData{Status: chat.Unsure, Error: f, ExternalIDs: s.state.IDs, Part: s.state.Done}))
}
