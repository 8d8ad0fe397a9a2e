package access

import "slices"

// Right names one thing that a caller may be allowed to do.
type Right string

// The rights. What is not here nobody has but admins.
const (
	ConversationsRead   Right = "conversations.read"
	ConversationsWrite  Right = "conversations.write"
	ConversationsAssign Right = "conversations.assign"
	ContactsRead        Right = "contacts.read"
	ContactsWrite       Right = "contacts.write"
	ContactsErase       Right = "contacts.erase"
	ChannelsRead        Right = "channels.read"
	ChannelsWrite       Right = "channels.write"
	FlowsRead           Right = "flows.read"
	FlowsWrite          Right = "flows.write"
	DeadLettersRead     Right = "dead_letters.read"
	DeadLettersReplay   Right = "dead_letters.replay"
	ReportsRead         Right = "reports.read"
	QueuesWrite         Right = "queues.write"
	DeskWrite           Right = "desk.write"
	Tokens              Right = "tokens"
	Users               Right = "users"
	Roles               Right = "roles"
	AuditRead           Right = "audit.read"
	Workspaces          Right = "workspaces"
)

// The scopes of API tokens. Each right belongs to one; a token has the rights of its scopes, and admin has all.
const (
	ScopeAdmin    = "admin"
	ScopeRead     = "read"
	ScopeWrite    = "write"
	ScopeChannels = "channels"
	ScopeFlows    = "flows"
	ScopeTokens   = "tokens"
)

// Meaning is what a right is for.
type Meaning struct {
	Right Right  `json:"name"`
	Scope string `json:"scope" doc:"Of API tokens: who has this scope has the right."`
	What  string `json:"what" doc:"What it allows, for people."`
}

// meanings is the one table of rights, in the order in which they are told.
var meanings = []Meaning{
	{ConversationsRead, ScopeRead, "See conversations within the role's reach, with their events, and follow them live."},
	{ConversationsWrite, ScopeWrite, "Write messages and notes in them, mark them read, upload files, close them."},
	{ConversationsAssign, ScopeWrite, "Give them to agents, queues and flows."},
	{ContactsRead, ScopeRead, "See all contacts with their identities and properties."},
	{ContactsWrite, ScopeWrite, "Change what is known of contacts."},
	{ContactsErase, ScopeWrite, "Erase a contact's personal data for good."},
	{ChannelsRead, ScopeRead, "See channels, their settings without secrets, and the platforms that there are."},
	{ChannelsWrite, ScopeChannels, "Make, change, check and delete channels."},
	{FlowsRead, ScopeRead, "See flows in all their versions."},
	{FlowsWrite, ScopeFlows, "Store flows."},
	{DeadLettersRead, ScopeRead, "See everything that could not be delivered, of all conversations."},
	{DeadLettersReplay, ScopeWrite, "Try it again."},
	{ReportsRead, ScopeRead, "See figures of queues, agents and channels."},
	{QueuesWrite, ScopeAdmin, "Make and change queues, their members and their routing."},
	{DeskWrite, ScopeAdmin, "Make and change what agents work with: canned replies, actions, fields."},
	{Tokens, ScopeTokens, "Make and revoke API tokens that can do no more than oneself."},
	{Users, ScopeAdmin, "Make, change, disable and sign out users who can do no more than oneself."},
	{Roles, ScopeAdmin, "Make, change and delete sets of rights with no more than one's own."},
	{AuditRead, ScopeAdmin, "Read the log of administrative acts."},
	{Workspaces, ScopeAdmin, "In the first workspace: make and list workspaces."},
}

// Meanings lists all rights.
func Meanings() []Meaning { return slices.Clone(meanings) }

// Scope is the scope of tokens that a right belongs to; admin for one that is not known.
func (r Right) Scope() string {
	for _, m := range meanings {
		if m.Right == r {
			return m.Scope
		}
	}
	return ScopeAdmin
}

// Known tells whether there is such a right.
func (r Right) Known() bool {
	return slices.ContainsFunc(meanings, func(m Meaning) bool { return m.Right == r })
}

// RightsOf lists what tokens of a scope may do; nothing for a scope that no right belongs to.
func RightsOf(scope string) []Right {
	var out []Right
	for _, m := range meanings {
		if m.Scope == scope || scope == ScopeAdmin {
			out = append(out, m.Right)
		}
	}
	return out
}
