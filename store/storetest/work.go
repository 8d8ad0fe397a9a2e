package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// working are the promises of Work.
func working() []examination {
	return []examination{
		{"order in a lane, whatever fails", false, laneOrder},
		{"lanes side by side, groups within their limit", false, groupLimit},
		{"verdicts", false, verdicts},
		{"hold stops the group", false, holdGroup},
		{"a job that breaks down", false, jobPanics},
		{"follow-ups that are refused", false, refusedFollowUps},
		{"interrupted jobs are told so", false, interrupted},
		{"a long lane starves nobody", false, longLane},
		{"dead letters live again", false, requeued},
		{"a channel's own events mean work too", false, channelWork},
		{"the late node is fenced", true, fencedNode},
		{"a node that stops hands over at once", true, handOver},
		{"jobs are handed over as they would be read", false, handedOver},
		{"two nodes that make jobs for one another", true, madeForOneAnother},
		{"erased while under way", false, erasedUnderWay},
	}
}

// work runs a worker of the kind "out".
func (s *site) work(do store.Do) (stop func()) {
	s.t.Helper()
	return background(s.t, func(ctx context.Context) error { return s.Work(ctx, store.Worker{Work: "out", Do: do}) })
}

// texts collects what jobs were done, by lane.
type texts struct {
	mu    sync.Mutex
	lanes map[string][]string
	n     int
	more  chan struct{}
}

func newTexts() *texts { return &texts{lanes: map[string][]string{}, more: make(chan struct{}, 1)} }

func (x *texts) add(j *store.Job) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lanes[j.Lane] = append(x.lanes[j.Lane], j.Event.Message.Text())
	x.n++
	select {
	case x.more <- struct{}{}:
	default:
	}
}

func (x *texts) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.n
}

// reach waits until so many jobs were added.
func (x *texts) reach(t testing.TB, n int) {
	t.Helper()
	for x.count() < n {
		await(t, fmt.Sprintf("%d jobs, there are %d", n, x.count()), x.more)
	}
}

func (x *texts) of(lane chat.ConversationID) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return fmt.Sprint(x.lanes[string(lane)])
}

// idle waits until every message of ours is settled.
func (s *site) idle() {
	s.t.Helper()
	until(s.t, "all messages to be settled", func() bool {
		for _, e := range readAll(s.t, s.Store, s.ws) {
			if e.Direction == chat.Out && e.Kind == chat.KindMessage && (e.Status == chat.Queued || e.Status == chat.Sending) {
				return false
			}
		}
		return true
	})
}

func (s *site) delivered(j *store.Job) store.Verdict {
	return store.Done(&store.Report{
		Workspace: j.Workspace, Conversation: j.Event.Conversation, Seq: j.Event.Seq,
		Receipt: chat.ReceiptData{Status: chat.Sent, ExternalIDs: []string{fmt.Sprint("e", j.Event.Pos)}},
	})
}

func laneOrder(t *testing.T, db Database) {
	s := newSite(t, db)
	const lanes, each = 6, 12
	var convs []chat.ConversationID
	var want []string
	for l := range lanes {
		convs = append(convs, s.talk(fmt.Sprint("p", l)))
	}
	for i := range each {
		want = append(want, fmt.Sprint(i))
		for _, conv := range convs {
			s.do(s.post(conv, fmt.Sprint(i)))
		}
	}
	done := newTexts()
	s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if err := j.Begin(ctx); err != nil {
			t.Errorf("begin: %v", err)
		}
		if (j.Event.Pos+int64(j.Attempts))%3 == 0 && j.Attempts < 3 {
			return store.Again(time.Duration(j.Event.Pos%5)*time.Millisecond, &chat.Failure{Class: "planted"})
		}
		done.add(j)
		return s.delivered(j)
	})
	done.reach(t, lanes*each)
	for _, conv := range convs {
		equal(t, "order in "+string(conv), done.of(conv), fmt.Sprint(want))
	}
	s.idle()
	for _, conv := range convs {
		order := []string{}
		for _, e := range readAll(t, s.Store, s.ws) {
			if e.Conversation == conv && e.Kind == chat.KindReceipt {
				var d chat.ReceiptData
				must(t, json.Unmarshal(e.Data, &d))
				order = append(order, s.event(conv, d.Seq).Message.Text())
			}
		}
		equal(t, "receipts in order", fmt.Sprint(order), fmt.Sprint(want))
	}
	audit(t, s.Store)
}

