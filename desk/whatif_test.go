package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// pastMaker is a past of which one says when what happened, in minutes.
type pastMaker struct{ past }

func (p *pastMaker) agent(id string, capacity int) {
	p.agents = append(p.agents, store.Agent{ID: id, Capacity: capacity, State: store.AgentActive, Available: true, StateAt: noon})
}

func (p *pastMaker) queue(name string, rule Rule, s Settings, members ...string) {
	raw, _ := json.Marshal(s) // plain data: cannot fail
	p.queues = append(p.queues, store.Queue{Name: name, Rule: string(rule), Settings: raw, Members: members, Agents: members})
}

func (p *pastMaker) at(minute int, m moment) {
	m.at = noon.Add(time.Duration(minute) * time.Minute)
	p.moments = append(p.moments, m)
}

func (p *pastMaker) queued(minute int, conv string) {
	p.at(minute, moment{kind: chat.KindQueued, conv: chat.ConversationID(conv), to: chat.PlaceData{State: chat.StateQueued, Queue: "support"}})
}

func (p *pastMaker) offered(minute int, conv string, to ...string) {
	p.at(minute, moment{kind: chat.KindOffered, conv: chat.ConversationID(conv), offer: to})
}

func (p *pastMaker) accepted(minute int, conv, by string) {
	p.at(minute, moment{kind: chat.KindAssigned, conv: chat.ConversationID(conv), to: chat.PlaceData{State: chat.StateAssigned, Assignee: by}})
}

func (p *pastMaker) closed(minute int, conv string) {
	p.at(minute, moment{kind: chat.KindClosed, conv: chat.ConversationID(conv), to: chat.PlaceData{State: chat.StateClosed}})
}

func (p *pastMaker) turned(minute int, conv string, priority int) {
	p.at(minute, moment{kind: chat.KindChanged, conv: chat.ConversationID(conv), turn: &priority})
}

// again plays it.
func (p *pastMaker) again(t interface{ Fatal(...any) }, w WhatIf) Would {
	w.From, w.To = noon, noon.Add(10*time.Hour)
	g := newGame(w, p.past)
	g.facts = func(chat.ConversationID) (*Facts, error) { return facts(), nil }
	if err := g.play(context.Background()); err != nil {
		t.Fatal(err)
	}
	return g.sum()
}

// TestWhatIf: ann had everything, one after the other; with turns bob has every other one, and nobody waits.
func TestWhatIf(t *testing.T) {
	p := &pastMaker{}
	p.agent("ann", 1)
	p.agent("bob", 1)
	p.queue("support", LeastBusy, Settings{}, "ann", "bob")
	for i := range 4 {
		p.queued(i, fmt.Sprint("c", i))
	}
	for i := range 4 {
		conv := fmt.Sprint("c", i)
		p.offered(10*i+10, conv, "ann")
		p.accepted(10*i+11, conv, "ann")
		p.closed(10*i+19, conv)
	}
	p.queued(60, "gone")
	p.closed(60, "gone")
	would := p.again(t, WhatIf{Rule: RoundRobin})
	if would.Arrived != 5 || would.Was.Accepted != 4 || would.Was.Unserved != 1 || fmt.Sprint(would.Was.Agents) != "[{ann 4}]" {
		t.Errorf("was %+v", would.Was)
	}
	if would.Would.Accepted != 4 || would.Would.Unserved != 1 || fmt.Sprint(would.Would.Agents) != "[{ann 2} {bob 2}]" || would.SameAgent != 2 || would.Different != 2 {
		t.Errorf("would %+v, %d the same, %v", would.Would, would.SameAgent, would.Differences)
	}
	if d := would.Differences[0]; d.Conversation != "c1" || d.Was != "ann" || d.Would != "bob" || d.WasWait != 20*60 || d.WouldWait != 60 {
		t.Errorf("%+v", d)
	}
	if would.Was.WaitP50 != 29*60 || would.Would.WaitP90 >= would.Was.WaitP90 {
		t.Errorf("waited %+v, would %+v", would.Was, would.Would)
	}
	only := p.again(t, WhatIf{Rule: Expression, Queue: "support", Settings: &Settings{Expression: `agent.id == "bob"`}})
	if fmt.Sprint(only.Would.Agents) != "[{bob 4}]" {
		t.Errorf("would %+v", only.Would)
	}
}

