package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// named stores a queue by another name than "support".
func (w *world) named(name string, rule Rule, s Settings, members ...string) {
	w.Helper()
	raw, err := json.Marshal(s)
	w.must(err)
	w.do(&store.PutQueue{Workspace: w.ws, Queue: store.Queue{Name: name, Rule: string(rule), Settings: raw, Members: members, Tells: s.TellWait != ""}})
}

func (w *world) place1(conv chat.ConversationID) chat.Conversation {
	w.Helper()
	c, err := w.Conversation(context.Background(), w.ws, conv)
	w.must(err)
	return c
}

// isIn waits until a conversation is in a state, and in a queue if that matters.
func (w *world) isIn(conv chat.ConversationID, state chat.State, queue string) {
	w.Helper()
	w.until(func() (bool, string) {
		c := w.place1(conv)
		return c.State == state && (queue == "" || c.Queue == queue), fmt.Sprintf("%s is %s in %s", conv, c.State, c.Queue)
	})
}

// said is what the contact was told.
func (w *world) said(conv chat.ConversationID) (texts []string) {
	w.Helper()
	events, err := w.Events(context.Background(), w.ws, conv, 0, 1000)
	w.must(err)
	for _, e := range events {
		if e.Kind == chat.KindMessage && e.Direction == chat.Out {
			texts = append(texts, e.Message.Text())
		}
	}
	return texts
}

// never is a calendar that is closed all the time.
func (w *world) never() string {
	w.Helper()
	w.must(PutHours(context.Background(), w.Store, w.ws, "never", Hours{TimeZone: "Europe/Berlin"}, chat.Party{Type: chat.PartySystem}, ""))
	return "never"
}

// TestFullAndClosed: who comes when a queue is full or closed is told so and goes where the queue says, through as many queues as name one
// another, and never in circles.
func TestFullAndClosed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		hours := w.never()
		w.named("night", LeastBusy, Settings{Hours: hours, WhenClosed: &Consequence{Queue: "support", Say: "Nobody is here."}})
		w.named("second", LeastBusy, Settings{Limit: 1, WhenFull: &Consequence{Queue: "night", Say: "Too many."}})
		w.named("support", LeastBusy, Settings{Limit: 2, WhenFull: &Consequence{Queue: "second"}})
		var convs []chat.ConversationID
		for i := range 4 {
			convs = append(convs, w.customer(fmt.Sprint("c", i)))
			w.settled()
		}
		for i, queue := range []string{"support", "support", "second", "night"} {
			w.isIn(convs[i], chat.StateQueued, queue)
		}
		if got := w.said(convs[3]); !slices.Equal(got, []string{"Too many.", "Nobody is here."}) {
			w.Errorf("told %q", got)
		}
		row, err := w.WaitingOf(context.Background(), w.ws, convs[3])
		w.must(err)
		if !slices.Equal(row.Passed, []string{"support", "second"}) || !row.First.Before(row.Since.Add(time.Nanosecond)) {
			w.Errorf("%+v", row)
		}
		w.place(convs[0], chat.PlaceData{State: chat.StateClosed})
		w.settled()
		w.isIn(w.customer("c5"), chat.StateQueued, "support")
	})
}

// TestClosedForGood: what comes while a queue is closed can be closed as well, or told and kept.
func TestClosedForGood(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		hours := w.never()
		w.agent("ann", 5)
		w.named("support", LeastBusy, Settings{Hours: hours, WhenClosed: &Consequence{Close: true, Say: "Until tomorrow."}}, "ann")
		conv := w.customer("one")
		w.isIn(conv, chat.StateClosed, "")
		if got := w.said(conv); !slices.Equal(got, []string{"Until tomorrow."}) {
			w.Errorf("told %q", got)
		}
		w.named("support", LeastBusy, Settings{Hours: hours, WhenClosed: &Consequence{Say: "We come later."}}, "ann")
		conv = w.customer("two")
		w.isOffered(conv, "ann") // who is there all the same is asked
		if got := w.said(conv); !slices.Equal(got, []string{"We come later."}) {
			w.Errorf("told %q", got)
		}
	})
}

