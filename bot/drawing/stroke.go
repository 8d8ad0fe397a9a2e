package drawing

import (
	"math"
	"strconv"
)

// stroke is a line of the picture. Its weight is how many conversations went along.
type stroke struct {
	path   pen
	weight int
	dashed bool // jumps only
}

// pen writes a path.
type pen struct {
	d     []byte
	level int // where a level line begins that may go on; 0: none does
}

func (p *pen) verb(c byte, at ...float64) {
	p.level = 0
	if c == 'H' {
		p.level = len(p.d)
	}
	p.d = append(p.d, c)
	for i, v := range at {
		if i > 0 {
			p.d = append(p.d, ' ')
		}
		p.d = decimal(p.d, v)
	}
}

// decimal writes a number with at most one decimal: finer than anybody sees.
func decimal(d []byte, v float64) []byte {
	tenths := int64(math.Round(v * 10))
	if tenths < 0 {
		d, tenths = append(d, '-'), -tenths
	}
	d = strconv.AppendInt(d, tenths/10, 10)
	if tenths%10 != 0 {
		d = append(d, '.', byte('0'+tenths%10))
	}
	return d
}

// curve goes on to a point with a curve that begins and ends level.
func (p *pen) curve(from, to point) {
	switch half := (to.x - from.x) / 2; {
	case from == to:
	case from.y == to.y:
		if p.level > 0 {
			p.d = p.d[:p.level]
		}
		p.verb('H', to.x)
	case math.Abs(from.y-to.y) < 0.5:
		p.verb('L', to.x, to.y)
	default:
		p.verb('C', from.x+half, from.y, from.x+half, to.y, to.x, to.y)
	}
}

// line is a whole one: from a point through the gap between two columns to another point. Within its own column it is level.
func (p *pen) line(from, leave, enter, to point) {
	p.verb('M', from.x, from.y)
	p.curve(from, leave)
	p.curve(leave, enter)
	p.curve(enter, to)
}

// tracer finds the lines of a layout.
type tracer struct {
	*layout
	ports   *ports
	strokes []stroke // of arrows
	lanes   []stroke
	heads   []head
}

// head is where lines come to a node.
type head struct {
	at     point
	right  bool // it comes from the right
	weight int
}

func (l *layout) trace() *tracer {
	t := &tracer{layout: l, ports: l.ports()}
	t.lanesOf()
	for i := range l.arrows {
		t.arrow(i)
	}
	t.headsOf()
	return t
}

// edge is where lines leave or enter a box on its side, and where they cross the border of its column.
func (t *tracer) edge(box int, right bool, y float64) (at, border point) {
	b, s := &t.boxes[box], t.spans[t.boxes[box].column]
	if right {
		return point{b.x + b.w, y}, point{s.to, y}
	}
	return point{b.x, y}, point{s.from, y}
}

// end is where a line that comes to a box ends: at a label's side, at the border of a lane's column, or before a node's head.
func (t *tracer) end(box int, right bool) (at, border point) {
	b := &t.boxes[box]
	if b.kind != nodeBox {
		return t.edge(box, right, b.middle())
	}
	y, back := t.ports.in[box].left, -headLength+1
	if right {
		y, back = t.ports.in[box].right, headLength-1
	}
	at, border = t.edge(box, right, y)
	return point{at.x + back, y}, point{border.x + back, y}
}

// begin is where a line to a neighbour begins.
func (t *tracer) begin(box, to int, right bool) (at, border point) {
	b := &t.boxes[box]
	if b.kind != nodeBox {
		return t.edge(box, right, b.middle())
	}
	return t.edge(box, right, t.ports.out[box][to])
}

// arrow draws what belongs to one arrow alone: the lines beside its label.
func (t *tracer) arrow(i int) {
	way, label := t.routes[i], t.labels[i]
	a := &t.arrows[i]
	s := stroke{weight: a.count, dashed: a.jump()}
	aside := t.aside(way)
	for j := 1; j < len(way); j++ {
		from, to := way[j-1], way[j]
		if from != label && to != label {
			continue
		}
		right := t.boxes[to].column > t.boxes[from].column
		start, leave := t.begin(from, to, right)
		end, enter := t.end(to, !right)
		if t.boxes[from].kind == laneBox {
			start = leave
		}
		if t.boxes[to].kind == laneBox {
			end = enter
		}
		if from == label {
			start.y -= aside
			leave.y -= aside
		} else if to == label {
			end.y += aside
			enter.y += aside
		}
		s.path.line(start, leave, enter, end)
	}
	t.strokes = append(t.strokes, s)
}

// aside is how far below the middle of its label an arrow that turns around comes in; it goes out as far above, so that its two
// lines do not cross.
func (t *tracer) aside(way []int) float64 {
	from, to := way[0], way[len(way)-1]
	if t.boxes[from].column != t.boxes[to].column {
		return 0
	}
	return math.Copysign(3.5, t.ports.out[from][way[1]]-t.ports.in[to].right)
}

// lanesOf draws what arrows share: from the node to the farthest lane. The weight is less with every arrow that branches off.
func (t *tracer) lanesOf() {
	load := make([]stroke, len(t.boxes))
	for i := range load {
		load[i].dashed = true
	}
	for i, way := range t.routes {
		for _, b := range way {
			load[b].weight += t.arrows[i].count
			load[b].dashed = load[b].dashed && t.arrows[i].jump()
		}
	}
	for node := range t.graph.nodes {
		for _, out := range []bool{true, false} {
			if lanes := t.trunks[trunk{node, out}]; len(lanes) > 0 {
				t.trunk(node, out, lanes, load)
			}
		}
	}
}

// trunk draws the lanes of a node; a new line begins where the weight changes.
func (t *tracer) trunk(node int, out bool, lanes []int, load []stroke) {
	from, leave := t.end(t.nodes[node], true)
	if out {
		from, leave = t.begin(t.nodes[node], lanes[0], true)
	}
	s := load[lanes[0]]
	s.path.verb('M', from.x, from.y)
	s.path.curve(from, leave)
	for _, lane := range lanes {
		if here := load[lane]; here.weight != s.weight || here.dashed != s.dashed {
			t.lanes = append(t.lanes, s)
			s = here
			s.path.verb('M', leave.x, leave.y)
		}
		near, far := t.edgeOf(lane, false), t.edgeOf(lane, true)
		s.path.curve(leave, near)
		s.path.curve(near, far)
		leave = far
	}
	t.lanes = append(t.lanes, s)
}

func (t *tracer) edgeOf(box int, right bool) point {
	_, border := t.edge(box, right, t.boxes[box].middle())
	return border
}

// headsOf puts one head on each side of a node to which lines come.
func (t *tracer) headsOf() {
	weights := map[[2]int]int{}
	for i, way := range t.routes {
		node, before := way[len(way)-1], way[len(way)-2]
		side := 0
		if t.boxes[before].column > t.boxes[node].column {
			side = 1
		}
		weights[[2]int{node, side}] += t.arrows[i].count + 1
	}
	for _, node := range t.nodes {
		for side, right := range []bool{false, true} {
			weight := weights[[2]int{node, side}]
			if weight == 0 {
				continue
			}
			y := t.ports.in[node].left
			if right {
				y = t.ports.in[node].right
			}
			at, _ := t.edge(node, right, y)
			t.heads = append(t.heads, head{at, right, weight - 1})
		}
	}
}
