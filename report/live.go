package report

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Live is how it stands now.
type Live struct {
	At     time.Time   `json:"at"`
	Queues []LiveQueue `json:"queues" nullable:"false"`
	Agents []LiveAgent `json:"agents" nullable:"false"`
	Bot    int         `json:"bot" doc:"Conversations that flows have."`
}

// LiveQueue is one queue.
type LiveQueue struct {
	Name      string     `json:"name"`
	Title     string     `json:"title,omitempty"`
	Waiting   int        `json:"waiting" doc:"Conversations in the queue, those that are offered included."`
	Offered   int        `json:"offered" doc:"Of those: one agent is asked, and has to answer in time."`
	Active    int        `json:"active" doc:"Agents have them."`
	Snoozed   int        `json:"snoozed" doc:"They rest with their agents."`
	Oldest    float64    `json:"oldest_wait_seconds" doc:"How long the contact who has waited the longest has waited; 0: nobody does."`
	Agents    Staff      `json:"agents"`
	Late      int        `json:"late" doc:"Answers that are overdue, by first_reply_seconds and next_reply_seconds of the queue."`
	Threshold *Threshold `json:"threshold,omitempty" doc:"Absent where the queue has no target_seconds."`

	members []string
}

// Staff counts the members of a queue.
type Staff struct {
	Free int `json:"free" doc:"Available, and below the limit."`
	Busy int `json:"busy" doc:"Available, and at the limit."`
	Away int `json:"away"`
}

// Threshold is the service that is aimed at, and what was reached in the last hour.
type Threshold struct {
	Seconds int      `json:"seconds"`
	Percent int      `json:"percent"`
	Reached *float64 `json:"reached,omitempty" doc:"Percent of the first replies of the last hour that came in time; who waits for longer already counts too. Absent where there is nothing to judge."`
}

// LiveAgent is one agent.
type LiveAgent struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	State     string    `json:"state"`
	Available bool      `json:"available"`
	Since     time.Time `json:"since" doc:"In this state."`
	Load      int       `json:"load" doc:"Conversations that the agent has and that do not rest, and what is offered."`
	Capacity  int       `json:"capacity" doc:"0: no limit."`
	Offered   int       `json:"offered"`
	Snoozed   int       `json:"snoozed"`
}

// sources are what is read for a look at a workspace.
type sources struct {
	queues        []store.Queue
	lines         []store.LiveQueue
	agents        []store.LiveAgent
	offers, rests []store.LiveShare
	replies       []store.Counted // first replies of the last hour
	bot           int
}

// read runs the queries side by side; each is a short one.
func read(ctx context.Context, s *store.Store, ws chat.WorkspaceID, now time.Time) (src sources, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		src.queues, err = s.Queues(ctx, ws)
		return err
	})
	g.Go(func() (err error) {
		src.lines, err = s.LiveQueues(ctx, ws)
		return err
	})
	g.Go(func() (err error) {
		src.agents, err = s.LiveAgents(ctx, ws)
		return err
	})
	g.Go(func() (err error) {
		if src.offers, err = s.LiveOffers(ctx, ws); err == nil {
			src.rests, err = s.LiveRests(ctx, ws)
		}
		return err
	})
	g.Go(func() (err error) {
		f := store.ReportFilter{Version: Version, Measure: FirstReply}
		if src.replies, err = s.CountsBetween(ctx, ws, now.Add(-time.Hour), now.Add(time.Microsecond), false, f); err == nil {
			src.bot, err = s.BotConversations(ctx, ws)
		}
		return err
	})
	return src, g.Wait()
}

// live puts it together.
func (src sources) live(now time.Time) *Live {
	agents := src.people()
	out := &Live{At: now, Bot: src.bot, Queues: []LiveQueue{}, Agents: make([]LiveAgent, 0, len(agents))}
	for _, a := range agents {
		out.Agents = append(out.Agents, *a)
	}
	slices.SortFunc(out.Agents, func(a, b LiveAgent) int { return cmp.Compare(a.ID, b.ID) })
	for _, line := range src.lines {
		q := LiveQueue{Name: line.Name, Waiting: line.Waiting, Active: line.Active, Late: line.Late}
		if !line.Oldest.IsZero() {
			q.Oldest = max(now.Sub(line.Oldest), 0).Round(time.Millisecond).Seconds()
		}
		q.Offered, q.Snoozed = src.share(src.offers, q.Name), src.share(src.rests, q.Name)
		q.Active = max(q.Active-q.Snoozed, 0)
		if i := slices.IndexFunc(src.queues, func(x store.Queue) bool { return x.Name == q.Name }); i >= 0 {
			q.describe(src.queues[i], agents)
			q.Threshold.judge(src.histogram(q.Name), line.Beyond)
		}
		out.Queues = append(out.Queues, q)
	}
	slices.SortFunc(out.Queues, func(a, b LiveQueue) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (src sources) people() map[string]*LiveAgent {
	out := make(map[string]*LiveAgent, len(src.agents))
	for _, a := range src.agents {
		out[a.ID] = &LiveAgent{ID: a.ID, Name: a.Name, State: a.State, Available: a.Available, Since: a.Since, Capacity: a.Capacity, Load: a.Has}
	}
	for _, x := range src.offers {
		if a := out[x.Agent]; a != nil {
			a.Offered += x.N
			a.Load += x.N
		}
	}
	for _, x := range src.rests {
		if a := out[x.Agent]; a != nil {
			a.Snoozed += x.N
			a.Load = max(a.Load-x.N, 0) // the two were not read at the same moment
		}
	}
	return out
}

func (src sources) share(list []store.LiveShare, queue string) (n int) {
	for _, x := range list {
		if x.Queue == queue {
			n += x.N
		}
	}
	return n
}

func (src sources) histogram(queue string) Histogram {
	h := Histogram{}
	for _, c := range src.replies {
		if c.Queue == queue {
			h[c.Bucket] += c.N
		}
	}
	return h
}

// describe adds what is known of a queue that is stored.
func (q *LiveQueue) describe(row store.Queue, agents map[string]*LiveAgent) {
	q.Title, q.members = row.Title, row.Agents
	for _, id := range row.Agents {
		switch a := agents[id]; {
		case a == nil:
		case !a.Available:
			q.Agents.Away++
		case a.Capacity > 0 && a.Load >= a.Capacity:
			q.Agents.Busy++
		default:
			q.Agents.Free++
		}
	}
	var target struct {
		Seconds int `json:"target_seconds"`
		Percent int `json:"target_percent"`
	}
	_ = json.Unmarshal(row.Settings, &target) // checked when they were stored
	if target.Seconds > 0 {
		q.Threshold = &Threshold{Seconds: target.Seconds, Percent: cmp.Or(target.Percent, defaultPercent)}
	}
}

// defaultPercent is aimed at where a queue names only the seconds.
const defaultPercent = 80

// judge tells what was reached; beyond is how many wait for longer already.
func (t *Threshold) judge(replies Histogram, beyond int) {
	if t == nil {
		return
	}
	all := float64(replies.Total() + int64(beyond))
	if all == 0 {
		return
	}
	within := replies.Within(time.Duration(t.Seconds) * time.Second)
	v := math.Round(1000*within/all) / 10
	t.Reached = &v
}
