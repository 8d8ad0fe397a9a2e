package store

// cursor asks where a follower is, and whether another node holds it; both answers are there after fetch.
func (u *unit) cursor(ws int64, name string) (at *int64, held *bool) {
	at, held = new(int64), new(bool)
	u.asks = append(u.asks, stmt{
		sql:  "SELECT pos, holder, lease_until FROM followers WHERE workspace = $1 AND name = $2",
		args: []any{ws, name},
		scan: func(r scanner) error {
			var holder string
			var until int64
			if err := r.Scan(at, &holder, &until); err != nil {
				return err
			}
			*held = holder != u.s.holder && until > micros(u.now) && until <= micros(u.now.Add(wildLease*u.s.lease))
			return nil
		},
	})
	return at, held
}

// moveCursor writes where the follower is now, and that this node has it.
func (u *unit) moveCursor(ws int64, name string, pos int64) {
	u.extra = append(u.extra, stmt{
		sql: `INSERT INTO followers (workspace, name, pos, holder, fence, lease_until) VALUES ($1, $2, $3, $4, 1, $5)
 ON CONFLICT (workspace, name) DO UPDATE SET pos = excluded.pos, lease_until = excluded.lease_until,
 fence = followers.fence + CASE WHEN followers.holder = excluded.holder THEN 0 ELSE 1 END, holder = excluded.holder`,
		args: []any{ws, name, pos, u.s.holder, micros(u.now.Add(u.s.lease))},
	})
}
