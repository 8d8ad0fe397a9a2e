package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestLives plays days at the desk by chance: contacts write, agents come and go, accept, decline, answer, transfer, let rest, close, reopen
// and take back; time passes, routers stop and start, and on PostgreSQL two of them take turns. After each step the store has what the
// reference says, what stands in the tables is what the log says, and the router's picture is that of the store.
func TestLives(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		l := &lives{world: w, table: newTable(), rnd: rand.New(rand.NewPCG(1, 11))} //nolint:gosec // a test that can be repeated
		l.begin()
		for range 110 { // other days, and longer ones, were played while this was written
			l.step()
		}
	})
}

type lives struct {
	*world
	*table
	rnd    *rand.Rand
	clock  atomic.Int64 // microseconds
	bots   chat.ChannelID
	offers offers
	last   *deed
	log    []string
	other  func() // stops the second router
}

var people = []string{"ann", "bob", "cid", "dan"}

func (l *lives) begin() {
	l.Helper()
	l.close()
	l.clock.Store(time.Now().UnixMicro())
	l.opts.Now = func() time.Time { return time.UnixMicro(l.clock.Load()) }
	l.setUp = func(r *Router) { r.BotSilence = time.Hour }
	l.world.open()
	l.start()
	l.Cleanup(func() {
		if l.other != nil {
			l.other()
		}
	})
	l.now = l.opts.Now()
	l.must(l.PutFlow(context.Background(), l.ws))
	for name, q := range map[string]tableQueue{
		"support": {LeastBusy, people[:3], Settings{AcceptSeconds: 60, CloseAfterMinutes: 30, ReopenMinutes: 60}},
		"sales":   {Everyone, people[1:], Settings{CloseAfterMinutes: 20, CloseCounts: store.CountAny}},
	} {
		raw, err := json.Marshal(q.Settings)
		l.must(err)
		l.do(&store.PutQueue{Workspace: l.ws, Queue: store.Queue{Name: name, Rule: string(q.rule), Settings: raw, Members: q.members}})
		l.queues[name] = q
	}
	for i, id := range people {
		l.agents[id] = &store.Agent{ID: id, Capacity: 1 + i%3}
		l.do(&store.PutAgent{Workspace: l.ws, Agent: *l.agents[id]})
	}
	l.look()
}

// PutFlow makes a channel whose conversations a flow has.
func (l *lives) PutFlow(ctx context.Context, ws chat.WorkspaceID) error {
	if _, err := l.Store.PutFlow(ctx, ws, "greeter", json.RawMessage(`{}`)); err != nil {
		return err
	}
	l.bots = chat.ChannelID(chat.NewID())
	_, err := l.AddChannel(ctx, store.Channel{
		ID: l.bots, Workspace: ws, Connector: "simulator", Name: "b", Settings: "{}", Status: store.ChannelActive, Queue: "support", Flow: "greeter",
	})
	return err
}

// look waits until everything has come to rest, and reads who is offered what.
func (l *lives) look() {
	l.Helper()
	l.until(func() (bool, string) {
		due, err := l.due()
		if err != nil || due != "" {
			return false, fmt.Sprint(due, err)
		}
		lag, err := l.Lag(context.Background())
		return err == nil && lag[Name] == 0, fmt.Sprint("behind by ", lag[Name], err)
	})
	list, err := l.Waiting(context.Background(), l.ws)
	l.must(err)
	l.offers = offers{}
	for _, x := range list {
		l.offers[x.Conversation] = x
	}
}

// due is what the clock still has to do.
func (l *lives) due() (string, error) {
	ctx := context.Background()
	late, err := l.OverdueOffers(ctx, 10)
	if err != nil {
		return "", err
	}
	rested, err := l.Rested(ctx, 10)
	if err != nil {
		return "", err
	}
	silent, err := l.Silent(ctx, time.Hour, 10)
	if len(late)+len(rested)+len(silent) == 0 {
		return "", err
	}
	return fmt.Sprint("offers ", late, ", rests ", rested, ", silences ", silent), err
}

