package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/chat"
)

// The cookie of a browser that is at the provider, and where the provider sends it back to.
const (
	journeyCookie = "dragoman_oidc"
	callbackPath  = "/login/oidc/callback"
)

func (a *API) registerOIDC() {
	str := &huma.Schema{Type: huma.TypeString}
	a.openPage("/login/oidc", "startOIDC", "Sign in at the OpenID provider", "303", "To the provider.", nil, a.startOIDC)
	a.openPage(callbackPath, "finishOIDC", "Come back from the OpenID provider", "303", "To the desk, with the session's cookie.", []*huma.Param{
		{Name: "code", In: "query", Schema: str},
		{Name: "state", In: "query", Schema: str},
		{Name: "iss", In: "query", Schema: str},
		{Name: "error", In: "query", Schema: str},
	}, a.finishOIDC)
}

// openPage registers a page for browsers that answers with where to go next.
func (a *API) openPage(path, id, summary, status, words string, params []*huma.Param, h func(http.ResponseWriter, *http.Request) error) {
	op := act{method: http.MethodGet, path: path, id: id, tag: "sessions", summary: summary}.operation()
	op.Security, op.Parameters = nil, params
	op.Responses = map[string]*huma.Response{status: {Description: words}, "default": problemResponse()}
	a.huma.OpenAPI().AddOperation(&op)
	a.handle(http.MethodGet+" "+path, route{open: true}, h)
}

// callback is our address as the provider knows it.
func (a *API) callback(r *http.Request) string {
	u := a.calledURL(r)
	if a.Public != "" {
		return a.Public + callbackPath
	}
	return u.Scheme + "://" + u.Host + callbackPath
}

// journeyName is such that, over https, no other host can plant the cookie.
func (a *API) journeyName(r *http.Request) string {
	if a.secure(r) {
		return "__Host-" + journeyCookie
	}
	return journeyCookie
}

func (a *API) journey(r *http.Request, value string) *http.Cookie {
	c := &http.Cookie{Name: a.journeyName(r), Value: value, Path: "/login/oidc", MaxAge: 600, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: a.secure(r)}
	if c.Secure {
		c.Path = "/" // the prefix wants it
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func (a *API) startOIDC(w http.ResponseWriter, r *http.Request) error {
	location, cookie, err := a.gate.StartOIDC(r.Context(), a.callback(r))
	if err != nil {
		return err
	}
	http.SetCookie(w, a.journey(r, cookie))
	return seeOther(w, location)
}

func (a *API) finishOIDC(w http.ResponseWriter, r *http.Request) error {
	if !a.gate.HasOIDC() {
		return chat.Faultf(chat.CodeNotFound, "no OpenID provider is set up")
	}
	v, q := visitOf(r.Context()), r.URL.Query()
	http.SetCookie(w, a.journey(r, "")) // good for one return
	journeys := r.CookiesNamed(a.journeyName(r))
	if len(journeys) != 1 { // of several none is believed
		return problem(codeUnauthorized, "this browser has not begun here: begin again")
	}
	s, err := a.gate.FinishOIDC(r.Context(), journeys[0].Value,
		access.Return{Code: q.Get("code"), State: q.Get("state"), Issuer: q.Get("iss"), Error: q.Get("error")}, a.callback(r), v.Visit)
	if err != nil {
		return err
	}
	for _, line := range a.setCookie(r, s.Token, s.ExpiresAt.Sub(a.Now())) {
		w.Header().Add("Set-Cookie", line)
	}
	return seeOther(w, "/")
}

func seeOther(w http.ResponseWriter, location string) error {
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
