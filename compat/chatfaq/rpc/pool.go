package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
)

// crewKey names a flow of a workspace.
type crewKey struct {
	ws   chat.WorkspaceID
	flow string
}

// pool knows the workers of each flow and what they are doing. No lock is taken while its own is held, but that of a call.
type pool struct {
	limit int // calls under way at one worker

	changed chan struct{} // holds a token when workers of this node came or went

	mu      sync.Mutex
	crews   map[crewKey]*crew
	members map[*socket]*member // of this node
	ids     map[string]*member  // of all nodes
	turn    uint64              // counts calls that were given out
}

// crew are the workers of one flow.
type crew struct {
	members []*member
	changed chan struct{} // closed when somebody comes or has room again; nil while nobody waits
	seats   seats
}

// member is a registered worker.
type member struct {
	id      string
	key     crewKey
	version int // of the flow that it registered
	reach   reach
	socket  *socket // nil for a worker of another node
	node    string  // that it is connected to; "" for this one
	left    bool
	used    uint64 // turn of its last call
	calls   map[string]*call
	talks   map[name]*call // by conversation
}

func newPool(limit int) *pool {
	return &pool{
		limit: limit, changed: make(chan struct{}, 1), crews: map[crewKey]*crew{}, members: map[*socket]*member{}, ids: map[string]*member{},
	}
}

// crew is called with the lock held.
func (p *pool) crew(key crewKey) *crew {
	c := p.crews[key]
	if c == nil {
		c = &crew{}
		p.crews[key] = c
	}
	return c
}

// join makes a socket a worker of a flow; it serves one flow at a time.
func (p *pool) join(c *socket, flow string, version int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := crewKey{c.token.Workspace, flow}
	if m := p.members[c]; m != nil {
		if m.key == key && m.version == version {
			return
		}
		p.remove(m)
	}
	m := &member{id: chat.NewID(), key: key, version: version, reach: c, socket: c}
	p.members[c] = m
	p.add(m)
	p.news()
}

// add is called with the lock held.
func (p *pool) add(m *member) {
	m.calls, m.talks = map[string]*call{}, map[name]*call{}
	p.ids[m.id] = m
	crew := p.crew(m.key)
	crew.members = append(crew.members, m)
	crew.tell()
}

func (p *pool) news() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// leave ends the calls of a socket: they are lost.
func (p *pool) leave(c *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.members[c]; m != nil {
		p.remove(m)
		p.news()
	}
}

// remove is called with the lock held.
func (p *pool) remove(m *member) {
	if m.socket != nil {
		delete(p.members, m.socket)
	}
	delete(p.ids, m.id)
	m.left = true
	crew := p.crew(m.key)
	for i, other := range crew.members {
		if other == m {
			crew.members = append(crew.members[:i:i], crew.members[i+1:]...)
			break
		}
	}
	for _, c := range m.calls {
		c.lose()
	}
}

// tell wakes those who wait for a worker; called with the lock held.
func (c *crew) tell() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// Why there is no worker for a call.
var (
	errNobody = errors.New("no worker is connected")
	errBusy   = errors.New("all workers are busy")
)

// take finds a worker for a call and waits for one while there is none.
func (p *pool) take(ctx context.Context, key crewKey, version int, c *call) (*member, error) {
	for {
		m, changed, why := p.try(key, version, c)
		if m != nil {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("flow %s: %w", key.flow, why)
		case <-changed:
		}
	}
}

func (p *pool) try(key crewKey, version int, c *call) (*member, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	crew := p.crew(key)
	m := crew.choose(p.limit, version, c)
	if m == nil {
		if crew.changed == nil {
			crew.changed = make(chan struct{})
		}
		if len(crew.members) == 0 {
			return nil, crew.changed, errNobody
		}
		return nil, crew.changed, errBusy
	}
	p.turn++
	m.used = p.turn
	m.calls[c.id], m.talks[c.talk] = c, c
	crew.seats.put(c.conversation, m)
	return m, nil, nil
}

// choose prefers workers with the conversation's version of the flow, then the one that had the conversation before, then the one
// that has waited longest. A worker has at most one call of a conversation.
func (c *crew) choose(limit, version int, call *call) (best *member) {
	before := c.seats.find(call.conversation)
	rank := func(m *member) (r int) {
		if m.version == version {
			r += 2
		}
		if m == before {
			r++
		}
		return r
	}
	for _, m := range c.members {
		if len(m.calls) >= limit || m.talks[call.talk] != nil {
			continue
		}
		if best == nil || rank(m) > rank(best) || rank(m) == rank(best) && m.used < best.used {
			best = m
		}
	}
	return best
}

// release frees a worker of a call.
func (p *pool) release(m *member, c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.reach.over(c)
	p.free(m, c)
}

// free is called with the lock held. The worker may have been given the call anew, or another one of the conversation.
func (p *pool) free(m *member, c *call) {
	if m.calls[c.id] == c {
		delete(m.calls, c.id)
	}
	if m.talks[c.talk] == c {
		delete(m.talks, c.talk)
	}
	p.crew(m.key).tell()
}

// find tells which call a result is for; nil: none that is under way. Clients that do not send the call's id back are known by
// the conversation.
func (p *pool) find(c *socket, r result) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.members[c]
	switch {
	case m == nil:
		return nil
	case r.CallID != "":
		return m.calls[r.CallID]
	default:
		return m.talks[r.Conversation]
	}
}

// list shows the workers of a workspace.
func (p *pool) list(ws chat.WorkspaceID) []workerView {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []workerView{}
	for key, crew := range p.crews {
		if key.ws != ws {
			continue
		}
		for _, m := range crew.members {
			out = append(out, workerView{"rpc_" + key.flow + "_" + m.id, fmt.Sprintf("rr_%s_%d", key.flow, m.version), key.flow})
		}
	}
	return out
}

// Connected tells whether a worker of a flow is connected, to this node or another.
func (s *Server) Connected(ws chat.WorkspaceID, flow string) bool {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	c := s.pool.crews[crewKey{ws, flow}]
	return c != nil && len(c.members) > 0
}
