package desk

import (
	"cmp"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// AgentID names a person who answers.
type AgentID string

// Agent is what routing knows of one member of the queue at one moment.
type Agent struct {
	ID        AgentID        `json:"id"`
	Available bool           `json:"available"`          // by the state that the agent chose
	Load      int            `json:"load"`               // conversations that the agent has or is offered, over all channels
	Capacity  int            `json:"capacity,omitempty"` // how many at the most; 0: no limit
	IdleSince time.Time      `json:"idle_since,omitzero"`
	Skills    map[string]int `json:"skills,omitempty"` // level by name, from 1
}

// free tells whether the agent can take one more; if not, why.
func (a *Agent) free() (bool, Reason) {
	switch {
	case !a.Available:
		return false, Unavailable
	case a.Capacity > 0 && a.Load >= a.Capacity:
		return false, AtCapacity
	default:
		return true, ""
	}
}

// Waiting is what routing knows of the conversation.
type Waiting struct {
	Conversation chat.ConversationID `json:"conversation"`
	Assignee     AgentID             `json:"assignee,omitempty"` // who should have it, if there is room
	Declined     []AgentID           `json:"declined,omitempty"` // who was offered it and did not take it
	Skills       map[string]int      `json:"skills,omitempty"`   // wanted level by name
	Facts        *Facts              `json:"-"`                  // for expressions
}

// Rule says who of the free agents is offered a conversation. Its code is what queues store.
type Rule string

// The rules that are built in.
const (
	Everyone   Rule = "everyone"    // all free agents see it; the first to accept has it
	LeastBusy  Rule = "least_busy"  // the one with the fewest conversations, then the longest idle
	RoundRobin Rule = "round_robin" // the one after the agent who was offered the last one
	BySkills   Rule = "skills"      // the one whose skills exceed what is wanted by the most, then the least busy
	Expression Rule = "expression"  // the one whom an expression of the queue gives the highest score, then the least busy
	Outside    Rule = "http"        // the one whom a service outside of the hub names
)

// Rules lists the codes, for settings.
func Rules() []Rule { return []Rule{Everyone, LeastBusy, RoundRobin, BySkills, Expression, Outside} }

// Reason is why an agent was left out, or why a decision is as it is.
type Reason string

// The reasons.
const (
	Unavailable Reason = "unavailable" // by the agent's own state
	AtCapacity  Reason = "at_capacity"
	HasDeclined Reason = "declined"
	NoSkill     Reason = "no_skill"
	Refused     Reason = "refused"      // by the queue's expression
	NotBest     Reason = "not_best"     // another one suits better
	Stays       Reason = "stays"        // it is this one's already
	Picked      Reason = "picked"       // by the rule
	FellBack    Reason = "fell_back"    // the rule outside had no answer to go by, so the least busy was picked
	NobodyFree  Reason = "nobody_free"  // it waits on
	NobodyFits  Reason = "nobody_fits"  // somebody is free, but not for this one: it waits on
	RuleFailed  Reason = "rule_failed"  // it waits until people have mended the expression
	UnknownRule Reason = "unknown_rule" // it waits until people have mended the queue
)

// Candidate is an agent as the decision saw it.
type Candidate struct {
	Agent    AgentID `json:"agent"`
	Load     int     `json:"load"`
	Capacity int     `json:"capacity,omitempty"`
	Score    float64 `json:"score,omitempty"` // of the rule, where it has one
	Out      Reason  `json:"out,omitempty"`   // why not this one
}

// Decision is who is offered a conversation, and why. It is stored with the conversation.
type Decision struct {
	Rule       Rule        `json:"rule"`
	Offer      []AgentID   `json:"offer,omitempty"`
	Reason     Reason      `json:"reason"`
	Detail     string      `json:"detail,omitempty"` // what failed, or what the rule outside said
	Candidates []Candidate `json:"candidates,omitempty"`
	Considered int         `json:"considered,omitempty"` // how many candidates there were; not all of many are told
}

// Route decides. last is the agent who was offered the queue's last conversation. The order of the agents does not matter, and the
// same arguments give the same decision. A rule that is not in the program alone (an expression, a service) needs more than this.
func Route(rule Rule, w Waiting, agents []Agent, last AgentID) Decision {
	r := roster{rule: rule}
	for i := range agents {
		r.add(&agents[i])
	}
	return r.choose(&w, last)
}

// surplus is by how many levels somebody's skills exceed what is wanted; false if one is missing.
func surplus(has, wanted map[string]int) (sum int, ok bool) {
	for name, level := range wanted {
		if has[name] < max(level, 1) {
			return 0, false
		}
		sum += has[name] - max(level, 1)
	}
	return sum, true
}

// lessBusy puts the fewest conversations first, then the longest idle, then the smaller id: two nodes decide the same.
func lessBusy(a, b *Agent) int {
	return cmp.Or(cmp.Compare(a.Load, b.Load), a.IdleSince.Compare(b.IdleSince), cmp.Compare(a.ID, b.ID))
}
