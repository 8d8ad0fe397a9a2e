package bot

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// compile turns an action's argument into actions, behind those that are there already.
type compile func(path string, raw json.RawMessage, list []action) []action

// builtIn are the actions by their names in a definition.
func (p *parser) builtIn() map[string]compile {
	return map[string]compile{
		"say":       p.say,
		"send":      p.send,
		"ask":       p.ask,
		"set":       p.assign,
		"if":        p.branch,
		"goto":      p.jump,
		"hand_over": p.handOver,
		"close":     p.close,
		"note":      p.note,
		"typing":    p.typing,
	}
}

// final are the actions after which no other of their list runs.
var final = map[string]bool{"goto": true, "hand_over": true, "close": true}

// actions compiles a list of actions on its own.
func (p *parser) actions(path string, raw json.RawMessage) []action {
	return p.appendActions(path, raw, nil)
}

// appendActions compiles a list behind what is there already: jumps count from the beginning of the whole list.
func (p *parser) appendActions(path string, raw json.RawMessage, list []action) []action {
	ended := ""
	for i, entry := range p.list(path, raw) {
		here := at(path, i)
		if ended != "" {
			p.addf(here, "never runs: it stands behind %s", ended)
			break
		}
		if isText(entry) {
			list = append(list, workerEvent{name: p.worker(here, entry)})
			continue
		}
		var name string
		if name, list = p.action(here, entry, list); final[name] {
			ended = name
		}
	}
	return list
}

// action compiles one built-in action and gives its name.
func (p *parser) action(path string, raw json.RawMessage, list []action) (string, []action) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || len(fields) != 1 {
		p.addf(path, "must be a worker's function (text) or an object with one action")
		return "", list
	}
	for name, argument := range fields {
		all := p.builtIn()
		compile := all[name]
		if compile == nil {
			known := slices.Sorted(maps.Keys(all))
			p.addf(path, "unknown action %q; known are: %s", name, strings.Join(known, ", "))
			return "", list
		}
		return name, compile(join(path, name), argument, list)
	}
	return "", list
}
