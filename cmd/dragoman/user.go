package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type userCmd struct {
	List  userListCmd  `cmd:"" help:"List users."`
	Add   userAddCmd   `cmd:"" help:"Invite a user; the one-time link is shown once."`
	Reset userResetCmd `cmd:"" help:"Make a link with which a user sets a new password."`
}

type userView struct {
	ID      string    `json:"id"`
	Email   string    `json:"email"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Status  string    `json:"status"`
	TOTP    bool      `json:"totp"`
	LoginAt time.Time `json:"login_at"`
	Link    linkView  `json:"link"`
}

type linkView struct {
	Token     string    `json:"token"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// show prints a link and, for who has no page at hand, the call that uses it.
func (l linkView) show(w io.Writer, base string) error {
	if strings.HasPrefix(l.URL, "/") {
		l.URL = base + l.URL
	}
	_, err := fmt.Fprintf(w, `%s

Good once, until %s. Without a browser:

  curl -d '{"token":"%s","password":"..."}' -H 'Content-Type: application/json' %s/login/link
`, l.URL, l.ExpiresAt.Local().Format(time.DateTime), l.Token, base)
	return err
}

type userListCmd struct{ remote }

// Run lists users.
func (c userListCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	list, err := listAll[userView](ctx, api, "/v1/users")
	if err != nil {
		return err
	}
	return table(t.out, "ID\tE-MAIL\tNAME\tROLE\tSTATUS\tTOTP\tSEEN", func(w io.Writer) {
		for _, u := range list {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%t\t%s\n", u.ID, u.Email, u.Name, u.Role, u.Status, u.TOTP, day(u.LoginAt))
		}
	})
}

type userAddCmd struct {
	remote
	Email     string   `arg:"" help:"E-mail address to sign in with."`
	Name      string   `help:"Name for people; the address by default."`
	Role      string   `help:"What the user may do: admin, supervisor, agent, or a role of your own (default: agent)." xor:"role"`
	Admin     bool     `help:"The same as --role admin." xor:"role"`
	Languages []string `help:"Languages that the user speaks, such as en,pt-BR."`
}

// Run invites a user.
func (c userAddCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	body := map[string]any{"email": c.Email, "role": orText(c.Role, "agent")}
	if c.Admin {
		body["role"] = "admin"
	}
	if c.Name != "" {
		body["name"] = c.Name
	}
	if len(c.Languages) > 0 {
		body["languages"] = c.Languages
	}
	var u userView
	if err := api.call(ctx, http.MethodPost, "/v1/users", body, &u); err != nil {
		return err
	}
	return u.Link.show(t.out, api.base)
}

type userResetCmd struct {
	remote
	User string `arg:"" help:"User, by e-mail or id."`
}

// Run makes a new link.
func (c userResetCmd) Run(ctx context.Context, t terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	id, err := userID(ctx, api, c.User)
	if err != nil {
		return err
	}
	var l linkView
	if err := api.call(ctx, http.MethodPost, "/v1/users/"+url.PathEscape(id)+"/link", nil, &l); err != nil {
		return err
	}
	return l.show(t.out, api.base)
}

// userID finds a user by e-mail; what is none is an id.
func userID(ctx context.Context, api *client, name string) (string, error) {
	if !strings.Contains(name, "@") {
		return name, nil
	}
	list, err := listAll[userView](ctx, api, "/v1/users?q="+url.QueryEscape(name))
	if err != nil {
		return "", err
	}
	for _, u := range list {
		if strings.EqualFold(u.Email, name) {
			return u.ID, nil
		}
	}
	return "", fmt.Errorf("no user has the address %s", name)
}
