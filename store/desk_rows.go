package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Agent is a person who answers.
type Agent struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Capacity  int            `json:"capacity"` // conversations at once, over all channels; 0: no limit
	Skills    map[string]int `json:"skills,omitempty"`
	State     string         `json:"state"`
	Available bool           `json:"available"` // in this state the agent is offered conversations
	StateAt   time.Time      `json:"state_at"`
}

// The states that every workspace has.
const (
	AgentActive   = "active"
	AgentInactive = "inactive"
)

type agentKey struct {
	ws int64
	id string
}

type agentRow struct {
	Agent
	created      int64
	fresh, dirty bool
	began        int64 // of the session in the state before, when the state has changed
	moved        bool
}

// offerRow is whom a waiting conversation is offered to. Without a row, or with nobody in it, it waits.
type offerRow struct {
	agents, declined []string
	offered, until   int64
	fresh, dirty     bool
	gone             bool
}

// deskRows are the rows of the human side in a unit.
type deskRows struct {
	agents map[agentKey]*agentRow
	offers map[convKey]*offerRow
	last   map[queueKey]string // who was offered the last conversation
	waits  map[convKey]*waitRow
	tagged map[tagKey]bool // tags that were put to conversations, or taken away
}

type tagKey struct {
	convKey
	tag string
}

type queueKey struct {
	ws   int64
	name string
}

const agentColumns = "a.uid, a.name, a.capacity, a.skills, a.state, a.available, a.state_at, a.created_at"

func (r *agentRow) scan(s scanner) error {
	var skills string
	var available, at int64
	if err := s.Scan(&r.ID, &r.Name, &r.Capacity, &skills, &r.State, &available, &at, &r.created); err != nil {
		return err
	}
	r.Available, r.StateAt = available != 0, moment(at)
	return json.Unmarshal([]byte(skills), &r.Skills)
}

func (u *unit) wantAgent(k agentKey) {
	u.ask(k, stmt{
		sql: "SELECT " + agentColumns + " FROM agents a WHERE a.workspace = $1 AND a.uid = $2", args: []any{k.ws, k.id},
		scan: func(r scanner) error {
			row := &agentRow{}
			u.keepAgent(k, row)
			return row.scan(r)
		},
	})
}

func (u *unit) keepAgent(k agentKey, row *agentRow) {
	if u.desk.agents == nil {
		u.desk.agents = map[agentKey]*agentRow{}
	}
	u.desk.agents[k] = row
}

func (u *unit) agent(ctx context.Context, k agentKey) (*agentRow, error) {
	u.wantAgent(k)
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	if row := u.desk.agents[k]; row != nil {
		return row, nil
	}
	return nil, chat.Faultf(chat.CodeNotFound, "no such agent")
}

// offerKey keeps the question for an offer apart from that for its conversation.
type offerKey struct{ convKey }

func (u *unit) offer(ctx context.Context, k convKey) (*offerRow, error) {
	u.ask(offerKey{k}, stmt{
		sql: "SELECT agents, declined, offered_at, until_at FROM offers WHERE workspace = $1 AND conversation = $2", args: []any{k.ws, k.no},
		scan: func(r scanner) error {
			row := &offerRow{}
			u.keepOffer(k, row)
			return row.scan(r)
		},
	})
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	if u.desk.offers[k] == nil {
		u.keepOffer(k, &offerRow{fresh: true})
	}
	return u.desk.offers[k], nil
}

func (u *unit) keepOffer(k convKey, row *offerRow) {
	if u.desk.offers == nil {
		u.desk.offers = map[convKey]*offerRow{}
	}
	u.desk.offers[k] = row
}

func (u *unit) keepLast(k queueKey, agent string) {
	if u.desk.last == nil {
		u.desk.last = map[queueKey]string{}
	}
	u.desk.last[k] = agent
}

func (r *offerRow) scan(s scanner) error {
	var agents, declined string
	if err := s.Scan(&agents, &declined, &r.offered, &r.until); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(agents), &r.agents); err != nil {
		return err
	}
	return json.Unmarshal([]byte(declined), &r.declined)
}

// flushDesk writes what has changed.
func (u *unit) flushDesk() []stmt {
	var out []stmt
	for _, k := range keys(u.desk.agents, func(a, b agentKey) int { return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.id, b.id)) }) {
		out = append(out, u.desk.agents[k].write(u, k)...)
	}
	for _, k := range keys(u.desk.offers, func(a, b convKey) int { return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.no, b.no)) }) {
		row := u.desk.offers[k]
		switch {
		case !row.dirty || row.gone && row.fresh:
		case row.gone:
			out = append(out, stmt{sql: "DELETE FROM offers WHERE workspace = $1 AND conversation = $2", args: []any{k.ws, k.no}})
		default:
			out = append(out, stmt{
				sql: `INSERT INTO offers (workspace, conversation, agents, declined, offered_at, until_at) VALUES ($1, $2, $3, $4, $5, $6)
 ON CONFLICT (workspace, conversation) DO UPDATE SET agents = excluded.agents, declined = excluded.declined,
 offered_at = excluded.offered_at, until_at = excluded.until_at`,
				args: []any{k.ws, k.no, listText(row.agents), listText(row.declined), row.offered, row.until},
			})
		}
	}
	out = append(out, u.flushWaits()...)
	for _, k := range keys(u.desk.last, func(a, b queueKey) int { return cmp.Or(cmp.Compare(a.ws, b.ws), cmp.Compare(a.name, b.name)) }) {
		out = append(out, stmt{
			sql: "UPDATE queues SET last_agent = $1 WHERE workspace = $2 AND name = $3", args: []any{u.desk.last[k], k.ws, k.name},
		})
	}
	return append(out, u.flushTags()...)
}

func (r *agentRow) write(u *unit, k agentKey) []stmt {
	if !r.dirty && !r.fresh {
		return nil
	}
	skills, _ := json.Marshal(r.Skills) // texts and numbers: cannot fail
	if r.Skills == nil {
		skills = []byte("{}")
	}
	out := []stmt{{
		sql: `INSERT INTO agents (workspace, uid, name, capacity, skills, state, available, state_at, created_at, updated_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (workspace, uid) DO UPDATE SET name = excluded.name, capacity = excluded.capacity,
 skills = excluded.skills, state = excluded.state, available = excluded.available, state_at = excluded.state_at, updated_at = excluded.updated_at`,
		args: []any{k.ws, k.id, r.Name, int64(r.Capacity), string(skills), r.State, flag(r.Available), micros(r.StateAt), r.created, micros(u.now)},
	}}
	if !r.moved {
		return out
	}
	if r.began != 0 {
		out = append(out, stmt{
			sql:  "UPDATE agent_sessions SET ended_at = $1 WHERE workspace = $2 AND agent = $3 AND begun_at = $4",
			args: []any{micros(r.StateAt), k.ws, k.id, r.began},
		})
	}
	return append(out, stmt{
		sql: `INSERT INTO agent_sessions (workspace, agent, begun_at, state) VALUES ($1, $2, $3, $4)
 ON CONFLICT (workspace, agent, begun_at) DO UPDATE SET state = excluded.state`,
		args: []any{k.ws, k.id, micros(r.StateAt), r.State},
	})
}

// flag keeps yes or no in a column.
func flag(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// keys gives the keys of a map in a fixed order.
func keys[K comparable, V any](m map[K]V, order func(a, b K) int) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, order)
	return out
}

func listText(list []string) string {
	if list == nil {
		return "[]"
	}
	raw, _ := json.Marshal(list) // texts: cannot fail
	return string(raw)
}
