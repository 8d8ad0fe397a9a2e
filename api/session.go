package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The session cookie, its name where cookies can be kept to https and this host, and the header that proves that a page of ours asks.
const (
	cookieName       = "dragoman_session"
	secureCookieName = "__Host-" + cookieName
	csrfHeader       = "X-CSRF-Token"
)

// codeCSRF is for writes with a cookie that do not prove that they come from our pages.
const codeCSRF = "csrf"

type loginPost struct {
	Body struct {
		Email     string           `json:"email" minLength:"1" maxLength:"254"`
		Password  string           `json:"password" minLength:"1" maxLength:"256"`
		Code      string           `json:"code,omitempty" maxLength:"100" doc:"Of the authenticator app, or a recovery code; asked for with the code totp_required."`
		Workspace chat.WorkspaceID `json:"workspace,omitempty" maxLength:"100" doc:"The first one by default."`
	}
}

type linkPost struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"100"`
		Password string `json:"password" minLength:"1" maxLength:"256" doc:"10 characters or more, and not the e-mail address."`
	}
}

// LinkUsed tells who has a new password.
type LinkUsed struct {
	Email string `json:"email" doc:"To sign in with."`
}

// LoginWays are the ways to sign in, beside the password.
type LoginWays struct {
	OIDC bool `json:"oidc" doc:"At an OpenID provider: GET /login/oidc."`
}

type passwordPut struct {
	Keyed
	Body struct {
		Current  string `json:"current" minLength:"1" maxLength:"256"`
		Code     string `json:"code,omitempty" maxLength:"100"`
		Password string `json:"password" minLength:"1" maxLength:"256" doc:"10 characters or more, and not the e-mail address."`
	}
}

type ownSession struct {
	Keyed
	ID string `path:"id" maxLength:"100"`
}

// SessionView is who has signed in, and what a page needs to know.
type SessionView struct {
	User      store.User `json:"user"`
	Session   string     `json:"session" doc:"The session's id."`
	ExpiresAt time.Time  `json:"expires_at"`
	CSRF      string     `json:"csrf_token" doc:"For the header X-CSRF-Token of writes."`
	Can
}

// Can is what somebody may do.
type Can struct {
	All    bool           `json:"all,omitempty" doc:"Everything."`
	Rights []access.Right `json:"rights" nullable:"false"`
	Reach  access.Reach   `json:"reach" doc:"Which conversations: own, queues or all."`
	Queues []string       `json:"queues,omitempty" nullable:"false"`
}

func canOf(w access.Who) Can {
	return Can{All: w.All, Rights: append([]access.Right{}, w.Rights...), Reach: w.Reach, Queues: w.Queues}
}

// sessionReply sets or clears the cookie.
type sessionReply struct {
	SetCookie []string `header:"Set-Cookie" doc:"The session's cookie."`
	Body      SessionView
}

type emptyReply struct {
	SetCookie []string `header:"Set-Cookie" doc:"Clears the session's cookie."`
}

func (a *API) registerSessions() {
	const tag = "sessions"
	add(a, act{
		method: http.MethodPost, path: "/login", id: "login", tag: tag, open: true, summary: "Sign in",
		more: "Sets the session's cookie. 401 says nothing more than that something is wrong; its code is totp_required when the password is right and a code is missing. 429 says when to come again.",
	}, a.login)
	add(a, act{
		method: http.MethodPost, path: "/login/link", id: "usePasswordLink", tag: tag, open: true,
		summary: "Set a password with a one-time link", more: "All sessions of the user end. Sign in afterwards, with the address that the answer names.",
	}, a.useLink)
	add(a, act{method: http.MethodGet, path: "/login/ways", id: "loginWays", tag: tag, open: true, summary: "Which ways to sign in are there?"}, a.loginWays)
	person := func(method, path, id, summary, more string, status int) act {
		return act{method: method, path: path, id: id, tag: tag, person: true, summary: summary, more: more, status: status}
	}
	add(a, person(http.MethodGet, "/v1/session", "getSession", "Who has signed in here?", "", 0), a.session)
	add(a, person(http.MethodDelete, "/v1/session", "logout", "Sign out", "", http.StatusNoContent), a.logout)
	add(a, person(http.MethodGet, "/v1/sessions", "listSessions", "List where one is signed in", "", 0), a.ownSessions)
	add(a, person(http.MethodDelete, "/v1/sessions", "revokeSessions", "Sign out everywhere else", "", http.StatusNoContent), a.revokeOwnSessions)
	add(a, person(http.MethodDelete, "/v1/sessions/{id}", "revokeSession", "Sign out there", "", http.StatusNoContent), a.revokeOwnSession)
	add(a, person(http.MethodPut, "/v1/me/password", "changePassword", "Change one's password", "All other sessions end.", http.StatusNoContent), a.changePassword)
	a.registerTOTP()
	a.registerOIDC()
}

// visit is what is noted of where a request comes from.
type visit struct {
	access.Visit
	r *http.Request
}

type visitKey struct{}

func (a *API) withVisit(r *http.Request) *http.Request {
	v := visit{access.Visit{Address: a.remoteIP(r), Agent: strings.ToValidUTF8(r.UserAgent(), ""), Action: actionOf(r.Context())}, r}
	return r.WithContext(access.WithVisit(context.WithValue(r.Context(), visitKey{}, v), v.Visit))
}

func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

// secure tells whether the browser speaks https with us, by the address under which we are reached.
func (a *API) secure(r *http.Request) bool {
	return strings.HasPrefix(a.Public, "https://") || r.TLS != nil || a.TrustProxy && r.Header.Get("X-Forwarded-Proto") == "https"
}

// cookie finds the session's cookie; "" without one. Of several none is believed.
func (a *API) cookie(r *http.Request) string {
	name := cookieName
	if a.secure(r) {
		name = secureCookieName
	}
	if all := r.CookiesNamed(name); len(all) == 1 && len(all[0].Value) <= 200 {
		return all[0].Value
	}
	return ""
}

func (a *API) setCookie(r *http.Request, value string, life time.Duration) []string {
	c := &http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if a.secure(r) {
		c.Name, c.Secure = secureCookieName, true
	}
	if value == "" {
		c.MaxAge = -1
	}
	return []string{c.String()}
}

// ownOrigin tells whether a request comes from a page of this installation: of the public address, or of the one that was called.
func (a *API) ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	public, err := url.Parse(a.Public)
	if err == nil && public.Host != "" {
		if origin == public.Scheme+"://"+public.Host {
			return true
		}
		if !isLoopback(r.Host) {
			return false
		}
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if a.TrustProxy {
		scheme = orElse(r.Header.Get("X-Forwarded-Proto"), scheme)
		host = orElse(r.Header.Get("X-Forwarded-Host"), host)
	}
	return origin == scheme+"://"+host
}

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// signInProblem words what refuses a sign-in.
func signInProblem(err error) error {
	if t, ok := errors.AsType[*access.ThrottledError](err); ok {
		return problem(codeThrottled, "too many attempts to sign in: come back later").retryAfter(t.After)
	}
	return err
}

func (a *API) login(ctx context.Context, in *loginPost) (*sessionReply, error) {
	v := visitOf(ctx)
	if v.r.Header.Get("Origin") != "" && !a.ownOrigin(v.r) {
		return nil, problem(codeCSRF, "the request does not come from a page of this installation")
	}
	b := in.Body
	s, err := a.gate.Login(ctx, access.Credentials{Workspace: b.Workspace, Email: b.Email, Password: b.Password, Code: b.Code}, v.Visit)
	if err != nil {
		return nil, signInProblem(err)
	}
	return a.entered(ctx, v, s)
}

// entered is the answer to a sign-in.
func (a *API) entered(ctx context.Context, v visit, s access.NewSession) (*sessionReply, error) {
	in, err := a.gate.Session(ctx, s.Token)
	if err != nil {
		return nil, err
	}
	return &sessionReply{SetCookie: a.setCookie(v.r, s.Token, s.ExpiresAt.Sub(a.Now())), Body: viewOf(in, s.Token)}, nil
}

func viewOf(in access.SignedIn, cookie string) SessionView {
	return SessionView{User: in.User, Session: in.Session.ID, ExpiresAt: in.Session.ExpiresAt, CSRF: access.CSRF(cookie), Can: canOf(in.Who)}
}

func (a *API) useLink(ctx context.Context, in *linkPost) (*reply[LinkUsed], error) {
	u, err := a.gate.UseLink(ctx, in.Body.Token, in.Body.Password)
	return &reply[LinkUsed]{LinkUsed{u.Email}}, err
}

func (a *API) loginWays(context.Context, *none) (*reply[LoginWays], error) {
	return &reply[LoginWays]{LoginWays{a.gate.HasOIDC()}}, nil
}

func (a *API) session(ctx context.Context, _ *none) (*reply[SessionView], error) {
	c := whole(ctx)
	return &reply[SessionView]{viewOf(*c.person, c.cookie)}, nil
}

func (a *API) logout(ctx context.Context, _ *Keyed) (*emptyReply, error) {
	c := whole(ctx)
	err := a.gate.Revoke(ctx, c.who, c.ID, c.person.Session.ID)
	if chat.CodeOf(err) == chat.CodeNotFound { // another request was faster
		err = nil
	}
	a.streams.revoke(c.ID)
	return &emptyReply{a.setCookie(visitOf(ctx).r, "", 0)}, err
}

func (a *API) ownSessions(ctx context.Context, _ *none) (*reply[list[store.Session]], error) {
	all, err := a.gate.Sessions(ctx, who(ctx), whole(ctx).ID)
	return listOf(all, ""), err
}

func (a *API) revokeOwnSession(ctx context.Context, in *ownSession) (*empty, error) {
	return nil, a.signedOut(whole(ctx).ID, a.gate.Revoke(ctx, who(ctx), whole(ctx).ID, in.ID))
}

func (a *API) revokeOwnSessions(ctx context.Context, _ *Keyed) (*empty, error) {
	c := whole(ctx)
	return nil, a.signedOut(c.ID, a.gate.RevokeAll(ctx, c.who, c.ID, c.person.Session.ID))
}

// signedOut ends a user's streams: those of sessions that are left come back.
func (a *API) signedOut(user string, err error) error {
	if err == nil {
		a.streams.revoke(user)
	}
	return err
}

func (a *API) changePassword(ctx context.Context, in *passwordPut) (*empty, error) {
	c := whole(ctx)
	err := a.gate.ChangePassword(ctx, *c.person, in.Body.Current, in.Body.Code, in.Body.Password)
	return nil, signInProblem(a.signedOut(c.ID, err))
}