// TestWhatWasGoingOn: ann is full when the time begins, so bob has what waits, and the urgent one first although it came last.
func TestWhatWasGoingOn(t *testing.T) {
	p := &pastMaker{}
	p.agent("ann", 1)
	p.agent("bob", 1)
	p.queue("support", LeastBusy, Settings{}, "ann", "bob")
	p.accepted(-600, "old", "ann") // given, not from a queue
	p.queued(-50, "held")
	p.offered(-40, "held", "bob")
	p.accepted(-40, "held", "bob")
	p.queued(-30, "first")
	p.queued(-20, "second")
	p.queued(-10, "urgent")
	p.turned(-5, "urgent", 9)
	p.turned(3, "second", 5)
	p.closed(5, "held")
	for i, conv := range []string{"urgent", "first", "second"} {
		p.offered(10+10*i, conv, "bob")
		p.accepted(10+10*i, conv, "bob")
		p.closed(19+10*i, conv)
	}
	p.closed(300, "old")
	would := p.again(t, WhatIf{Rule: LeastBusy})
	if would.Arrived != 3 || fmt.Sprint(would.Was.Agents) != "[{bob 3}]" || fmt.Sprint(would.Would.Agents) != "[{bob 3}]" {
		t.Fatalf("%+v", would)
	}
	g := newGame(WhatIf{Rule: LeastBusy, From: noon, To: noon.Add(10 * time.Hour)}, p.past)
	if err := g.play(context.Background()); err != nil {
		t.Fatal(err)
	}
	minutes := map[chat.ConversationID]int{}
	for s, now := range g.would {
		minutes[s.conv] = int(now.accepted.Sub(noon).Minutes())
	}
	if fmt.Sprint(minutes) != "map[first:23 second:14 urgent:5]" {
		t.Errorf("accepted at minute %v", minutes)
	}
}

// TestWhatIfLaws: the same past gives the same result; nobody has more than the limit at once, nobody accepts before the contact came or
// after the contact went, and every conversation is counted once.
func TestWhatIfLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPast(t)
		rule := rapid.SampledFrom([]Rule{Everyone, LeastBusy, RoundRobin, BySkills}).Draw(t, "rule")
		w := WhatIf{Rule: rule, From: noon, To: noon.Add(10 * time.Hour)}
		g := newGame(w, p.past)
		if err := g.play(context.Background()); err != nil {
			t.Fatal(err)
		}
		given := map[AgentID]int{}
		for conv, agent := range g.p.holders {
			if g.of[conv].given {
				given[agent]++
			}
		}
		for id, a := range g.p.agents {
			if a.Load < 0 || a.Capacity > 0 && a.Load > a.Capacity+given[id] {
				t.Fatalf("%s has %d of %d", id, a.Load, a.Capacity)
			}
		}
		for s, now := range g.would {
			if s.given || now.accepted.Before(s.arrived) || now.accepted.Before(w.From) || !s.left.IsZero() && now.accepted.After(s.left) {
				t.Fatalf("%+v: %+v", s, now)
			}
		}
		sum := g.sum()
		if sum.Would.Accepted+sum.Would.Unserved != sum.Arrived || sum.Was.Accepted+sum.Was.Unserved != sum.Arrived || sum.SameAgent+sum.Different > sum.Arrived {
			t.Fatalf("%+v", sum)
		}
		if again := p.again(t, WhatIf{Rule: rule}); fmt.Sprint(again) != fmt.Sprint(sum) {
			t.Fatalf("%+v, and then %+v", sum, again)
		}
	})
}

