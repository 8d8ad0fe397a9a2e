package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

// OIDC is the OpenID provider at which users may sign in. Without an issuer there is none.
type OIDC struct {
	Issuer    string
	Client    string // id
	Secret    string
	Workspace chat.WorkspaceID // whose users; the first workspace by default
	Role      string           // of users who are made when they come; empty: only known ones get in
}

// oidcTime is how long somebody may take at the provider.
const oidcTime = 10 * time.Minute

// maxAnswer bounds what the provider may answer, in bytes.
const maxAnswer = 1 << 20

// algorithms are the signatures that are believed: asymmetric ones alone, so that no public key is taken for a shared secret.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// provider is what discovery has found. It is asked when it is needed first, and again when that failed.
type provider struct {
	turn  chan struct{} // holds a token while somebody asks; guards found
	found *oidc.Provider
}

// journey is what is remembered in the browser while somebody is at the provider: sealed, so that nobody reads or makes one.
type journey struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Until    time.Time `json:"until"`
}

const journeyPlace = "access/oidc"

// errProvider is the one answer to everything that goes wrong with the provider; the log has the reason.
var errProvider = &chat.Fault{Code: CodeWrong, Detail: "the sign-in at the provider did not succeed: begin again"}

// HasOIDC tells whether there is a provider.
func (g *Gate) HasOIDC() bool { return g.o.OIDC.Issuer != "" }

// StartOIDC begins a sign-in: where to send the browser, and what to remember in its cookie until it comes back.
func (g *Gate) StartOIDC(ctx context.Context, callback string) (location, cookie string, err error) {
	p, err := g.discover(ctx)
	if err != nil {
		return "", "", err
	}
	state, _ := newToken("st")
	nonce, _ := newToken("no")
	j := journey{State: state, Nonce: nonce, Verifier: oauth2.GenerateVerifier(), Until: g.o.Now().Add(oidcTime)}
	plain, err := json.Marshal(j)
	if err != nil {
		return "", "", err
	}
	conf := g.oauth(p, callback)
	location = conf.AuthCodeURL(j.State, oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier))
	return location, g.o.Secrets.Seal(journeyPlace, plain), nil
}

// Return is what the provider sends the browser back with.
type Return struct {
	Code, State, Issuer, Error string
}

// FinishOIDC checks what the provider says about the browser that came back and signs the user in.
func (g *Gate) FinishOIDC(ctx context.Context, cookie string, r Return, callback string, v Visit) (NewSession, error) {
	claims, err := g.identity(ctx, cookie, r, callback)
	if err != nil {
		g.o.Log.WarnContext(ctx, "access: sign-in at the provider refused", "address", v.Address, "err", err)
		if chat.CodeOf(err) != "" {
			return NewSession{}, err
		}
		return NewSession{}, errProvider
	}
	u, err := g.userOf(ctx, claims, v)
	if err != nil {
		return NewSession{}, err
	}
	return g.open(ctx, u, v)
}

// claims are what an ID token says.
type claims struct {
	Subject  string
	Email    string   `json:"email"`
	Verified verified `json:"email_verified"`
	Name     string   `json:"name"`
	Party    string   `json:"azp"`
}

// verified is true, or "true" as some providers write.
type verified bool

// UnmarshalJSON is json.Unmarshaler.
func (v *verified) UnmarshalJSON(raw []byte) error {
	*v = string(raw) == "true" || string(raw) == `"true"`
	return nil
}

// identity exchanges the code and verifies the ID token: signature, issuer, audience, times, nonce.
func (g *Gate) identity(ctx context.Context, cookie string, r Return, callback string) (claims, error) {
	j, err := g.readJourney(cookie)
	if err != nil {
		return claims{}, err
	}
	switch {
	case !secret.Equal(j.State, r.State):
		return claims{}, errors.New("the state is not the one that was given")
	case r.Issuer != "" && r.Issuer != g.o.OIDC.Issuer:
		return claims{}, errors.New("another issuer answers")
	case r.Error != "" || r.Code == "":
		return claims{}, fmt.Errorf("the provider refused: %.100q", r.Error)
	}
	p, err := g.discover(ctx)
	if err != nil {
		return claims{}, err
	}
	token, err := g.oauth(p, callback).Exchange(g.client(ctx), r.Code, oauth2.VerifierOption(j.Verifier))
	if err != nil {
		return claims{}, exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	verifier := p.VerifierContext(g.client(ctx), &oidc.Config{ClientID: g.o.OIDC.Client, SupportedSigningAlgs: algorithms, Now: g.o.Now})
	id, err := verifier.Verify(g.client(ctx), raw)
	if err != nil {
		return claims{}, err
	}
	if !secret.Equal(id.Nonce, j.Nonce) {
		return claims{}, errors.New("the nonce is not the one that was given")
	}
	c := claims{}
	if err := id.Claims(&c); err != nil {
		return claims{}, err
	}
	if c.Party != "" && c.Party != g.o.OIDC.Client || c.Party == "" && len(id.Audience) > 1 {
		return claims{}, errors.New("the token was made for another party")
	}
	c.Subject = id.Issuer + "|" + id.Subject
	return c, nil
}

// exchangeError leaves out what the provider answered: it may hold tokens.
func exchangeError(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the provider did not take the code: %.100q", e.ErrorCode)
	}
	return errors.New("the code could not be exchanged")
}

