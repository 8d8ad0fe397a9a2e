package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// caller is who makes a request: a token, or a user by the session cookie. For a user Token has the user's id and name, so that what
// is counted and noted by token is by user.
type caller struct {
	store.Token
	who    access.Who
	person *access.SignedIn // nil: a token
	cookie string
}

type callerKey struct{}

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// whole is the verified caller of a request below /v1.
func whole(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// callerOf is the caller as a token.
func callerOf(ctx context.Context) store.Token { return whole(ctx).Token }

// who is what the caller may do.
func who(ctx context.Context) access.Who { return whole(ctx).who }

// identify finds out who calls: an Authorization header counts before a cookie.
func (a *API) identify(r *http.Request) (caller, error) {
	if cookie := a.cookie(r); cookie != "" && r.Header.Get("Authorization") == "" {
		return a.signedIn(r, cookie)
	}
	t, err := a.authenticate(r)
	return caller{Token: t, who: access.Who{Workspace: t.Workspace, Grant: access.ScopeGrant(t.Scopes)}}, err
}

// signedIn finds whom a cookie stands for. Writes have to prove that they come from our own pages.
func (a *API) signedIn(r *http.Request, cookie string) (caller, error) {
	ip, now := a.remoteIP(r), a.Now()
	if wait := a.failed.waits("cookie/"+ip, now); wait > 0 {
		return caller{}, problem(codeThrottled, "too many wrong sessions from your address").retryAfter(wait)
	}
	in, err := a.gate.Session(r.Context(), cookie)
	if chat.CodeOf(err) == chat.CodeNotFound {
		a.failed.take("cookie/"+ip, now)
		return caller{}, unauthorized("you are not signed in any more", `, error="invalid_token"`)
	}
	if err != nil {
		return caller{}, err
	}
	if !isSafe(r.Method) {
		if !a.ownOrigin(r) {
			return caller{}, problem(codeCSRF, "the request does not come from a page of this installation")
		}
		if !access.CSRFMatches(cookie, r.Header.Get(csrfHeader)) {
			return caller{}, problem(codeCSRF, "the header "+csrfHeader+" is missing or wrong")
		}
	}
	t := store.Token{ID: in.User.ID, Workspace: in.User.Workspace, Name: in.User.Name, CreatedAt: in.User.CreatedAt, Scopes: []string{}}
	return caller{Token: t, who: in.Who, person: &in, cookie: cookie}, nil
}

func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// allowed checks the pace of a caller and what it may do.
func (a *API) allowed(w http.ResponseWriter, c caller, rt route) error {
	if wait := a.pace.take(c.ID, a.Now()); wait > 0 {
		return problem(codeThrottled, "too many requests with this token").retryAfter(wait)
	}
	switch {
	case rt.person && c.person == nil:
		return problem(string(chat.CodeForbidden), "this is for people who have signed in, not for tokens")
	case a.permits(c, rt):
		return nil
	case c.person != nil && rt.right != "":
		return problem(string(chat.CodeForbidden), "your role has not got the right "+string(rt.right))
	case c.person != nil:
		return problem(string(chat.CodeForbidden), "your role may not do that")
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="dragoman", error="insufficient_scope", scope="`+rt.scope+`"`)
	return problem(string(chat.CodeForbidden), "the token has not got the scope "+rt.scope)
}

// permits asks for the route's right; where it names none, a token needs the scope and a user all that the scope would give.
func (a *API) permits(c caller, rt route) bool {
	switch {
	case rt.right != "":
		return access.Allowed(c.who, rt.right, access.On{Workspace: c.Workspace})
	case rt.scope == "":
		return true
	case c.person != nil:
		return c.who.CoversScope(rt.scope)
	default:
		return may(c.Token, rt.scope)
	}
}

// conversations is where calls about one conversation are found.
const conversations = "/v1/conversations/{id}"

// reaches refuses a conversation that the caller does not see, whatever is to be done with it, as if it were not there.
func (a *API) reaches(r *http.Request, pattern string, rt route) error {
	_, path, _ := strings.Cut(pattern, " ")
	if path != conversations && !strings.HasPrefix(path, conversations+"/") {
		return nil
	}
	id := chat.ConversationID(r.PathValue("id"))
	err := a.seesConversation(r.Context(), rt.right, id)
	if chat.CodeOf(err) == chat.CodeNotFound && (rt.id == undoAct && a.gaveAway(r.Context(), id) || a.isAsked(r.Context(), rt, id)) {
		return nil
	}
	return err
}

// isAsked tells whether a conversation beyond the caller's reach is offered to her: who may accept it may look at it before.
func (a *API) isAsked(ctx context.Context, rt route, id chat.ConversationID) bool {
	by := who(ctx)
	answers := rt.id == "acceptConversation" || rt.id == "declineConversation" || rt.id == "extendOffer"
	if by.User == "" || rt.right != access.ConversationsRead && !answers || !access.Allowed(by, rt.right, access.On{Workspace: by.Workspace}) {
		return false
	}
	offers, err := a.Store.Offers(ctx, by.Workspace, by.User)
	return err == nil && slices.ContainsFunc(offers, func(o store.Offered) bool { return o.Conversation == id })
}

func (a *API) seesConversation(ctx context.Context, right access.Right, id chat.ConversationID) error {
	by := who(ctx)
	if by.All || by.Reach == access.ReachAll {
		return nil
	}
	c, err := a.Store.Conversation(ctx, by.Workspace, id)
	if err != nil {
		return err
	}
	if right == "" {
		right = access.ConversationsRead
	}
	place := access.Place{Assignee: c.Assignee, Queue: c.Queue}
	if !access.Allowed(by, right, access.On{Workspace: by.Workspace, Conversation: &place}) {
		return chat.Faultf(chat.CodeNotFound, "no such conversation")
	}
	return nil
}

// sightOf is what the caller sees of a list of conversations; nil is everything.
func sightOf(by access.Who) *store.Sight {
	switch {
	case by.All || by.Reach == access.ReachAll:
		return nil
	case by.Reach == access.ReachQueues:
		return &store.Sight{Assignee: by.User, Queues: by.Queues}
	default:
		return &store.Sight{Assignee: by.User}
	}
}

// gated puts what stands before every handler into the mux: which conversation is it about, and is it an act for the audit log?
type gated struct{ a *API }

// HandleFunc registers a handler behind the gate.
func (g gated) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	g.a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		rt := g.a.routes[pattern]
		if err := g.a.reaches(r, pattern, rt); err != nil {
			g.a.fail(w, r, err)
			return
		}
		if rt.audits == "" {
			h(w, r)
			return
		}
		g.a.audited(w, r, rt, h)
	})
}

// ServeHTTP is http.Handler.
func (g gated) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.a.mux.ServeHTTP(w, r) }
