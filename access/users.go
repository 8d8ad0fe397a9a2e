package access

import (
	"context"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// NewUser is somebody to be let in.
type NewUser struct {
	Email     string
	Name      string // the e-mail by default
	Role      string
	Languages []string
}

// AddUser makes a user with no more rights than its author has, and a link with which the user sets a password.
func (g *Gate) AddUser(ctx context.Context, by Who, n NewUser) (store.User, Link, error) {
	u := store.User{Workspace: by.Workspace, Name: strings.TrimSpace(n.Name), Role: n.Role, Languages: n.Languages, Status: store.UserActive}
	var err error
	if u.Email, err = readEmail(n.Email); err != nil {
		return u, Link{}, err
	}
	if u.Name == "" {
		u.Name = u.Email
	}
	if err := checkUser(u); err != nil {
		return u, Link{}, err
	}
	if err := g.mayGive(ctx, by, n.Role); err != nil {
		return u, Link{}, err
	}
	link, stored := g.newLink()
	u, err = g.o.Store.AddUser(ctx, u, stored)
	return u, link, err
}

// UserPatch is what may be changed of a user; nil stays.
type UserPatch struct {
	Email     *string
	Name      *string
	Role      *string
	Languages *[]string
	Status    *store.UserStatus
}

// PatchUser changes a user who has no more rights than the caller, before and after.
func (g *Gate) PatchUser(ctx context.Context, by Who, id string, p UserPatch) (store.User, error) {
	u, err := g.mayTouch(ctx, by, id)
	if err != nil {
		return u, err
	}
	if p.Email != nil {
		if u.Email, err = readEmail(*p.Email); err != nil {
			return u, err
		}
	}
	if p.Name != nil {
		u.Name = strings.TrimSpace(*p.Name)
	}
	if p.Languages != nil {
		u.Languages = *p.Languages
	}
	if p.Status != nil {
		u.Status = *p.Status
	}
	if p.Role != nil && *p.Role != u.Role {
		if err := g.mayGive(ctx, by, *p.Role); err != nil {
			return u, err
		}
		u.Role = *p.Role
	}
	if err := checkUser(u); err != nil {
		return u, err
	}
	if u.ID == by.User && u.Status != store.UserActive {
		return u, chat.Faultf(chat.CodeConflict, "that is you: let somebody else do it")
	}
	return g.o.Store.SetUser(ctx, u)
}

// NewLink makes a link with which a user sets a new password; earlier ones end.
func (g *Gate) NewLink(ctx context.Context, by Who, id string) (Link, error) {
	u, err := g.mayTouch(ctx, by, id)
	if err != nil {
		return Link{}, err
	}
	if u.Status != store.UserActive {
		return Link{}, chat.Faultf(chat.CodeConflict, "the user is disabled")
	}
	link, stored := g.newLink()
	return link, g.o.Store.AddLink(ctx, u, stored)
}

// ResetTOTP lets a user who lost the authenticator app sign in without.
func (g *Gate) ResetTOTP(ctx context.Context, by Who, id string) error {
	u, err := g.mayTouch(ctx, by, id)
	if err != nil {
		return err
	}
	return g.o.Store.DropTOTP(ctx, u)
}

// mayGive refuses a role that is not there, or has more than the caller.
func (g *Gate) mayGive(ctx context.Context, by Who, role string) error {
	r, err := g.Role(ctx, by.Workspace, role)
	switch {
	case chat.CodeOf(err) == chat.CodeNotFound:
		return chat.Faultf(chat.CodeInvalid, "there is no such role")
	case err != nil:
		return err
	case !by.Covers(r.Grant()):
		return errMore
	default:
		return nil
	}
}

// mayTouch finds a user who is the caller, or has no more rights than the caller.
func (g *Gate) mayTouch(ctx context.Context, by Who, id string) (store.User, error) {
	u, err := g.o.Store.User(ctx, by.Workspace, id)
	if err != nil || by.User == u.ID {
		return u, err
	}
	r, err := g.Role(ctx, by.Workspace, u.Role)
	switch {
	case chat.CodeOf(err) == chat.CodeNotFound: // a role that is gone gives nothing
		return u, nil
	case err != nil:
		return store.User{}, err
	case !by.Covers(r.Grant()):
		return store.User{}, errMore
	default:
		return u, nil
	}
}

// foldEmail makes one address of the ways in which it can be written.
func foldEmail(s string) string {
	if len(s) > 3*maxEmail {
		s = s[:3*maxEmail] // no address, and not worth more work
	}
	return strings.ToLower(strings.TrimSpace(s))
}

const maxEmail = 254

func readEmail(s string) (string, error) {
	s = foldEmail(s)
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > maxEmail || !utf8.ValidString(s) {
		return "", chat.Faultf(chat.CodeInvalid, "that is no e-mail address")
	}
	return s, nil
}

var language = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

func checkUser(u store.User) error {
	switch {
	case u.Name == "" || utf8.RuneCountInString(u.Name) > 200 || !utf8.ValidString(u.Name):
		return chat.Faultf(chat.CodeInvalid, "a name has 1 to 200 characters")
	case len(u.Languages) > 20:
		return chat.Faultf(chat.CodeInvalid, "more than 20 languages")
	case u.Status != store.UserActive && u.Status != store.UserDisabled:
		return chat.Faultf(chat.CodeInvalid, "the status is active or disabled")
	}
	for _, l := range u.Languages {
		if !language.MatchString(l) {
			return chat.Faultf(chat.CodeInvalid, "a language is a tag such as en or pt-BR")
		}
	}
	return nil
}
