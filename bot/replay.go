package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/dragoman-hub/dragoman/chat"
)

// Replayed is one step run again.
type Replayed struct {
	Event    chat.Event // that was stepped on; the step itself, if that event is not there
	Flow     string
	Version  int
	Then     Trace // as the log has it
	Now      Trace // as it is decided today
	Same     bool
	Recorded bool // the log has a step for this event
}

// ErrErased tells that a conversation cannot be replayed: its words are gone.
var ErrErased = errors.New("bot: the contact of the conversation was erased")

// Replay runs all events of a conversation through their flows again, each version as it was, and compares the decisions with those
// in the log: same version and same events give the same decisions. flow finds a version.
func Replay(events []chat.Event, flow func(name string, version int) (*Flow, error)) ([]Replayed, error) {
	p := &player{steps: map[int64]recorded{}, flow: flow}
	for _, e := range events {
		if err := p.read(e); err != nil {
			return nil, err
		}
	}
	for _, e := range events {
		if err := p.play(e); err != nil {
			return nil, err
		}
	}
	for _, rec := range p.list {
		if _, left := p.steps[rec.Trace.Pos]; left || rec.twice {
			p.out = append(p.out, Replayed{Event: rec.event, Flow: rec.Flow, Version: rec.Version, Then: rec.Trace, Recorded: true})
		}
	}
	return p.out, nil
}

// recorded is a step as the log has it.
type recorded struct {
	Record
	event chat.Event // of kind flow_step
	twice bool       // an earlier one is about the same event
}

// player is one replay.
type player struct {
	steps   map[int64]recorded // by the position of what was stepped on, until they are played
	list    []recorded         // all of them, in order
	taken   []int64            // positions where a queue or an agent took the conversation
	stepped []int64            // positions of the events that have a step
	closes  []int64            // positions where it was closed; a close can be taken back
	mem     memory
	flow    func(name string, version int) (*Flow, error)
	out     []Replayed
}

// read collects what the log has of steps.
func (p *player) read(e chat.Event) error {
	switch e.Kind {
	case chat.KindErased:
		return ErrErased
	case chat.KindQueued, chat.KindAssigned:
		p.taken = append(p.taken, e.Pos)
	case chat.KindClosed:
		p.closes = append(p.closes, e.Pos)
	case chat.KindFlowStep:
		rec := recorded{event: e}
		if err := json.Unmarshal(e.Data, &rec.Record); err != nil {
			return fmt.Errorf("bot: event %d is no flow step: %w", e.Seq, err)
		}
		if _, rec.twice = p.steps[rec.Trace.Pos]; !rec.twice {
			p.steps[rec.Trace.Pos] = rec
		}
		p.list = append(p.list, rec)
		p.stepped = append(p.stepped, rec.Trace.Pos)
	default:
	}
	return nil
}

// play runs the step of one event again.
func (p *player) play(e chat.Event) error {
	if !looks(e) || !p.mem.choose(e) {
		return nil
	}
	rec, ok := p.steps[e.Pos]
	delete(p.steps, e.Pos)
	if !ok && p.closedBefore(e.Pos) {
		return nil // it was closed before the runner came to this event
	}
	if p.mem.Version == 0 {
		p.mem.Version = rec.Version // the newest at that time
	}
	f, err := p.flow(p.mem.Flow, p.mem.Version)
	if err != nil {
		if !ok {
			return nil // nor did it run then
		}
		return fmt.Errorf("bot: flow %s version %d: %w", p.mem.Flow, p.mem.Version, err)
	}
	if rec.Facts != nil {
		p.mem.Facts = *rec.Facts
	}
	session, effects, trace := Step(f, p.mem.Session, Input{Event: e, Conversation: p.mem.Facts})
	switch {
	case ok && rec.Late && p.wasTaken(e.Pos, rec.event.Pos):
		trace = passedOver(p.mem.Session, e)
	case trace.Ignored != "" && len(effects) == 0 && !ok:
		return nil
	default:
		if p.mem.Session, err = kept(session); err != nil {
			return err
		}
	}
	if trace, err = kept(trace); err != nil {
		return err
	}
	same := ok && rec.Flow == p.mem.Flow && rec.Version == p.mem.Version && equal(rec.Trace, trace)
	p.out = append(p.out, Replayed{
		Event: e, Flow: p.mem.Flow, Version: p.mem.Version, Then: rec.Trace, Now: trace, Same: same, Recorded: ok,
	})
	return nil
}

// closedBefore tells whether the conversation was closed when the runner came to an event: between the steps before and after it.
func (p *player) closedBefore(event int64) bool {
	before, after := int64(0), int64(math.MaxInt64)
	for _, pos := range p.stepped {
		if pos < event {
			before = max(before, pos)
		} else {
			after = min(after, pos)
		}
	}
	return slices.ContainsFunc(p.closes, func(pos int64) bool { return before <= pos && pos < after })
}

// wasTaken tells whether somebody took the conversation between an event and its step.
func (p *player) wasTaken(event, step int64) bool {
	return slices.ContainsFunc(p.taken, func(pos int64) bool { return event < pos && pos < step })
}

// kept gives a value as it comes back from the log: steps begin with what was stored, not with what was in memory.
func kept[T any](v T) (out T, err error) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out, err
}

func equal(a, b Trace) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
