package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// handedOver: a job that comes with its commit is what reading it would give, is done once and in its lane's order; also one that a
// verdict makes.
func handedOver(t *testing.T, db Database) {
	s := newSite(t, db)
	const lanes, each = 5, 30
	var convs []chat.ConversationID
	for l := range lanes {
		convs = append(convs, s.talk(fmt.Sprint("p", l)))
	}
	done := newTexts()
	stop := s.work(func(ctx context.Context, j *store.Job) store.Verdict {
		if err := s.asRead(ctx, j); err != nil {
			t.Error(err)
		}
		done.add(j)
		if j.Event.Message.Text() == "0" {
			return store.Done(s.post(j.Event.Conversation, "followed"))
		}
		return store.Done()
	})
	for i := range each {
		cmds := make([]store.Command, lanes)
		for l, conv := range convs {
			cmds[l] = s.post(conv, fmt.Sprint(i))
		}
		_, errs := s.AppendAll(t.Context(), cmds)
		for _, err := range errs {
			must(t, err)
		}
	}
	done.reach(t, lanes*(each+1))
	for _, conv := range convs {
		var want []string
		for _, e := range readAll(t, s.Store, s.ws) {
			if e.Conversation == conv && e.Direction == chat.Out && e.Kind == chat.KindMessage {
				want = append(want, e.Message.Text())
			}
		}
		equal(t, "order in "+string(conv), done.of(conv), fmt.Sprint(want))
	}
	stop()
	left := make(chan string, 1000)
	s.work(func(_ context.Context, j *store.Job) store.Verdict {
		left <- j.Event.Message.Text()
		return store.Done()
	})
	s.do(s.post(convs[0], "last"))
	equal(t, "what is left to do", await(t, "the last job", left), "last")
	equal(t, "jobs done", done.count(), lanes*(each+1))
	audit(t, s.Store)
}

// asRead compares what came with a job with what is stored.
func (s *site) asRead(ctx context.Context, j *store.Job) error {
	events, err := s.Events(ctx, s.ws, j.Event.Conversation, j.Event.Seq-1, 1)
	if err != nil || len(events) != 1 {
		return fmt.Errorf("%d events, %w", len(events), err)
	}
	stored, err := json.Marshal(events[0])
	if err != nil {
		return err
	}
	if got, err := json.Marshal(j.Event); err != nil || string(got) != string(stored) {
		return fmt.Errorf("the event is %s, stored %s, %w", got, stored, err)
	}
	then, err := j.Conversation(ctx)
	if err != nil {
		return err
	}
	now, err := s.Conversation(ctx, s.ws, j.Event.Conversation)
	if err != nil {
		return err
	}
	if then.LastSeq < j.Event.Seq || then.LastSeq > now.LastSeq {
		return fmt.Errorf("the conversation ends at %d, the event is %d, the end %d", then.LastSeq, j.Event.Seq, now.LastSeq)
	}
	then.LastSeq, then.Preview, then.Updated, then.LastOut = now.LastSeq, now.Preview, now.Updated, now.LastOut
	if !reflect.DeepEqual(then, now) {
		return fmt.Errorf("the conversation is %+v, stored %+v", then, now)
	}
	return nil
}

// madeForOneAnother: two nodes write and are both willing to do the work, which goes from one to the other. Every job is done once, in order.
func madeForOneAnother(t *testing.T, db Database) {
	s := newSite(t, db, func(o *store.Options) { o.Sweep = 50 * time.Millisecond })
	nodes := []*store.Store{s.Store, s.open()}
	const lanes, each = 4, 40
	var convs []chat.ConversationID
	for l := range lanes {
		convs = append(convs, s.talk(fmt.Sprint("p", l)))
	}
	done := newTexts()
	begin := func(node *store.Store) (stop func()) {
		return background(t, func(ctx context.Context) error {
			return node.Work(ctx, store.Worker{Work: "out", Do: func(_ context.Context, j *store.Job) store.Verdict {
				done.add(j)
				return s.delivered(j)
			}})
		})
	}
	stops := []func(){begin(nodes[0]), begin(nodes[1])}
	var want []string
	var wg sync.WaitGroup
	for i := range each {
		want = append(want, fmt.Sprint(i))
		for l, conv := range convs {
			wg.Go(func() {
				if _, err := nodes[(i+l)%2].Append(t.Context(), s.post(conv, fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if i%10 == 5 {
			stops[i/10%2]()
			stops[i/10%2] = begin(nodes[i/10%2])
		}
	}
	done.reach(t, lanes*each)
	s.idle()
	for _, conv := range convs {
		equal(t, "order in "+string(conv), done.of(conv), fmt.Sprint(want))
	}
	receipts := map[int64]int{}
	for _, e := range readAll(t, s.Store, s.ws) {
		var d chat.ReceiptData
		if e.Kind == chat.KindReceipt && json.Unmarshal(e.Data, &d) == nil {
			receipts[e.Pos]++
		}
	}
	equal(t, "receipts", len(receipts), lanes*each)
	audit(t, s.Store)
}
