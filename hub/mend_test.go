package hub_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/hub"
	"github.com/dragoman-hub/dragoman/store/storetest"
	"github.com/dragoman-hub/dragoman/wake"
)

// picky is a platform that takes no request of ours as long as it is closed.
type picky struct {
	*script
	closed   atomic.Bool
	requests atomic.Int64
}

func newPicky() *picky {
	p := &picky{}
	p.script = &script{
		send: func(_ context.Context, _ connector.Env, part connector.Part) (connector.Sent, error) {
			p.requests.Add(1)
			if p.closed.Load() {
				return connector.Sent{}, &connector.Error{Policy: connector.Unauthorized, Code: "401"}
			}
			return connector.Sent{ID: part.Key}, nil
		},
		check: func() (string, error) { return "fine", nil },
	}
	return p
}

// TestAMendedChannelGoesOn changes a channel on one node while its messages wait on another.
func TestAMendedChannelGoesOn(t *testing.T) {
	t.Parallel()
	off, on := "off", "active"
	for _, c := range []struct {
		name        string
		closed      bool
		spoil, mend func(w *world, ch chat.ChannelID) error
	}{
		{name: "switched on", spoil: func(w *world, ch chat.ChannelID) error {
			return second(w.PatchChannel(w.t.Context(), w.workspace, ch, hub.ChannelPatch{Status: &off}))
		}, mend: func(w *world, ch chat.ChannelID) error {
			return second(w.PatchChannel(w.t.Context(), w.workspace, ch, hub.ChannelPatch{Status: &on}))
		}},
		{name: "new settings", closed: true, mend: func(w *world, ch chat.ChannelID) error {
			return second(w.PatchChannel(w.t.Context(), w.workspace, ch, hub.ChannelPatch{Settings: asJSON(map[string]any{"mood": "good"})}))
		}},
		{name: "checked", closed: true, mend: func(w *world, ch chat.ChannelID) error {
			return second(w.CheckChannel(w.t.Context(), w.workspace, ch))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPicky()
			p.closed.Store(c.closed)
			platforms := []connector.Platform{p.platform("picky", connector.Traits{Concurrency: 1})}
			bus := wake.Local()
			works := newWorld(t, setup{dsn: storetest.Postgres(t), bus: bus, platforms: platforms})
			ch := works.channel("picky", map[string]any{"token": "SECRETpickyTOKEN00001"})
			other := works.again(setup{bus: bus, platforms: platforms})
			conv := works.meet(ch, "ann")
			if c.spoil != nil {
				if err := c.spoil(other, ch); err != nil {
					t.Fatal(err)
				}
			}
			seq := works.say(conv, "x")
			works.run()
			works.await("the message to be held", func() bool {
				return works.heldBack(ch) || p.requests.Load() > 0 && works.shown(ch).Status == "error"
			})
			tries, begun := p.requests.Load(), time.Now()
			if tries > 1 {
				t.Errorf("%d requests before", tries)
			}
			p.closed.Store(false)
			if err := c.mend(other, ch); err != nil {
				t.Fatal(err)
			}
			works.awaitStatus(conv, seq, chat.Sent)
			if took := time.Since(begun); took > 35*time.Second { // who does not notice waits for a minute
				t.Errorf("went on only %s later", took)
			}
		})
	}
}

func TestARefusedChannelIsLeftInPeace(t *testing.T) {
	t.Parallel()
	p := newPicky()
	p.closed.Store(true)
	w := newWorld(t, setup{platforms: []connector.Platform{p.platform("picky", connector.Traits{Concurrency: 1})}}).run()
	ch := w.channel("picky", map[string]any{"token": "SECRETpickyTOKEN00001"})
	conv := w.meet(ch, "ann")
	seq := w.say(conv, "x")
	w.await("the refusal", func() bool { return len(w.log.lines("out: not sent")) == 1 })
	for range 3 { // it looks again, and sees that nothing was mended
		w.clock.advance(2 * time.Second)
		before := w.clock.asked.Load()
		eventually(t, "another look", func() bool { return w.clock.asked.Load() > before+5 })
	}
	if n := p.requests.Load(); n != 1 {
		t.Errorf("%d requests within a minute", n)
	}
	p.closed.Store(false)
	w.clock.advance(time.Minute)
	w.awaitStatus(conv, seq, chat.Sent)
	if s := w.shown(ch).Status; s != "active" {
		t.Errorf("the channel is %s", s)
	}
}
