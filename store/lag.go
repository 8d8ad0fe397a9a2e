package store

import "context"

// Lag is how many events each follower has not seen yet, over all workspaces.
func (s *Store) Lag(ctx context.Context) (map[string]int64, error) {
	type lag struct {
		name   string
		events int64
	}
	found, err := list(ctx, s, func(r scanner) (l lag, err error) {
		err = r.Scan(&l.name, &l.events)
		return l, err
	}, `SELECT f.name, SUM(w.head - f.pos) FROM followers f JOIN workspaces w ON w.id = f.workspace
 WHERE f.name NOT LIKE '%:%' GROUP BY f.name`)
	out := map[string]int64{}
	for _, l := range found {
		out[l.name] = l.events
	}
	return out, err
}
