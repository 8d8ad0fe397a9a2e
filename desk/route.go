package desk

import (
	"cmp"
	"slices"
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
	Assignee     AgentID             `json:"assignee,omitempty"` // it is somebody's already, in the queue or by a transfer
	Declined     []AgentID           `json:"declined,omitempty"` // who was offered it and did not take it
	Skills       map[string]int      `json:"skills,omitempty"`   // wanted level by name
}

// Rule says who of the free agents is offered a conversation. Its code is what queues store.
type Rule string

// The rules that are built in.
const (
	Everyone   Rule = "everyone"    // all free agents see it; the first to accept has it
	LeastBusy  Rule = "least_busy"  // the one with the fewest conversations, then the longest idle
	RoundRobin Rule = "round_robin" // the one after the agent who was offered the last one
	BySkills   Rule = "skills"      // the one whose skills exceed what is wanted by the most, then the least busy
)

// Rules lists the codes, for settings.
func Rules() []Rule { return []Rule{Everyone, LeastBusy, RoundRobin, BySkills} }

// Reason is why an agent was left out, or why a decision is as it is.
type Reason string

// The reasons.
const (
	Unavailable Reason = "unavailable" // by the agent's own state
	AtCapacity  Reason = "at_capacity"
	HasDeclined Reason = "declined"
	NoSkill     Reason = "no_skill"
	NotBest     Reason = "not_best"     // another one suits better
	Stays       Reason = "stays"        // it is somebody's already
	Picked      Reason = "picked"       // by the rule
	NobodyFree  Reason = "nobody_free"  // it waits on
	UnknownRule Reason = "unknown_rule" // it waits until people have mended the queue
)

// Candidate is an agent as the decision saw it.
type Candidate struct {
	Agent    AgentID `json:"agent"`
	Load     int     `json:"load"`
	Capacity int     `json:"capacity,omitempty"`
	Score    int     `json:"score,omitempty"` // of the rule, where it has one
	Out      Reason  `json:"out,omitempty"`   // why not this one
}

// Decision is who is offered a conversation, and why. It is stored with the conversation.
type Decision struct {
	Rule       Rule        `json:"rule"`
	Offer      []AgentID   `json:"offer,omitempty"`
	Reason     Reason      `json:"reason"`
	Candidates []Candidate `json:"candidates,omitempty"`
	Considered int         `json:"considered,omitempty"` // how many candidates there were, when not all are told
}

// Route decides. last is the agent who was offered the queue's last conversation. The order of the agents does not matter, and the
// same arguments give the same decision.
func Route(rule Rule, w Waiting, agents []Agent, last AgentID) Decision {
	d := Decision{Rule: rule, Reason: NobodyFree}
	if w.Assignee != "" {
		d.Offer, d.Reason = []AgentID{w.Assignee}, Stays
		return d
	}
	choose, ok := choices[rule]
	if !ok {
		d.Reason = UnknownRule
		return d
	}
	d.Candidates = make([]Candidate, len(agents))
	fit := make([]contender, 0, len(agents))
	for i := range agents {
		a := &agents[i]
		d.Candidates[i] = Candidate{Agent: a.ID, Load: a.Load, Capacity: a.Capacity}
		if out := d.Candidates[i].judge(a, rule, w); out == "" {
			fit = append(fit, contender{a, &d.Candidates[i]})
		}
	}
	d.Offer = choose(fit, last)
	if len(d.Offer) > 0 {
		d.Reason = Picked
	}
	for _, c := range fit {
		if !slices.Contains(d.Offer, c.ID) {
			c.Out = NotBest
		}
	}
	slices.SortFunc(d.Candidates, func(a, b Candidate) int { return cmp.Compare(a.Agent, b.Agent) })
	return d
}

// contender is an agent who can have the conversation, with what the decision tells of it.
type contender struct {
	*Agent
	*Candidate
}

// judge finds why an agent is out, if so, and the score of one who is not.
func (c *Candidate) judge(a *Agent, rule Rule, w Waiting) Reason {
	ok, out := a.free()
	switch {
	case !ok:
		c.Out = out
	case slices.Contains(w.Declined, a.ID):
		c.Out = HasDeclined
	case rule == BySkills:
		c.Score, ok = surplus(a.Skills, w.Skills)
		if !ok {
			c.Out = NoSkill
		}
	}
	return c.Out
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

// choices are the rules by code.
var choices = map[Rule]func(fit []contender, last AgentID) []AgentID{
	Everyone:   everyone,
	LeastBusy:  func(fit []contender, _ AgentID) []AgentID { return first(fit, lessBusy) },
	RoundRobin: roundRobin,
	BySkills: func(fit []contender, _ AgentID) []AgentID {
		return first(fit, func(a, b contender) int { return cmp.Or(cmp.Compare(b.Score, a.Score), lessBusy(a, b)) })
	},
}

func everyone(fit []contender, _ AgentID) []AgentID {
	all := make([]AgentID, len(fit))
	for i, c := range fit {
		all[i] = c.ID
	}
	slices.Sort(all)
	return all
}

// lessBusy puts the fewest conversations first, then the longest idle, then the smaller id: two nodes decide the same.
func lessBusy(a, b contender) int {
	return cmp.Or(cmp.Compare(a.Agent.Load, b.Agent.Load), a.IdleSince.Compare(b.IdleSince), cmp.Compare(a.ID, b.ID))
}

// roundRobin takes the next id after the last one's, and begins anew behind the greatest.
func roundRobin(fit []contender, last AgentID) []AgentID {
	return first(fit, func(a, b contender) int {
		return cmp.Or(cmp.Compare(turn(a.ID, last), turn(b.ID, last)), cmp.Compare(a.ID, b.ID))
	})
}

// turn is 0 for who comes after the last one in this round, 1 for who waits for the next round.
func turn(id, last AgentID) int {
	if id > last {
		return 0
	}
	return 1
}

func first(fit []contender, order func(a, b contender) int) []AgentID {
	if len(fit) == 0 {
		return nil
	}
	return []AgentID{slices.MinFunc(fit, order).ID}
}
