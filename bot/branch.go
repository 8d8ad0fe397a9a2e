package bot

import (
	"encoding/json"
	"errors"
	"fmt"
)

// branchAction is {"if": {...}}: it jumps over the "then" part if the expression is not true.
type branchAction struct {
	when      *expression
	otherwise int // index in the list
}

func (a *branchAction) run(s *stepper) verdict {
	v, err := s.eval(a.when)
	yes := false
	if err == nil {
		if yes, err = truth(v); err != nil {
			s.problem(a.when.source, err)
		}
	}
	if !yes {
		s.session.Position.Next = a.otherwise
	}
	return proceed
}

// skip jumps over the "else" part.
type skip struct {
	to int
}

func (a *skip) run(s *stepper) verdict {
	s.session.Position.Next = a.to
	return proceed
}

func (p *parser) branch(path string, raw json.RawMessage, list []action) []action {
	fields := p.object(path, raw, "expr", "then", "else")
	if fields == nil {
		return list
	}
	if fields["then"] == nil && fields["else"] == nil {
		p.addf(path, "without then and else it does nothing")
	}
	a := &branchAction{when: p.source(join(path, "expr"), fields["expr"])}
	list = p.appendActions(join(path, "then"), fields["then"], append(list, a))
	over := &skip{}
	list = append(list, over)
	a.otherwise = len(list)
	list = p.appendActions(join(path, "else"), fields["else"], list)
	over.to = len(list)
	return list
}

// gotoState is {"goto": {"state": ...}}.
type gotoState struct {
	to *state
}

func (a gotoState) run(s *stepper) verdict {
	if s.session.Jumps++; s.session.Jumps > maxJumps {
		s.fail(fmt.Errorf("%w: more than %d jumps in a turn", errWayward, maxJumps))
		return finish
	}
	s.enter(a.to)
	return proceed
}

func (p *parser) jump(path string, raw json.RawMessage, list []action) []action {
	fields := p.object(path, raw, "state")
	if fields == nil {
		return list
	}
	to := p.state(join(path, "state"), fields["state"])
	if to != nil {
		p.edges[p.from] = append(p.edges[p.from], to)
	}
	return append(list, gotoState{to: to})
}

// handOver is {"hand_over": {...}}.
type handOver struct {
	queue, note template
}

func (a *handOver) run(s *stepper) verdict {
	s.do(HandOver{Queue: clip(s.render(a.queue)), Note: s.render(a.note)})
	s.giveUp(PhaseAway)
	return finish
}

func (p *parser) handOver(path string, raw json.RawMessage, list []action) []action {
	fields := p.object(path, raw, "queue", "note")
	if fields == nil {
		return list
	}
	return append(list, &handOver{
		queue: p.optional(join(path, "queue"), fields["queue"]), note: p.optional(join(path, "note"), fields["note"]),
	})
}

// closeAction is {"close": {...}}.
type closeAction struct {
	reason template
}

func (a *closeAction) run(s *stepper) verdict {
	s.do(Close{Reason: clip(s.render(a.reason))})
	s.giveUp(PhaseClosed)
	return finish
}

func (p *parser) close(path string, raw json.RawMessage, list []action) []action {
	fields := p.object(path, raw, "reason")
	if fields == nil {
		return list
	}
	return append(list, &closeAction{reason: p.optional(join(path, "reason"), fields["reason"])})
}

// giveUp ends the flow's part in the conversation. Messages that wait stay unanswered: they are in the log.
func (s *stepper) giveUp(phase Phase) {
	if n := len(s.session.Queue); n > 0 {
		s.problem("queue", errors.New(fmt.Sprint(n, " waiting messages were left to whoever has the conversation now")))
	}
	s.session.Queue, s.session.Opening = nil, nil
	s.session.endTurn(phase)
}

// optional reads a template that may be left out.
func (p *parser) optional(path string, raw json.RawMessage) template {
	if isNull(raw) {
		return template{}
	}
	return p.words(path, raw)
}
