package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// LiveQueue is how it stands in a queue, one that is stored or one in which conversations are.
type LiveQueue struct {
	Name    string
	Waiting int
	Active  int       // agents have them, those that rest included
	Oldest  time.Time // since when the contact who has waited the longest waits; zero: nobody does
	Late    int       // answers that are overdue
	Beyond  int       // first answers that have taken longer already than is aimed at
}

// inLine are the conversations c of a queue that stand in the index for it.
const inLine = "FROM conversations c WHERE c.workspace = $1 AND c.queue = n.name AND c.queue <> '' AND c.state IN ('queued', 'assigned')"

// overdue counts those of them that began to wait longer ago than a level of the queue allows.
func overdue(level, answered string) (sum string) {
	for _, state := range []string{"queued", "assigned"} {
		if sum != "" {
			sum += " + "
		}
		sum += "(SELECT COUNT(*) " + inLine + " AND c.state = '" + state + "' AND c.waiting_since > 0 AND c.first_reply_at " + answered +
			" AND q." + level + " > 0 AND c.waiting_since <= $2 - q." + level + ")"
	}
	return sum
}

// liveQueues counts by short walks over one index. The names of queues in which conversations are come from as many jumps in it.
func liveQueues() string {
	return `WITH RECURSIVE busy (name) AS (
 SELECT MIN(c.queue) FROM conversations c WHERE c.workspace = $1 AND c.queue <> '' AND c.state IN ('queued', 'assigned')
 UNION ALL SELECT (SELECT MIN(c.queue) FROM conversations c WHERE c.workspace = $1 AND c.queue > b.name AND c.queue <> ''
 AND c.state IN ('queued', 'assigned')) FROM busy b WHERE b.name IS NOT NULL),
 n (name) AS (SELECT b.name FROM busy b WHERE b.name IS NOT NULL UNION SELECT x.name FROM queues x WHERE x.workspace = $1)
 SELECT n.name, (SELECT COUNT(*) ` + inLine + ` AND c.state = 'queued'), (SELECT COUNT(*) ` + inLine + ` AND c.state = 'assigned'),
 (SELECT COALESCE(MIN(c.waiting_since), 0) ` + inLine + ` AND c.state = 'queued' AND c.waiting_since > 0),
 ` + overdue("first_reply", "= 0") + " + " + overdue("next_reply", "> 0") + ", " + overdue("target", "= 0") + `
 FROM n LEFT JOIN queues q ON q.workspace = $1 AND q.name = n.name`
}

// LiveQueues tells how it stands in all queues of a workspace, in no order.
func (s *Store) LiveQueues(ctx context.Context, ws chat.WorkspaceID) ([]LiveQueue, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, func(r scanner) (q LiveQueue, err error) {
		var oldest int64
		err = r.Scan(&q.Name, &q.Waiting, &q.Active, &oldest, &q.Late, &q.Beyond)
		q.Oldest = moment(oldest)
		return q, err
	}, liveQueues(), no, micros(s.now()))
}

// LiveAgent is an agent with what the agent has.
type LiveAgent struct {
	ID        string
	Name      string
	State     string
	Available bool
	Since     time.Time // in this state
	Capacity  int       // 0: no limit
	Has       int       // conversations, those that rest included
}

// LiveAgents tells what all agents of a workspace do, in no order.
func (s *Store) LiveAgents(ctx context.Context, ws chat.WorkspaceID) ([]LiveAgent, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, func(r scanner) (a LiveAgent, err error) {
		var available, since int64
		err = r.Scan(&a.ID, &a.Name, &a.State, &available, &since, &a.Capacity, &a.Has)
		a.Available, a.Since = available != 0, moment(since)
		return a, err
	}, `SELECT a.uid, a.name, a.state, a.available, a.state_at, a.capacity,
 (SELECT COUNT(*) FROM conversations c WHERE c.workspace = $1 AND c.state = 'assigned' AND c.assignee = a.uid)
 FROM agents a WHERE a.workspace = $1`, no)
}

// LiveShare is some conversations of a queue that have to do with an agent.
type LiveShare struct {
	Queue string
	Agent string
	N     int
}

// LiveRests counts the conversations that rest with their agents.
func (s *Store) LiveRests(ctx context.Context, ws chat.WorkspaceID) ([]LiveShare, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	return list(ctx, s, func(r scanner) (x LiveShare, err error) {
		err = r.Scan(&x.Queue, &x.Agent, &x.N)
		return x, err
	}, `SELECT c.queue, c.assignee, COUNT(*) FROM conversations c WHERE c.workspace = $1 AND c.snoozed_until > 0 AND c.state = 'assigned'
 GROUP BY c.queue, c.assignee`, no)
}

// LiveOffers lists what agents have to answer in time, one by one.
func (s *Store) LiveOffers(ctx context.Context, ws chat.WorkspaceID) ([]LiveShare, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return nil, err
	}
	type offer struct {
		queue  string
		agents []string
	}
	found, err := list(ctx, s, func(r scanner) (o offer, err error) {
		var agents string
		if err := r.Scan(&o.queue, &agents); err != nil {
			return o, err
		}
		return o, json.Unmarshal([]byte(agents), &o.agents)
	}, `SELECT c.queue, o.agents FROM offers o JOIN conversations c ON c.workspace = o.workspace AND c.no = o.conversation
 WHERE o.workspace = $1 AND o.until_at > 0`, no)
	out := make([]LiveShare, 0, len(found))
	for _, o := range found {
		for _, a := range o.agents {
			out = append(out, LiveShare{o.queue, a, 1})
		}
	}
	return out, err
}

// enoughBots is where BotConversations ends counting.
const enoughBots = 100_000

// BotConversations counts what flows have, up to a hundred thousand.
func (s *Store) BotConversations(ctx context.Context, ws chat.WorkspaceID) (int, error) {
	no, err := s.workspaceNo(ctx, ws)
	if err != nil {
		return 0, err
	}
	return one(ctx, s, "workspace", func(r scanner) (n int, err error) {
		err = r.Scan(&n)
		return n, err
	}, "SELECT COUNT(*) FROM (SELECT c.no FROM conversations c WHERE c.workspace = $1 AND c.state = 'bot' LIMIT $2) AS x", no, enoughBots)
}
