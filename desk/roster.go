package desk

import (
	"cmp"
	"slices"
)

// roster is the members of a queue, in order, so that a decision need not look at all of them. It is a value of its arguments: who was
// added when does not matter.
type roster struct {
	rule  Rule
	score *Score   // of the rule "expression"
	all   []*Agent // by id
	free  []*Agent // those who can take one more, in the order in which the rule prefers them
}

// maxTold bounds the candidates that a decision tells of.
const maxTold = 20

// add makes an agent a member.
func (r *roster) add(a *Agent) {
	at, there := slices.BinarySearchFunc(r.all, a, byID)
	if there {
		return
	}
	r.all = slices.Insert(r.all, at, a)
	r.enter(a)
}

// enter puts a member among the free, if that is so.
func (r *roster) enter(a *Agent) bool {
	free, _ := a.free()
	if free {
		at, _ := slices.BinarySearchFunc(r.free, a, r.order)
		r.free = slices.Insert(r.free, at, a)
	}
	return free
}

// leave takes a member from among the free, before anything about it changes.
func (r *roster) leave(a *Agent) {
	if at, there := slices.BinarySearchFunc(r.free, a, r.order); there {
		r.free = slices.Delete(r.free, at, at+1)
	}
}

func byID(a, b *Agent) int { return cmp.Compare(a.ID, b.ID) }

// order is in whose order the rule prefers agents, but for what a conversation wants.
func (r *roster) order(a, b *Agent) int {
	if r.rule == RoundRobin || r.rule == Everyone {
		return byID(a, b)
	}
	return lessBusy(a, b)
}

// fits tells whether a free agent can have a conversation, with the score where the rule has one; if not, why.
func (r *roster) fits(a *Agent, w *Waiting) (score float64, out Reason, err error) {
	ok := true
	switch {
	case slices.Contains(w.Declined, a.ID):
		return 0, HasDeclined, nil
	case r.rule == BySkills:
		var n int
		if n, ok = surplus(a.Skills, w.Skills); !ok {
			return 0, NoSkill, nil
		}
		return float64(n), "", nil
	case r.rule == Expression && r.score != nil && w.Facts != nil:
		if score, ok, err = r.score.rate(a, w.Facts); err == nil && !ok {
			out = Refused
		}
	}
	return score, out, err
}

// scored tells that all who are free have to be compared.
func (r *roster) scored() bool { return r.rule == BySkills || r.rule == Expression }

// choose decides who is offered a conversation. last is the agent who was offered the queue's last one.
func (r *roster) choose(w *Waiting, last AgentID) Decision {
	d := Decision{Rule: r.rule, Reason: NobodyFree, Considered: len(r.all)}
	if !slices.Contains(Rules(), r.rule) {
		d.Reason, d.Considered = UnknownRule, 0
		return d
	}
	if r.rule == Expression && (r.score == nil || w.Facts == nil) {
		d.Reason, d.Detail = RuleFailed, "the queue has no expression"
		return d
	}
	if a := r.assignee(w); a != nil {
		d.Offer, d.Reason, d.Candidates = []AgentID{a.ID}, Stays, []Candidate{candidate(a)}
		return d
	}
	fit, out, err := r.judge(w, last)
	if err != nil {
		d.Reason, d.Detail = RuleFailed, err.Error()
		return d
	}
	switch {
	case r.rule == Everyone:
		for _, c := range fit {
			d.Offer = append(d.Offer, c.Agent)
		}
	case len(fit) > 0:
		d.Offer = []AgentID{fit[0].Agent}
		for i := range fit[1:] {
			fit[1+i].Out = NotBest
		}
	}
	switch {
	case len(d.Offer) > 0:
		d.Reason = Picked
	case len(r.free) > 0:
		d.Reason = NobodyFits
	}
	d.Candidates = r.told(fit, out)
	return d
}

// assignee is who should have the conversation, being a free agent.
func (r *roster) assignee(w *Waiting) *Agent {
	if w.Assignee == "" || slices.Contains(w.Declined, w.Assignee) {
		return nil
	}
	at, there := slices.BinarySearchFunc(r.all, &Agent{ID: w.Assignee}, byID)
	if !there {
		return nil
	}
	if free, _ := r.all[at].free(); !free {
		return nil
	}
	return r.all[at]
}

// judge puts the free who fit in the order in which the rule prefers them, and says of those who do not why. Where the first who fits is
// the best, only as many are looked at as are told.
func (r *roster) judge(w *Waiting, last AgentID) (fit, out []Candidate, err error) {
	begin := 0
	if r.rule == RoundRobin {
		begin, _ = slices.BinarySearchFunc(r.free, last, func(a *Agent, last AgentID) int {
			if a.ID > last {
				return 1
			}
			return -1
		})
	}
	for i := range r.free {
		a := r.free[(begin+i)%len(r.free)]
		c := candidate(a)
		if c.Score, c.Out, err = r.fits(a, w); err != nil {
			return nil, nil, err
		}
		switch {
		case c.Out == "":
			fit = append(fit, c)
		case len(out) < maxTold:
			out = append(out, c)
		}
		if !r.scored() && r.rule != Everyone && len(fit) > 0 && len(fit)+len(out) >= maxTold {
			break
		}
	}
	if r.scored() {
		slices.SortStableFunc(fit, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	}
	return fit, out, nil
}

// told cuts the candidates to what is written down: those who fit, those who do not, those who are not free.
func (r *roster) told(fit, out []Candidate) []Candidate {
	all := append(slices.Clone(fit[:min(len(fit), maxTold)]), out...)
	if len(r.free) < len(r.all) {
		for _, a := range r.all {
			if len(all) >= maxTold {
				break
			}
			if free, why := a.free(); !free {
				c := candidate(a)
				c.Out = why
				all = append(all, c)
			}
		}
	}
	return all[:min(len(all), maxTold)]
}

func candidate(a *Agent) Candidate { return Candidate{Agent: a.ID, Load: a.Load, Capacity: a.Capacity} }
