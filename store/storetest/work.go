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
