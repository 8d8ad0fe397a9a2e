package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

type tokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Add    tokenAddCmd    `cmd:"" help:"Make a token; it is shown once."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokenView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Token     string    `json:"token"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	RevokedAt time.Time `json:"revoked_at"`
}

type tokenListCmd struct{ remote }

// Run lists tokens.
func (c tokenListCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	list, err := listAll[tokenView](ctx, api, "/v1/tokens")
	if err != nil {
		return err
	}
	return table(t.out, "ID\tNAME\tSCOPES\tMADE\tENDS\tREVOKED", func(w io.Writer) {
		for _, k := range list {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(k.Scopes, " "), day(k.CreatedAt), day(k.ExpiresAt), day(k.RevokedAt))
		}
	})
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}

type tokenAddCmd struct {
	remote
	Name    string        `arg:"" help:"Name for people."`
	Scopes  []string      `help:"Rights: admin, read, write, channels, flows, tokens." default:"read,write"`
	Expires time.Duration `help:"How long it is good, such as 720h; for ever by default."`
}

// Run makes a token.
func (c tokenAddCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	body := map[string]any{"name": c.Name, "scopes": c.Scopes}
	if c.Expires > 0 {
		body["expires_at"] = time.Now().Add(c.Expires).UTC().Format(time.RFC3339)
	}
	var k tokenView
	if err := api.call(ctx, http.MethodPost, "/v1/tokens", body, &k); err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.out, k.Token)
	return err
}

type tokenRevokeCmd struct {
	remote
	ID string `arg:"" help:"Token, by its id."`
}

// Run revokes a token.
func (c tokenRevokeCmd) Run(ctx context.Context) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	return api.call(ctx, http.MethodDelete, "/v1/tokens/"+url.PathEscape(c.ID), nil, nil)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func orText(s, other string) string {
	if s != "" {
		return s
	}
	return other
}
