package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/wake"
)

// A worker is connected to one node, and the node that runs its flow's conversations may be another. Nodes tell each other who is
// connected to them, and calls and their results go between them as letters. A letter may get lost, as a worker's frame may: the call's
// time limit ends the waiting.

const (
	topic       = "rpc"
	rosterEvery = 5 * time.Second
	silence     = 3*rosterEvery + time.Second // after which a node is taken for gone
	maxRoster   = 4000                        // workers of a node that others hear of
)

// word is what a letter is about.
type word string

const (
	wordRoster word = "roster" // who is connected to me now
	wordHello  word = "hello"  // the same, and tell me yours
	wordCall   word = "call"   // give this frame to a worker of yours
	wordOver   word = "over"   // nobody waits for that call any more
	wordResult word = "result" // what the worker answered
	wordLost   word = "lost"   // it will not answer
	wordWrong  word = "wrong"  // tell the worker what was wrong with its answer
)

// distant is a letter's body.
type distant struct {
	Word    word            `json:"word"`
	Workers []distantWorker `json:"workers,omitempty"`
	Worker  string          `json:"worker,omitempty"`
	Call    string          `json:"call,omitempty"`
	Talk    name            `json:"talk,omitempty"`
	Frame   json.RawMessage `json:"frame,omitempty"`
	Why     string          `json:"why,omitempty"`
}

// distantWorker is a worker in a roster.
type distantWorker struct {
	ID        string           `json:"id"`
	Workspace chat.WorkspaceID `json:"workspace"`
	Flow      string           `json:"flow"`
	Version   int              `json:"version"`
}

// reach is how a worker is reached.
type reach interface {
	ask(c *call, frame []byte)
	over(c *call) // the call is over
}

func (c *socket) ask(_ *call, frame []byte) { c.post(frame) }
func (c *socket) over(*call)                {}

// relay is the line to a worker of another node.
type relay struct {
	s            *Server
	node, worker string
}

// errFar is a frame that does not fit into a letter.
var errFar = errors.New("too large for a worker that is connected to another node")

func (r relay) ask(c *call, frame []byte) {
	if !r.s.tell(r.node, distant{Word: wordCall, Worker: r.worker, Call: c.id, Talk: c.talk, Frame: frame}) {
		c.fail(errFar)
	}
}

func (r relay) over(c *call) { r.s.tell(r.node, distant{Word: wordOver, Worker: r.worker, Call: c.id}) }

// origin is where a call came from that a worker of this node was given for another.
type origin struct {
	s            *Server
	node, worker string
}

// pass sends an answer on as it came.
func (o *origin) pass(id string, data json.RawMessage) {
	if !o.s.tell(o.node, distant{Word: wordResult, Worker: o.worker, Call: id, Frame: data}) {
		o.lost(id, errFar.Error())
	}
}

func (o *origin) lost(id, why string) {
	o.s.tell(o.node, distant{Word: wordLost, Worker: o.worker, Call: id, Why: why})
}

// tell writes to a node, or to all; false if it is too much for a letter.
func (s *Server) tell(node string, d distant) bool {
	body, err := encode(d)
	if err != nil || len(body) > wake.LetterBody {
		return false
	}
	s.Wake.Post(wake.Letter{Topic: topic, From: s.node, To: node, Body: body})
	return true
}

// neighbours are the other nodes and when they were last heard. They belong to the goroutine of hear.
type neighbours map[string]time.Time

// hear keeps up with the other nodes until ctx ends.
func (s *Server) hear(ctx context.Context) {
	box := s.Wake.Mailbox(topic)
	defer box.Close()
	known := neighbours{}
	defer func() {
		for node := range known {
			s.pool.settle(s, node, nil)
		}
		s.tell("", distant{Word: wordRoster})
	}()
	tick := time.NewTicker(rosterEvery)
	defer tick.Stop()
	s.tell("", distant{Word: wordHello, Workers: s.pool.roster()})
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.pool.changed:
			s.tell("", distant{Word: wordRoster, Workers: s.pool.roster()})
		case <-tick.C:
			s.tell("", distant{Word: wordRoster, Workers: s.pool.roster()})
			known.forget(s)
		case <-box.Ready():
			n := box.Take()
			if n.Missed {
				s.tell("", distant{Word: wordHello, Workers: s.pool.roster()})
			}
			for _, l := range n.Letters {
				if l.From != s.node && (l.To == "" || l.To == s.node) {
					s.letter(known, l)
				}
			}
		}
	}
}

// forget takes nodes that have been silent for gone.
func (n neighbours) forget(s *Server) {
	for node, at := range n {
		if s.Now().Sub(at) > silence {
			delete(n, node)
			s.pool.settle(s, node, nil)
		}
	}
}

// letter does what another node asks for or tells.
func (s *Server) letter(known neighbours, l wake.Letter) {
	var d distant
	if json.Unmarshal(l.Body, &d) != nil {
		return
	}
	switch d.Word {
	case wordHello, wordRoster:
		known[l.From] = s.Now()
		s.pool.settle(s, l.From, d.Workers)
		if d.Word == wordHello {
			s.tell(l.From, distant{Word: wordRoster, Workers: s.pool.roster()})
		}
	case wordCall:
		s.lend(l.From, d)
	case wordOver:
		s.pool.end(d.Worker, d.Call)
	case wordResult:
		s.returned(l.From, d)
	case wordLost:
		if c := s.pool.call(d.Worker, d.Call); c != nil {
			c.fail(lostThere(d.Why))
		}
	case wordWrong:
		s.pool.post(d.Worker, d.Frame)
	}
}

// lostThere is the end of a call at another node; without a reason the worker went away.
func lostThere(why string) error {
	if why == "" {
		return errLost
	}
	return fmt.Errorf("%s", why)
}

// lend gives another node's call to a worker of this one.
func (s *Server) lend(node string, d distant) {
	o := &origin{s: s, node: node, worker: d.Worker}
	c := &call{id: d.Call, talk: d.Talk, origin: o, news: make(chan struct{}, 1)}
	if !s.pool.lend(d.Worker, c, d.Frame) {
		o.lost(d.Call, "")
	}
}

// returned is the answer of another node's worker to a call of ours.
func (s *Server) returned(node string, d distant) {
	c := s.pool.call(d.Worker, d.Call)
	if c == nil {
		s.dropped.Add(1)
		s.tell(node, distant{Word: wordOver, Worker: d.Worker, Call: d.Call})
		return
	}
	r, err := readResult(d.Frame)
	if err = c.add(r, err); err == nil {
		return
	}
	if frame, err := encode(resultError(err)); err == nil {
		s.tell(node, distant{Word: wordWrong, Worker: d.Worker, Frame: frame})
	}
}
