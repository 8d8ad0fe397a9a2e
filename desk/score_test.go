package desk

import (
	"strings"
	"testing"
)

func facts() *Facts {
	return &Facts{
		Conversation: ConversationFacts{ID: "c1", Channel: "ch", Queue: "support", Priority: 2, Tags: []string{"vip"}},
		Contact:      ContactFacts{ID: "p1", Name: "Kim", Language: "fr-CA", Properties: map[string]any{"plan": "gold", "manager": "ann"}},
		Fields:       map[string]any{"amount": 250.0},
	}
}

func TestScores(t *testing.T) {
	a := Agent{ID: "ann", Load: 2, Capacity: 5, Skills: map[string]int{"fr": 3}}
	for source, want := range map[string]struct {
		score float64
		ok    bool
		fails bool
	}{
		"agent.capacity - agent.load":                               {3, true, false},
		`agent.id == contact.properties.manager ? 10 : false`:       {10, true, false},
		`hasPrefix(contact.language, "fr") ? agent.skills.fr : 0.5`: {3, true, false},
		`"vip" in conversation.tags`:                                {1, true, false},
		`"none" in conversation.tags`:                               {0, false, false},
		`fields.amount > 100 && agent.skills["fr"] > 2`:             {1, true, false},
		`agent.skills.de ?? nil`:                                    {0, true, false}, // a missing number is 0
		`fields.nothing`:                                            {0, false, false},
		`fields.nothing + 1`:                                        {0, false, true},
		`contact.name`:                                              {0, false, true},
		`0.0 / 0.0`:                                                 {0, false, true},
		`conversation.priority * -1`:                                {-2, true, false},
	} {
		s, err := CompileScore(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		score, ok, err := s.rate(&a, facts())
		if score != want.score || ok != want.ok || (err != nil) != want.fails {
			t.Errorf("%s: %g, %v, %v; want %+v", source, score, ok, err, want)
		}
	}
}

// TestBadScores: what has loops, reads the clock, can grow or names what there is not, is refused when it is stored.
func TestBadScores(t *testing.T) {
	for _, source := range []string{
		"", "  ", "agent.", "agent.salary", "now()", "sum(1..1000000000)", "any(conversation.tags, # == 'vip')", "map(1..9, #)",
		"repeat('x', 1000000000)", "agent.skills.filter(# > 1)", "conversation.tags | sort()", "$env", "date('2026-01-01')", "toJSON($env)",
		"let f = filter(conversation.tags, true); 1", strings.Repeat("1+", 3000) + "1", strings.Repeat("1+", 600) + "1", "1 .. 5",
	} {
		if _, err := CompileScore(source); err == nil {
			t.Errorf("%q is taken", source)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %q has more than a line", source, err)
		}
	}
}

// FuzzScore: whatever people write, compiling and rating end with an answer, and the same one twice.
func FuzzScore(f *testing.F) {
	for _, seed := range []string{"agent.load", `contact.language == "fr" ? 1 : false`, "fields.amount / agent.load", `lower(contact.name) matches "k.*"`, "1 ..", "{a: 1}.a"} {
		f.Add(seed)
	}
	a := Agent{ID: "ann", Load: 0, Capacity: 5, Skills: map[string]int{"fr": 3}}
	f.Fuzz(func(t *testing.T, source string) {
		s, err := CompileScore(source)
		if err != nil {
			return
		}
		score, ok, err := s.rate(&a, facts())
		again, same, fails := s.rate(&a, facts())
		if score != again || ok != same || (err != nil) != (fails != nil) {
			t.Errorf("%q: %g, %v, %v and then %g, %v, %v", source, score, ok, err, again, same, fails)
		}
	})
}

// TestDocumentedScore: the example of docs/desk.md is one.
func TestDocumentedScore(t *testing.T) {
	s, err := CompileScore("contact.properties.manager == agent.id ? 100 : agent.skills.fr > 0 ? agent.skills.fr : false")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[AgentID]float64{"ann": 100, "bob": 3} {
		if score, ok, err := s.rate(&Agent{ID: id, Skills: map[string]int{"fr": 3}}, facts()); score != want || !ok || err != nil {
			t.Errorf("%s: %g, %v, %v", id, score, ok, err)
		}
	}
	if _, ok, err := s.rate(&Agent{ID: "cid"}, facts()); ok || err != nil {
		t.Errorf("without the skill: %v, %v", ok, err)
	}
}
