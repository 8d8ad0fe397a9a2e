package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// Offer lets agents accept a waiting conversation, instead of whoever might before.
type Offer struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Agents       []string
	Until        time.Time       // zero: as long as it waits
	Longest      time.Time       // until when it may be extended
	Decision     json.RawMessage // why these
	Action       chat.ActionID

	deed
}

func (c *Offer) resolve(ctx context.Context, s *Store) error {
	if len(c.Agents) == 0 {
		return chat.Faultf(chat.CodeInvalid, "an offer needs an agent")
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Offer) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, row, err := u.waiting(ctx, &c.deed)
	if err != nil {
		return Result{}, err
	}
	row.agents, row.offered, row.until, row.dirty, row.gone = c.Agents, micros(u.now), micros(c.Until), true, false
	if conv.queue != "" && len(c.Agents) == 1 {
		u.keepLast(queueKey{conv.ws, conv.queue}, c.Agents[0])
	}
	e := chat.Event{Kind: chat.KindOffered, Sender: &chat.Party{Type: chat.PartySystem}, Action: c.Action}
	e.Data = data(chat.OfferData{Agents: c.Agents, Queue: conv.queue, Until: c.Until, Longest: c.Longest, Decision: c.Decision})
	return Result{Events: []chat.Event{u.append(conv, ch, e, "")}}, nil
}

// waiting answers a conversation that is in a queue, and whom it is offered to.
func (u *unit) waiting(ctx context.Context, d *deed) (*conversationRow, *channelRow, *offerRow, error) {
	conv, ch, err := u.conversationAndChannel(ctx, d.ws, d.conv)
	if err != nil {
		return nil, nil, nil, err
	}
	if conv.state != chat.StateQueued {
		return nil, nil, nil, chat.Faultf(chat.CodeConflict, "the conversation is "+string(conv.state)+" now")
	}
	row, err := u.offer(ctx, convKey{conv.ws, conv.no})
	return conv, ch, row, err
}

// Accept gives a waiting conversation to an agent who is offered it. Of many who try exactly one wins.
type Accept struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Agent        string
	From         string // in this queue also who was not offered it may have it, being available and below the limit
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *Accept) resolve(ctx context.Context, s *Store) error {
	if err := checkName("agent", c.Agent); err != nil {
		return err
	}
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *Accept) apply(ctx context.Context, u *unit) (Result, error) {
	conv, _, row, err := u.waiting(ctx, &c.deed)
	if err != nil {
		return Result{}, err
	}
	open := c.From != "" && c.From == conv.queue
	if !open && !slices.Contains(row.agents, c.Agent) {
		return Result{}, chat.Faultf(chat.CodeForbidden, "the conversation is not offered to this agent")
	}
	if !open && row.until != 0 && row.until <= micros(u.now) {
		return Result{}, chat.Faultf(chat.CodeConflict, "the time to accept is over")
	}
	if open {
		if err := u.hasRoom(ctx, agentKey{c.ws, c.Agent}, convKey{conv.ws, conv.no}); err != nil {
			return Result{}, err
		}
	}
	place := &Place{
		Workspace: c.Workspace, Conversation: c.Conversation, Expect: []chat.State{chat.StateQueued}, By: c.By, Action: c.Action,
		To: chat.PlaceData{State: chat.StateAssigned, Assignee: c.Agent, Queue: conv.queue}, deed: c.deed,
	}
	k := queueKey{conv.ws, conv.queue}
	res, err := place.apply(ctx, u)
	if err == nil {
		u.countAccept(k)
	}
	return res, err
}

// hasRoom answers why an agent cannot take a conversation beside the others.
func (u *unit) hasRoom(ctx context.Context, k agentKey, conv convKey) error {
	a, err := u.agent(ctx, k)
	switch {
	case err != nil:
		return err
	case !a.Available:
		return chat.Faultf(chat.CodeConflict, "the agent is not available")
	case a.Capacity == 0:
		return nil
	}
	load, err := u.load(ctx, k)
	delete(load, conv)
	if err == nil && len(load) >= a.Capacity {
		err = chat.Faultf(chat.CodeConflict, "the agent has as many conversations as the limit allows")
	}
	return err
}

