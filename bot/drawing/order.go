package drawing

import (
	"cmp"
	"slices"
)

// largePicture is how many boxes a picture may have until it is ordered with less care.
const largePicture = 4000

// order finds an order of the boxes in each column in which few lines cross: each box goes where its neighbours are on average, column
// by column, there and back. The best of all rounds counts.
func (l *layout) order() {
	at := make([]float64, len(l.boxes))
	l.number(at)
	best, crossings := l.copyColumns(), l.crossings(at)
	rounds := 12
	if len(l.boxes) > largePicture {
		rounds = 2
	}
	for range rounds {
		if crossings == 0 {
			break
		}
		for c := range l.columns {
			l.sort(c, at)
		}
		for c := len(l.columns) - 1; c >= 0; c-- {
			l.sort(c, at)
		}
		if n := l.crossings(at); n < crossings {
			best, crossings = l.copyColumns(), n
		}
	}
	l.columns = best
}

// number writes down where boxes stand in their columns.
func (l *layout) number(at []float64) {
	for _, column := range l.columns {
		for i, b := range column {
			at[b] = float64(i)
		}
	}
}

func (l *layout) copyColumns() [][]int {
	out := make([][]int, len(l.columns))
	for i, column := range l.columns {
		out[i] = slices.Clone(column)
	}
	return out
}

// sort puts one column in the order of its neighbours' averages.
func (l *layout) sort(c int, at []float64) {
	column := l.columns[c]
	type keyed struct {
		box  int
		mean float64
	}
	list := make([]keyed, len(column))
	for i, b := range column {
		sum, n := 0.0, 0
		for _, list := range [][]int{l.boxes[b].left, l.boxes[b].right} {
			for _, other := range list {
				size := max(1, len(l.columns[l.boxes[other].column]))
				sum += (at[other] + 0.5) / float64(size)
				n++
			}
		}
		list[i] = keyed{b, (at[b] + 0.5) / float64(len(column))}
		if n > 0 {
			list[i].mean = sum / float64(n)
		}
	}
	slices.SortStableFunc(list, func(a, b keyed) int { return cmp.Compare(a.mean, b.mean) })
	for i, k := range list {
		column[i] = k.box
		at[k.box] = float64(i)
	}
}

// crossings counts how often lines between neighbouring columns cross.
func (l *layout) crossings(at []float64) int {
	sum := 0
	var ends []int
	for c := range l.columns[:len(l.columns)-1] {
		ends = ends[:0]
		for _, b := range l.columns[c] {
			from := len(ends)
			for _, other := range l.boxes[b].right {
				ends = append(ends, int(at[other]))
			}
			slices.Sort(ends[from:])
		}
		sum += inversions(ends, len(l.columns[c+1]))
	}
	return sum
}

// inversions counts the pairs that stand in the wrong order, with a tree of sums.
func inversions(list []int, size int) int {
	tree := make([]int, size+1)
	sum := 0
	for seen, v := range list {
		before := 0
		for i := v + 1; i > 0; i -= i & -i {
			before += tree[i]
		}
		sum += seen - before
		for i := v + 1; i <= size; i += i & -i {
			tree[i]++
		}
	}
	return sum
}
