package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

const eventsAbout = `Server-sent events: ` + "`id`" + ` is the position in the log, ` + "`event`" + ` the kind, ` + "`data`" + ` the event.

A client that comes back with Last-Event-ID (browsers do so by themselves) or with after misses nothing and gets nothing twice. With neither, the
stream begins now. An id may come without an event: it says that everything until there was looked at. Typing and presence have no id and are never repeated. A client that reads too
slowly is cut off and resumes; a stream whose token is revoked or over ends.`

func (a *API) registerEvents() {
	a.addPlain(act{
		method: http.MethodGet, path: "/v1/events", id: "streamEvents", tag: "events", scope: ScopeRead, raw: true, stream: true,
		summary: "Follow the log", more: eventsAbout,
	}, a.events, func(op *huma.Operation) {
		str, num := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeInteger}
		op.Parameters = []*huma.Param{
			{Name: "conversation", In: "query", Description: "Only this one.", Schema: str},
			{Name: "kinds", In: "query", Description: "Only these kinds, separated by commas: message,receipt,typing", Schema: str},
			{Name: "after", In: "query", Description: "Begin after this position.", Schema: num},
			{Name: "Last-Event-ID", In: "header", Description: "The same, as browsers say it.", Schema: num},
		}
		op.Responses["200"] = textResponse("Events, until the client leaves.", "text/event-stream")
		schemaFor[chat.Event](a)
	})
}

// streamRequest is what a client wants to follow. After -1 is from now.
type streamRequest struct {
	filter store.LogFilter
	after  int64
}

// readStreamRequest reads the query and Last-Event-ID, which wins over after: it is what a browser that comes back says.
func readStreamRequest(r *http.Request) (streamRequest, error) {
	q := r.URL.Query()
	for name := range q {
		if name != "conversation" && name != "kinds" && name != "after" {
			return streamRequest{}, invalid(ProblemDetail{"query." + name, "unknown query parameter"})
		}
	}
	req := streamRequest{after: -1, filter: store.LogFilter{Conversation: chat.ConversationID(q.Get("conversation"))}}
	where, text := "query.after", q.Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		where, text = "header.Last-Event-ID", id
	}
	if text != "" {
		pos, err := readPosition(text)
		if err != nil {
			return req, invalid(ProblemDetail{where, "is a position of the log: a whole number from 0"})
		}
		req.after = pos
	}
	kinds, err := readKinds(q.Get("kinds"))
	req.filter.Kinds = kinds
	return req, err
}

// readPosition reads digits only, as the stream wrote them.
func readPosition(s string) (int64, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, strconv.ErrSyntax
		}
	}
	return strconv.ParseInt(s, 10, 63)
}

// maxKinds is more than there are.
const maxKinds = 50

func readKinds(s string) ([]chat.Kind, error) {
	if s == "" {
		return nil, nil
	}
	words := strings.Split(s, ",")
	if len(words) > maxKinds {
		return nil, invalid(ProblemDetail{"query.kinds", "too many"})
	}
	kinds := make([]chat.Kind, len(words))
	for i, w := range words {
		kinds[i] = chat.Kind(w)
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return nil, invalid(ProblemDetail{"query.kinds", fmt.Sprintf("%.40q is no kind of event", w)})
		}
	}
	return kinds, nil
}

// events follows the log until the client leaves, is too slow, or the API closes.
func (a *API) events(w http.ResponseWriter, r *http.Request) error {
	req, err := readStreamRequest(r)
	if err != nil {
		return err
	}
	ctx, ws := r.Context(), here(r.Context())
	if req.filter.Conversation != "" {
		if _, err := a.Store.Conversation(ctx, ws, req.filter.Conversation); err != nil {
			return err
		}
		if err := a.seesConversation(ctx, access.ConversationsRead, req.filter.Conversation); err != nil {
			return err
		}
	}
	if req.after >= 0 {
		head, err := a.Store.Workspace(ctx, ws)
		if err != nil {
			return err
		}
		if req.after > head.Head {
			return problem(string(chat.CodeConflict), fmt.Sprintf("the log ends at %d: is this another database? Begin without a position", head.Head))
		}
	}
	if err := a.streams.enter(callerOf(ctx).ID); err != nil {
		return err
	}
	defer a.streams.leave(callerOf(ctx).ID)
	if by := who(ctx); by.User != "" {
		defer a.Lines.Open(ws, by.User)()
	}
	a.unbound(w, r)
	narrow(ctx)
	out := newSSE(a, w)
	defer out.end()
	return a.follow(ctx, out, ws, req, func(was access.Who) (access.Who, bool) { return a.stillGood(r, was) })
}

