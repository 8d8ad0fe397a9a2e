package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/outbound"
	"github.com/dragoman-hub/dragoman/store"
)

// workAsk is the kind of work that asks services outside of the hub.
const workAsk = "route"

// Routes say which events mean work for routing; the store is opened with them.
func Routes() []store.Route {
	return []store.Route{{Work: workAsk, Lane: func(e *chat.Event) string {
		if e.Kind != chat.KindRouteAsk {
			return ""
		}
		return string(e.Conversation)
	}}}
}

// Limits of a question to a service outside.
const (
	askTime    = 2 * time.Second // by default
	maxAskTime = 30 * time.Second
	maxAsks    = 32       // of a channel's conversations under way at once
	maxAnswer  = 64 << 10 // bytes
	maxReason  = 500      // bytes of what a service gives as its reason
)

// Sealer opens what is kept at rest; *secret.Keyring is one.
type Sealer interface {
	Seal(place string, plain []byte) string
	Open(place, sealed string) ([]byte, error)
}

// SecretPlace is where the secret of a queue's service is sealed for.
func SecretPlace(ws chat.WorkspaceID, queue string) string {
	return "queue/" + string(ws) + "/" + queue
}

// Question is what a service outside is asked.
type Question struct {
	ID           string            `json:"id"`
	Queue        string            `json:"queue"`
	Conversation chat.Conversation `json:"conversation"`
	Contact      QuestionContact   `json:"contact"`
	Candidates   []QuestionAgent   `json:"candidates"`
	Considered   int               `json:"considered"` // how many could have it, when not all are told
}

// QuestionContact is who waits.
type QuestionContact struct {
	ID         chat.ContactID  `json:"id"`
	Name       string          `json:"name"`
	Language   string          `json:"language,omitempty"`
	Properties json.RawMessage `json:"properties,omitempty"`
}

// QuestionAgent is an agent who could have it.
type QuestionAgent struct {
	ID       AgentID        `json:"id"`
	Load     int            `json:"load"`
	Capacity int            `json:"capacity,omitempty"`
	Skills   map[string]int `json:"skills,omitempty"`
}

// maxAsked bounds the candidates of a question.
const maxAsked = 100

// ask writes down that a service is to be asked; the work that comes of it does so.
func (t *turn) ask(q *queue, w *waiter, candidates []Candidate) (bool, error) {
	told := make([]QuestionAgent, 0, min(len(candidates), maxAsked))
	for _, c := range candidates[:min(len(candidates), maxAsked)] {
		told = append(told, QuestionAgent{ID: c.Agent, Load: c.Load, Capacity: c.Capacity, Skills: t.p.agents[c.Agent].Skills})
	}
	raw, err := json.Marshal(told)
	if err != nil {
		return false, err
	}
	data, err := json.Marshal(chat.RouteAskData{Queue: q.name, Candidates: raw, Considered: len(q.free), Until: t.tx.Now().Add(q.settings.askTime())})
	if err != nil {
		return false, err
	}
	res, err := t.tx.Append(&store.Record{
		Workspace: t.tx.Workspace(), Conversation: w.Conversation, Kind: chat.KindRouteAsk, Sender: chat.Party{Type: chat.PartySystem},
		Data: data, Action: t.action,
	})
	if movedOn(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.asked = res.Events[0].Pos
	q.asked++
	return true, t.tx.KeepWait(w.Conversation, w.due, w.asked)
}

func (s Settings) askTime() time.Duration {
	if s.TimeoutMS == 0 {
		return askTime
	}
	return min(time.Duration(s.TimeoutMS)*time.Millisecond, maxAskTime)
}

// answered takes in what a service said: everything is checked again, for things may have changed meanwhile.
func (t *turn) answered(e chat.Event) error {
	var a chat.RouteAnswerData
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return err
	}
	w := t.p.waiting[e.Conversation]
	if w == nil || w.asked == 0 || w.asked != a.Ask {
		return nil
	}
	w.asked = 0
	if err := t.tx.KeepWait(w.Conversation, w.due, 0); err != nil {
		return err
	}
	q := t.p.queues[w.queue]
	if q == nil {
		return nil
	}
	q.asked--
	t.p.touched[q] = true // there may be room to ask about the next one
	if q.rule != Outside || len(w.offer) > 0 {
		t.p.look(w, q)
		return nil
	}
	d := q.named(w, a)
	if len(d.Offer) > 0 {
		done, err := t.offer(q, w, d)
		if done || err != nil {
			return err
		}
	}
	t.p.look(w, q)
	w.stuck = d.Reason == NobodyFits && !q.newcomer(w, a.Candidates) // until somebody changes
	return nil
}

