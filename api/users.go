package api

import (
	"context"
	"net/http"

	"github.com/dragoman-hub/dragoman/access"
	"github.com/dragoman-hub/dragoman/store"
)

// UserPath names a user.
type UserPath struct {
	ID string `path:"id" maxLength:"100"`
}

type userQuery struct {
	Paging
	Status store.UserStatus `query:"status" enum:"active,disabled"`
	Role   string           `query:"role" maxLength:"50"`
	Text   string           `query:"q" maxLength:"200" doc:"In the name or the e-mail."`
}

type userCreate struct {
	Keyed
	Body struct {
		Email     string   `json:"email" minLength:"3" maxLength:"254"`
		Name      string   `json:"name,omitempty" maxLength:"200" doc:"The e-mail by default."`
		Role      string   `json:"role" minLength:"1" maxLength:"50" example:"agent"`
		Languages []string `json:"languages,omitempty" maxItems:"20" nullable:"false" doc:"BCP 47"`
	}
}

type userPatch struct {
	Keyed
	UserPath
	Body struct {
		Email     *string           `json:"email,omitempty" minLength:"3" maxLength:"254"`
		Name      *string           `json:"name,omitempty" minLength:"1" maxLength:"200"`
		Role      *string           `json:"role,omitempty" minLength:"1" maxLength:"50"`
		Languages *[]string         `json:"languages,omitempty" maxItems:"20" nullable:"false"`
		Status    *store.UserStatus `json:"status,omitempty" enum:"active,disabled" doc:"disabled signs the user out everywhere."`
	}
}

type userAct struct {
	Keyed
	UserPath
}

type userSession struct {
	Keyed
	UserPath
	Session string `path:"session" maxLength:"100"`
}

// PasswordLink lets a user set a password, once.
type PasswordLink struct {
	access.Link
	URL string `json:"url" doc:"The page that takes it."`
}

// InvitedUser is a user who was made just now, with the link to begin with.
type InvitedUser struct {
	store.User
	Link PasswordLink `json:"link"`
}

func (a *API) registerUsers() {
	const tag, one = "users", "/v1/users/{id}"
	user := func(method, path, id, summary, more string, status int) act {
		return act{method: method, path: path, id: id, tag: tag, scope: ScopeAdmin, summary: summary, more: more, status: status}
	}
	add(a, user(http.MethodPost, "/v1/users", "createUser", "Invite a user",
		"The role can have no more rights than one's own. The answer has a one-time link with which the user sets a password.", http.StatusCreated), a.createUser)
	add(a, user(http.MethodGet, "/v1/users", "listUsers", "List users, the oldest first", "", 0), a.users)
	add(a, user(http.MethodGet, one, "getUser", "Read a user", "", 0), a.user)
	add(a, user(http.MethodPatch, one, "changeUser", "Change a user", "What is left out stays. The last admin cannot be changed into none.", 0), a.patchUser)
	add(a, user(http.MethodPost, one+"/link", "createUserLink", "Make a link with which the user sets a new password", "Earlier links end.", http.StatusCreated), a.createUserLink)
	add(a, user(http.MethodDelete, one+"/totp", "resetUserTOTP", "Let a user who lost the authenticator app sign in without", "", http.StatusNoContent), a.resetUserTOTP)
	add(a, user(http.MethodGet, one+"/sessions", "listUserSessions", "List where a user is signed in", "", 0), a.userSessions)
	add(a, user(http.MethodDelete, one+"/sessions", "revokeUserSessions", "Sign a user out everywhere", "", http.StatusNoContent), a.revokeUserSessions)
	add(a, user(http.MethodDelete, one+"/sessions/{session}", "revokeUserSession", "Sign a user out there", "", http.StatusNoContent), a.revokeUserSession)
}

// linkPage is where a page will take the link's token: behind the #, so that no log and no other site sees it.
const linkPage = "/sign-in#"

func (a *API) linkOf(l access.Link) PasswordLink {
	return PasswordLink{Link: l, URL: a.Public + linkPage + l.Token}
}

func (a *API) createUser(ctx context.Context, in *userCreate) (*reply[InvitedUser], error) {
	b := in.Body
	u, link, err := a.gate.AddUser(ctx, who(ctx), access.NewUser{Email: b.Email, Name: b.Name, Role: b.Role, Languages: b.Languages})
	return &reply[InvitedUser]{InvitedUser{u, a.linkOf(link)}}, err
}

func (a *API) users(ctx context.Context, in *userQuery) (*reply[list[store.User]], error) {
	all, next, err := a.Store.Users(ctx, here(ctx), store.UserFilter{Status: in.Status, Role: in.Role, Text: in.Text, After: in.Cursor, Limit: in.Limit})
	return listOf(all, next), err
}

func (a *API) user(ctx context.Context, in *UserPath) (*reply[store.User], error) {
	u, err := a.Store.User(ctx, here(ctx), in.ID)
	return &reply[store.User]{u}, err
}

func (a *API) patchUser(ctx context.Context, in *userPatch) (*reply[store.User], error) {
	b := in.Body
	u, err := a.gate.PatchUser(ctx, who(ctx), in.ID, access.UserPatch{Email: b.Email, Name: b.Name, Role: b.Role, Languages: b.Languages, Status: b.Status})
	return &reply[store.User]{u}, a.signedOut(in.ID, err)
}

func (a *API) createUserLink(ctx context.Context, in *userAct) (*reply[PasswordLink], error) {
	link, err := a.gate.NewLink(ctx, who(ctx), in.ID)
	return &reply[PasswordLink]{a.linkOf(link)}, err
}

func (a *API) resetUserTOTP(ctx context.Context, in *userAct) (*empty, error) {
	return nil, a.gate.ResetTOTP(ctx, who(ctx), in.ID)
}

func (a *API) userSessions(ctx context.Context, in *UserPath) (*reply[list[store.Session]], error) {
	all, err := a.gate.Sessions(ctx, who(ctx), in.ID)
	return listOf(all, ""), err
}

func (a *API) revokeUserSessions(ctx context.Context, in *userAct) (*empty, error) {
	return nil, a.signedOut(in.ID, a.gate.RevokeAll(ctx, who(ctx), in.ID, ""))
}

func (a *API) revokeUserSession(ctx context.Context, in *userSession) (*empty, error) {
	return nil, a.signedOut(in.ID, a.gate.Revoke(ctx, who(ctx), in.ID, in.Session))
}
