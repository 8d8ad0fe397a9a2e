package desk

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// idle is an available agent who has been idle for so many minutes.
func idle(id AgentID, load, minutes int) Agent {
	return Agent{ID: id, Available: true, Load: load, Capacity: 5, IdleSince: noon.Add(-time.Duration(minutes) * time.Minute)}
}

func TestRoute(t *testing.T) {
	skilled := func(a Agent, skills map[string]int) Agent { a.Skills = skills; return a }
	away := Agent{ID: "away", IdleSince: noon}
	full := Agent{ID: "full", Available: true, Load: 2, Capacity: 2}
	for name, c := range map[string]struct {
		rule   Rule
		w      Waiting
		last   AgentID
		agents []Agent
		want   string
		reason Reason
	}{
		"nobody at all":           {LeastBusy, Waiting{}, "", nil, "[]", NobodyFree},
		"away and full":           {Everyone, Waiting{}, "", []Agent{away, full}, "[]", NobodyFree},
		"everyone who is free":    {Everyone, Waiting{}, "", []Agent{idle("b", 4, 0), away, idle("a", 0, 9), full}, "[a b]", Picked},
		"no limit":                {LeastBusy, Waiting{}, "", []Agent{{ID: "a", Available: true, Load: 99}}, "[a]", Picked},
		"fewest":                  {LeastBusy, Waiting{}, "", []Agent{idle("a", 2, 60), idle("b", 1, 0)}, "[b]", Picked},
		"longest idle":            {LeastBusy, Waiting{}, "", []Agent{idle("a", 1, 1), idle("b", 1, 5)}, "[b]", Picked},
		"next in turn":            {RoundRobin, Waiting{}, "b", []Agent{idle("a", 0, 0), idle("b", 0, 0), idle("d", 4, 0)}, "[d]", Picked},
		"a new round":             {RoundRobin, Waiting{}, "d", []Agent{idle("a", 3, 0), idle("d", 0, 0)}, "[a]", Picked},
		"again, if alone":         {RoundRobin, Waiting{}, "a", []Agent{idle("a", 3, 0), full}, "[a]", Picked},
		"declined":                {LeastBusy, Waiting{Declined: []AgentID{"a"}}, "", []Agent{idle("a", 0, 9), idle("b", 3, 0)}, "[b]", Picked},
		"stays":                   {Everyone, Waiting{Assignee: "b"}, "", []Agent{idle("a", 0, 9), idle("b", 4, 0)}, "[b]", Stays},
		"its agent is away":       {Everyone, Waiting{Assignee: "away"}, "", []Agent{idle("a", 0, 9), away}, "[a]", Picked},
		"its agent has declined":  {LeastBusy, Waiting{Assignee: "b", Declined: []AgentID{"b"}}, "", []Agent{idle("a", 0, 9), idle("b", 0, 0)}, "[a]", Picked},
		"no expression":           {Expression, Waiting{}, "", []Agent{idle("a", 0, 9)}, "[]", RuleFailed},
		"a rule that nobody knew": {"magic", Waiting{}, "", []Agent{idle("a", 0, 9)}, "[]", UnknownRule},
		"the best skills": {
			BySkills,
			Waiting{Skills: map[string]int{"fr": 2}},
			"",
			[]Agent{skilled(idle("a", 0, 9), map[string]int{"fr": 2}), skilled(idle("b", 4, 0), map[string]int{"fr": 5}), idle("c", 0, 0)},
			"[b]", Picked,
		},
		"a skill of any level": {
			BySkills,
			Waiting{Skills: map[string]int{"fr": 0}},
			"",
			[]Agent{idle("a", 0, 9), skilled(idle("b", 4, 0), map[string]int{"fr": 1})},
			"[b]", Picked,
		},
		"nobody with the skill": {BySkills, Waiting{Skills: map[string]int{"fr": 1}}, "", []Agent{idle("a", 0, 9)}, "[]", NobodyFits},
	} {
		t.Run(name, func(t *testing.T) {
			d := Route(c.rule, c.w, c.agents, c.last)
			if got := fmt.Sprint(d.Offer); got != c.want || d.Reason != c.reason {
				t.Errorf("offered to %s, %s; want %s, %s; candidates %+v", got, d.Reason, c.want, c.reason, d.Candidates)
			}
		})
	}
}

func drawAgents(t *rapid.T) []Agent {
	var list []Agent
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 50), 0, 12, rapid.ID).Draw(t, "agents") {
		a := Agent{
			ID: AgentID(fmt.Sprintf("a%02d", n)), Available: rapid.Bool().Draw(t, "available"), Load: rapid.IntRange(0, 4).Draw(t, "load"),
			Capacity: rapid.IntRange(0, 4).Draw(t, "capacity"), IdleSince: noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "idle")) * time.Minute),
		}
		if rapid.Bool().Draw(t, "skilled") {
			a.Skills = map[string]int{"fr": rapid.IntRange(1, 3).Draw(t, "level")}
		}
		list = append(list, a)
	}
	return list
}

// TestRouteLaws: only free agents who have not declined are offered anything; somebody is, if anybody can; every agent who is not
// has a reason; the order of the agents changes nothing.
func TestRouteLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agents := drawAgents(t)
		w := Waiting{}
		for _, a := range agents {
			if rapid.IntRange(0, 4).Draw(t, "declined") == 0 {
				w.Declined = append(w.Declined, a.ID)
			}
		}
		if rapid.Bool().Draw(t, "wanted") {
			w.Skills = map[string]int{"fr": rapid.IntRange(0, 3).Draw(t, "want")}
		}
		rule := rapid.SampledFrom([]Rule{Everyone, LeastBusy, RoundRobin, BySkills, Outside}).Draw(t, "rule")
		last := AgentID(fmt.Sprintf("a%02d", rapid.IntRange(0, 50).Draw(t, "last")))
		d := Route(rule, w, agents, last)
		able := 0
		for _, a := range agents {
			can := a.Available && (a.Capacity == 0 || a.Load < a.Capacity) && !slices.Contains(w.Declined, a.ID) &&
				(rule != BySkills || w.Skills == nil || a.Skills["fr"] >= max(w.Skills["fr"], 1))
			if can {
				able++
			}
			offered := slices.Contains(d.Offer, a.ID)
			if offered && !can {
				t.Fatalf("%s cannot have it: %+v", a.ID, a)
			}
			i := slices.IndexFunc(d.Candidates, func(c Candidate) bool { return c.Agent == a.ID })
			if i < 0 || (d.Candidates[i].Out == "") != offered {
				t.Fatalf("%s: %+v", a.ID, d.Candidates)
			}
		}
		want := min(able, 1)
		if rule == Everyone {
			want = able
		}
		if len(d.Offer) != want {
			t.Fatalf("offered to %d of %d", len(d.Offer), able)
		}
		again := Route(rule, w, rapid.Permutation(agents).Draw(t, "order"), last)
		if fmt.Sprint(again) != fmt.Sprint(d) {
			t.Fatalf("another order, another decision: %+v, %+v", again, d)
		}
	})
}

// TestRoundRobinIsFair: nobody is passed over twice before everybody had one.
func TestRoundRobinIsFair(t *testing.T) {
	agents := []Agent{idle("c", 0, 0), idle("a", 0, 0), idle("b", 0, 0)}
	var last AgentID
	var got []AgentID
	for range 7 {
		last = Route(RoundRobin, Waiting{}, agents, last).Offer[0]
		got = append(got, last)
	}
	if fmt.Sprint(got) != "[a b c a b c a]" {
		t.Error(got)
	}
}
