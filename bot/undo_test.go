package bot

import (
	"testing"
	"testing/synctest"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestCloseTakenBack: the flow goes on, whether the runner came to the close before it was taken back or after, and a replay
// decides the same.
func TestCloseTakenBack(t *testing.T) {
	for name, c := range map[string]struct {
		act     string
		stopped bool   // the runner comes when all is over
		answer  string // a flow that was told of the end has forgotten its question
	}{
		"seen when it was closed":   {"closed", false, "< 3 it is"},
		"seen when it was open":     {"closed", true, "< What?"},
		"taken over and given back": {"assigned", false, "< What?"},
		"given back before":         {"assigned", true, "< What?"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, greeter, func(w *world) {
				w.do("> hi")
				synctest.Wait()
				w.do("> order")
				synctest.Wait()
				if c.stopped {
					w.stop()
				}
				w.do("@ " + c.act + " ann")
				synctest.Wait()
				w.undo(chat.Kind(c.act))
				if c.stopped {
					w.start()
				}
				synctest.Wait()
				w.do("> 3")
				synctest.Wait()
				events := w.events()
				if last := lineOf(events[len(events)-1]); last != c.answer {
					t.Errorf("the flow went on with %q", last)
				}
				w.replays()
			})
		})
	}
}

// undo takes back what bob did last.
func (w *world) undo(kind chat.Kind) {
	w.t.Helper()
	conv := w.conv().ID
	seq := int64(0)
	for _, e := range w.eventsOf(conv) {
		if e.Kind == kind {
			seq = e.Seq
		}
	}
	_, err := w.s.Append(w.t.Context(), &store.Undo{Workspace: w.ws, Conversation: conv, Seq: seq, By: chat.Party{Type: chat.PartyAgent, ID: "bob"}})
	w.must(err)
}