// step does one thing in the store and on the table, and compares. An act for which there is nothing gives no words.
func (l *lives) step() {
	l.Helper()
	l.tick(time.Millisecond)
	acts := []func() string{
		l.write, l.write, l.write, l.toggle, l.toggle, l.take, l.take, l.take, l.decline, l.reply, l.reply, l.pass, l.pass, l.rest, l.wake,
		l.shut, l.shut, l.goOn, l.takeBack, l.takeBack, l.bot, l.wait, l.wait, l.crashes,
	}
	did := ""
	for did == "" {
		did = acts[l.rnd.IntN(len(acts))]()
	}
	l.log = append(l.log, did)
	l.look()
	l.compare()
	if l.Failed() {
		l.Fatal(strings.Join(l.log, "\n"))
	}
}

// tick moves the clock, and lets the table know what that means.
func (l *lives) tick(d time.Duration) {
	l.passes(d, l.offers)
	l.clock.Store(l.now.UnixMicro())
	l.look()
}

func (l *lives) compare() {
	l.Helper()
	ctx := context.Background()
	all, _, err := l.Conversations(ctx, l.ws, store.ConversationFilter{Limit: 1000})
	l.must(err)
	if len(all) != len(l.cards) {
		l.Errorf("%d conversations, and %d on the table", len(all), len(l.cards))
	}
	got := map[chat.ConversationID]string{}
	for _, c := range all {
		got[c.ID] = cardOf(c).String()
	}
	for _, c := range l.cards {
		if want := c.String(); got[c.id] != want {
			l.Errorf("%s\nstore %s\ntable %s", c.id, got[c.id], want)
		}
	}
	agents, err := l.Agents(ctx, l.ws)
	l.must(err)
	for _, a := range agents {
		if is := l.agents[a.ID].Available; is != a.Available {
			l.Errorf("%s is available: %v, on the table: %v", a.ID, a.Available, is)
		}
	}
	flaws, err := l.Check(ctx, l.ws)
	l.must(err)
	if len(flaws) > 0 {
		l.Errorf("%+v", flaws)
	}
	if l.other == nil {
		l.pictured()
	}
}

// pictured compares the router's picture with one that is read anew: nobody waits for whom somebody is free who has not declined.
func (l *lives) pictured() {
	l.Helper()
	now, err := load(context.Background(), l.Store, l.ws)
	l.must(err)
	l.r.mu.Lock()
	known := l.r.pictures[l.ws]
	l.r.mu.Unlock()
	if known == nil {
		return // it has read nothing since the start
	}
	if got, want := known.String(), now.String(); got != want {
		l.Errorf("the router knows\n%s\nthe store has\n%s", got, want)
	}
	for _, x := range known.waiting {
		q := known.queues[x.queue]
		if len(x.offer) > 0 || q.rule == Everyone {
			continue
		}
		for _, a := range q.all {
			if free, _ := a.free(); free && !contains(x.Declined, a.ID) {
				l.Errorf("%s is free and %s waits", a.ID, x.Conversation)
			}
		}
	}
}

