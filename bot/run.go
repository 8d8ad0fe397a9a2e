package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// Name is the follower's name in the store.
const Name = "bot"

// Runner reads the log and lets flows answer: each event is one Step, and the session, what it says and what it decided are
// written together with the cursor.
type Runner struct {
	Store *store.Store
	Log   *slog.Logger
	// Fallback is said when a flow without a fallback of its own has no answer; "" says nothing.
	Fallback string

	mu    sync.Mutex
	flows map[flowKey]*Flow
}

type flowKey struct {
	ws      chat.WorkspaceID
	name    string
	version int
}

// Run follows the log until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	return r.Store.FollowAlong(ctx, Name, r.step, kinds...)
}

// Record is the data of a flow_step event: what a replay needs and compares.
type Record struct {
	Flow     string `json:"flow"`
	Version  int    `json:"version"`
	Facts    *Facts `json:"facts,omitempty"`    // when they have changed since the last step
	Fallback string `json:"fallback,omitempty"` // the hub's own fallback was said
	Late     bool   `json:"late,omitempty"`     // somebody took the conversation over before this step: it was not taken
	Follow   int    `json:"follow,omitempty"`   // how many events right behind this one came of the step
	Trace    Trace  `json:"trace"`
}

// memory is what the follower keeps of a conversation.
type memory struct {
	Flow    string  `json:"flow"`
	Version int     `json:"version"`
	Facts   Facts   `json:"facts"`
	Session Session `json:"session"`
}

// kinds are those of which a step can come.
var kinds = []chat.Kind{
	chat.KindMessage, chat.KindOpened, chat.KindCallResult, chat.KindRewound, chat.KindQueued, chat.KindAssigned, chat.KindBot, chat.KindClosed,
}

// looks tells whether a step can come of an event; all others cost nothing.
func looks(e chat.Event) bool {
	switch e.Kind {
	case chat.KindMessage:
		return e.Direction == chat.In
	default:
		return e.Conversation != "" && slices.Contains(kinds, e.Kind)
	}
}

func (r *Runner) step(tx *store.Tx, e chat.Event) error {
	if !looks(e) {
		return nil
	}
	mem, err := load(tx)
	if err != nil {
		return err
	}
	if !mem.choose(e) {
		return nil // no flow has ever had this conversation
	}
	conv, err := tx.Conversation()
	if err != nil || conv.State == chat.StateClosed {
		return err // closed meanwhile: nothing comes after that, and its session is of no use any more
	}
	flow, version, err := r.flow(tx.Context(), tx.Workspace(), mem.Flow, mem.Version)
	if err != nil {
		return r.withoutFlow(tx, e, mem, conv, err)
	}
	mem.Version = version
	before := mem.Facts
	mem.refresh(conv, tx.Language())
	session, effects, trace := Step(flow, mem.Session, Input{Event: e, Conversation: mem.Facts})
	if trace.Ignored != "" && len(effects) == 0 {
		return nil
	}
	rec := Record{Flow: mem.Flow, Version: mem.Version, Trace: trace}
	if before != mem.Facts {
		rec.Facts = &mem.Facts
	}
	if fallback := r.Fallback; fallback != "" && unanswered(flow, trace, effects) {
		rec.Fallback = fallback
		effects = append(effects, Say{Message: chat.TextMessage(fallback)})
	}
	if conv.State != chat.StateBot && len(effects) > 0 {
		rec.Late, rec.Fallback, rec.Trace = true, "", passedOver(mem.Session, e)
		return r.write(tx, e, mem, rec, nil)
	}
	mem.Session = session
	return r.write(tx, e, mem, rec, effects)
}

// passedOver is the trace of a step that came too late: the event that says who has the conversation now stands further down the log.
func passedOver(s Session, e chat.Event) Trace {
	return Trace{
		Kind: e.Kind, Pos: e.Pos, Turn: s.Turn, State: s.State, Phase: s.Phase, Waiting: len(s.Queue),
		Ignored: "somebody else has the conversation by now",
	}
}

func load(tx *store.Tx) (mem memory, err error) {
	body, err := tx.State()
	if err != nil || body == "" {
		return mem, err
	}
	err = json.Unmarshal([]byte(body), &mem)
	return mem, err
}

