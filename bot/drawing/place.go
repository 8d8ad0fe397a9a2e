package drawing

import "math"

// Space between boxes of a column, and between columns.
const (
	nodeGap   = 22.0
	labelGap  = 6.0
	laneGap   = 3.0
	columnGap = 34.0
	gapMost   = 110.0
)

// place gives every box its corner.
func (l *layout) place() {
	for _, column := range l.columns {
		y := 0.0
		for i, b := range column {
			if i > 0 {
				y += l.gap(column[i-1], b)
			}
			l.boxes[b].y = y
			y += l.boxes[b].h
		}
	}
	rounds := 10
	if len(l.boxes) > largePicture {
		rounds = 3
	}
	for range rounds {
		for c := range l.columns {
			l.settle(c)
		}
		for c := len(l.columns) - 1; c >= 0; c-- {
			l.settle(c)
		}
	}
	l.raise()
	l.spread()
}

func (l *layout) gap(upper, lower int) float64 {
	a, b := l.boxes[upper].kind, l.boxes[lower].kind
	switch {
	case a == laneBox && b == laneBox:
		return laneGap
	case a == nodeBox || b == nodeBox:
		if a == b {
			return nodeGap
		}
		return nodeGap / 2
	default:
		return labelGap
	}
}

// run is boxes of a column that stand as close as they may.
type run struct {
	sum, weight float64
	first       int // in the column
}

// settle moves the boxes of a column as near to the middle of their neighbours as the order and the gaps allow: the least squares of
// the distances, found by joining neighbours that would overlap.
func (l *layout) settle(c int) {
	column := l.columns[c]
	shift := make([]float64, len(column)) // of a box below the first one when all stand close
	var runs []run
	for i, b := range column {
		if i > 0 {
			shift[i] = shift[i-1] + l.boxes[column[i-1]].h + l.gap(column[i-1], b)
		}
		want, weight, free := l.wish(b)
		if free {
			want = l.company(column, i)
		}
		runs = append(runs, run{(want - shift[i]) * weight, weight, i})
		for len(runs) > 1 {
			above, below := runs[len(runs)-2], runs[len(runs)-1]
			if above.sum/above.weight <= below.sum/below.weight {
				break
			}
			runs = append(runs[:len(runs)-2], run{above.sum + below.sum, above.weight + below.weight, above.first})
		}
	}
	for i, r := range runs {
		end := len(column)
		if i+1 < len(runs) {
			end = runs[i+1].first
		}
		for k := r.first; k < end; k++ {
			l.boxes[column[k]].y = r.sum/r.weight + shift[k]
		}
	}
}

// company is where a box stands that goes with the one above it or, the first one, with the one below.
func (l *layout) company(column []int, i int) float64 {
	b := &l.boxes[column[i]]
	switch {
	case i > 0:
		above := &l.boxes[column[i-1]]
		return above.y + above.h + l.gap(column[i-1], column[i])
	case len(column) > 1:
		return l.boxes[column[1]].y - l.gap(column[0], column[1]) - b.h
	default:
		return b.y
	}
}

// wish is where a box would like to begin, and how much: lanes want to be straight. A box without lines is free to stand anywhere.
func (l *layout) wish(i int) (y, weight float64, free bool) {
	b := &l.boxes[i]
	sum, n := 0.0, 0.0
	for _, list := range [][]int{b.left, b.right} {
		for _, other := range list {
			w := 1.0
			if l.boxes[other].kind == laneBox {
				w = 2
			}
			sum += l.boxes[other].middle() * w
			n += w
		}
	}
	weight = 1
	if b.kind == laneBox {
		weight = 3
	}
	if n == 0 {
		return 0, 0.01, true
	}
	return sum/n - b.h/2, weight, false
}

// raise lets the picture begin at its upper margin, on whole pixels: rounding down keeps the order, and the gaps but for a pixel.
func (l *layout) raise() {
	top, bottom := math.Inf(1), 0.0
	for i := range l.boxes {
		top = min(top, l.boxes[i].y)
	}
	for i := range l.boxes {
		b := &l.boxes[i]
		b.y = math.Floor(b.y - top)
		bottom = max(bottom, b.y+b.h)
	}
	l.h = bottom
}

// spread puts the columns side by side. Steep lines need more room.
func (l *layout) spread() {
	x := startSpace
	for c, column := range l.columns {
		widest := 0.0
		for _, b := range column {
			l.boxes[b].x = x
			widest = max(widest, l.boxes[b].w)
		}
		l.spans = append(l.spans, stretch{x, x + widest})
		l.w = x + widest
		x += widest
		if c+1 < len(l.columns) && len(l.columns[c+1]) > 0 {
			x += math.Round(min(gapMost, columnGap+0.1*l.steepest(column)))
		}
	}
	if last := len(l.columns) - 1; len(l.columns[last]) == 0 {
		l.w = l.spans[last-1].to
	}
}

func (l *layout) steepest(column []int) float64 {
	most := 0.0
	for _, b := range column {
		for _, other := range l.boxes[b].right {
			most = max(most, math.Abs(l.boxes[b].middle()-l.boxes[other].middle()))
		}
	}
	return most
}
