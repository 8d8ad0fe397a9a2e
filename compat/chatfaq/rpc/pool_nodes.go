package rpc

// roster lists the workers of this node.
func (p *pool) roster() []distantWorker {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]distantWorker, 0, min(len(p.members), maxRoster))
	for _, m := range p.members {
		if len(out) == maxRoster {
			break
		}
		out = append(out, distantWorker{ID: m.id, Workspace: m.key.ws, Flow: m.key.flow, Version: m.version})
	}
	return out
}

// settle makes these the workers of another node; the calls of those that are not among them any more are lost.
func (p *pool) settle(s *Server, node string, workers []distantWorker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := make(map[string]bool, len(workers))
	for _, w := range workers {
		there[w.ID] = true
		if p.ids[w.ID] == nil && len(there) <= maxRoster {
			p.add(&member{id: w.ID, key: crewKey{w.Workspace, w.Flow}, version: w.Version, reach: relay{s, node, w.ID}, node: node})
		}
	}
	for _, m := range p.ids {
		if m.node == node && !there[m.id] {
			p.remove(m)
		}
	}
}

// lend gives another node's call to a worker of this one; false if it is not here.
func (p *pool) lend(worker string, c *call, frame []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.ids[worker]
	if m == nil || m.socket == nil {
		return false
	}
	m.calls[c.id], m.talks[c.talk] = c, c
	m.socket.post(frame)
	return true
}

// end frees a worker of this node of another node's call.
func (p *pool) end(worker, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.ids[worker]
	if m == nil || m.socket == nil {
		return
	}
	if c := m.calls[id]; c != nil && c.origin != nil {
		p.free(m, c)
	}
}

// call finds a call of ours at a worker of another node.
func (p *pool) call(worker, id string) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.ids[worker]; m != nil && m.socket == nil {
		return m.calls[id]
	}
	return nil
}

// post sends a frame to a worker of this node.
func (p *pool) post(worker string, frame []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.ids[worker]; m != nil && m.socket != nil {
		m.socket.post(frame)
	}
}
