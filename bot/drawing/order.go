package drawing

import (
	"cmp"
	"slices"
)

// largePicture is how many boxes a picture may have until it is ordered with less care.
const largePicture = 4000

// order finds an order of the boxes in each column in which few lines cross: each box goes where its neighbours are on average. In one
// round those of the column before count, from left to right and then the other way round; in the next all of them, so that one round gets
// out of where the other is caught. The best of all counts.
func (l *layout) order() {
	at := make([]float64, len(l.boxes))
	l.number(at)
	best, crossings := l.copyColumns(), l.crossings(at)
	rounds := 24
	if len(l.boxes) > largePicture {
		rounds = 2
	}
	for round := range rounds {
		if crossings == 0 {
			break
		}
		both := round%2 == 1
		for c := range l.columns {
			l.sort(c, at, true, both)
		}
		for c := len(l.columns) - 1; c >= 0; c-- {
			l.sort(c, at, both, true)
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

// sort puts one column in the order of its neighbours' averages. Boxes without neighbours stay where they are.
func (l *layout) sort(c int, at []float64, left, right bool) {
	column := l.columns[c]
	mean := make([]float64, len(column))
	var moved, slots []int // places in the column
	for i, b := range column {
		sum, n := 0.0, 0
		if left {
			sum, n = l.sum(l.boxes[b].left, at), len(l.boxes[b].left)
		}
		if right {
			sum, n = sum+l.sum(l.boxes[b].right, at), n+len(l.boxes[b].right)
		}
		if n > 0 {
			mean[i] = sum / float64(n)
			moved, slots = append(moved, i), append(slots, i)
		}
	}
	slices.SortStableFunc(moved, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
	before := slices.Clone(column)
	for k, slot := range slots {
		column[slot] = before[moved[k]]
		at[column[slot]] = float64(slot)
	}
}

// sum adds up where boxes stand, from 0 for the upper end of their column to 1.
func (l *layout) sum(list []int, at []float64) float64 {
	sum := 0.0
	for _, b := range list {
		sum += (at[b] + 0.5) / float64(len(l.columns[l.boxes[b].column]))
	}
	return sum
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