func groupLimit(t *testing.T, db Database) {
	s := newSite(t, db)
	const limit, lanes = 3, 10
	other := s.channel(s.ws)
	for l := range lanes {
		s.do(s.post(s.talk(fmt.Sprint("p", l)), "x"))
	}
	in := s.in("q", "x")
	free := s.do(&store.Receive{Channel: other, In: in}).Events[0].Conversation
	s.do(s.post(free, "free"))
	started, gate := make(chan string, lanes+1), make(chan struct{})
	var mu sync.Mutex
	running, most := 0, 0
	background(t, func(ctx context.Context) error {
		return s.Work(ctx, store.Worker{Work: "out", Concurrency: func(string) int { return limit }, Do: func(_ context.Context, j *store.Job) store.Verdict {
			if j.Group == string(s.ch) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				defer func() {
					mu.Lock()
					running--
					mu.Unlock()
				}()
			}
			started <- j.Group
			<-gate
			return s.delivered(j)
		}})
	})
	seen := map[string]int{}
	for range limit + 1 {
		seen[await(t, "jobs to start", started)]++
	}
	equal(t, "side by side in the full group", seen[string(s.ch)], limit)
	equal(t, "in the other", seen[string(other)], 1)
	close(gate)
	for range lanes - limit {
		await(t, "the rest", started)
	}
	s.idle()
	mu.Lock()
	defer mu.Unlock()
	equal(t, "at once", most, limit)
}

func verdicts(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	for _, text := range []string{"done", "again", "later", "dead", "last"} {
		s.do(s.post(conv, text))
	}
	type try struct {
		text        string
		attempts    int
		interrupted bool
	}
	tries := make(chan try, 100)
	later := true
	s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		text := j.Event.Message.Text()
		tries <- try{text, j.Attempts, j.Interrupted}
		if text == "later" && later {
			later = false
			return store.Later(time.Millisecond)
		}
		if err := j.Begin(ctx); err != nil {
			t.Errorf("begin: %v", err)
		}
		switch {
		case text == "again" && j.Attempts < 2:
			return store.Again(time.Millisecond, &chat.Failure{Class: "planted"})
		case text == "dead":
			return store.Dead(&chat.Failure{Class: "rejected", Detail: "no"}, s.report(conv, j.Event.Seq, chat.Failed))
		}
		return s.delivered(j)
	})
	for _, want := range []try{
		{"done", 0, false},
		{"again", 0, false},
		{"again", 1, false},
		{"again", 2, false},
		{"later", 0, false},
		{"later", 0, false},
		{"dead", 0, false},
		{"last", 0, false},
	} {
		equal(t, "try", await(t, "a try", tries), want)
	}
	s.idle()
	letters := s.letters()
	equal(t, "dead letters", len(letters), 1)
	equal(t, "why", letters[0].Failure.Detail, "no")
	equal(t, "attempts", letters[0].Attempts, 1)
	equal(t, "status", s.event(conv, letters[0].Event.Seq).Status, chat.Failed)
	equal(t, "further tries", len(tries), 0)
}

func holdGroup(t *testing.T, db Database) {
	s := newSite(t, db)
	for i := range 5 {
		s.do(s.post(s.talk(fmt.Sprint("p", i)), "x"))
	}
	var mu sync.Mutex
	var until time.Time
	early := 0
	done := newTexts()
	background(t, func(ctx context.Context) error {
		return s.Work(ctx, store.Worker{Work: "out", Concurrency: func(string) int { return 1 }, Do: func(_ context.Context, j *store.Job) store.Verdict {
			mu.Lock()
			defer mu.Unlock()
			if until.IsZero() {
				until = time.Now().Add(200 * time.Millisecond)
				return store.Hold(200*time.Millisecond, &chat.Failure{Class: "throttled"})
			}
			if time.Now().Before(until.Add(-20 * time.Millisecond)) { // the verdict came a little later than the note
				early++
			}
			done.add(j)
			return s.delivered(j)
		}})
	})
	done.reach(t, 5)
	mu.Lock()
	defer mu.Unlock()
	equal(t, "jobs that did not wait", early, 0)
}

func jobPanics(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	s.do(s.post(conv, "panic once"))
	s.do(s.post(conv, "fine"))
	done := newTexts()
	panicked := false
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		if j.Event.Message.Text() == "panic once" && !panicked {
			panicked = true
			panic("planted")
		}
		done.add(j)
		return s.delivered(j)
	})
	done.reach(t, 2)
	equal(t, "order", done.of(conv), "[panic once fine]")
}