// TestFlowAndBack: a flow that sends to the same closed queue what it has just been given gets it once.
func TestFlowAndBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		hours := w.never()
		_, err := w.PutFlow(context.Background(), w.ws, "after hours", json.RawMessage(`{}`))
		w.must(err)
		w.named("support", LeastBusy, Settings{Hours: hours, WhenClosed: &Consequence{Flow: "after hours"}})
		conv := w.customer("one")
		w.isIn(conv, chat.StateBot, "")
		if c := w.place1(conv); c.Flow != "after hours" || c.Version != 1 {
			w.Errorf("%+v", c)
		}
		w.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "support"})
		w.settled()
		w.isIn(conv, chat.StateQueued, "support")
	})
}

// TestLongestWait: who has waited for the longest time goes on to the next queue, and from there is closed with a word; what the settings
// say counts for those who wait already.
func TestLongestWait(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.named("second", LeastBusy, Settings{MaxWaitSeconds: 60, AfterMaxWait: &Consequence{Close: true, Say: "Nobody came."}})
		w.named("support", LeastBusy, Settings{})
		conv, other := w.customer("one"), w.customer("two")
		w.settled()
		w.named("support", LeastBusy, Settings{MaxWaitSeconds: 60, AfterMaxWait: &Consequence{Queue: "second"}})
		w.later(time.Minute)
		w.isIn(conv, chat.StateQueued, "second")
		w.isIn(other, chat.StateQueued, "second")
		w.later(time.Minute)
		w.isIn(conv, chat.StateClosed, "")
		w.isIn(other, chat.StateClosed, "")
		if got := w.said(conv); !slices.Equal(got, []string{"Nobody came."}) {
			w.Errorf("told %q", got)
		}
		account, err := Why(context.Background(), w.Store, w.ws, conv)
		w.must(err)
		var reasons []string
		for _, d := range account.Decisions {
			reasons = append(reasons, d.Reason)
		}
		if fmt.Sprint(reasons) != fmt.Sprintf("[%s %s %s]", chat.ReasonNew, chat.ReasonMaxWait, chat.ReasonMaxWait) {
			w.Errorf("%v", reasons)
		}
		// closed time does not count
		w.named("second", LeastBusy, Settings{Hours: w.never(), MaxWaitSeconds: 60, AfterMaxWait: &Consequence{Close: true}})
		kept := w.customer("three")
		w.place(kept, chat.PlaceData{State: chat.StateQueued, Queue: "second"})
		w.settled()
		row, err := w.WaitingOf(context.Background(), w.ws, kept)
		w.must(err)
		if !row.Due.IsZero() {
			w.Errorf("due at %s in a queue that never opens", row.Due)
		}
	})
}

// TestPriority: the higher priority comes first, then who waits longer; a change of it counts at once.
func TestPriority(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 1)
		w.queue(LeastBusy, Settings{}, "ann")
		convs := make([]chat.ConversationID, 4)
		for i := range convs {
			convs[i] = w.customer(fmt.Sprint("c", i))
		}
		w.isOffered(convs[0], "ann")
		urgent := 5
		w.do(&store.ChangeConversation{Workspace: w.ws, Conversation: convs[2], Priority: &urgent})
		w.settled()
		for _, next := range []int{0, 2, 1, 3} {
			w.isOffered(convs[next], "ann")
			_, position, err := w.Position(context.Background(), w.ws, convs[next])
			w.must(err)
			if next != 0 && position != 1 {
				w.Errorf("%d is at %d", next, position)
			}
			w.place(convs[next], chat.PlaceData{State: chat.StateClosed})
		}
	})
}