// choose takes the flow from the events that name one. A conversation stays with its version until it is given another one.
func (m *memory) choose(e chat.Event) bool {
	switch e.Kind {
	case chat.KindOpened:
		var d chat.OpenedData
		if json.Unmarshal(e.Data, &d) == nil && d.Flow != "" {
			m.Flow, m.Version = d.Flow, d.Version
			m.Facts.Start, m.Facts.Override = d.Start, d.Override
		}
	case chat.KindBot:
		var d chat.PlaceData
		if json.Unmarshal(e.Data, &d) != nil || d.Flow == "" || d.Flow == m.Flow && (d.Version == 0 || d.Version == m.Version) {
			break // given back
		}
		m.Flow, m.Version, m.Session = d.Flow, d.Version, Session{}
	default:
	}
	return m.Flow != ""
}

// refresh brings the facts up to date.
func (m *memory) refresh(conv chat.Conversation, language string) {
	m.Facts = Facts{
		ID: conv.ID, Channel: conv.Channel, Contact: conv.Contact, Language: language, Start: m.Facts.Start, Override: m.Facts.Override, OpenedAt: conv.OpenedAt,
	}
}

// unanswered tells whether a message of the contact was decided on, nothing at all came of it, and the flow has no words for that.
// The decision may be long after the message, when a worker was asked.
func unanswered(f *Flow, t Trace, effects []Effect) bool {
	if len(f.fallback) > 0 || len(effects) > 0 || t.Phase != PhaseIdle || len(t.Decisions) == 0 {
		return false
	}
	return t.Decisions[len(t.Decisions)-1].Transition < 0
}

// flow finds a compiled flow and its version; 0 is the newest. Versions never change, so they are compiled once; those of the past are few.
func (r *Runner) flow(ctx context.Context, ws chat.WorkspaceID, name string, version int) (*Flow, int, error) {
	k := flowKey{ws, name, version}
	r.mu.Lock()
	f := r.flows[k]
	r.mu.Unlock()
	if f != nil {
		return f, version, nil
	}
	row, err := r.Store.Flow(ctx, ws, name, version)
	if err != nil {
		return nil, version, err
	}
	if f, err = Parse(row.Definition); err != nil {
		return nil, version, err
	}
	k.version = row.Version
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flows == nil || len(r.flows) >= maxFlows {
		r.flows = map[flowKey]*Flow{}
	}
	r.flows[k] = f
	return f, row.Version, nil
}

// maxFlows bounds the compiled flows that are kept.
const maxFlows = 10000

// withoutFlow gives a conversation whose flow cannot be had to people: nobody waits for an answer that never comes.
func (r *Runner) withoutFlow(tx *store.Tx, e chat.Event, mem memory, conv chat.Conversation, cause error) error {
	_, invalid := errors.AsType[*InvalidError](cause)
	if !invalid && chat.CodeOf(cause) != chat.CodeNotFound {
		return cause
	}
	body, err := json.Marshal(mem)
	if err != nil {
		return err
	}
	tx.SetState(string(body)) // what was chosen stays chosen, also when it cannot run
	if conv.State != chat.StateBot {
		return nil
	}
	queue, err := r.queue(tx, conv, "")
	if err != nil {
		return err
	}
	r.log().ErrorContext(tx.Context(), "bot: no flow", "flow", mem.Flow, "version", mem.Version, "err", cause)
	_, err = tx.Append(&store.Place{
		Workspace: tx.Workspace(), Conversation: e.Conversation, By: chat.Party{Type: chat.PartySystem}, Action: e.Action,
		To: chat.PlaceData{State: chat.StateQueued, Queue: queue, Reason: fmt.Sprintf("flow %s version %d cannot run", mem.Flow, mem.Version)},
	})
	return err
}

// queue is where a conversation waits that is handed over: the one that the flow names, else the channel's own.
func (r *Runner) queue(tx *store.Tx, conv chat.Conversation, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	ch, err := r.Store.Channel(tx.Context(), conv.Channel)
	return ch.Queue, err
}

func (r *Runner) log() *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log
}
