package access

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// The roles that are built in.
const (
	RoleAdmin      = store.RoleAdmin
	RoleSupervisor = "supervisor"
	RoleAgent      = "agent"
)

// Role is a named set of rights.
type Role struct {
	Name      string    `json:"name"`
	All       bool      `json:"all,omitempty" doc:"It may do everything."`
	Rights    []Right   `json:"rights" nullable:"false"`
	Reach     Reach     `json:"reach" enum:"own,queues,all" doc:"Which conversations it reaches: those assigned to oneself, also those of one's queues, or all."`
	BuiltIn   bool      `json:"built_in" doc:"It cannot be changed."`
	UpdatedAt time.Time `json:"updated_at,omitzero"`

	revision int64
}

// builtIn are the roles that every workspace has.
var builtIn = []Role{
	{Name: RoleAdmin, All: true, Rights: []Right{}, Reach: ReachAll, BuiltIn: true},
	{Name: RoleSupervisor, Reach: ReachAll, BuiltIn: true, Rights: []Right{
		ConversationsRead, ConversationsWrite, ConversationsAssign, ContactsRead, ContactsWrite, ChannelsRead, FlowsRead,
		DeadLettersRead, DeadLettersReplay, ReportsRead, QueuesWrite, DeskWrite,
	}},
	{Name: RoleAgent, Reach: ReachQueues, BuiltIn: true, Rights: []Right{
		ConversationsRead, ConversationsWrite, ConversationsAssign, ContactsRead, ContactsWrite,
	}},
}

// Grant is what the role gives.
func (r Role) Grant() Grant { return Grant{All: r.All, Rights: r.Rights, Reach: r.Reach} }

// BuiltIn finds a role that is built in.
func BuiltIn(name string) (Role, bool) {
	i := slices.IndexFunc(builtIn, func(r Role) bool { return r.Name == name })
	if i < 0 {
		return Role{}, false
	}
	return builtIn[i], true
}

func roleOf(r store.Role) Role {
	out := Role{Name: r.Name, Reach: Reach(r.Reach), Rights: []Right{}, UpdatedAt: r.UpdatedAt, revision: r.Revision}
	for _, name := range r.Rights {
		if right := Right(name); right.Known() { // one that a newer program knew gives nothing
			out.Rights = append(out.Rights, right)
		}
	}
	return out
}

// Role finds a role of a workspace.
func (g *Gate) Role(ctx context.Context, ws chat.WorkspaceID, name string) (Role, error) {
	if r, ok := BuiltIn(name); ok {
		return r, nil
	}
	r, err := g.o.Store.Role(ctx, ws, name)
	return roleOf(r), err
}

// Roles lists those that are built in, then the workspace's own by name.
func (g *Gate) Roles(ctx context.Context, ws chat.WorkspaceID) ([]Role, error) {
	own, err := g.o.Store.Roles(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(builtIn)
	for _, r := range own {
		out = append(out, roleOf(r))
	}
	return out, nil
}

var roleName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,49}$`)

// PutRole makes or replaces a role with no more rights than its author has, before and after.
func (g *Gate) PutRole(ctx context.Context, by Who, name string, rights []Right, reach Reach) (Role, error) {
	if err := checkRole(name, rights, reach); err != nil {
		return Role{}, err
	}
	before, err := g.Role(ctx, by.Workspace, name)
	switch {
	case err == nil && !by.Covers(before.Grant()):
		return Role{}, errMore
	case err != nil && chat.CodeOf(err) != chat.CodeNotFound:
		return Role{}, err
	}
	r := Role{Name: name, Rights: slices.Compact(slices.Sorted(slices.Values(rights))), Reach: reach}
	if !by.Covers(r.Grant()) {
		return Role{}, errMore
	}
	words := make([]string, len(r.Rights))
	for i, right := range r.Rights {
		words[i] = string(right)
	}
	kept, err := g.o.Store.PutRole(ctx, by.Workspace, store.Role{Name: name, Rights: words, Reach: string(reach), Revision: before.revision}, r)
	return roleOf(kept), err
}

func checkRole(name string, rights []Right, reach Reach) error {
	if _, ok := BuiltIn(name); ok {
		return chat.Faultf(chat.CodeForbidden, "this role is built in: make one of another name")
	}
	if !roleName.MatchString(name) {
		return chat.Faultf(chat.CodeInvalid, "a role's name has up to 50 small letters, digits, - and _, and begins with a letter")
	}
	for _, r := range rights {
		if !r.Known() {
			return chat.Faultf(chat.CodeInvalid, "there is no such right: "+string(r))
		}
	}
	if !slices.Contains(reaches, reach) {
		return chat.Faultf(chat.CodeInvalid, "the reach is own, queues or all")
	}
	return nil
}

// DropRole deletes a role that nobody has.
func (g *Gate) DropRole(ctx context.Context, by Who, name string) error {
	if _, ok := BuiltIn(name); ok {
		return chat.Faultf(chat.CodeForbidden, "this role is built in")
	}
	r, err := g.Role(ctx, by.Workspace, name)
	if err != nil {
		return err
	}
	if !by.Covers(r.Grant()) {
		return errMore
	}
	return g.o.Store.DropRole(ctx, by.Workspace, name)
}

// errMore refuses to let somebody hand on, or touch, what they have not got.
var errMore = &chat.Fault{Code: chat.CodeForbidden, Detail: "that has rights which you have not got"}