// load is what an agent has, or has to answer in time, as this transaction leaves it.
func (u *unit) load(ctx context.Context, k agentKey) (map[convKey]bool, error) {
	held, asked := map[convKey]bool{}, map[convKey]bool{}
	err := u.run(ctx, []stmt{{
		sql:  "SELECT no FROM conversations WHERE workspace = $1 AND state = 'assigned' AND assignee = $2 AND snoozed_until = 0",
		args: []any{k.ws, k.id},
		scan: func(r scanner) error {
			no, err := scanID(r)
			held[convKey{k.ws, no}] = true
			return err
		},
	}, {
		sql: `SELECT conversation, agents, declined, offered_at, until_at FROM offers
 WHERE workspace = $1 AND until_at > 0 AND agents LIKE $2 ESCAPE '\'`,
		args: []any{k.ws, likePart(strings.Trim(listText([]string{k.id}), "[]"))},
		scan: func(r scanner) error {
			var row offerRow
			at := convKey{ws: k.ws}
			err := row.scan(frontScanner{r, []any{&at.no}})
			asked[at] = row.wants(k.id)
			return err
		},
	}})
	for at, row := range u.desk.offers {
		asked[at] = at.ws == k.ws && row.wants(k.id)
	}
	for at, c := range u.convs {
		held[at] = at.ws == k.ws && c.state == chat.StateAssigned && c.assignee == k.id && c.snoozed == 0
		asked[at] = asked[at] && c.state == chat.StateQueued
	}
	for at, has := range asked {
		held[at] = held[at] || has
	}
	maps.DeleteFunc(held, func(_ convKey, has bool) bool { return !has })
	return held, err
}

// wants tells whether an agent has to answer in time.
func (r *offerRow) wants(agent string) bool { return r.until > 0 && slices.Contains(r.agents, agent) }

// The reasons why an offer ends without being accepted.
const (
	OfferDeclined = "declined"
	OfferTimeout  = "timeout"
)

// EndOffer takes a waiting conversation away from an agent who declines it, or from all whose time is over. Those whose time is over become
// inactive: they are not there.
type EndOffer struct {
	Workspace    chat.WorkspaceID
	Conversation chat.ConversationID
	Agent        string // who declines; empty: the time of all is over
	By           chat.Party
	Action       chat.ActionID

	deed
}

func (c *EndOffer) resolve(ctx context.Context, s *Store) error {
	return c.find(ctx, s, c.Workspace, c.Conversation, "", "")
}

func (c *EndOffer) apply(ctx context.Context, u *unit) (Result, error) {
	conv, ch, row, err := u.waiting(ctx, &c.deed)
	if err != nil {
		return Result{}, err
	}
	out, reason := []string{c.Agent}, OfferDeclined
	if c.Agent == "" {
		out, reason = row.agents, OfferTimeout
		if row.until == 0 || row.until > micros(u.now) {
			return Result{}, chat.Faultf(chat.CodeConflict, "the time to accept is not over")
		}
	}
	if !slices.Contains(row.agents, out[0]) {
		return Result{}, chat.Faultf(chat.CodeConflict, "the conversation is not offered to this agent")
	}
	row.take(out, reason == OfferDeclined)
	by := c.By
	e := chat.Event{Kind: chat.KindOfferEnded, Sender: &by, Action: c.Action, Data: data(chat.OfferData{Agents: out, Queue: conv.queue, Reason: reason})}
	var events []chat.Event
	if reason == OfferTimeout { // told first: who routes by the end of the offer must not ask the same agent again
		if events, err = u.makeInactive(ctx, conv.ws, out, c.Action); err != nil {
			return Result{}, err
		}
	}
	return Result{Events: append(events, u.append(conv, ch, e, ""))}, nil
}