// drawPast makes up a day of three agents.
func drawPast(t *rapid.T) *pastMaker {
	p := &pastMaker{}
	agents := []string{"ann", "bob", "cid"}
	for _, a := range agents {
		p.agent(a, rapid.IntRange(0, 2).Draw(t, "capacity"))
	}
	p.queue("support", LeastBusy, Settings{}, agents...)
	minute := -30 // what was before is going on when the time begins
	for range rapid.IntRange(0, 40).Draw(t, "moments") {
		minute += rapid.IntRange(0, 5).Draw(t, "later")
		conv := fmt.Sprint("c", rapid.IntRange(0, 5).Draw(t, "conversation"))
		agent := rapid.SampledFrom(agents).Draw(t, "agent")
		switch rapid.IntRange(0, 5).Draw(t, "what") {
		case 0:
			p.queued(minute, conv)
		case 1:
			p.offered(minute, conv, agent)
		case 2:
			p.accepted(minute, conv, agent)
		case 3:
			p.closed(minute, conv)
		case 4:
			p.turned(minute, conv, rapid.IntRange(-2, 2).Draw(t, "priority"))
		default:
			if minute < 0 {
				continue
			}
			p.at(minute, moment{kind: chat.KindAgentChanged, agent: store.Agent{
				ID: agent, Capacity: p.agents[slices.Index(agents, agent)].Capacity, Available: rapid.Bool().Draw(t, "available"),
			}})
		}
	}
	return p
}

// TestWhatIfOfTheLog asks about what the store has.
func TestWhatIfOfTheLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		begin := w.Now()
		w.agent("ann", 5)
		w.agent("bob", 5)
		w.queue(Everyone, Settings{}, "ann", "bob")
		for i := range 4 {
			conv := w.customer(fmt.Sprint("c", i))
			w.isOffered(conv, "ann", "bob")
			w.must(w.accept(conv, "ann"))
			w.do(&store.ChangeConversation{Workspace: w.ws, Conversation: conv, AddTags: []string{"vip"}})
		}
		ctx := context.Background()
		p, err := readPast(ctx, w.Store, w.ws, begin, w.Now().Add(time.Minute))
		w.must(err)
		if slices.ContainsFunc(p.moments, func(m moment) bool { return m.kind == chat.KindChanged }) {
			w.Errorf("what changes no priority is kept: %+v", p.moments)
		}
		would, err := WhatIf{Rule: LeastBusy, From: begin, To: w.Now().Add(time.Minute)}.Ask(ctx, w.Store, w.ws)
		w.must(err)
		if would.Arrived != 4 || fmt.Sprint(would.Was.Agents) != "[{ann 4}]" || fmt.Sprint(would.Would.Agents) != "[{ann 2} {bob 2}]" {
			w.Errorf("%+v", would)
		}
		would, err = WhatIf{Rule: Expression, Settings: &Settings{Expression: `agent.id == "bob"`}, From: begin, To: w.Now().Add(time.Minute)}.Ask(ctx, w.Store, w.ws)
		w.must(err)
		if fmt.Sprint(would.Would.Agents) != "[{bob 4}]" {
			w.Errorf("%+v", would)
		}
		would, err = WhatIf{Rule: LeastBusy, From: w.Now(), To: w.Now().Add(time.Minute)}.Ask(ctx, w.Store, w.ws)
		w.must(err)
		if would.Arrived != 0 {
			w.Errorf("after everything: %+v", would)
		}
		for name, q := range map[string]WhatIf{
			"no rule":        {Rule: "magic", From: begin, To: w.Now()},
			"a service":      {Rule: Outside, From: begin, To: w.Now()},
			"backwards":      {Rule: LeastBusy, From: w.Now(), To: begin},
			"a year":         {Rule: LeastBusy, From: begin.AddDate(-1, 0, 0), To: begin},
			"bad expression": {Rule: Expression, From: begin, To: w.Now(), Settings: &Settings{Expression: "1 +"}},
			"no such queue":  {Rule: LeastBusy, Queue: "none", From: begin, To: w.Now()},
		} {
			if _, err := q.Ask(ctx, w.Store, w.ws); chat.CodeOf(err) != chat.CodeInvalid && chat.CodeOf(err) != chat.CodeNotFound {
				w.Errorf("%s: %v", name, err)
			}
		}
	})
}
