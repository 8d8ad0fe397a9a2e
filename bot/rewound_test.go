package bot

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/store"
)

// rewind takes the newest conversation back.
func (w *world) rewind(d chat.RewoundData) {
	w.t.Helper()
	raw, err := json.Marshal(d)
	w.must(err)
	_, err = w.s.Append(w.t.Context(), &store.Record{
		Workspace: w.ws, Conversation: w.conv().ID, Kind: chat.KindRewound, Sender: chat.Party{Type: chat.PartyContact}, Data: raw,
	})
	w.must(err)
	synctest.Wait()
}

// counting goes one state further with every message.
const counting = `{"states":[{"name":"a","initial":true},{"name":"b","events":[{"set":{"n":{"expr":"1"}}},{"say":"b"}]},{"name":"c","events":[{"say":"c{{vars.n}}"}]}],
	"transitions":[{"source":"a","dest":"b"},{"source":"b","dest":"c"}]}`

func TestRewound(t *testing.T) {
	inWorld(t, counting, func(w *world) {
		w.do("> hi")
		w.do("> 1")
		synctest.Wait()
		w.do("> 2")
		synctest.Wait()
		w.rewind(chat.RewoundData{Seq: 2, State: "b", Vars: map[string]json.RawMessage{"n": json.RawMessage("7")}})
		w.do("> 2")
		synctest.Wait()
		w.rewind(chat.RewoundData{Seq: 2, State: "nowhere"}) // the state stays
		w.do("> 3")
		synctest.Wait()
		w.is("* opened\n> hi\n> 1\n< b\n> 2\n< c1\n* rewound\n> 2\n< c7\n* rewound\n> 3")
		w.replays()
	})
}

// TestRewoundWhileWorking: what a worker still says then changes nothing.
func TestRewoundWhileWorking(t *testing.T) {
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		<-time.After(time.Second)
		return works(ctx, c, part)
	}, func(w *world) {
		w.do("> go")
		w.do("> waits")
		w.rewind(chat.RewoundData{Seq: 2, State: "s"})
		<-time.After(5 * time.Second)
		if got := w.said(); got != "* opened, > hi, > go, > waits, * rewound" {
			t.Fatal(got)
		}
		w.replays()
	})
}

// TestOverride: every message leads into the state that the client wished, without any condition.
func TestOverride(t *testing.T) {
	for override, want := range map[string]string{"c": "c", "[object Object]": "b"} {
		t.Run(override, func(t *testing.T) {
			inWorld(t, counting, func(w *world) {
				_, err := w.s.Append(w.t.Context(), &store.Receive{Channel: w.ch, In: chat.Incoming{
					Key: "o", Kind: chat.KindOpened, Thread: chat.Thread{Address: w.to}, Override: override, Metadata: json.RawMessage(`{"a":1}`),
				}})
				w.must(err)
				w.do("> 1")
				synctest.Wait()
				w.is("* opened\n> 1\n< " + want)
				w.replays()
				if e := w.events()[0]; !strings.Contains(string(e.Data), `"metadata":{"a":1}`) {
					t.Errorf("opened with %s", e.Data)
				}
			})
		})
	}
}

// TestParts: what is finished is said at once, and once, however often the call is made; each part gives the worker new time.
func TestParts(t *testing.T) {
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		if c.Condition {
			return CallResult{Score: 1}, nil
		}
		for i := range 3 {
			<-time.After(4 * time.Second) // of five
			if err := part(CallResult{}); err != nil {
				return CallResult{}, err
			}
			<-time.After(4 * time.Second)
			if err := part(CallResult{Messages: []chat.Message{chat.TextMessage("part " + strconv.Itoa(i))}}); err != nil {
				return CallResult{}, err
			}
		}
		if c.Conversation.Flow == "" || c.Workspace != "" && c.Conversation.ID == "" {
			t.Errorf("a request without its place: %+v", c)
		}
		return CallResult{Vars: Values{"n": 3}}, ctx.Err()
	}, func(w *world) {
		w.do("> go")
		<-time.After(9 * time.Second)
		synctest.Wait()
		if got := w.said(); got != "* opened, > hi, > go, < part 0" {
			t.Error(got)
		}
		w.stop() // the call is cut off and made again
		w.start()
		<-time.After(30 * time.Second)
		if got := w.said(); got != "* opened, > hi, > go, < part 0, < part 1, < part 2, < after 3" {
			t.Error(got)
		}
		w.replays()
	})
}

// TestStepsTellWhatFollows: a reader knows when all of a turn has been read.
func TestStepsTellWhatFollows(t *testing.T) {
	inWorld(t, counting, func(w *world) {
		w.do("> hi")
		w.do("> 1")
		synctest.Wait()
		var got []int
		for _, e := range w.events() {
			var rec Record
			if e.Kind == chat.KindFlowStep {
				w.must(json.Unmarshal(e.Data, &rec))
				got = append(got, rec.Follow)
			}
		}
		if len(got) < 2 || got[0] != 0 || got[len(got)-1] != 1 {
			t.Errorf("followed by %v", got)
		}
	})
}

// TestStopWhileTheWorkerIsAlive: signs of life count across a restart, also when nothing is finished yet.
func TestStopWhileTheWorkerIsAlive(t *testing.T) {
	inWorkingWorld(t, func(ctx context.Context, c Request, part func(CallResult) error) (CallResult, error) {
		for range 20 {
			if c.Condition {
				break
			}
			select {
			case <-time.After(2 * time.Second): // of five
			case <-ctx.Done():
				return CallResult{}, ctx.Err()
			}
			if err := part(CallResult{}); err != nil {
				return CallResult{}, err
			}
		}
		return works(ctx, c, part)
	}, func(w *world) {
		w.do("> go")
		<-time.After(7 * time.Second)
		w.stop()
		w.start()
		<-time.After(50 * time.Second)
		if got := w.said(); got != "* opened, > hi, > go, < from act, < after 1" {
			t.Error(got)
		}
		w.replays()
	})
}
