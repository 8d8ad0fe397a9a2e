package bot

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"
)

// What a definition leaves out.
const (
	defaultTimeout = 30 * time.Second
	defaultFailure = "Sorry, something went wrong. Please try again."
)

// variableName is what expressions can write after "vars.".
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// Parse checks and compiles a definition. The error is an *InvalidError with all that is wrong; the same bytes
// always give the same list.
func Parse(raw []byte) (*Flow, error) {
	p := &parser{
		flow:    &Flow{byName: map[string]*state{}, timeout: defaultTimeout},
		workers: map[string]bool{},
		edges:   map[*state][]*state{},
	}
	if !checkShape(raw, &p.faults) {
		return nil, p.err()
	}
	p.definition(raw)
	if len(p.problems) == 0 {
		p.reach()
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	p.flow.definition = canonical(raw)
	p.flow.workers = slices.Sorted(maps.Keys(p.workers))
	return p.flow, nil
}

// parser builds a flow from JSON that has the right shape.
type parser struct {
	compiler
	flow    *Flow
	workers map[string]bool
	from    *state              // whose events are being compiled; nil: the fallback
	edges   map[*state][]*state // gotos, by where they stand
}

func (p *parser) definition(raw json.RawMessage) {
	fields := p.object("", raw, "states", "transitions", "first_message", "fallback", "error", "call_timeout", "vars")
	if fields == nil {
		return
	}
	if fields["states"] == nil {
		p.addf("states", "missing")
	}
	states := p.list("states", fields["states"])
	p.names(states)
	p.events(states)
	p.transitions(p.list("transitions", fields["transitions"]))
	p.flow.fallback = p.actions("fallback", fields["fallback"])
	p.settings(fields)
}

// names declares the states, so that everything after may refer to them.
func (p *parser) names(states []json.RawMessage) {
	if len(states) > maxStates {
		p.addf("states", "%d states, at most %d", len(states), maxStates)
		return
	}
	p.flow.states = make([]state, len(states))
	for i, raw := range states {
		path := at("states", i)
		fields := p.object(path, raw, "name", "initial", "events")
		if fields == nil {
			continue
		}
		declared := &p.flow.states[i]
		declared.name = p.name(join(path, "name"), fields["name"])
		declared.initial = p.flag(join(path, "initial"), fields["initial"])
		if declared.name != "" && p.flow.byName[declared.name] != nil {
			p.addf(join(path, "name"), "state %q is there already", declared.name)
			continue
		}
		p.flow.byName[declared.name] = declared
		p.begin(path, declared)
	}
	if p.flow.initial == nil && len(p.problems) == 0 {
		p.addf("states", "no state is initial")
	}
}

func (p *parser) begin(path string, declared *state) {
	switch {
	case !declared.initial:
	case p.flow.initial != nil:
		p.addf(join(path, "initial"), "state %q is initial already", p.flow.initial.name)
	default:
		p.flow.initial = declared
	}
}

func (p *parser) events(states []json.RawMessage) {
	for i := range p.flow.states {
		var fields map[string]json.RawMessage
		if json.Unmarshal(states[i], &fields) != nil {
			continue // names has noted it
		}
		p.from = &p.flow.states[i]
		p.from.events = p.actions(join(at("states", i), "events"), fields["events"])
	}
	p.from = nil
}

func (p *parser) transitions(list []json.RawMessage) {
	if len(list) > maxTransitions {
		p.addf("transitions", "%d transitions, at most %d", len(list), maxTransitions)
		return
	}
	p.flow.transitions = make([]transition, 0, len(list))
	for i, raw := range list {
		path := at("transitions", i)
		fields := p.object(path, raw, "source", "dest", "conditions", "unless")
		if fields == nil {
			continue
		}
		t := transition{index: i, dest: p.state(join(path, "dest"), fields["dest"])}
		if fields["source"] != nil {
			t.source = p.state(join(path, "source"), fields["source"])
		}
		t.conditions = p.conditions(join(path, "conditions"), fields["conditions"])
		t.unless = p.conditions(join(path, "unless"), fields["unless"])
		p.flow.transitions = append(p.flow.transitions, t)
	}
}

func (p *parser) conditions(path string, raw json.RawMessage) []condition {
	list := p.list(path, raw)
	out := make([]condition, 0, len(list))
	for i, entry := range list {
		if isText(entry) {
			out = append(out, condition{worker: p.worker(at(path, i), entry)})
			continue
		}
		if fields := p.object(at(path, i), entry, "expr"); fields != nil {
			out = append(out, condition{expr: p.source(join(at(path, i), "expr"), fields["expr"])})
		}
	}
	return out
}

func (p *parser) settings(fields map[string]json.RawMessage) {
	if raw := fields["first_message"]; raw != nil {
		p.flow.evaluate = p.word("first_message", raw, "greet", "evaluate") == "evaluate"
	}
	p.flow.failure = defaultFailure
	if raw := fields["error"]; raw != nil {
		p.flow.failure = p.name("error", raw)
	}
	if raw := fields["call_timeout"]; raw != nil {
		p.flow.timeout = time.Duration(p.number("call_timeout", raw, 1, 600) * float64(time.Second))
	}
	if raw := fields["vars"]; raw != nil {
		p.variables(raw)
	}
}

func (p *parser) variables(raw json.RawMessage) {
	var vars Values
	if err := json.Unmarshal(raw, &vars); err != nil {
		p.addf("vars", "must be an object: %v", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		p.variable(join("vars", name), name)
	}
	if size := sizeOf(vars); size > maxVars {
		p.addf("vars", "%d bytes, at most %d", size, maxVars)
	}
	p.flow.vars = vars
}

// reach finds states that no conversation can come to.
func (p *parser) reach() {
	reached := map[*state]bool{}
	open := append([]*state{p.flow.initial}, p.edges[nil]...)
	leads := map[*state][]*state{}
	for i := range p.flow.transitions {
		t := &p.flow.transitions[i]
		if t.source == nil {
			open = append(open, t.dest)
			continue
		}
		leads[t.source] = append(leads[t.source], t.dest)
	}
	for len(open) > 0 {
		next := open[len(open)-1]
		open = open[:len(open)-1]
		if !reached[next] {
			reached[next] = true
			open = append(append(open, leads[next]...), p.edges[next]...)
		}
	}
	for i := range p.flow.states {
		if s := &p.flow.states[i]; !reached[s] {
			p.addf(at("states", i), "state %q cannot be reached", s.name)
		}
	}
}