// any picks a card; nil if there is none of that kind.
func (l *lives) any(is func(c *card) bool) *card {
	var fit []*card
	for _, c := range l.cards {
		if is(c) {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[l.rnd.IntN(len(fit))]
}

func (l *lives) anybody() string { return people[l.rnd.IntN(len(people))] }

func isOpen(c *card) bool { return c.state != chat.StateClosed }
func isHeld(c *card) bool { return c.state == chat.StateAssigned }

func by(agent string) chat.Party { return chat.Party{Type: chat.PartyAgent, ID: agent} }

// expects runs a command and fails if it did not end as the table says.
func (l *lives) expects(ok bool, cmd store.Command) (store.Result, bool) {
	l.Helper()
	res, err := l.Append(context.Background(), cmd)
	if err != nil && chat.CodeOf(err) == "" {
		l.Fatal(err)
	}
	if (err == nil) != ok {
		l.Errorf("%T %+v: %v, the table says %v", cmd, cmd, err, ok)
	}
	return res, err == nil && ok
}

// done remembers what can be taken back.
func (l *lives) done(c *card, was card, e chat.Event, agent string) {
	l.last = &deed{card: c, was: was, seq: e.Seq, by: agent, at: l.now, deeds: c.deeds}
}

func (l *lives) write() string {
	who, channel, bot := fmt.Sprint("c", l.rnd.IntN(7)), l.ch, false
	if l.rnd.IntN(4) == 0 {
		who, channel, bot = fmt.Sprint("b", l.rnd.IntN(2)), l.bots, true
	}
	l.n++
	m := chat.TextMessage("help")
	res, _ := l.expects(true, &store.Receive{Channel: channel, In: chat.Incoming{
		Key: fmt.Sprint("k", l.n), Kind: chat.KindMessage, Thread: chat.Thread{Address: who}, Sender: chat.Person{Address: who}, Message: &m,
	}})
	l.writes(who, bot, l.offers).id = res.Events[0].Conversation
	return who + " writes"
}

func (l *lives) toggle() string {
	a := l.agents[l.anybody()]
	state := store.AgentActive
	if a.Available && l.rnd.IntN(3) == 0 {
		state = store.AgentInactive
	}
	l.expects(true, &store.SetAgentState{Workspace: l.ws, Agent: a.ID, State: state})
	a.Available = state == store.AgentActive
	return a.ID + " is " + state
}

func (l *lives) take() string {
	c := l.any(func(c *card) bool { return c.state == chat.StateQueued })
	if c == nil {
		return ""
	}
	agent, x, q := l.anybody(), l.offers[c.id], l.queues[c.queue]
	if len(x.Agents) > 0 && l.rnd.IntN(3) > 0 {
		agent = x.Agents[l.rnd.IntN(len(x.Agents))]
	}
	ok := contains(x.Agents, agent)
	if q.rule == Everyone {
		ok = contains(q.members, agent) && l.hasRoom(agent, l.offers, c)
	}
	err := l.accept(c.id, agent)
	if (err == nil) != ok {
		l.Errorf("%s takes %s: %v, the table says %v", agent, c.id, err, ok)
	}
	if ok {
		l.move(c, chat.PlaceData{State: chat.StateAssigned, Assignee: agent})
	}
	return fmt.Sprint(agent, " takes ", c.who, " ", ok)
}

func contains[T comparable](list []T, s T) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (l *lives) decline() string {
	c := l.any(func(c *card) bool { return len(l.offers[c.id].Agents) > 0 })
	if c == nil {
		return ""
	}
	agent := l.offers[c.id].Agents[0]
	l.expects(true, &store.EndOffer{Workspace: l.ws, Conversation: c.id, Agent: agent, By: by(agent)})
	return agent + " declines " + c.who
}

func (l *lives) reply() string {
	c := l.any(isHeld)
	if c == nil {
		return ""
	}
	l.expects(true, &store.Post{Workspace: l.ws, Conversation: c.id, Kind: chat.KindMessage, Sender: by(c.agent), Message: chat.TextMessage("yes")})
	c.waits, c.replied, c.lastOut, c.updated = false, true, l.now, l.now
	c.deeds++
	return c.agent + " answers " + c.who
}

// pass transfers to a queue or an agent.
func (l *lives) pass() string {
	c := l.any(isOpen)
	if c == nil {
		return ""
	}
	to := chat.PlaceData{State: chat.StateQueued, Queue: []string{"support", "sales"}[l.rnd.IntN(2)]}
	ok := true
	if l.rnd.IntN(2) == 0 {
		to = chat.PlaceData{State: chat.StateAssigned, Assignee: l.anybody(), Note: "please"}
		ok = l.hasRoom(to.Assignee, l.offers, c) && (c.state != chat.StateAssigned || c.agent != to.Assignee)
	}
	was, agent := *c, l.anybody()
	res, ok := l.expects(ok, &store.Place{Workspace: l.ws, Conversation: c.id, To: to, Room: true, By: by(agent)})
	if ok {
		l.move(c, to)
		l.done(c, was, res.Events[0], agent)
	}
	return fmt.Sprint(agent, " passes ", c.who, " on to ", to.Queue, to.Assignee, " ", ok)
}

func (l *lives) rest() string {
	c := l.any(isHeld)
	if c == nil {
		return ""
	}
	var until time.Time
	if l.rnd.IntN(3) > 0 {
		until = l.now.Add(time.Duration(1+l.rnd.IntN(60)) * time.Minute)
	}
	was := *c
	res, _ := l.expects(true, &store.Snooze{Workspace: l.ws, Conversation: c.id, Until: until, By: by(c.agent)})
	c.resting, c.restEnds, c.updated = true, until, l.now
	c.deeds++
	l.done(c, was, res.Events[0], c.agent)
	return c.agent + " lets rest " + c.who
}

func (l *lives) wake() string {
	c := l.any(isHeld)
	if c == nil {
		return ""
	}
	if _, ok := l.expects(c.resting, &store.Awaken{Workspace: l.ws, Conversation: c.id, By: by(c.agent)}); ok {
		c.resting, c.restEnds, c.placed, c.updated = false, time.Time{}, l.now, l.now
		c.deeds++
	}
	return "wake " + c.who
}

func (l *lives) shut() string {
	c := l.any(isOpen)
	if c == nil {
		return ""
	}
	was, agent, to := *c, l.anybody(), chat.PlaceData{State: chat.StateClosed, Reason: "solved"}
	res, _ := l.expects(true, &store.Place{Workspace: l.ws, Conversation: c.id, To: to, By: by(agent)})
	l.move(c, to)
	l.done(c, was, res.Events[0], agent)
	return agent + " closes " + c.who
}

func (l *lives) goOn() string {
	c := l.any(func(*card) bool { return true })
	if c == nil {
		return ""
	}
	agent := l.anybody()
	res, ok := l.expects(l.table.open[c.who] == nil, &store.Reopen{Workspace: l.ws, Conversation: c.id, Agent: agent, By: by(agent)})
	if ok {
		l.lay(&card{
			id: res.Events[0].Conversation, who: c.who, before: l.table.last[c.who], state: chat.StateAssigned, queue: c.queue, agent: agent,
			placed: l.now, updated: l.now,
		})
	}
	return fmt.Sprint(agent, " reopens ", c.who, " ", ok)
}

func (l *lives) takeBack() string {
	d := l.last
	if d == nil {
		return ""
	}
	agent := d.by
	if l.rnd.IntN(5) == 0 {
		agent = l.anybody()
	}
	ok := l.undo(d, agent)
	l.expects(ok, &store.Undo{Workspace: l.ws, Conversation: d.card.id, Seq: d.seq, By: by(agent)})
	return fmt.Sprint(agent, " takes back what was done to ", d.card.who, " ", ok)
}

func (l *lives) bot() string {
	c := l.any(isOpen)
	if c == nil {
		return ""
	}
	to := chat.PlaceData{State: chat.StateBot, Flow: "greeter", Version: 1}
	if c.state == chat.StateBot {
		to = chat.PlaceData{State: chat.StateQueued, Queue: "support"}
	}
	l.expects(true, &store.Place{Workspace: l.ws, Conversation: c.id, To: to, Expect: []chat.State{c.state}, By: chat.Party{Type: chat.PartyBot, ID: "greeter"}})
	l.move(c, to)
	return "the bot and " + c.who
}

func (l *lives) wait() string {
	d := []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, 31 * time.Minute, 61 * time.Minute}[l.rnd.IntN(5)]
	l.tick(d)
	return d.String()
}

// crashes stops the router, and starts it again after something was done without it; on PostgreSQL another one comes, or goes.
func (l *lives) crashes() string {
	if strings.HasPrefix(l.opts.DSN, "postgres") && l.rnd.IntN(2) == 0 {
		return l.another()
	}
	var stopping sync.WaitGroup
	stopping.Go(l.stop) // while somebody writes
	l.n++
	m := chat.TextMessage("is anybody there?")
	res, _ := l.expects(true, &store.Receive{Channel: l.ch, In: chat.Incoming{
		Key: fmt.Sprint("k", l.n), Kind: chat.KindMessage, Thread: chat.Thread{Address: "c0"}, Sender: chat.Person{Address: "c0"}, Message: &m,
	}})
	l.writes("c0", false, l.offers).id = res.Events[0].Conversation
	stopping.Wait()
	l.crash()
	return "crash"
}

// another lets a second router on a store of its own come or go.
func (l *lives) another() string {
	if l.other != nil {
		l.other()
		l.other = nil
		l.crash() // what this one knows may be old, and nothing tells it
		return "the other goes"
	}
	s, err := store.Open(context.Background(), l.opts)
	l.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = (&Router{Store: s, Tick: 20 * time.Millisecond, BotSilence: time.Hour}).Run(ctx) })
	l.other = func() {
		cancel()
		wg.Wait()
		_ = s.Close()
	}
	return "another comes"
}