// newcomer tells whether somebody could have a conversation who was not among those whom the service was asked about.
func (q *queue) newcomer(w *waiter, asked []string) bool {
	return len(asked) < maxAsked && slices.ContainsFunc(q.free, func(a *Agent) bool {
		return !slices.Contains(w.Declined, a.ID) && !slices.Contains(asked, string(a.ID))
	})
}

// named is the decision that follows from an answer. Where that cannot be followed the least busy has it, and the decision says so.
func (q *queue) named(w *waiter, a chat.RouteAnswerData) Decision {
	if a.Error == "" && a.Agent == "" {
		return Decision{Rule: Outside, Reason: NobodyFits, Detail: a.Reason}
	}
	d := q.choose(&w.Waiting, q.last)
	if d.Reason == Stays {
		return d
	}
	problem := a.Error
	if problem == "" {
		if problem = q.refusal(AgentID(a.Agent), w); problem == "" {
			return d.instead(AgentID(a.Agent), a.Reason)
		}
	}
	if d.Reason == Picked {
		d.Reason = FellBack
	}
	d.Detail = problem
	return d
}

// refusal is why an agent cannot have a conversation; "" if that is possible.
func (q *queue) refusal(id AgentID, w *waiter) string {
	at, there := slices.BinarySearchFunc(q.all, &Agent{ID: id}, byID)
	if !there {
		return string(id) + " is not a member of the queue"
	}
	if free, why := q.all[at].free(); !free {
		return string(id) + " is " + string(why)
	}
	if slices.Contains(w.Declined, id) {
		return string(id) + " has declined it"
	}
	return ""
}

// instead is the same decision with another agent.
func (d Decision) instead(id AgentID, why string) Decision {
	d.Offer, d.Detail = []AgentID{id}, why
	i := slices.IndexFunc(d.Candidates, func(c Candidate) bool { return c.Agent == id })
	if i < 0 {
		d.Candidates = append([]Candidate{{Agent: id}}, d.Candidates[:max(len(d.Candidates)-1, 0)]...)
		i = 0
	}
	for j := range d.Candidates {
		if j == i {
			d.Candidates[j].Out = ""
		} else if d.Candidates[j].Out == "" {
			d.Candidates[j].Out = NotBest
		}
	}
	d.Candidates[0], d.Candidates[i] = d.Candidates[i], d.Candidates[0]
	return d
}

// RunRules asks the services outside and puts their answers into the log, where the router finds them.
func (r *Router) RunRules(ctx context.Context) error {
	return r.Store.Work(ctx, store.Worker{
		Work: workAsk, Concurrency: func(string) int { return maxAsks },
		Drain: time.Second, // a question can be asked again
		Do:    r.askOutside,
	})
}

// askOutside asks one question. However it ends, there is an answer that ends the waiting for it.
func (r *Router) askOutside(ctx context.Context, j *store.Job) store.Verdict {
	var ask chat.RouteAskData
	if err := json.Unmarshal(j.Event.Data, &ask); err != nil {
		return store.Dead(&chat.Failure{Class: "malformed", Detail: err.Error()})
	}
	var candidates []QuestionAgent
	if err := json.Unmarshal(ask.Candidates, &candidates); err != nil {
		return store.Dead(&chat.Failure{Class: "malformed", Detail: err.Error()})
	}
	answer, err := r.question(ctx, j, ask, candidates)
	if ctx.Err() != nil {
		return store.Later(0) // the program stops
	}
	if chat.CodeOf(err) == chat.CodeUnavailable {
		return store.Again(-1, &chat.Failure{Class: "store", Detail: err.Error()})
	}
	if err != nil {
		answer = chat.RouteAnswerData{Error: clip(err.Error(), maxReason)}
	}
	answer.Ask = j.Event.Pos
	for _, c := range candidates {
		answer.Candidates = append(answer.Candidates, string(c.ID))
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return store.Dead(&chat.Failure{Class: "malformed", Detail: err.Error()})
	}
	return store.Done(&store.Record{
		Workspace: j.Workspace, Conversation: j.Event.Conversation, Kind: chat.KindRouteAnswer, Sender: chat.Party{Type: chat.PartySystem},
		Data: raw, Once: fmt.Sprint("route/", j.Event.Pos), Action: j.Event.Action,
	})
}