// TestTeams: members of a team are members of the queues that name it, from the moment on that they join.
func TestTeams(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 5)
		w.agent("bob", 5)
		w.do(&store.PutTeam{Workspace: w.ws, Team: store.Team{Name: "night", Members: []string{"ann"}}})
		w.queue(Everyone, Settings{}, "team:night")
		conv := w.customer("one")
		w.isOffered(conv, "ann")
		if err := w.accept(conv, "bob"); chat.CodeOf(err) != chat.CodeForbidden {
			w.Errorf("a stranger: %v", err)
		}
		w.do(&store.PutTeam{Workspace: w.ws, Team: store.Team{Name: "night", Members: []string{"bob", "ann", "bob"}}})
		w.must(w.accept(conv, "bob"))
		for agent, want := range map[string]string{"ann": "[support]", "bob": "[support]", "cid": "[]"} {
			queues, err := w.QueuesOf(context.Background(), w.ws, agent)
			w.must(err)
			if fmt.Sprint(queues) != want {
				w.Errorf("%s answers %v", agent, queues)
			}
		}
		w.isOffered(w.customer("two"), "ann", "bob")
		if _, err := w.Append(context.Background(), &store.DropTeam{Workspace: w.ws, Name: "night"}); chat.CodeOf(err) != chat.CodeConflict {
			w.Errorf("dropped while a queue names it: %v", err)
		}
		w.queue(Everyone, Settings{}, "bob")
		w.do(&store.DropTeam{Workspace: w.ws, Name: "night"})
		if _, err := w.Append(context.Background(), &store.DropTeam{Workspace: w.ws, Name: "night"}); chat.CodeOf(err) != chat.CodeNotFound {
			w.Errorf("dropped twice: %v", err)
		}
		w.isOffered(w.customer("three"), "bob")
	})
}

// TestTellWait: who waits is told the position once, and again when it has changed and a minute has passed.
func TestTellWait(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.queue(LeastBusy, Settings{})
		first, second := w.customer("one"), w.customer("two")
		w.named("support", LeastBusy, Settings{TellWait: "Number {{position}}"})
		w.until(func() (bool, string) {
			return slices.Equal(w.said(second), []string{"Number 2"}), fmt.Sprint("told ", w.said(second))
		})
		w.place(first, chat.PlaceData{State: chat.StateClosed})
		tell := &store.TellWait{Workspace: w.ws, Conversation: second, Queue: "support", Text: "Number 1", Pause: time.Minute}
		res, err := w.Append(context.Background(), tell)
		w.must(err)
		if !res.Duplicate {
			w.Error("told again within a minute")
		}
		tell.Pause = 0
		w.do(tell)
		if res, err = w.Append(context.Background(), tell); err != nil || !res.Duplicate {
			w.Errorf("told the same again: %v", err)
		}
		if got := w.said(second); !slices.Equal(got, []string{"Number 2", "Number 1"}) {
			w.Errorf("told %q", got)
		}
	})
}

// TestOutlook counts who waits and who could come, and learns from what was accepted.
func TestOutlook(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 1)
		w.agent("bob", 2)
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "cid"}})
		w.queue(LeastBusy, Settings{}, "ann", "bob", "cid", "nobody")
		for i := range 5 {
			w.customer(fmt.Sprint("c", i))
		}
		w.settled()
		o, err := ReadOutlook(context.Background(), w.Store, w.ws, "support")
		w.must(err)
		if !o.Open || o.Waiting != 5 || o.Oldest.IsZero() || o.Free != 0 || o.Busy != 2 || o.Away != 1 {
			w.Errorf("%+v", o)
		}
		if _, known := o.Estimate(1); known {
			w.Error("somebody knows for how long, before anything was accepted")
		}
		waiting, err := w.Waiting(context.Background(), w.ws)
		w.must(err)
		for _, x := range waiting[:3] {
			w.must(w.accept(x.Conversation, x.Agents[0]))
		}
		accepts, err := w.Accepts(context.Background(), w.ws, "support", 60)
		w.must(err)
		if len(accepts) != 60 {
			w.Errorf("%v", accepts) // the minute may just have ended
		}
		if _, err := ReadOutlook(context.Background(), w.Store, w.ws, "none"); chat.CodeOf(err) != chat.CodeNotFound {
			w.Errorf("no such queue: %v", err)
		}
	})
}

