package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// workerEvent is an entry of events that names a worker's function.
type workerEvent struct {
	name string
}

func (a workerEvent) run(s *stepper) verdict {
	s.call(a.name, false)
	return pause
}

// call asks a worker and waits. Each step makes at most one call, so the position of its event names it.
func (s *stepper) call(name string, condition bool) {
	id := "c" + strconv.FormatInt(s.in.Event.Pos, 10)
	deadline := s.deadline()
	s.session.Call = &Outstanding{ID: id, Name: name, Condition: condition, Deadline: deadline}
	effect := Call{
		ID: id, Name: name, Condition: condition, State: s.session.State,
		Vars: maps.Clone(s.session.Vars), Deadline: deadline,
	}
	if !condition {
		effect.Data = s.session.Data[""]
	}
	s.do(effect)
}

// answered takes a worker's answer, or the news that there will be none.
func (s *stepper) answered() {
	var result CallResult
	if err := json.Unmarshal(s.in.Event.Data, &result); err != nil {
		s.ignore("the result of a call cannot be read")
		s.problem("call_result", err)
		return
	}
	call := s.session.Call
	if call == nil || call.ID != result.ID {
		s.ignore(fmt.Sprintf("call %q is over, or never was", clip(result.ID)))
		return
	}
	switch {
	case result.Error != "":
		s.fail(fmt.Errorf("%s: %w", call.Name, errors.New(result.Error)))
	case call.Condition:
		s.scored(call.Name, result)
	default:
		s.acted(call, result)
	}
}

// scored keeps a condition's score and goes on with the decision.
func (s *stepper) scored(name string, result CallResult) {
	scores := make(map[string]Score, len(s.session.Scores)+1)
	maps.Copy(scores, s.session.Scores)
	scores[name] = Score{Score: result.Score, Data: s.scoreData(name, result.Data)}
	s.session.Scores, s.session.Call = scores, nil
	s.choose()
}

// scoreData reads the data of a score; what is too large or too deep is left out.
func (s *stepper) scoreData(name string, raw json.RawMessage) Values {
	if len(raw) == 0 {
		return nil
	}
	var v any
	err := json.Unmarshal(raw, &v)
	if err == nil {
		var size int
		if v, size, err = tidy(v, maxValueDepth); err == nil && size > maxVars {
			err = fmt.Errorf("%d bytes of data, at most %d", size, maxVars)
		}
	}
	if err != nil {
		s.problem(name, err)
		return nil
	}
	return boxed(v)
}

// acted says what an event has to say; the last result lets the next action run.
func (s *stepper) acted(call *Outstanding, result CallResult) {
	for _, m := range result.Messages {
		if len(m.Stack) > 0 {
			s.do(Say{Message: m})
		}
	}
	if len(result.Vars) > 0 {
		changes := make([]Change, 0, len(result.Vars))
		for _, name := range slices.Sorted(maps.Keys(result.Vars)) {
			changes = append(changes, Change{Name: name, Value: result.Vars[name]})
		}
		s.set(changes)
	}
	if !result.Last {
		more := *call
		more.Deadline = s.deadline()
		s.session.Call = &more
		return
	}
	s.session.Call = nil
	s.runActions()
}
