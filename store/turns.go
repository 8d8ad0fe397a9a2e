package store

import "sync"

// turns lets the transactions of this process come to a workspace one after the other. They would wait for its row's lock anyway; here
// they wait without a connection, and what one leaves warm is there for the next.
type turns struct {
	mu sync.Mutex
	of map[int64]*sync.Mutex
}

// take waits for the turns of workspaces, which stand in ascending order; the answer gives them back.
func (t *turns) take(workspaces []int64) (leave func()) {
	taken := make([]*sync.Mutex, 0, 1)
	for _, ws := range workspaces {
		turn := t.turn(ws)
		turn.Lock()
		taken = append(taken, turn)
	}
	return func() {
		for _, turn := range taken {
			turn.Unlock()
		}
	}
}

func (t *turns) turn(ws int64) *sync.Mutex {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[int64]*sync.Mutex{}
	}
	if t.of[ws] == nil {
		t.of[ws] = &sync.Mutex{}
	}
	return t.of[ws]
}
