package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// ErrNotNow is what a step of FollowAlong answers, before it has changed anything, when it has to read what this transaction has not
// committed yet: it is called again for the same event, in a transaction of its own.
var ErrNotNow = errors.New("store: not in this transaction")

// FollowAlong is Follow, and where this node has read a log to its head, the step is part of the very transaction that appends the
// event: what comes of a message is as durable as the message, and costs no commit of its own. Tx.Along tells. What a step reads beside
// tx it then sees as it was before the transaction. A step must be quick: whoever appended the event waits for it.
func (s *Store) FollowAlong(ctx context.Context, name string, step Step, kinds ...chat.Kind) error {
	f := newFollower(s, name, step, kinds)
	f.along = true
	return f.run(ctx)
}

// companions are the followers whose steps come along.
type companions struct {
	mu   sync.Mutex
	list []*follower
}

// add lets a follower come along until leave, which waits for the transactions that it is part of.
func (c *companions) add(f *follower) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(slices.Clip(c.list), f)
	return func() {
		c.mu.Lock()
		c.list = slices.DeleteFunc(slices.Clone(c.list), func(x *follower) bool { return x == f })
		c.mu.Unlock()
		f.riding.Wait()
	}
}

// board finds the followers that have nothing to catch up with in the workspaces of a unit. Whatever of interest stands before was
// committed as done, by this node or another: that never becomes wrong, so the events of this unit are theirs to take.
func (c *companions) board(u *unit) (rides rides) {
	if u.cold {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.list {
		for id, w := range u.workspaces {
			if w == nil || w.head == w.found {
				continue
			}
			if n := f.at(id); n.cursor >= 0 && n.until == w.found {
				f.riding.Add(1)
				rides = append(rides, &ride{f: f, ws: id, was: n, now: seen{cursor: n.cursor, last: n.last, until: w.found}})
			}
		}
	}
	return rides
}

// ride is a follower's part in one unit.
type ride struct {
	f        *follower
	ws       int64
	was, now seen
	next     int  // in the unit's events
	steps    int  // taken
	over     bool // what comes now is for a transaction of its own
}

type rides []*ride

// maxRide is how many steps of one follower a transaction takes along.
const maxRide = 4 * followBatch

// errAlong is a step that failed in somebody else's transaction: that is done again without it.
var errAlong = errors.New("store: a follower's step failed")

// follow lets the steps run until none of them has anything to say to what the others have said.
func (u *unit) follow(rides rides) error {
	for busy := true; busy; {
		busy = false
		for _, r := range rides {
			n, err := r.take(u)
			if err != nil {
				return err
			}
			busy = busy || n > 0
		}
	}
	for _, r := range rides {
		if r.steps > 0 {
			u.moveCursor(r.ws, r.f.name, r.now.cursor)
		}
		if !r.over {
			r.now.until = u.workspaces[r.ws].head
		}
	}
	return nil
}

// take runs the step over the events that were appended since it last looked; it answers how many were of interest.
func (r *ride) take(u *unit) (n int, err error) {
	if r.over {
		return 0, nil
	}
	events, err := r.events(u)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	if err := r.prepare(u, events); err != nil || r.over {
		return 0, err
	}
	for _, e := range events {
		if r.steps == maxRide {
			r.over = true
			return n, nil
		}
		switch err := r.step(u, e); {
		case errors.Is(err, ErrNotNow):
			r.over = true
			return n, nil
		case err != nil:
			return n, err
		}
		n++
		r.steps++
		r.now = seen{cursor: e.Pos, last: e.Pos, until: e.Pos}
	}
	return n, nil
}

// events are those of interest that the follower has not seen, as they will be read from the log.
func (r *ride) events(u *unit) (out []logEvent, err error) {
	for ; r.next < len(u.fresh); r.next++ {
		f := &u.fresh[r.next]
		if f.ws != r.ws || len(r.f.kinds) > 0 && !slices.Contains(r.f.kinds, f.event.Kind) {
			continue
		}
		e, err := f.stored()
		if err != nil {
			return nil, err
		}
		out = append(out, logEvent{e, f.conv})
	}
	return out, nil
}

// stored is the event as whoever reads the log gets it.
func (f *freshEvent) stored() (chat.Event, error) {
	if f.body == "" {
		body, err := bodyOf(f.event)
		if err != nil {
			return chat.Event{}, unfitPayload(err)
		}
		f.body = body
	}
	e := *f.event
	err := readBody(&e, []byte(f.body))
	return e, err
}

// prepare fetches what the steps may look at, and makes sure that no other node has the lease.
func (r *ride) prepare(u *unit, events []logEvent) error {
	held := new(bool)
	if !r.f.holds(r.ws, u.now) {
		_, held = u.cursor(r.ws, r.f.name)
	}
	for range 2 { // the second time for the channels of the conversations
		for _, e := range events {
			if e.conv > 0 {
				r.f.want(u, r.ws, e.conv)
			}
		}
		if err := u.fetch(r.f.ctx); err != nil {
			return err
		}
	}
	r.over = *held
	return nil
}

func (r *ride) step(u *unit, e logEvent) error {
	tx := &Tx{ctx: r.f.ctx, u: u, ws: r.ws, uid: u.workspaces[r.ws].uid, name: r.f.name, conv: e.conv, since: r.now.since(r.now.cursor), along: true}
	err := stepSafely(r.f.step, tx, e.Event)
	switch {
	case u.broken != nil:
		return u.broken
	case err == nil || errors.Is(err, ErrNotNow):
		return err
	default:
		r.f.note(r.ws, seen{cursor: -1}) // alone it is tried again, and parked if need be
		return fmt.Errorf("%w: %s at %d: %w", errAlong, r.f.name, e.Pos, err)
	}
}

// arrive remembers, after the commit, how far the followers came.
func (rides rides) arrive(now time.Time) {
	for _, r := range rides {
		r.f.come(r, now)
	}
}

// leave lets go of the followers.
func (rides rides) leave() {
	for _, r := range rides {
		r.f.riding.Done()
	}
}

// come keeps how far a ride brought the follower, unless its own reading has gone on meanwhile.
func (f *follower) come(r *ride, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen[r.ws] != r.was {
		return
	}
	f.seen[r.ws] = r.now
	if r.steps > 0 {
		f.leased[r.ws] = now.Add(f.s.lease)
	}
}

// holds tells whether this node surely has the follower's lease of a workspace.
func (f *follower) holds(ws int64, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := f.leased[ws].Sub(now)
	return left > f.s.lease/4 && left <= f.s.lease
}