// take removes agents from the offer. Those who declined are not offered it again; those whose time was over were away.
func (r *offerRow) take(out []string, declined bool) {
	rest := make([]string, 0, len(r.agents))
	for _, a := range r.agents {
		switch {
		case !slices.Contains(out, a):
			rest = append(rest, a)
		case declined && !slices.Contains(r.declined, a):
			r.declined = append(slices.Clone(r.declined), a)
		}
	}
	r.agents, r.dirty = rest, true
	if len(rest) == 0 {
		r.until = 0
	}
}

func (u *unit) makeInactive(ctx context.Context, ws int64, agents []string, action chat.ActionID) ([]chat.Event, error) {
	var events []chat.Event
	for _, id := range agents {
		row, err := u.agent(ctx, agentKey{ws, id})
		if chat.CodeOf(err) == chat.CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if row.State == AgentInactive {
			continue
		}
		row.move(u.now, AgentInactive, false)
		events = append(events, u.tellAgent(ws, row, chat.Party{Type: chat.PartySystem}, action))
	}
	return events, nil
}

// dropOffer forgets whom a conversation was offered to: it does not wait any more, or waits elsewhere.
func (u *unit) dropOffer(ctx context.Context, k convKey) error {
	row, err := u.offer(ctx, k)
	if err == nil && (!row.fresh || row.dirty) {
		*row = offerRow{gone: true, dirty: true, fresh: row.fresh}
	}
	return err
}

// Assigned tells who works on which conversation; those that rest are left out.
func (s *Store) Assigned(ctx context.Context, ws chat.WorkspaceID) (map[chat.ConversationID]string, error) {
	type held struct {
		conv  chat.ConversationID
		agent string
	}
	found, err := list(ctx, s, func(r scanner) (h held, err error) {
		err = r.Scan(&h.conv, &h.agent)
		return h, err
	}, `SELECT c.uid, c.assignee FROM conversations c JOIN workspaces w ON w.id = c.workspace WHERE w.uid = $1 AND c.state = 'assigned' AND c.snoozed_until = 0`, string(ws))
	out := make(map[chat.ConversationID]string, len(found))
	for _, h := range found {
		out[h.conv] = h.agent
	}
	return out, err
}

// Agent is an agent as it is now.
func (t *Tx) Agent(id string) (Agent, error) {
	row, err := t.u.agent(t.ctx, agentKey{t.ws, id})
	if err != nil {
		return Agent{}, err
	}
	return row.Agent, nil
}

// OverdueOffers lists conversations, of all workspaces, whose agents have not answered in time; at most limit.
func (s *Store) OverdueOffers(ctx context.Context, limit int) (map[chat.ConversationID]chat.WorkspaceID, error) {
	type place struct {
		conv chat.ConversationID
		ws   chat.WorkspaceID
	}
	found, err := list(ctx, s, func(r scanner) (p place, err error) {
		err = r.Scan(&p.conv, &p.ws)
		return p, err
	}, `SELECT c.uid, w.uid FROM offers o JOIN conversations c ON c.workspace = o.workspace AND c.no = o.conversation
 JOIN workspaces w ON w.id = o.workspace WHERE o.until_at > 0 AND o.until_at <= $1 ORDER BY o.until_at LIMIT $2`, micros(s.now()), limit)
	out := make(map[chat.ConversationID]chat.WorkspaceID, len(found))
	for _, p := range found {
		out[p.conv] = p.ws
	}
	return out, err
}

// Load counts the conversations that an agent works on.
func (s *Store) Load(ctx context.Context, ws chat.WorkspaceID, agent string) (int, error) {
	return one(ctx, s, "agent", func(r scanner) (n int, err error) {
		err = r.Scan(&n)
		return n, err
	}, `SELECT COUNT(*) FROM conversations c JOIN workspaces w ON w.id = c.workspace
 WHERE w.uid = $1 AND c.state = 'assigned' AND c.assignee = $2 AND c.snoozed_until = 0`, string(ws), agent)
}
