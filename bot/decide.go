package bot

import "slices"

// decide begins the turn of a message: which transition fires?
func (s *stepper) decide() {
	s.session.Phase = PhaseDeciding
	s.session.Scores, s.session.Data, s.session.Position = nil, nil, Position{}
	if to := s.flow.byName[s.in.Conversation.Override]; to != nil {
		s.enter(to)
		s.runActions()
		return
	}
	s.choose()
}

// choose asks the workers for the scores that are still missing, one call at a time, and then decides. Each
// function is called once per message, however many transitions name it.
func (s *stepper) choose() {
	candidates := s.candidates()
	if name, ok := s.missing(candidates); ok {
		s.call(name, true)
		return
	}
	winner, data := s.best(candidates)
	s.session.Scores = nil
	if winner == nil {
		s.session.Phase = PhaseActing
		s.session.Position = Position{Fallback: true}
		s.runActions()
		return
	}
	s.session.Data = data
	s.enter(winner.dest)
	s.runActions()
}

// candidates are the transitions from the current state and from any, in the order of the definition.
func (s *stepper) candidates() []*transition {
	var list []*transition
	for i := range s.flow.transitions {
		t := &s.flow.transitions[i]
		if t.source == nil || t.source.name == s.session.State {
			list = append(list, t)
		}
	}
	return list
}

// missing names the first worker's condition that has no score yet.
func (s *stepper) missing(candidates []*transition) (string, bool) {
	for _, t := range candidates {
		for _, c := range slices.Concat(t.conditions, t.unless) {
			if c.worker == "" {
				continue
			}
			if _, known := s.session.Scores[c.worker]; !known {
				return c.worker, true
			}
		}
	}
	return "", false
}

// best finds the transition with the most points: those of its best condition less those of its best unless.
// The first wins a tie, and without points nothing fires. The data is that of the winner's best condition.
func (s *stepper) best(candidates []*transition) (*transition, Values) {
	var winner *transition
	var data Values
	most := 0.0
	d := Decision{Pos: s.session.Message.Pos, From: s.session.State, Transition: -1}
	for _, t := range candidates {
		pro, found := 1.0, Values(nil)
		if len(t.conditions) > 0 {
			pro, found = s.highest(t.conditions)
		}
		con, _ := s.highest(t.unless)
		if len(d.Candidates) < maxCandidates {
			d.Candidates = append(d.Candidates, Candidate{Transition: t.index, Dest: t.dest.name, For: pro, Against: con})
		}
		if pro-con > most {
			most, winner, data = pro-con, t, found
		}
	}
	if winner != nil {
		d.Transition, d.To = winner.index, winner.dest.name
	}
	s.trace.Decisions = traced(s.trace.Decisions, d)
	return winner, data
}

// highest gives the best score of conditions, at least 0, and the data that came with it.
func (s *stepper) highest(conditions []condition) (float64, Values) {
	most, data := 0.0, Values(nil)
	for _, c := range conditions {
		if points := s.points(c); points.Score > most {
			most, data = points.Score, points.Data
		}
	}
	return most, data
}

// points of one condition; an expression that fails has none.
func (s *stepper) points(c condition) Score {
	if c.expr == nil {
		return s.session.Scores[c.worker]
	}
	v, err := s.eval(c.expr)
	if err != nil {
		return Score{}
	}
	n, err := score(v)
	if err != nil {
		s.problem(c.expr.source, err)
	}
	return Score{Score: n}
}

// enter moves the session into a state, before the first of its events.
func (s *stepper) enter(to *state) {
	s.session.State = to.name
	s.session.Phase = PhaseActing
	s.session.Position = Position{}
	s.trace.Entered = traced(s.trace.Entered, to.name)
}
