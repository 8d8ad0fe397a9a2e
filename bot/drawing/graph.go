package drawing

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dragoman-hub/dragoman/bot"
)

// graph is what a picture shows, before anything has a place.
type graph struct {
	nodes   []node
	arrows  []arrow
	initial int
	counted bool
}

// nodeKind tells states from the two boxes that stand beside them.
type nodeKind int

const (
	stateNode    nodeKind = iota
	anyNode               // the source of transitions that lead from any state
	fallbackNode          // what is done when nothing fires
)

// node is a box.
type node struct {
	kind  nodeKind
	name  string
	lines []line
	title string // all of it, for whoever points at it

	entered, nothing int // how often
}

// arrow leads from a node to another, or to the same.
type arrow struct {
	from, to   int
	transition int // index in the definition; -1: a jump
	lines      []line
	title      string
	count      int
}

func (a arrow) jump() bool { return a.transition < 0 }

// definition is what of a checked definition is shown.
type definition struct {
	States []struct {
		Name   string
		Events []json.RawMessage
	}
	Transitions []struct {
		Source     string
		Dest       string
		Conditions []json.RawMessage
		Unless     []json.RawMessage
	}
	Fallback []json.RawMessage
}

// reader builds a graph.
type reader struct {
	graph
	def   definition
	index map[string]int // of states, by their names
}

func read(flow *bot.Flow) (*graph, error) {
	r := &reader{index: map[string]int{}}
	if err := json.Unmarshal(flow.Definition(), &r.def); err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	for i, s := range r.def.States {
		r.index[s.Name] = i
		r.nodes = append(r.nodes, node{name: s.Name})
	}
	r.initial = r.index[flow.Initial()]
	r.transitions()
	for i, s := range r.def.States {
		r.events(i, s.Events)
	}
	if len(r.def.Fallback) > 0 {
		r.nodes = append(r.nodes, node{kind: fallbackNode, name: "nothing fires"})
		r.events(len(r.nodes)-1, r.def.Fallback)
	}
	return &r.graph, nil
}

func (r *reader) transitions() {
	anywhere := -1
	for i, t := range r.def.Transitions {
		from := r.index[t.Source]
		if t.Source == "" {
			if anywhere < 0 {
				anywhere = len(r.nodes)
				r.nodes = append(r.nodes, node{kind: anyNode, name: "any state", title: "transitions from any state"})
			}
			from = anywhere
		}
		a := arrow{from: from, to: r.index[t.Dest], transition: i}
		a.lines, a.title = guardLines(t.Conditions, t.Unless)
		a.title = r.nodes[from].name + " → " + t.Dest + "\n" + a.title
		r.arrows = append(r.arrows, a)
	}
}

// events shows what a node does, and where it may jump to.
func (r *reader) events(at int, events []json.RawMessage) {
	o := &outline{}
	o.actions(events, 0, "")
	n := &r.nodes[at]
	n.lines = firstLines(o.lines, maxNodeLines)
	n.title = n.name + "\n" + textOf(o.lines)
	r.jumps(at, o.jumps)
}

// jumps adds one arrow for each state that a node may jump to.
func (r *reader) jumps(at int, jumps []jump) {
	known := map[string]int{}
	for _, j := range jumps {
		i, ok := known[j.to]
		if !ok {
			i = len(r.arrows)
			known[j.to] = i
			r.arrows = append(r.arrows, arrow{
				from: at, to: r.index[j.to], transition: -1, title: r.nodes[at].name + " → " + j.to,
			})
		}
		a := &r.arrows[i]
		a.lines = append(a.lines, j.why)
		a.title += "\n" + j.why.text()
	}
	for _, i := range known {
		r.arrows[i].lines = firstLines(r.arrows[i].lines, maxGuardLines)
	}
}

// count puts numbers on nodes and arrows.
func (g *graph) count(t *Traffic) {
	g.counted = true
	for i := range g.nodes {
		n := &g.nodes[i]
		switch n.kind {
		case stateNode:
			n.entered, n.nothing = t.entered[n.name], t.nothing[n.name]
		case fallbackNode:
			for _, times := range t.nothing {
				n.entered += times
			}
		case anyNode:
		}
	}
	for i := range g.arrows {
		a := &g.arrows[i]
		switch from := g.nodes[a.from]; {
		case !a.jump():
			a.count = t.fired[a.transition]
		case from.kind == fallbackNode:
			a.count = t.rescued[g.nodes[a.to].name]
		default:
			a.count = t.jumped[way{from.name, g.nodes[a.to].name}]
		}
	}
}

// busiest is the highest count of an arrow.
func (g *graph) busiest() int {
	most := 0
	for _, a := range g.arrows {
		most = max(most, a.count)
	}
	return most
}

// textOf gives lines as plain text, for titles.
func textOf(lines []line) string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, strings.Repeat("  ", l.indent)+l.text())
	}
	return strings.Join(out, "\n")
}