// refusedFollowUps: a follow-up that breaks a rule is left out; one that cannot be stored parks the job, which must not be
// done again and again for it.
func refusedFollowUps(t *testing.T, db Database) {
	s := newSite(t, db)
	shut, conv := s.talk("shut"), s.talk("a")
	s.do(s.post(conv, "rule"))
	s.do(s.post(conv, "unfit"))
	s.do(s.post(conv, "last"))
	s.shut(shut)
	done := newTexts()
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		done.add(j)
		switch j.Event.Message.Text() {
		case "rule":
			return store.Done(s.post(shut, "refused"), s.report(conv, j.Event.Seq, chat.Sent, "e1"))
		case "unfit":
			return store.Done(&store.Record{Workspace: s.ws, Conversation: conv, Kind: chat.KindFlowStep, Data: json.RawMessage("{")})
		}
		return s.delivered(j)
	})
	done.reach(t, 3)
	until(t, "the dead letter", func() bool { return len(s.letters()) == 1 })
	equal(t, "each once", done.of(conv), "[rule unfit last]")
	equal(t, "the parked one", s.letters()[0].Event.Message.Text(), "unfit")
	until(t, "the follow-up that is in order", func() bool { return s.event(conv, 4).Status == chat.Sent })
}

// interrupted: the process ends between Begin and the verdict.
func interrupted(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) { o.Lease = 300 * time.Millisecond })
	conv := s.talk("a")
	s.do(s.post(conv, "x"))
	saved, ended := make(chan struct{}), make(chan struct{})
	stop := s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		must(t, j.Begin(ctx))
		must(t, j.Save(ctx, json.RawMessage(`{"part":1}`), s.report(conv, j.Event.Seq, chat.Sending)))
		close(saved)
		<-ended
		return s.delivered(j)
	})
	await(t, "the progress", saved)
	must(t, s.Close())
	close(ended)
	stop()
	s.Store = s.open()
	jobs := make(chan store.Job, 10)
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		jobs <- store.Job{Interrupted: j.Interrupted, Attempts: j.Attempts, Progress: j.Progress}
		return s.delivered(j)
	})
	j := await(t, "the job after the restart", jobs)
	equal(t, "interrupted", j.Interrupted, true)
	equal(t, "attempts", j.Attempts, 1)
	equal(t, "progress", string(j.Progress), `{"part":1}`)
	s.idle()
	equal(t, "done again", len(jobs), 0)
}

// longLane: more jobs wait in one lane than a node holds in memory; another channel's job behind them is done at once.
func longLane(t *testing.T, db Database) {
	s := newSite(t, db)
	many := 5000
	if raced {
		many = 1300
	}
	conv := s.talk("a")
	cmds := make([]store.Command, many)
	want := make([]string, many)
	for i := range cmds {
		want[i] = fmt.Sprint(i)
		cmds[i] = s.post(conv, want[i])
	}
	_, errs := s.AppendAll(t.Context(), cmds)
	for _, err := range errs {
		must(t, err)
	}
	other := s.channel(s.ws)
	free := s.do(&store.Receive{Channel: other, In: s.in("b", "x")}).Events[0].Conversation
	s.do(s.post(free, "free"))
	done, first, gate := newTexts(), make(chan struct{}), make(chan struct{})
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		if j.Event.Conversation == free {
			close(first)
			return s.delivered(j)
		}
		<-gate
		done.add(j)
		return store.Done()
	})
	await(t, "the other channel's job", first)
	equal(t, "jobs before it", done.count(), 0)
	close(gate)
	done.reach(t, many)
	equal(t, "order", done.of(conv), fmt.Sprint(want))
}

func requeued(t *testing.T, db Database) {
	s := newSite(t, db)
	conv := s.talk("a")
	s.do(s.post(conv, "hopeless"))
	var mu sync.Mutex
	better, born := false, time.Time{}
	done := newTexts()
	s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		must(t, j.Begin(ctx))
		mu.Lock()
		defer mu.Unlock()
		if !better {
			born = j.Created
			return store.Dead(&chat.Failure{Class: "rejected"}, s.report(conv, j.Event.Seq, chat.Failed))
		}
		equal(t, "attempts of the new life", j.Attempts, 0)
		if !j.Created.After(born) {
			t.Error("the new life is as old as the first one")
		}
		done.add(j)
		return s.delivered(j)
	})
	until(t, "the dead letter", func() bool { return len(s.letters()) == 1 })
	mu.Lock()
	better = true
	mu.Unlock()
	letter := s.letters()[0]
	s.refuses(chat.CodeNotFound, &store.Requeue{Workspace: s.ws, ID: "out-999999"})
	s.refuses(chat.CodeNotFound, &store.Requeue{Workspace: s.ws, ID: "nonsense"})
	e := s.do(&store.Requeue{Workspace: s.ws, ID: letter.ID}).Events[0]
	equal(t, "kind", e.Kind, chat.KindRepeated)
	done.reach(t, 1)
	s.idle()
	equal(t, "status", s.event(conv, letter.Event.Seq).Status, chat.Sent)
	equal(t, "dead letters", len(s.letters()), 0)
	s.refuses(chat.CodeNotFound, &store.Requeue{Workspace: s.ws, ID: letter.ID})
	audit(t, s.Store)
}

