package bot

import (
	"errors"
	"fmt"
)

// Bounds of one turn: a flow that goes round in circles is stopped.
const (
	maxJumps   = 32
	maxActions = 500
)

var errWayward = errors.New("the flow goes round in circles")

// actions gives the list that the position is in.
func (s *stepper) actions() []action {
	if s.session.Position.Fallback {
		return s.flow.fallback
	}
	if at := s.flow.byName[s.session.State]; at != nil {
		return at.events
	}
	return nil
}

// runActions runs actions until the list ends or one has to wait.
func (s *stepper) runActions() {
	for {
		list := s.actions()
		next := s.session.Position.Next
		if next >= len(list) {
			s.session.endTurn(PhaseIdle)
			return
		}
		if s.session.Ran++; s.session.Ran > maxActions {
			s.fail(fmt.Errorf("%w: more than %d actions in a turn", errWayward, maxActions))
			return
		}
		s.session.Position.Next++
		switch list[next].run(s) {
		case pause, finish:
			return
		case proceed:
		}
	}
}

// fail ends the turn with the flow's words for an error. The session stays in its state.
func (s *stepper) fail(err error) {
	s.problem("state "+s.session.State, err)
	s.say(s.flow.failure)
	s.session.endTurn(PhaseIdle)
}