// TestExpressionRule: the highest score is asked, a changed expression counts at once, and one that fails asks nobody and says why.
func TestExpressionRule(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		w.agent("ann", 5)
		w.agent("bob", 5)
		w.queue(Expression, Settings{Expression: `agent.id == "bob" ? 2 : 1`}, "ann", "bob")
		w.isOffered(w.customer("one"), "bob")
		w.queue(Expression, Settings{Expression: `agent.id == "ann" ? conversation.priority + 1 : false`}, "ann", "bob")
		w.isOffered(w.customer("two"), "ann")
		w.queue(Expression, Settings{Expression: "fields.nothing + 1"}, "ann", "bob")
		conv := w.customer("three")
		w.settled()
		w.isOffered(conv)
		account, err := Why(context.Background(), w.Store, w.ws, conv)
		w.must(err)
		if account.Now == nil || account.Now.Reason != string(RuleFailed) || !strings.Contains(account.Now.Text, "expression fails") {
			w.Errorf("%+v", account.Now)
		}
		w.queue(Expression, Settings{Expression: "1"}, "ann", "bob")
		w.until(func() (bool, string) { return len(w.offered(conv)) == 1, "mended, nobody is asked" })
	})
}

// TestWhyNobody: while nobody is asked the account says why, agent by agent; afterwards it says why this one.
func TestWhyNobody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		conv := w.customer("one")
		why := func() Account {
			w.settled()
			account, err := Why(context.Background(), w.Store, w.ws, conv)
			w.must(err)
			return account
		}
		if a := why(); a.Now == nil || a.Now.Reason != "no_queue" || a.Position != 1 {
			w.Errorf("without a queue: %+v", a.Now)
		}
		w.do(&store.PutAgent{Workspace: w.ws, Agent: store.Agent{ID: "ann", Name: "Ann Lee", Capacity: 1}})
		w.agent("bob", 5)
		w.queue(BySkills, Settings{Skills: map[string]int{"fr": 1}}, "ann", "bob")
		a := why()
		if a.Now == nil || a.Now.Reason != string(NobodyFits) || len(a.Now.Candidates) != 2 ||
			a.Now.Candidates[0].Text != "lacks a skill" || a.Now.Candidates[1].Text != "not available" || a.Now.Candidates[1].Name != "Ann Lee" {
			w.Errorf("%+v", a.Now)
		}
		w.queue(LeastBusy, Settings{}, "ann", "bob")
		w.isOffered(conv, "bob")
		w.do(&store.EndOffer{Workspace: w.ws, Conversation: conv, Agent: "bob"})
		if a = why(); a.Now == nil || a.Now.Reason != string(NobodyFits) || a.Now.Candidates[0].Out != HasDeclined {
			w.Errorf("%+v", a.Now)
		}
		w.state("ann", store.AgentActive)
		w.isOffered(conv, "ann")
		a = why()
		last := a.Decisions[len(a.Decisions)-1]
		if a.Now != nil || last.Kind != chat.KindOffered || last.Reason != string(Picked) || !strings.HasPrefix(last.Text, "Ann Lee is asked") {
			w.Errorf("%+v, %+v", a.Now, last)
		}
	})
}

// TestErasedDoesNotWait: a wait goes with the conversation that was erased; one that is put into another queue keeps its age, and one that
// comes back from an agent has a new one.
func TestErasedDoesNotWait(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		ctx := context.Background()
		conv := w.customer("one")
		before, err := w.WaitingOf(ctx, w.ws, conv)
		w.must(err)
		w.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "sales"})
		moved, err := w.WaitingOf(ctx, w.ws, conv)
		w.must(err)
		if !moved.First.Equal(before.First) || !moved.Since.After(before.Since) || moved.Queue != "sales" {
			w.Errorf("%+v, then %+v", before, moved)
		}
		w.place(conv, chat.PlaceData{State: chat.StateAssigned, Assignee: "ann"})
		if _, err := w.WaitingOf(ctx, w.ws, conv); chat.CodeOf(err) != chat.CodeNotFound {
			w.Errorf("it waits with an agent: %v", err)
		}
		w.place(conv, chat.PlaceData{State: chat.StateQueued, Queue: "sales"})
		back, err := w.WaitingOf(ctx, w.ws, conv)
		w.must(err)
		if !back.First.After(before.First) || !back.First.Equal(back.Since) {
			w.Errorf("%+v, then %+v", before, back)
		}
		w.do(&store.Erase{Workspace: w.ws, Contact: w.place1(conv).Contact.ID})
		if n, _, err := w.LineLength(ctx, w.ws, "sales"); n != 0 || err != nil {
			w.Errorf("%d wait, %v", n, err)
		}
	})
}