// reader tells what the reader of a stream may see by now, who could see that much before; false if the stream has to end.
type reader func(was access.Who) (access.Who, bool)

// stillGood tells whether the token of a stream that is open would still open it. When nobody can tell, it is believed.
func (a *API) stillGood(r *http.Request, was access.Who) (access.Who, bool) {
	c, err := a.identify(r)
	if err == nil {
		return c.who, a.permits(c, route{right: access.ConversationsRead})
	}
	p, refused := errors.AsType[*Problem](err)
	return was, !refused || p.Code != codeUnauthorized
}

// follow first reads what is behind, from the database, then joins the live feed, reads the little that came in between, and goes on live.
func (a *API) follow(ctx context.Context, out *sse, ws chat.WorkspaceID, req streamRequest, now reader) error {
	see := newSight(who(ctx))
	old := &past{a: a, ws: ws, out: out, sight: see, filter: req.filter, places: places{a: a, ws: ws}}
	after := req.after
	if after >= 0 {
		var err error
		if after, err = old.catchUp(ctx, after, 0); err != nil {
			return out.failed(err)
		}
	}
	l, err := a.streams.listen(ctx, ws, req.filter, see)
	if err != nil {
		return out.failed(err)
	}
	defer a.streams.forget(l)
	if after >= 0 {
		if after, err = old.catchUp(ctx, after, l.from); err != nil {
			return out.failed(err)
		}
	}
	after = max(after, l.from)
	if err := out.mark(after); err != nil {
		return out.failed(err)
	}
	return out.failed(a.goOn(ctx, out, l, after, now))
}

// past sends what the database has.
type past struct {
	a      *API
	ws     chat.WorkspaceID
	out    *sse
	sight  *sight
	filter store.LogFilter
	places places
}

// catchUp sends what comes after a position: what is not quite new, or everything up to a position.
func (p *past) catchUp(ctx context.Context, after, upTo int64) (int64, error) {
	for upTo == 0 || after < upTo {
		select {
		case <-p.a.closed:
			return after, errClosed
		default:
		}
		begun := after
		frames, n, read, err := p.page(ctx, after)
		if err != nil {
			return after, err
		}
		if err := p.out.events(frames); err != nil {
			return after, err
		}
		near := upTo == 0 && n < streamPage && read-begun < streamPage
		if after = max(after, read); near || after == begun {
			return after, nil
		}
	}
	return after, nil
}

// page reads the next events and makes frames of those that the reader sees; n is how many there were, and read how far it came.
func (p *past) page(ctx context.Context, after int64) (frames []*frame, n int, read int64, err error) {
	select {
	case p.a.streams.reading <- struct{}{}:
		defer func() { <-p.a.streams.reading }()
	case <-ctx.Done():
		return nil, 0, after, ctx.Err()
	}
	events, read, err := p.a.Store.Log(ctx, p.ws, after, streamPage, p.filter)
	if err != nil {
		return nil, 0, after, err
	}
	frames = make([]*frame, len(events))
	for i, e := range events {
		if frames[i], err = p.a.frame(p.ws, e); err != nil {
			return nil, 0, after, err
		}
	}
	if p.sight.limited() {
		if err := p.places.recall(ctx, frames, events); err != nil {
			return nil, 0, after, err
		}
	}
	return slices.DeleteFunc(frames, func(f *frame) bool { return !p.sight.shows(f) }), len(events), read, nil
}

// goOn sends frames as they come, while the token is good: one that is revoked here ends its streams at once, one that is over or
// was revoked by another node at the next sign of life. What the database has told already is left out.
func (a *API) goOn(ctx context.Context, out *sse, l *listener, after int64, now reader) error {
	beat := time.NewTicker(a.Limits.Heartbeat)
	defer beat.Stop()
	bell, pause := l.bell, time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.closed:
			return errClosed
		case <-l.cut:
			return errCut
		case <-pause.C:
			bell = l.bell
		case <-bell:
			frames := slices.DeleteFunc(l.rest(), func(fr *frame) bool { return fr.pos != 0 && fr.pos <= after })
			if err := out.events(frames); err != nil {
				return err
			}
			written := 0
			for _, fr := range frames {
				after = max(after, fr.pos)
				written += len(fr.wire)
			}
			if gap := l.feed.pause(written); l.filter.Conversation == "" && gap >= time.Millisecond {
				bell = nil // what comes meanwhile goes out together
				pause.Reset(gap)
			}
		case <-beat.C:
			by, good := now(*l.sight.who.Load())
			if !good {
				return errRevoked
			}
			a.streams.look(l, by)
			if pos, idle := a.streams.seen(l); idle {
				after = max(after, pos)
			}
			if err := out.mark(after); err != nil {
				return err
			}
		}
	}
}