// channelWork: an event without a conversation can mean work, which can die and live again.
func channelWork(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) {
		o.Routes = []store.Route{{Work: "out", Lane: func(e *chat.Event) string {
			if e.Kind == chat.KindBlocked {
				return "people"
			}
			return ""
		}}}
	})
	s.receive(s.about(chat.KindBlocked, "stranger", ""))
	lives := make(chan bool, 10)
	first := true
	s.work(func(context.Context, *store.Job) store.Verdict {
		lives <- first
		if first {
			first = false
			return store.Dead(&chat.Failure{Class: "planted"})
		}
		return store.Done()
	})
	await(t, "the job", lives)
	until(t, "the dead letter", func() bool { return len(s.letters()) == 1 })
	s.do(&store.Requeue{Workspace: s.ws, ID: s.letters()[0].ID})
	await(t, "its second life", lives)
	audit(t, s.Store)
}

// fencedNode: a node that was away for longer than its lease comes back and must not write.
func fencedNode(t *testing.T, db Database) {
	var mu sync.Mutex
	var ahead time.Duration
	s := newSite(t, db, func(o *store.Options) { o.Lease = 30 * time.Second })
	s.o.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(ahead)
	}
	other := s.open() // its clock tells that the lease has run out
	conv := s.talk("a")
	s.do(s.post(conv, "x"))
	began, gate := make(chan struct{}, 10), make(chan struct{})
	late := make(chan error, 10)
	s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if j.Interrupted {
			return store.Later(time.Second) // it may get the work back when the other has stopped
		}
		must(t, j.Begin(ctx))
		began <- struct{}{}
		<-gate
		late <- j.Save(ctx, json.RawMessage(`{"late":true}`))
		return s.delivered(j)
	})
	await(t, "the first node", began)
	mu.Lock()
	ahead = 31 * time.Second
	mu.Unlock()
	took := make(chan bool, 10)
	hold := make(chan struct{})
	background(t, func(ctx context.Context) error {
		return other.Work(ctx, store.Worker{Work: "out", Do: func(_ context.Context, j *store.Job) store.Verdict {
			took <- j.Interrupted
			<-hold
			return store.Done(s.report(conv, j.Event.Seq, chat.Delivered, "from the other"))
		}})
	})
	equal(t, "interrupted", await(t, "the second node", took), true)
	close(gate)
	if err := await(t, "the late node", late); chat.CodeOf(err) != chat.CodeConflict {
		t.Fatalf("the late node wrote: %v", err)
	}
	close(hold)
	until(t, "the second node's verdict", func() bool { return s.event(conv, 4).Status == chat.Delivered })
	equal(t, "external id", s.event(conv, 4).ExternalID, "from the other")
	audit(t, s.Store)
}

// handOver: a node that stops in order leaves nothing to wait for, not even where it was idle.
func handOver(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) { o.Lease = time.Hour })
	other := s.open()
	conv := s.talk("a")
	s.do(s.post(conv, "one"))
	done := newTexts()
	do := func(_ context.Context, j *store.Job) store.Verdict {
		done.add(j)
		return s.delivered(j)
	}
	stopWork := s.work(do)
	stopBot := background(t, func(ctx context.Context) error { return s.Follow(ctx, "bot", count(s.ws)) })
	until(t, "the bot's answer", answered(t, s, 2))
	done.reach(t, 2)
	s.idle()
	stopWork()
	stopBot()
	background(t, func(ctx context.Context) error { return other.Work(ctx, store.Worker{Work: "out", Do: do}) })
	background(t, func(ctx context.Context) error { return other.Follow(ctx, "bot", count(s.ws)) })
	s.receive(s.in("a", "x"))
	done.reach(t, 3)
}

// erasedUnderWay: the contact is erased while its message is being sent. The job ends, once.
func erasedUnderWay(t *testing.T, db Database) {
	s := newSite(t, db)
	conv, next := s.talk("a"), s.talk("b")
	s.do(s.post(conv, "x"))
	began, gate := make(chan string, 100), make(chan struct{})
	stop := s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		began <- j.Lane
		if j.Lane == string(conv) {
			<-gate
		}
		return s.delivered(j)
	})
	await(t, "the job", began)
	s.do(&store.Erase{Workspace: s.ws, Contact: s.look(conv).Contact.ID})
	close(gate)
	for i := range 3 { // by then a job that is tried again would have come
		s.do(s.post(next, fmt.Sprint(i)))
		equal(t, "lane", await(t, "another job", began), string(next))
	}
	s.idle()
	stop()
	equal(t, "messages of the erased", s.event(conv, 4).Message == nil, true)
	audit(t, s.Store)
}
