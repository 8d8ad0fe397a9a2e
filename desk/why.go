package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Account tells why a conversation is where it is.
type Account struct {
	State     chat.State `json:"state"`
	Queue     string     `json:"queue,omitempty"`
	Position  int        `json:"position,omitempty" doc:"In the line of the queue, from 1."`
	Now       *Told      `json:"now,omitempty" doc:"What would be decided now, while nobody is asked: why nobody."`
	Decisions []Told     `json:"decisions" nullable:"false" doc:"What was decided, in order; the newest 100."`
}

// Told is a decision, or a move, in words.
type Told struct {
	Seq        int64           `json:"seq,omitempty" doc:"Of the event."`
	At         time.Time       `json:"at"`
	Kind       chat.Kind       `json:"kind" doc:"queued, offered, offer_extended, offer_ended, route_ask, route_answer, assigned, bot, closed."`
	Queue      string          `json:"queue,omitempty"`
	Rule       Rule            `json:"rule,omitempty"`
	Reason     string          `json:"reason,omitempty" doc:"As a code: picked, stays, fell_back, nobody_free, nobody_fits, rule_failed, unknown_rule, declined, timeout, queue_closed, queue_full, max_wait; of moves by people their own words."`
	Text       string          `json:"text" doc:"In English."`
	Agents     []string        `json:"agents,omitempty"`
	Candidates []ToldCandidate `json:"candidates,omitempty"`
	Considered int             `json:"considered,omitempty" doc:"How many candidates there were; not all of many are told."`
}

