package desk

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// crowd is a desk on which everybody accepts at once: 1,000 agents who have as many conversations as they may, and 10,000 who wait.
type crowd struct {
	p     *picture
	now   time.Time
	n     int
	has   []chat.ConversationID
	facts *Facts
}

func (c *crowd) learn(w *waiter) (bool, error) {
	w.Facts = c.facts
	return true, nil
}

func (c *crowd) ask(*queue, *waiter, []Candidate) (bool, error) { return false, nil }

func (c *crowd) offer(q *queue, w *waiter, d Decision) (bool, error) {
	q.last = d.Offer[0]
	c.p.hold(w.Conversation, d.Offer[0], c.now)
	c.has = append(c.has, w.Conversation)
	return true, nil
}

func (c *crowd) come() {
	c.n++
	at := noon.Add(time.Duration(c.n) * time.Millisecond)
	c.p.wait(store.WaitingConversation{Conversation: chat.ConversationID(fmt.Sprintf("c%08d", c.n)), Queue: "support", Priority: c.n % 3, First: at, Since: at})
}

func newCrowd(tb testing.TB, rule Rule, s string, agents, waiting int) *crowd {
	tb.Helper()
	c := &crowd{p: newPicture(), now: noon, facts: facts()}
	var members []string
	for i := range agents {
		id := fmt.Sprintf("agent%05d", i)
		members = append(members, id)
		c.p.agent(store.Agent{ID: id, Available: true, Capacity: 5, Skills: map[string]int{"fr": 1 + i%3}, StateAt: noon})
	}
	c.p.queue(store.Queue{Name: "support", Rule: string(rule), Settings: []byte(s), Agents: members}, nil)
	for range agents*5 + waiting {
		c.come()
	}
	if err := c.p.fillAll(c); err != nil || len(c.has) != agents*5 || len(c.p.queues["support"].open) != waiting {
		tb.Fatalf("%d have one, %d wait, %v", len(c.has), len(c.p.queues["support"].open), err)
	}
	return c
}

// BenchmarkDecisions ends a conversation, decides who has the next one, and lets another come.
func BenchmarkDecisions(b *testing.B) {
	for _, x := range []struct {
		name, settings string
		rule           Rule
	}{
		{"least_busy", "{}", LeastBusy},
		{"round_robin", "{}", RoundRobin},
		{"skills", `{"skills":{"fr":1}}`, BySkills},
		{"expression", `{"expression":"agent.skills.fr * 10 - agent.load"}`, Expression},
	} {
		b.Run(x.name, func(b *testing.B) {
			c := newCrowd(b, x.rule, x.settings, 1000, 10_000)
			b.ResetTimer()
			for i := range b.N {
				c.now = c.now.Add(time.Millisecond)
				c.p.leave(c.has[i], c.now)
				if err := c.p.fillAll(c); err != nil {
					b.Fatal(err)
				}
				c.come()
				if err := c.p.fillAll(c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
		})
	}
}

// BenchmarkNobodyFits has 10,000 who wait for a skill that one of the 1,000 agents, all free, may or may not have: they come and go, and
// each of them is looked at for the one who has changed only.
func BenchmarkNobodyFits(b *testing.B) {
	c := newCrowd(b, BySkills, `{"skills":{"fr":1}}`, 1000, 10_000)
	for id := range c.p.agents {
		a := c.p.agents[id]
		c.p.change(a, false, func() { a.Skills, a.Load = nil, 0 })
	}
	if err := c.p.fillAll(c); err != nil {
		b.Fatal(err)
	}
	a := store.Agent{ID: "agent00500", Capacity: 5}
	b.ResetTimer()
	for i := range b.N {
		a.Available = i%2 == 0
		c.p.agent(a)
		if err := c.p.fillAll(c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
