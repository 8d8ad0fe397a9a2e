package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
)

var errExpired = &connector.Error{Policy: connector.Unauthorized, Code: "401", Detail: "the session has ended"}

func TestSessionsAreRenewedOnce(t *testing.T) {
	t.Parallel()
	const n = 20
	var session, renewals, requests atomic.Int64
	allIn, renewed := make(chan struct{}), make(chan struct{})
	s := &script{
		send: func(ctx context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
			if session.Load() > 0 {
				return connector.Sent{ID: part.Key}, nil
			}
			switch requests.Add(1) {
			case n:
				close(allIn)
				<-renewed // the last one hears of the end of its session when the others have a new one already
			default:
				<-allIn
			}
			return connector.Sent{}, errExpired
		},
		renew: func(context.Context) (time.Time, error) {
			renewals.Add(1)
			session.Add(1)
			close(renewed)
			return time.Time{}, nil
		},
	}
	w := newWorld(t, setup{platforms: []connector.Platform{s.platform("sessions", connector.Traits{Concurrency: n})}}).run()
	ch := w.channel("sessions", map[string]any{"token": "SECRETsessionTOKEN001"})
	if _, err := w.MaxBody(t.Context(), ch); err != nil { // opens the channel, so that its concurrency is known
		t.Fatal(err)
	}
	convs, seqs := make([]chat.ConversationID, n), make([]int64, n)
	for i := range n {
		convs[i] = w.meet(ch, fmt.Sprint("p", i))
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { seqs[i] = w.say(convs[i], "hello") })
	}
	wg.Wait()
	for i := range n {
		w.awaitStatus(convs[i], seqs[i], chat.Sent)
	}
	if renewals.Load() != 1 {
		t.Errorf("%d renewals", renewals.Load())
	}
	if shown, err := w.Channel(t.Context(), w.workspace, ch); err != nil || shown.Status != "active" {
		t.Errorf("the channel is %s, %v", shown.Status, err)
	}
}

func TestARenewalThatFailsStopsTheChannel(t *testing.T) {
	t.Parallel()
	var works atomic.Bool
	tries := newDiary[string]()
	s := &script{
		send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
			tries.add(textOfPart(part))
			if !works.Load() {
				return connector.Sent{}, errExpired
			}
			return connector.Sent{ID: part.Key}, nil
		},
		renew: func(context.Context) (time.Time, error) { return time.Time{}, errExpired },
	}
	w := newWorld(t, setup{lease: shortLease, platforms: []connector.Platform{s.platform("sessions", connector.Traits{Concurrency: 1})}}).run()
	ch := w.channel("sessions", map[string]any{"token": "SECRETsessionTOKEN001"})
	if _, err := w.MaxBody(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	conv := w.meet(ch, "ann")
	one := w.say(conv, "one")
	hear(t, "the request", tries.news)
	w.await("the channel to be in error", func() bool { return w.shown(ch).Status == "error" })
	two := w.say(conv, "two")
	works.Store(true)
	w.clock.hurry(t)
	w.awaitStatus(conv, one, chat.Sent)
	w.awaitStatus(conv, two, chat.Sent)
	w.await("the channel to be active", func() bool { return w.shown(ch).Status == "active" })
	if w.shown(ch).Detail != "" {
		t.Errorf("detail %q", w.shown(ch).Detail)
	}
}

func (w *world) shown(ch chat.ChannelID) hub.Channel {
	w.t.Helper()
	c, err := w.Channel(w.t.Context(), w.workspace, ch)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestWrongCredentialsAreMended(t *testing.T) {
	t.Parallel()
	const mended = "42:SECRETtelegramTOKEN0002"
	api := newBotAPI(t, func(c botCall, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/bot"+mended+"/"+c.method {
			return refuse(w, 401, "Unauthorized", nil)
		}
		return false
	})
	w := newWorld(t, setup{lease: shortLease}).run()
	ch := w.channel("telegram", api.bot())
	ann, bob := w.meet(ch, "100"), w.meet(ch, "200")
	first := w.say(ann, "one")
	w.await("the channel to be in error", func() bool { return w.shown(ch).Status == "error" })
	if d := w.shown(ch).Detail; d != "unauthorized (401): Unauthorized" {
		t.Errorf("detail %q", d)
	}
	second, third := w.say(ann, "two"), w.say(bob, "three")
	if e := w.event(ann, first); e.Status != chat.Queued {
		t.Errorf("the first message is %s", e.Status)
	}
	w.secrets = append(w.secrets, mended)
	got, err := w.PatchChannel(t.Context(), w.workspace, ch, hub.ChannelPatch{Settings: asJSON(map[string]any{"token": mended})})
	if err != nil || got.Status != "active" {
		t.Errorf("mended: %s, %v", got.Status, err)
	}
	w.clock.hurry(t)
	w.awaitStatus(ann, first, chat.Sent)
	w.awaitStatus(ann, second, chat.Sent)
	w.awaitStatus(bob, third, chat.Sent)
	if w.shown(ch).Status != "active" {
		t.Error("the channel works and is not shown as active")
	}
	if len(w.letters()) != 0 {
		t.Error("there are dead letters")
	}
}