// ToldCandidate is an agent as a decision saw it, in words.
type ToldCandidate struct {
	Candidate
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// tells are the kinds that an account tells of.
var tells = []chat.Kind{
	chat.KindQueued, chat.KindOffered, chat.KindOfferExtended, chat.KindOfferEnded, chat.KindRouteAsk, chat.KindRouteAnswer, chat.KindAssigned, chat.KindBot, chat.KindClosed,
}

// maxDecisions bounds an account.
const maxDecisions = 100

// Why accounts for a conversation.
func Why(ctx context.Context, s *store.Store, ws chat.WorkspaceID, id chat.ConversationID) (Account, error) {
	conv, err := s.Conversation(ctx, ws, id)
	if err != nil {
		return Account{}, err
	}
	events, err := s.EventsOfKinds(ctx, ws, id, tells...)
	if err != nil {
		return Account{}, err
	}
	agents, err := s.Agents(ctx, ws)
	if err != nil {
		return Account{}, err
	}
	n := namer{}
	for _, a := range agents {
		n[a.ID] = a.Name
	}
	out := Account{State: conv.State, Queue: conv.Queue, Decisions: []Told{}}
	for _, e := range events[max(len(events)-maxDecisions, 0):] {
		out.Decisions = append(out.Decisions, n.told(e))
	}
	if conv.State == chat.StateQueued {
		if _, out.Position, err = s.Position(ctx, ws, id); err != nil {
			return out, err
		}
		out.Now, err = n.now(ctx, s, ws, id)
	}
	return out, err
}

// namer knows the names of agents.
type namer map[string]string

func (n namer) name(id string) string {
	if n[id] != "" {
		return n[id]
	}
	return id
}

func (n namer) names(ids []string) string {
	shown := make([]string, 0, 4)
	for _, id := range ids[:min(len(ids), 3)] {
		shown = append(shown, n.name(id))
	}
	if len(ids) > 3 {
		return strings.Join(shown, ", ") + fmt.Sprintf(" and %d more", len(ids)-3)
	}
	return strings.Join(shown, ", ")
}

// now decides as the router would, and tells why nobody is asked; nil if somebody is.
func (n namer) now(ctx context.Context, s *store.Store, ws chat.WorkspaceID, id chat.ConversationID) (*Told, error) {
	row, err := s.WaitingOf(ctx, ws, id)
	if chat.CodeOf(err) == chat.CodeNotFound || err == nil && len(row.Agents) > 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t := &Told{At: s.Now(), Kind: chat.KindQueued, Queue: row.Queue}
	queue, err := queueNamed(ctx, s, ws, row.Queue)
	if chat.CodeOf(err) == chat.CodeNotFound {
		t.Reason, t.Text = "no_queue", "Nobody is asked: there is no queue "+row.Queue+"."
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if row.Asked != 0 && Rule(queue.Rule) == Outside {
		t.Rule, t.Reason, t.Text = Outside, "asked", "A service outside is being asked who should have it."
		return t, nil
	}
	d, err := decideNow(ctx, s, ws, queue, row)
	if err != nil {
		return nil, err
	}
	n.decision(t, d)
	if len(d.Offer) > 0 {
		t.Text = "Nobody is asked yet: " + t.Text
	}
	return t, nil
}

// decideNow is what the rule of the queue makes of a conversation.
func decideNow(ctx context.Context, s *store.Store, ws chat.WorkspaceID, queue store.Queue, row store.WaitingConversation) (Decision, error) {
	settings := settingsOf(queue)
	r := roster{rule: Rule(queue.Rule)}
	w := waiterOf(row)
	w.Skills = settings.Skills
	if r.rule == Expression {
		var err error
		if w.Facts, err = readFacts(ctx, s, ws, row.Conversation); err != nil {
			return Decision{}, err
		}
		r.score, _ = CompileScore(settings.Expression) // without one the decision says so
	}
	agents, err := agentsNow(ctx, s, ws)
	for _, id := range queue.Agents {
		if a := agents[id]; a != nil {
			r.add(a)
		}
	}
	return r.choose(&w.Waiting, AgentID(queue.LastAgent)), err
}

// told puts an event into words.
func (n namer) told(e chat.Event) Told {
	t := Told{Seq: e.Seq, At: e.At, Kind: e.Kind}
	switch e.Kind {
	case chat.KindOffered:
		var o chat.OfferData
		var d Decision
		_ = json.Unmarshal(e.Data, &o) // ours, as all below; an erased one is empty
		_ = json.Unmarshal(o.Decision, &d)
		t.Queue, t.Agents = o.Queue, o.Agents
		n.decision(&t, d)
	case chat.KindOfferExtended:
		var o chat.OfferData
		_ = json.Unmarshal(e.Data, &o)
		t.Queue, t.Agents = o.Queue, o.Agents
		t.Text = n.names(o.Agents) + " took more time."
	case chat.KindOfferEnded:
		var o chat.OfferData
		_ = json.Unmarshal(e.Data, &o)
		t.Queue, t.Agents, t.Reason = o.Queue, o.Agents, o.Reason
		t.Text = n.names(o.Agents) + " declined."
		if o.Reason == store.OfferTimeout {
			t.Text = n.names(o.Agents) + " did not accept in time."
		}
	case chat.KindRouteAsk:
		var a chat.RouteAskData
		_ = json.Unmarshal(e.Data, &a)
		t.Queue, t.Rule = a.Queue, Outside
		t.Text = fmt.Sprintf("A service outside was asked which of %d free agents should have it.", a.Considered)
	case chat.KindRouteAnswer:
		n.answer(&t, e)
	default:
		n.move(&t, e)
	}
	return t
}

func (n namer) answer(t *Told, e chat.Event) {
	var a chat.RouteAnswerData
	_ = json.Unmarshal(e.Data, &a)
	t.Rule, t.Reason = Outside, a.Reason
	switch {
	case a.Error != "":
		t.Text = "There was no answer to go by: " + a.Error + "."
	case a.Agent == "":
		t.Text = "The service said that nobody of them should have it."
	default:
		t.Agents, t.Text = []string{a.Agent}, "The service named "+n.name(a.Agent)+"."
	}
}

// causes are the reasons of moves in words.
var causes = map[string]string{
	chat.ReasonQueueClosed: "the queue before was closed", chat.ReasonQueueFull: "the queue before was full",
	chat.ReasonMaxWait: "nobody came in time", chat.ReasonNew: "a new conversation", chat.ReasonReopened: "it goes on where it was closed",
	chat.ReasonSilence: "nothing was said for long", chat.ReasonUndone: "the move before was taken back",
}

func (n namer) move(t *Told, e chat.Event) {
	var to chat.PlaceData
	_ = json.Unmarshal(e.Data, &to)
	t.Queue, t.Reason = to.Queue, to.Reason
	switch to.State {
	case chat.StateQueued:
		t.Text = "It waits in the queue " + to.Queue
	case chat.StateAssigned:
		t.Agents, t.Text = []string{to.Assignee}, n.name(to.Assignee)+" has it"
		if e.Sender != nil && e.Sender.ID != "" && e.Sender.ID != to.Assignee {
			t.Text += ", given by " + n.name(e.Sender.ID)
		}
	case chat.StateBot:
		t.Text = "The flow " + to.Flow + " has it"
	case chat.StateClosed:
		t.Text = "It was closed"
	}
	if why := causes[to.Reason]; why != "" {
		t.Text += ": " + why
	} else if to.Reason != "" {
		t.Text += ": " + to.Reason
	}
	t.Text += "."
}

// decision puts a decision into words.
func (n namer) decision(t *Told, d Decision) {
	t.Rule, t.Reason, t.Considered = d.Rule, string(d.Reason), d.Considered
	for _, id := range d.Offer {
		if !slices.Contains(t.Agents, string(id)) {
			t.Agents = append(t.Agents, string(id))
		}
	}
	t.Text = n.sentence(t, d)
	for _, c := range d.Candidates {
		t.Candidates = append(t.Candidates, ToldCandidate{Candidate: c, Name: n.name(string(c.Agent)), Text: c.words(d)})
	}
}

// because says what a rule goes by.
var because = map[Rule]string{
	LeastBusy: "has the fewest conversations, and among those was idle the longest", RoundRobin: "is next in turn",
	BySkills: "has the best skills for it", Expression: "has the highest score", Outside: "was named by the service outside",
}

func (n namer) sentence(t *Told, d Decision) string {
	who, detail := n.names(t.Agents), ""
	if d.Detail != "" {
		detail = " (" + d.Detail + ")"
	}
	switch d.Reason {
	case Stays:
		return who + " is asked: it is " + who + "'s already."
	case Picked:
		if d.Rule == Everyone {
			return "All who are free are asked: " + who + "."
		}
		return who + " is asked: " + who + " " + because[d.Rule] + detail + "."
	case FellBack:
		return who + " is asked, as the least busy: the service outside could not be followed" + detail + "."
	case NobodyFree:
		return fmt.Sprintf("Nobody is asked: none of the %d members is free.", d.Considered)
	case NobodyFits:
		return fmt.Sprintf("Nobody is asked: of the %d members those who are free cannot have this one%s.", d.Considered, detail)
	case RuleFailed:
		return "Nobody is asked: the queue's expression fails" + detail + "."
	case UnknownRule:
		return "Nobody is asked: there is no rule " + string(d.Rule) + "."
	default:
		return "It was offered to " + who + "."
	}
}

// words says of a candidate why, or why not.
func (c Candidate) words(d Decision) string {
	load := fmt.Sprintf("%d conversations", c.Load)
	if c.Load == 1 {
		load = "1 conversation"
	}
	if c.Capacity > 0 {
		load += fmt.Sprintf(" of %d", c.Capacity)
	}
	switch c.Out {
	case "":
		return "asked; has " + load
	case Unavailable:
		return "not available"
	case AtCapacity:
		return "has " + load + ", which is the limit"
	case HasDeclined:
		return "has declined it"
	case NoSkill:
		return "lacks a skill"
	case Refused:
		return "refused by the expression"
	case NotBest:
		if d.Rule == BySkills || d.Rule == Expression {
			return fmt.Sprintf("could have had it; score %g, has %s", c.Score, load)
		}
		return "could have had it; has " + load
	default:
		return string(c.Out)
	}
}
