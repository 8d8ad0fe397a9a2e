package drawing

import (
	"math"
	"slices"
)

// A picture has columns: states stand in even ones, by how many steps they are away from the beginning, and labels of arrows in odd ones.
// An arrow goes through boxes of neighbouring columns only: its node, its label, and lanes where it has to pass other columns. As boxes
// of a column never overlap, no line crosses a box. Lines that lead the same long way share their lanes.

// boxKind tells what stands in a column.
type boxKind int

const (
	nodeBox boxKind = iota
	labelBox
	laneBox
)

// box is something with a place.
type box struct {
	kind   boxKind
	of     int // node or arrow; of a lane: the node where it begins or ends
	column int
	w, h   float64
	x, y   float64 // of the upper left corner

	left, right []int // boxes in the neighbouring columns that lines join it to
}

func (b *box) middle() float64 { return b.y + b.h/2 }

// Measures of boxes, in pixels.
const (
	nodeMost   = 240.0 // width of a node's text
	nodeLeast  = 110.0
	nodePad    = 12.0
	headStep   = 24.0 // height of a node's name
	labelMost  = 210.0
	labelPad   = 6.0
	laneHeight = 8.0
	portStep   = 9.0  // between lines that meet a node
	spare      = 1.06 // of words, in fonts that are wider than the common ones
	margin     = 24.0
	startSpace = 34.0 // before the first column: where conversations come from
)

// layout is a graph with places.
type layout struct {
	*graph
	boxes   []box
	columns [][]int         // boxes, from above
	rank    []int           // of nodes
	nodes   []int           // boxes of nodes
	labels  []int           // boxes of arrows
	routes  [][]int         // of arrows: boxes in neighbouring columns; one that turns around comes back from its label
	trunks  map[trunk][]int // lanes, from the node on
	spans   []stretch       // of columns
	w, h    float64
}

// trunk names the lanes of all arrows which leave a node to the right, or come to it from the right.
type trunk struct {
	node int
	out  bool
}

// stretch is where a column stands.
type stretch struct{ from, to float64 }

func layOut(g *graph) *layout {
	l := &layout{graph: g, rank: ranks(g), trunks: map[trunk][]int{}}
	l.stand()
	l.routeAll()
	l.heighten()
	l.order()
	l.place()
	return l
}

// stand makes the boxes of nodes.
func (l *layout) stand() {
	columns := 0
	for _, r := range l.rank {
		columns = max(columns, 2*r+2)
	}
	l.columns = make([][]int, columns)
	for i := range l.graph.nodes {
		n := &l.graph.nodes[i]
		w, h := nodeSize(n, l.counted)
		l.nodes = append(l.nodes, l.add(box{kind: nodeBox, of: i, column: 2 * l.rank[i], w: w, h: h}))
	}
}

func (l *layout) add(b box) int {
	l.boxes = append(l.boxes, b)
	i := len(l.boxes) - 1
	l.columns[b.column] = append(l.columns[b.column], i)
	return i
}

func nodeSize(n *node, counted bool) (w, h float64) {
	n.name = cut(clean(n.name), nodeMost, func(s string) float64 { return width(s, nameSize) * 1.07 })
	w = width(n.name, nameSize) * 1.07
	h = headStep + 8
	for i := range n.lines {
		n.lines[i] = fit(n.lines[i], nodeMost)
		w = max(w, lineWidth(n.lines[i]))
	}
	if len(n.lines) > 0 {
		h += 6 + lineStep*float64(len(n.lines))
	}
	if counted && n.kind != anyNode {
		w = max(w, lineWidth(countLine(n)))
		h += lineStep + 4
	}
	return math.Ceil(max(w*spare, nodeLeast) + 2*nodePad), h
}

// routeAll makes labels and lanes.
func (l *layout) routeAll() {
	for i := range l.arrows {
		a := &l.arrows[i]
		w, h := labelSize(a, l.counted)
		from, to := l.rank[a.from], l.rank[a.to]
		label := box{kind: labelBox, of: i, column: 2*from + 1, w: w, h: h}
		way := []int{l.nodes[a.from]}
		switch {
		case to > from:
			label.column = 2*to - 1
			way = append(way, l.lanes(trunk{a.from, true}, label.column)...)
			way = append(way, l.add(label))
		case to == from:
			way = append(way, l.add(label))
		default:
			label.column = 2*from - 1
			way = append(way, l.add(label))
			for _, lane := range slices.Backward(l.lanes(trunk{a.to, false}, label.column)) {
				way = append(way, lane)
			}
		}
		l.labels = append(l.labels, labelOf(way, l.boxes))
		way = append(way, l.nodes[a.to])
		l.routes = append(l.routes, way)
		for j := 1; j < len(way); j++ {
			l.join(way[j-1], way[j])
		}
	}
}

func labelOf(way []int, boxes []box) int {
	for _, i := range way {
		if boxes[i].kind == labelBox {
			return i
		}
	}
	return -1
}

// lanes gives a trunk's lanes up to a column, and makes those that are missing.
func (l *layout) lanes(k trunk, upTo int) []int {
	first := 2*l.rank[k.node] + 1
	for c := first + len(l.trunks[k]); c < upTo; c++ {
		l.trunks[k] = append(l.trunks[k], l.add(box{kind: laneBox, of: k.node, column: c, h: laneHeight}))
	}
	return l.trunks[k][:upTo-first]
}

// join notes that a line goes from one box to another, once.
func (l *layout) join(a, b int) {
	if l.boxes[a].column > l.boxes[b].column {
		a, b = b, a
	}
	if known(l.boxes[a].right, l.boxes[b].left, a, b) {
		return
	}
	l.boxes[a].right = append(l.boxes[a].right, b)
	l.boxes[b].left = append(l.boxes[b].left, a)
}

// known tells whether two boxes are joined already, by the shorter of their lists.
func known(right, left []int, a, b int) bool {
	if len(left) < len(right) {
		return slices.Contains(left, a)
	}
	return slices.Contains(right, b)
}

func labelSize(a *arrow, counted bool) (w, h float64) {
	if counted {
		a.lines = append([]line{{spans: []span{{styleCount, thousands(a.count) + "×"}}}}, a.lines...)
		if len(a.lines) > 1 { // the number stands before the first words
			a.lines[1].spans = append(a.lines[0].spans, a.lines[1].spans...)
			a.lines = a.lines[1:]
		}
	}
	a.lines = wrap(a.lines, labelMost, maxGuardLines)
	for i := range a.lines {
		a.lines[i] = fit(a.lines[i], labelMost)
		w = max(w, lineWidth(a.lines[i]))
	}
	return math.Ceil(w*spare + 2*labelPad), lineStep*float64(len(a.lines)) + 5
}

// heighten gives nodes room for the lines that meet them. Boxes of nodes in a column have the same width.
func (l *layout) heighten() {
	for _, column := range l.columns {
		widest := 0.0
		for _, i := range column {
			if b := &l.boxes[i]; b.kind == nodeBox {
				widest = max(widest, b.w)
				ports := min(60, 1+max(len(b.left), len(b.right)))
				b.h = max(b.h, portStep*float64(ports)+8)
			}
		}
		for _, i := range column {
			if b := &l.boxes[i]; b.kind == nodeBox {
				b.w = widest
			}
		}
	}
}
