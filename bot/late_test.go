package bot

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// TestTooLate: what happened between an event and its step counts. The flow says nothing into somebody else's conversation.
func TestTooLate(t *testing.T) {
	for name, c := range map[string]struct{ during, script string }{
		"taken over":         {"@ assigned bob", "@ assigned bob"},
		"closed":             {"@ closed", "@ closed"},
		"taken and returned": {"@ assigned bob,@ bot f@1", "@ assigned bob\n@ bot f@1\n< What?"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, greeter, func(w *world) {
				w.do("> hi")
				synctest.Wait()
				w.stop()
				w.do("> hm")
				for line := range strings.SplitSeq(c.during, ",") {
					w.do(line)
				}
				w.start()
				synctest.Wait()
				w.is("* opened\n> hi\n< Hello Ann\n> hm\n" + c.script)
				w.replays()
				w.nothingAfterClose()
			})
		})
	}
	t.Run("before it began", func(t *testing.T) {
		inWorld(t, strings.Replace(greeter, `"states"`, `"vars":{"n":5},"states"`, 1), func(w *world) {
			w.stop()
			w.do("> hi")
			w.do("@ assigned bob")
			w.start()
			synctest.Wait()
			w.do("@ bot")
			w.do("> hm")
			synctest.Wait()
			w.is("* opened\n> hi\n@ assigned bob\n@ bot\n> hm\n< What?")
			w.replays()
			if mem := w.memory(); mem.Session.Vars["n"] != 5 {
				t.Fatalf("variables %v", mem.Session.Vars)
			}
		})
	})
}

// TestClosedAtTheSameMoment has an agent close while the flow answers, again and again.
func TestClosedAtTheSameMoment(t *testing.T) {
	inWorld(t, greeter, func(w *world) {
		for range 30 {
			w.do("> hi")
			w.do("> order")
			w.do("@ closed")
			synctest.Wait()
		}
		w.nothingAfterClose()
		w.replays()
	})
}

// nothingAfterClose fails if a closed conversation has an event behind the one that closed it, but for these kinds.
func (w *world) nothingAfterClose(but ...chat.Kind) {
	w.t.Helper()
	closed := map[chat.ConversationID]bool{}
	for _, e := range w.events() {
		if slices.Contains(but, e.Kind) {
			continue
		}
		if closed[e.Conversation] {
			w.t.Fatalf("%s at %d, behind the end", e.Kind, e.Pos)
		}
		closed[e.Conversation] = e.Kind == chat.KindClosed
	}
}

// memory is what the runner keeps of the newest conversation.
func (w *world) memory() (mem memory) {
	w.t.Helper()
	w.stop()
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(w.t.Context())
	w.do("@ assigned reader") // an event to look from
	go func() {
		defer close(done)
		_ = w.s.Follow(ctx, Name, func(tx *store.Tx, _ chat.Event) (err error) {
			mem, err = load(tx)
			return err
		})
	}()
	synctest.Wait()
	cancel()
	<-done
	return mem
}

// TestQueueIsBounded: a contact who writes on while a worker is busy fills neither memory nor the database.
func TestQueueIsBounded(t *testing.T) {
	for name, text := range map[string]string{"many": "x", "large": strings.Repeat("x", 50<<10)} {
		t.Run(name, func(t *testing.T) {
			inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
				<-time.After(4 * time.Second)
				return works(ctx, c, part)
			}, func(w *world) {
				for range 150 {
					w.do("> " + text)
				}
				synctest.Wait()
				var size int
				for _, q := range w.memory().Session.Queue {
					size += weight(q.Message)
				}
				if n := len(w.memory().Session.Queue); n > maxQueue || size > maxQueued+64<<10 || n < 2 {
					t.Errorf("%d messages of %d bytes wait", n, size)
				}
			})
		})
	}
}
