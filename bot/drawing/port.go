package drawing

import (
	"cmp"
	"slices"
)

// point is a place in the picture.
type point struct{ x, y float64 }

// Lines meet a node at ports. All that come in from one side share one, with one head; each that goes out has its own.
type ports struct {
	out []map[int]float64 // by box: height of the line to a neighbour
	in  []sides
}

// sides are the heights of what comes in; 0 when nothing does.
type sides struct{ left, right float64 }

const headLength = 8.0

// port is one line or bundle on a side, before it has its height.
type port struct {
	other int // neighbour; -1: what comes in
	key   float64
}

func (l *layout) ports() *ports {
	p := &ports{out: make([]map[int]float64, len(l.boxes)), in: make([]sides, len(l.boxes))}
	comes := l.arrivals()
	for i := range l.boxes {
		b := &l.boxes[i]
		if b.kind != nodeBox {
			continue
		}
		p.out[i] = map[int]float64{}
		p.in[i].left = p.side(l, i, b.left, comes[i].left)
		p.in[i].right = p.side(l, i, b.right, comes[i].right)
	}
	return p
}

// arrival lists the neighbours from which lines come to a node.
type arrival struct{ left, right []int }

func (l *layout) arrivals() []arrival {
	out := make([]arrival, len(l.boxes))
	for _, r := range l.routes {
		node, before := r[len(r)-1], r[len(r)-2]
		side := &out[node].left
		if l.boxes[before].column > l.boxes[node].column {
			side = &out[node].right
		}
		if !slices.Contains(*side, before) {
			*side = append(*side, before)
		}
	}
	return out
}

// side gives the lines on one side of a node their heights, and answers with the one of what comes in.
func (p *ports) side(l *layout, node int, neighbours, incoming []int) (in float64) {
	var list []port
	for _, other := range neighbours {
		if !slices.Contains(incoming, other) || l.turns(node, other) {
			list = append(list, port{other, l.boxes[other].middle()})
		}
	}
	if len(incoming) > 0 {
		sum := 0.0
		for _, other := range incoming {
			sum += l.boxes[other].middle()
		}
		list = append(list, port{-1, sum / float64(len(incoming))})
	}
	slices.SortStableFunc(list, func(a, b port) int { return cmp.Compare(a.key, b.key) })
	b := &l.boxes[node]
	room := min(14, (b.h-10)/float64(len(list)))
	for i, q := range list {
		y := b.middle() + (float64(i)-float64(len(list)-1)/2)*room
		if q.other < 0 {
			in = y
			continue
		}
		p.out[node][q.other] = y
	}
	return in
}

// turns tells whether a label belongs to an arrow from a node to itself.
func (l *layout) turns(node, label int) bool {
	b := &l.boxes[label]
	return b.kind == labelBox && l.nodes[l.arrows[b.of].from] == node && l.arrows[b.of].from == l.arrows[b.of].to
}
