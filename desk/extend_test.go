package desk

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestExtend: an agent takes the time to accept anew, as often as the queue allows, and nobody else does.
func TestExtend(t *testing.T) {
	t.Parallel()
	onBoth(t, func(w *world) {
		twice := 2
		w.queue(LeastBusy, Settings{AcceptSeconds: 100, ExtendTimes: &twice}, "ann", "bob")
		w.agent("ann", 5)
		conv := w.customer("one")
		w.isOffered(conv, "ann")
		offer := func() store.Offered {
			all, err := Offers(context.Background(), w.Store, w.ws, "ann")
			w.must(err)
			if len(all) != 1 {
				w.Fatalf("ann is offered %v", all)
			}
			return all[0]
		}
		extend := func(agent string) (chat.OfferData, chat.Code) {
			res, err := Extend(context.Background(), w.Store, Claim{Workspace: w.ws, Conversation: conv, Agent: agent, By: chat.Party{Type: chat.PartyAgent, ID: agent}})
			var d chat.OfferData
			if err == nil {
				w.must(json.Unmarshal(res.Events[0].Data, &d))
			}
			return d, chat.CodeOf(err)
		}
		first := offer()
		if !first.Longest.Equal(first.Until.Add(200*time.Second)) || first.Queue != "support" {
			w.Errorf("offered %+v", first)
		}
		if _, code := extend("bob"); code != chat.CodeForbidden {
			w.Errorf("bob: %q", code)
		}
		for i := range 2 {
			d, code := extend("ann")
			want := first.Until.Add(time.Duration(i+1) * 100 * time.Second)
			if code != "" || !d.Until.Equal(want) || !d.Longest.Equal(first.Longest) || !offer().Until.Equal(want) {
				w.Errorf("extended: %q %+v", code, d)
			}
		}
		if _, code := extend("ann"); code != chat.CodeConflict {
			w.Errorf("a third time: %q", code)
		}
		w.must(w.accept(conv, "ann"))
		if _, code := extend("ann"); code != chat.CodeConflict {
			w.Errorf("after accepting: %q", code)
		}
		w.queue(Everyone, Settings{}, "ann")
		conv = w.customer("two")
		w.isOffered(conv, "ann")
		if _, code := extend("ann"); code != chat.CodeConflict {
			w.Errorf("where nobody has to hurry: %q", code)
		}
	})
}

// TestExtendOnce: where a queue says nothing an agent has the time twice; with 0 not.
func TestExtendOnce(t *testing.T) {
	never := 0
	for want, s := range map[time.Duration]Settings{600 * time.Second: {}, 100 * time.Second: {AcceptSeconds: 100, ExtendTimes: &never}} {
		if got := s.longest(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
