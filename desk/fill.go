package desk

import (
	"cmp"
	"maps"
	"slices"
)

// actor does what routing has decided.
type actor interface {
	// learn fills in the facts of a waiter for an expression; false if there is no such conversation any more.
	learn(w *waiter) (bool, error)
	// offer offers; false if the conversation does not wait any more.
	offer(q *queue, w *waiter, d Decision) (bool, error)
	// ask asks a service outside which of the candidates should have it; false if the conversation does not wait any more.
	ask(q *queue, w *waiter, candidates []Candidate) (bool, error)
}

// fillAll offers what waits in all queues in which something has changed.
func (p *picture) fillAll(do actor) error {
	for len(p.touched) > 0 {
		q := slices.MinFunc(slices.Collect(maps.Keys(p.touched)), func(a, b *queue) int { return cmp.Compare(a.name, b.name) })
		delete(p.touched, q)
		if err := p.fill(q, do); err != nil {
			return err
		}
	}
	return nil
}

// fill offers what waits in a queue, in order, until nobody is free.
func (p *picture) fill(q *queue, do actor) error {
	news := q.news()
	for i := 0; i < len(q.open) && len(q.free) > 0; {
		w := q.open[i]
		if w.stuck && !q.suits(w, news) && !q.changed[p.agents[w.Assignee]] {
			i++
			continue
		}
		if q.rule == Outside && !q.mayAsk() {
			return nil // as many are asked about as could have something; what is changed stays noted
		}
		done, err := p.find(q, w, do)
		if err != nil {
			return err
		}
		if !done {
			w.stuck = true
			i++
		}
	}
	clear(q.changed)
	return nil
}

// news are those who have changed since the line was last looked at and can be somebody's. But for an expression, whether they fit does
// not depend on who waits, or only on whom they have declined.
func (q *queue) news() []*member {
	var out []*member
	for a := range q.changed {
		if q.rule != Expression {
			if _, why, err := q.fits(&a.Agent, &Waiting{Skills: q.settings.Skills}); err != nil || why != "" {
				continue
			}
		}
		out = append(out, a)
	}
	return out
}

// suits tells whether one of the news may be somebody for a waiter who was looked at before.
func (q *queue) suits(w *waiter, news []*member) bool {
	for _, a := range news {
		if free, _ := a.free(); !free || slices.Contains(w.Declined, a.ID) {
			continue
		}
		if q.rule != Expression {
			return true
		}
		if _, out, err := q.fits(&a.Agent, &w.Waiting); err == nil && out == "" {
			return true
		}
	}
	return false
}

// find looks for somebody; true if the waiter is not open any more.
func (p *picture) find(q *queue, w *waiter, do actor) (done bool, err error) {
	if q.rule == Expression && w.Facts == nil {
		if known, err := do.learn(w); err != nil || !known {
			return false, err
		}
	}
	if q.rule == Outside && q.assignee(&w.Waiting) == nil {
		var fit []Candidate
		if fit, _, err = q.judge(&w.Waiting, q.last); err != nil || len(fit) == 0 {
			return false, err
		}
		done, err = do.ask(q, w, fit)
	} else {
		d := q.choose(&w.Waiting, q.last)
		if len(d.Offer) == 0 {
			return false, nil
		}
		done, err = do.offer(q, w, d)
	}
	if done {
		q.open.drop(w)
	}
	return done, err
}

// mayAsk tells whether there is room for one more than a service outside is asked about.
func (q *queue) mayAsk() bool {
	room := 0
	for _, a := range q.free {
		if a.Capacity == 0 {
			return true
		}
		if room += a.Capacity - a.Load; room > q.asked {
			return true
		}
	}
	return false
}
