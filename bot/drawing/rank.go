package drawing

// ranks tells how many arrows each node is away from the initial one, at the least. Transitions from any state and what a fallback
// leads to count only for states that can be reached in no other way: else all flows with a way out everywhere would be flat.
func ranks(g *graph) []int {
	const unknown = -1
	rank := make([]int, len(g.nodes))
	for i := range rank {
		rank[i] = unknown
	}
	leads := make([][]int, len(g.nodes))
	for _, a := range g.arrows {
		leads[a.from] = append(leads[a.from], a.to)
	}
	spread := func(open []int) {
		for len(open) > 0 {
			from := open[0]
			open = open[1:]
			for _, to := range leads[from] {
				if rank[to] == unknown {
					rank[to] = rank[from] + 1
					open = append(open, to)
				}
			}
		}
	}
	rank[g.initial] = 0
	spread([]int{g.initial})
	var beside []int
	for i, n := range g.nodes {
		if n.kind != stateNode {
			rank[i] = 0
			beside = append(beside, i)
		}
	}
	spread(beside)
	for i := range rank {
		rank[i] = max(rank[i], 0)
	}
	return rank
}
