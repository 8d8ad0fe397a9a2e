package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/secret"
	"github.com/dragoman-hub/dragoman/store"
)

type tokenCreate struct {
	Keyed
	Body struct {
		Name      string    `json:"name" minLength:"1" maxLength:"200" example:"crm"`
		Scopes    []string  `json:"scopes" minItems:"1" maxItems:"10" nullable:"false" enum:"admin,read,write,channels,flows,tokens,worker"`
		ExpiresAt time.Time `json:"expires_at,omitzero" doc:"Never by default."`
	}
}

type tokenPath struct {
	Keyed
	ID string `path:"id" maxLength:"100"`
}

// NewToken is a token that was made just now; this is the only time that it is shown.
type NewToken struct {
	store.Token
	Secret string `json:"token" doc:"Keep it: it is never shown again."`
}

func (a *API) registerTokens() {
	const tag = "tokens"
	add(a, act{
		method: http.MethodPost, path: "/v1/tokens", id: "createToken", tag: tag, scope: ScopeTokens, status: http.StatusCreated,
		summary: "Make a token", more: "It can have no scope that the caller's token has not got.",
	}, a.createToken)
	add(a, act{method: http.MethodGet, path: "/v1/tokens", id: "listTokens", tag: tag, scope: ScopeTokens, summary: "List tokens, revoked ones too"}, a.listTokens)
	add(a, act{
		method: http.MethodDelete, path: "/v1/tokens/{id}", id: "revokeToken", tag: tag, scope: ScopeTokens, status: http.StatusNoContent,
		summary: "Revoke a token at once and for good", more: "Other nodes follow within seconds.",
	}, a.revokeToken)
}

// within refuses to touch a token that can do more than the caller.
func within(ctx context.Context, scopes []string) error {
	for _, s := range scopes {
		if c := whole(ctx); c.person == nil && !may(c.Token, s) || c.person != nil && !c.who.CoversScope(s) {
			return chat.Faultf(chat.CodeForbidden, "you have not got the scope "+s)
		}
	}
	return nil
}

func (a *API) createToken(ctx context.Context, in *tokenCreate) (*reply[NewToken], error) {
	if err := within(ctx, in.Body.Scopes); err != nil {
		return nil, err
	}
	if at := in.Body.ExpiresAt; !at.IsZero() && !at.After(a.Now()) {
		return nil, invalid(ProblemDetail{"body.expires_at", "is over"})
	}
	t, err := a.makeToken(ctx, store.Token{
		Workspace: here(ctx), Name: in.Body.Name, Scopes: slices.Compact(slices.Sorted(slices.Values(in.Body.Scopes))), ExpiresAt: in.Body.ExpiresAt.UTC(),
	})
	return &reply[NewToken]{t}, err
}

func (a *API) makeToken(ctx context.Context, t store.Token) (NewToken, error) {
	token, _ := secret.NewToken(TokenPrefix)
	t.Hash = TokenHash(token)
	t, err := a.Store.AddToken(ctx, t)
	return NewToken{t, token}, err
}

func (a *API) listTokens(ctx context.Context, _ *none) (*reply[list[store.Token]], error) {
	all, err := a.Store.Tokens(ctx, here(ctx))
	return listOf(all, ""), err
}

func (a *API) revokeToken(ctx context.Context, in *tokenPath) (*empty, error) {
	all, err := a.Store.Tokens(ctx, here(ctx))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(t store.Token) bool { return t.ID == in.ID })
	if i < 0 {
		return nil, chat.Faultf(chat.CodeNotFound, fmt.Sprintf("no token %.40q", in.ID))
	}
	if err := within(ctx, all[i].Scopes); err != nil {
		return nil, err
	}
	if err := a.Store.RevokeToken(ctx, here(ctx), in.ID); err != nil {
		return nil, err
	}
	a.tokens.forget(in.ID)
	a.streams.revoke(in.ID)
	return nil, nil
}