func (g *Gate) readJourney(cookie string) (j journey, err error) {
	plain, err := g.o.Secrets.Open(journeyPlace, cookie)
	if err != nil {
		return j, errors.New("this browser has not begun here")
	}
	if err := json.Unmarshal(plain, &j); err != nil {
		return j, err
	}
	if !g.o.Now().Before(j.Until) {
		return j, errors.New("it took too long")
	}
	return j, nil
}

// userOf finds the user: by who it is at the provider, else by the e-mail that the provider has verified, else a new one where that is
// allowed. A user who is bound to somebody at the provider stays bound: an address that changes hands does not open the account.
func (g *Gate) userOf(ctx context.Context, c claims, v Visit) (store.User, error) {
	ws, err := g.workspace(ctx, g.o.OIDC.Workspace)
	if err != nil {
		return store.User{}, err
	}
	u, err := g.o.Store.UserBySubject(ctx, ws, c.Subject)
	if chat.CodeOf(err) == chat.CodeNotFound {
		u, err = g.userByMail(ctx, ws, c, v)
	}
	if err == nil && u.Status != store.UserActive {
		err = errNoEntry
	}
	return u, err
}

var errNoEntry = &chat.Fault{Code: chat.CodeForbidden, Detail: "nobody here has that address, or the account is disabled"}

func (g *Gate) userByMail(ctx context.Context, ws chat.WorkspaceID, c claims, v Visit) (store.User, error) {
	email, err := readEmail(c.Email)
	if err != nil || !bool(c.Verified) {
		return store.User{}, chat.Faultf(chat.CodeForbidden, "the provider has not verified an e-mail address")
	}
	u, err := g.o.Store.UserByEmail(ctx, ws, email)
	switch {
	case chat.CodeOf(err) == chat.CodeNotFound:
		return g.signUp(ctx, ws, email, c, v)
	case err != nil:
		return u, err
	}
	bound := g.ownAct(ctx, u, "bindAtProvider")
	bound.Address, bound.Action = v.Address, v.Action
	if g.o.Store.BindSubject(store.WithAudit(ctx, bound), u, c.Subject) != nil {
		return u, errNoEntry
	}
	return u, nil
}

// signUp makes a user of somebody whom the provider knows.
func (g *Gate) signUp(ctx context.Context, ws chat.WorkspaceID, email string, c claims, v Visit) (store.User, error) {
	if g.o.OIDC.Role == "" {
		return store.User{}, errNoEntry
	}
	if _, err := g.Role(ctx, ws, g.o.OIDC.Role); err != nil {
		return store.User{}, errNoEntry
	}
	u := store.User{Workspace: ws, Email: email, Name: email, Role: g.o.OIDC.Role, Status: store.UserActive, Subject: c.Subject}
	named := u
	if named.Name = c.Name; checkUser(named) == nil {
		u = named
	}
	ctx = store.WithAudit(ctx, &store.Audit{
		Workspace: ws, Actor: store.Actor{Type: "user", Name: email}, Act: "signUpAtProvider", Kind: "user", Address: v.Address, Action: v.Action,
	})
	return g.o.Store.AddUser(ctx, u)
}

func (g *Gate) oauth(p *oidc.Provider, callback string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: g.o.OIDC.Client, ClientSecret: g.o.OIDC.Secret, Endpoint: p.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// discover asks the provider for its addresses and keys, one at a time.
func (g *Gate) discover(ctx context.Context) (*oidc.Provider, error) {
	if !g.HasOIDC() || g.o.HTTP == nil {
		return nil, chat.Faultf(chat.CodeNotFound, "no OpenID provider is set up")
	}
	select {
	case g.provider.turn <- struct{}{}:
		defer func() { <-g.provider.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if g.provider.found != nil {
		return g.provider.found, nil
	}
	p, err := oidc.NewProvider(g.client(ctx), g.o.OIDC.Issuer)
	if err != nil {
		g.o.Log.WarnContext(ctx, "access: the OpenID provider cannot be asked", "err", err)
		return nil, chat.Faultf(chat.CodeUnavailable, "the OpenID provider does not answer as it should")
	}
	if e := p.Endpoint(); e.AuthURL == "" || e.TokenURL == "" {
		return nil, chat.Faultf(chat.CodeUnavailable, "the OpenID provider does not say where to go")
	}
	g.provider.found = p
	return p, nil
}

// client hands the guarded HTTP client to the libraries, with a bound to what is read.
func (g *Gate) client(ctx context.Context) context.Context {
	c := *g.o.HTTP
	c.Transport = bounded{c.Transport}
	return oidc.ClientContext(ctx, &c)
}

// bounded cuts answers off that are too long to be honest.
type bounded struct{ next http.RoundTripper }

// RoundTrip is http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	res, err := next.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}