var errNoService = errors.New("the queue has no service to ask any more")

// question reads what the service may know and asks.
func (r *Router) question(ctx context.Context, j *store.Job, ask chat.RouteAskData, candidates []QuestionAgent) (a chat.RouteAnswerData, err error) {
	queues, err := r.queuesOf(ctx, j.Workspace)
	if err != nil {
		return a, err
	}
	row := queues[ask.Queue]
	s := settingsOf(row)
	if Rule(row.Rule) != Outside || s.URL == "" || r.HTTP == nil || r.Secrets == nil {
		return a, errNoService
	}
	left := ask.Until.Sub(j.Now())
	if left <= 0 {
		return a, errors.New("the service was not asked in time")
	}
	conv, err := r.Store.Conversation(ctx, j.Workspace, j.Event.Conversation)
	if err != nil {
		return a, err
	}
	contact, err := r.Store.Contact(ctx, j.Workspace, conv.Contact.ID)
	if err != nil {
		return a, err
	}
	q := Question{
		ID: fmt.Sprint(j.Workspace, "/", j.Event.Pos), Queue: ask.Queue, Conversation: conv, Considered: ask.Considered,
		Contact: QuestionContact{contact.ID, contact.Name, contact.Language, contact.Properties}, Candidates: candidates,
	}
	sealed, err := r.Secrets.Open(SecretPlace(j.Workspace, ask.Queue), row.Secret)
	if err != nil {
		return a, errors.New("the secret of the service cannot be unsealed")
	}
	key, err := outbound.HookKey(string(sealed))
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, min(left, s.askTime()))
	defer cancel()
	return post(ctx, r.HTTP, s.URL, key, j.Now(), q)
}

// post asks. Nothing of the address is told in errors, for it may have a key in it.
func post(ctx context.Context, client *http.Client, url string, key []byte, now time.Time, q Question) (a chat.RouteAnswerData, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return a, errors.New("the address of the service is none")
	}
	req.Header.Set("Content-Type", "application/json")
	outbound.SignHook(req.Header, key, q.ID, now, body)
	res, err := client.Do(req)
	if err != nil {
		return a, noAnswer(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return a, fmt.Errorf("the service answered with status %d", res.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return a, noAnswer(ctx, err)
	}
	return readAnswer(raw, q.Candidates)
}

func noAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("the service did not answer in time")
	}
	return fmt.Errorf("the service cannot be reached: %w", outbound.Redact(err))
}

// readAnswer reads {"agent":"ann","reason":"..."}; null as the agent is nobody.
func readAnswer(raw []byte, candidates []QuestionAgent) (a chat.RouteAnswerData, err error) {
	if len(raw) > maxAnswer {
		return a, fmt.Errorf("the service answered with more than %d bytes", maxAnswer)
	}
	var said struct {
		Agent  *json.RawMessage `json:"agent"`
		Reason string           `json:"reason"`
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return a, errors.New("the service answered with what cannot be read")
	}
	a.Reason = clip(said.Reason, maxReason)
	if said.Agent == nil { // null, or not there
		var members map[string]json.RawMessage
		if _ = json.Unmarshal(raw, &members); members["agent"] == nil {
			return a, errors.New("the service answered without naming an agent")
		}
		return a, nil
	}
	if err := json.Unmarshal(*said.Agent, &a.Agent); err != nil || a.Agent == "" {
		return a, errors.New("the service answered with what is no agent")
	}
	if !slices.ContainsFunc(candidates, func(c QuestionAgent) bool { return c.ID == AgentID(a.Agent) }) {
		return a, errors.New("the service named an agent who was not among the candidates")
	}
	return a, nil
}
