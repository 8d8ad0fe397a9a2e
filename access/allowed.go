package access

import (
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// Reach is how far rights over conversations go.
type Reach string

// The reaches, from the narrowest.
const (
	ReachOwn    Reach = "own"    // assigned to oneself
	ReachQueues Reach = "queues" // also all of one's queues
	ReachAll    Reach = "all"
)

var reaches = []Reach{ReachOwn, ReachQueues, ReachAll}

// Covers tells whether one reach goes at least as far as another.
func (r Reach) Covers(other Reach) bool {
	mine, theirs := slices.Index(reaches, r), slices.Index(reaches, other)
	return mine >= 0 && theirs >= 0 && mine >= theirs
}

// Grant is what a role or a token's scopes give.
type Grant struct {
	All    bool // everything, also what this table does not know yet
	Rights []Right
	Reach  Reach
}

// Has tells whether a right is among them.
func (g Grant) Has(r Right) bool { return g.All || slices.Contains(g.Rights, r) }

// Covers tells whether a grant has everything that another one has. Nobody gives away more than they have.
func (g Grant) Covers(other Grant) bool {
	if g.All {
		return true
	}
	if other.All || !g.Reach.Covers(other.Reach) {
		return false
	}
	return !slices.ContainsFunc(other.Rights, func(r Right) bool { return !g.Has(r) })
}

// CoversScope tells whether a token of the scope would have no more than this grant. A scope that no right belongs to is the admins'.
func (g Grant) CoversScope(scope string) bool {
	rights := RightsOf(scope)
	return g.All || scope != ScopeAdmin && len(rights) > 0 && g.Covers(Grant{Rights: rights, Reach: ReachAll})
}

// ScopeGrant is what a token with these scopes may do. Tokens are for programs: they reach all conversations.
func ScopeGrant(scopes []string) Grant {
	g := Grant{Reach: ReachAll}
	for _, s := range scopes {
		if s == ScopeAdmin {
			return Grant{All: true, Reach: ReachAll}
		}
		g.Rights = append(g.Rights, RightsOf(s)...)
	}
	return g
}

// Who is a caller with what it may do.
type Who struct {
	Workspace chat.WorkspaceID
	User      string // id; empty for a token
	Grant
	Queues []string // the user's, by name
}

// Place is where a conversation is.
type Place struct {
	Assignee string
	Queue    string
}

// On is what a call is about. Conversation is nil when it is about none, or about many, of which the caller sees those that are Visible.
type On struct {
	Workspace    chat.WorkspaceID
	Conversation *Place
}

// Allowed is the check that all permissions come down to.
func Allowed(who Who, right Right, on On) bool {
	switch {
	case who.Workspace == "" || who.Workspace != on.Workspace:
		return false
	case !who.Has(right):
		return false
	case on.Conversation != nil:
		return Visible(who, *on.Conversation)
	default:
		return true
	}
}

// Visible tells whether a conversation of the caller's workspace is within its reach.
func Visible(who Who, c Place) bool {
	mine := who.User != "" && c.Assignee == who.User
	switch {
	case who.All || who.Reach == ReachAll:
		return true
	case who.Reach == ReachQueues:
		return mine || c.Queue != "" && slices.Contains(who.Queues, c.Queue)
	case who.Reach == ReachOwn:
		return mine
	default:
		return false
	}
}
